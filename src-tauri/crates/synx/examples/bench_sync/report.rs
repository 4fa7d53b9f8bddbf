//! The table in docs/sync.md and the plot beside it, made anew from what the rig holds of the last run of each case.

use crate::rig::{Outcome, Rig};
use crate::{Failure, ROWS, seek, together};
use std::fmt::Write as _;
use std::path::Path;

const BEGIN: &str = "<!-- cargo xtask bench sync: begin -->";
const END: &str = "<!-- cargo xtask bench sync: end -->";
/// The cases that are drawn.
const DRAWN: [&str; 4] = ["quiet", "drift", "skew", "link"];

/// Writes what the rig holds into the documents.
pub fn write(rig: &Rig, docs: &Path) -> Result<(), Failure> {
    let page = docs.join("sync.md");
    let text = std::fs::read_to_string(&page)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("docs/sync.md has no place for the table")?;
    let (_, after) = rest.split_once(END).ok_or("docs/sync.md has no end of the table")?;
    std::fs::write(&page, format!("{before}{BEGIN}\n{}{END}{after}", tables(rig)?))?;
    std::fs::write(docs.join("sync-offset.svg"), plot(rig)?)?;
    Ok(())
}

fn tables(rig: &Rig) -> Result<String, Failure> {
    let cases = ROWS.iter().map(|row| (row.name, row.about));
    let cases = cases.chain(together::CASES.iter().map(|case| (case.name, case.about)));
    let mut offsets = String::from(
        "\n| case | minutes | SynxSphere | gaps, xruns | Snapcast | gaps, xruns |\n|---|---|---|---|---|---|\n",
    );
    let mut times = String::from(
        "\n| case | | play to audible | back after a stop | after a start | CPU, memory |\n|---|---|---|---|---|---|\n",
    );
    for (name, about) in cases {
        let [ours, theirs] = ["synx", "snap"].map(|player| rig.outcome(&format!("{player}_{name}")));
        let (ours, theirs) = (ours?, theirs?);
        if ours.is_none() && theirs.is_none() {
            continue;
        }
        let [spread_ours, spread_theirs] =
            [&ours, &theirs].map(|outcome| outcome.as_ref().map_or_else(none, spread));
        let [lost_ours, lost_theirs] =
            [&ours, &theirs].map(|outcome| outcome.as_ref().map_or_else(none, lost));
        let minutes = ours.as_ref().map_or(0.0, Outcome::minutes);
        writeln!(
            offsets,
            "| {about} | {minutes:.1} | {spread_ours} | {lost_ours} | {spread_theirs} | {lost_theirs} |"
        )?;
        for (player, outcome) in [("SynxSphere", ours), ("Snapcast", theirs)] {
            if let Some(outcome) = outcome.filter(|outcome| outcome.said("B CPU %").is_some()) {
                writeln!(times, "| {about} | {player} | {} |", timing(&outcome))?;
            }
        }
    }
    if let Some(outcome) = rig.outcome(&format!("synx_{}", seek::NAME))? {
        let said = |name: &str| outcome.said(name).unwrap_or(f64::NAN);
        writeln!(
            times,
            "\nFrom the order to seek to the new place at the cards, {} on two peers: median {:.3} s, longest {:.3} s.",
            seek::ABOUT,
            said("seek_median_s"),
            said("seek_max_s")
        )?;
    }
    Ok(format!("{offsets}{times}\n"))
}

fn none() -> String {
    "–".to_owned()
}

fn spread(outcome: &Outcome) -> String {
    format!("{:.1} / {:.1} / {:.1}", outcome.median_us, outcome.p95_us, outcome.max_us)
}

fn lost(outcome: &Outcome) -> String {
    format!("{}, {}", outcome.gaps, outcome.xruns)
}

fn timing(outcome: &Outcome) -> String {
    let seconds = |name: &str| outcome.said(name).map_or_else(none, |s| format!("{s:.3} s"));
    let audible = format!("{}, {}", seconds("A audible after s"), seconds("B audible after s"));
    let back = |event: &str| {
        let within = outcome.said(&format!("resync_1ms_after_{event}_s")).map_or_else(none, |s| {
            // A window of the rig reaches back before the event by half its length.
            format!("{:.1} s", s.max(0.0))
        });
        match outcome.said(&format!("audible_after_{event}_s")) {
            Some(s) => format!("{s:.3} s, under 1 ms {within}"),
            None => none(),
        }
    };
    let cost = |name: &str, digits: usize| outcome.said(name).map_or_else(none, |v| format!("{v:.digits$}"));
    let cost = format!("{} %, {} MiB", cost("B CPU %", 2), cost("B MiB", 0));
    format!("{audible} | {} | {} | {cost}", back("cont_B"), back("restart_B"))
}

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 150.0;
/// The scale of offsets, in decades of microseconds.
const DECADES: (f64, f64) = (-1.0, 4.0);

/// Absolute offset over time, one panel a case, on a logarithmic scale.
fn plot(rig: &Rig) -> Result<String, Failure> {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"10\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        2.0 * WIDTH,
        2.0 * HEIGHT + 24.0
    );
    for (i, name) in DRAWN.iter().enumerate() {
        let about = ROWS.iter().find(|row| row.name == *name).map_or(*name, |row| row.about);
        let (x, y) = ((i % 2) as f64 * WIDTH, (i / 2) as f64 * HEIGHT);
        writeln!(svg, "<g transform=\"translate({x} {y})\">{}", frame(about))?;
        for (player, colour) in [("snap", "#9a9aa5"), ("synx", "#5b4bd6")] {
            if let Some(outcome) = rig.outcome(&format!("{player}_{name}"))? {
                writeln!(svg, "<path fill=\"none\" stroke=\"{colour}\" d=\"{}\"/>", path(&outcome.offsets))?;
            }
        }
        svg.push_str("</g>\n");
    }
    writeln!(
        svg,
        "<text x=\"44\" y=\"{y}\" fill=\"#5b4bd6\">SynxSphere</text><text x=\"124\" y=\"{y}\" \
         fill=\"#77777f\">Snapcast</text><text x=\"204\" y=\"{y}\">|offset| in us over seconds, log scale</text>\n</svg>",
        y = 2.0 * HEIGHT + 14.0
    )?;
    Ok(svg)
}

const LEFT: f64 = 44.0;
const TOP: f64 = 22.0;

fn height_of(us: f64) -> f64 {
    let (low, high) = DECADES;
    let share = (us.abs().max(1e-9).log10().clamp(low, high) - low) / (high - low);
    TOP + (HEIGHT - TOP - 24.0) * (1.0 - share)
}

fn frame(about: &str) -> String {
    let mut svg = format!("<text x=\"{LEFT}\" y=\"14\" font-weight=\"bold\">{about}</text>");
    for decade in [1.0, 10.0, 100.0, 1_000.0, 10_000.0] {
        let y = height_of(decade);
        // Writing to a string does not fail.
        let _ = write!(
            svg,
            "<path stroke=\"#e4e4ea\" d=\"M{LEFT} {y:.1}H{}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{decade}</text>",
            WIDTH - 12.0,
            LEFT - 4.0,
            y + 3.0
        );
    }
    svg
}

fn path(offsets: &[(f64, f64)]) -> String {
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return String::new() };
    let scale = (WIDTH - LEFT - 12.0) / (last.0 - first.0).max(1.0);
    let points =
        offsets.iter().map(|(s, us)| format!("{:.1} {:.1}", LEFT + (s - first.0) * scale, height_of(*us)));
    format!("M{}", points.collect::<Vec<_>>().join("L"))
}
