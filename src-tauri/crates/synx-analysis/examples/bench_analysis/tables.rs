//! What was measured, as tables in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::cases::Case;
use crate::metrics::{Answer, Answers, Figures, KeyMistake, figures, near};

/// Columns of the score table: the name in [`Figures`] and the heading.
const COLUMNS: [(&str, &str); 8] = [
    ("acc1", "Acc1"),
    ("acc2", "Acc2"),
    ("acc1_1pct", "1 %"),
    ("beat_F", "beats F"),
    ("key_exact", "key exact"),
    ("mirex", "key MIREX"),
    ("neg_no_bpm", "no tempo"),
    ("neg_no_key", "no key"),
];
/// What a tempo may be to the right one, besides right.
const MISTAKES: [(&str, f64); 6] =
    [("2/1", 2.0), ("1/2", 0.5), ("3/1", 3.0), ("1/3", 1.0 / 3.0), ("3/2", 1.5), ("2/3", 2.0 / 3.0)];
const CONFIDENCES: [f64; 8] = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01];

type Pair<'a> = (&'a Case, &'a Answer);

/// A row for each program: its name, figures, and how many times faster than real time it is.
pub fn scores(rows: &[(String, Figures, f64)]) -> String {
    let headings: Vec<&str> = COLUMNS.iter().map(|(_, heading)| *heading).collect();
    let mut text = format!("| | {} | x real time |\n|---|{}---|\n", headings.join(" | "), "---|".repeat(8));
    for (name, figures, speed) in rows {
        let _ = writeln!(text, "| {name} | {} | {speed:.0} |", cells(figures));
    }
    text
}

fn cells(figures: &Figures) -> String {
    let cell = |(name, _): &(&str, &str)| {
        figures.get(name).map_or_else(|| "-".to_owned(), |mean| format!("{:.1}", mean.percent()))
    };
    COLUMNS.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

/// Ours by family of files.
pub fn families(pairs: &[Pair<'_>]) -> String {
    let headings: Vec<&str> = COLUMNS.iter().map(|(_, heading)| *heading).collect();
    let program = Answers::of(pairs.iter().map(|(_, answer)| *answer));
    let mut text = format!("| family | files | {} |\n|---|---|{}\n", headings.join(" | "), "---|".repeat(8));
    for (family, pairs) in by_family(pairs) {
        let own = figures(pairs.iter().copied(), program);
        let _ = writeln!(text, "| {family} | {} | {} |", pairs.len(), cells(&own));
    }
    text
}

fn by_family<'a>(pairs: &[Pair<'a>]) -> BTreeMap<&'a str, Vec<Pair<'a>>> {
    let mut families = BTreeMap::<&str, Vec<Pair<'_>>>::new();
    for pair in pairs {
        families.entry(&pair.0.family).or_default().push(*pair);
    }
    families
}

/// What the tempo given is to the right one, by family.
pub fn octaves(pairs: &[Pair<'_>]) -> String {
    let names: Vec<&str> = MISTAKES.iter().map(|(name, _)| *name).collect();
    let mut text =
        format!("| family | right | {} | other | none |\n|---|{}\n", names.join(" | "), "---|".repeat(9));
    for (family, pairs) in by_family(pairs) {
        let mut counts = [0usize; MISTAKES.len() + 3];
        for (case, answer) in &pairs {
            let Some(wanted) = case.bpm else { continue };
            let ratio = |factor: f64| near(answer.bpm.map(|bpm| bpm / factor), wanted, &[1.0], 0.04);
            let place = match answer.bpm {
                None => MISTAKES.len() + 2,
                Some(_) if ratio(1.0) => 0,
                Some(_) => MISTAKES.iter().position(|(_, f)| ratio(*f)).unwrap_or(MISTAKES.len()) + 1,
            };
            counts[place] += 1;
        }
        row(&mut text, family, &counts);
    }
    text
}

/// What the key given is to the right one, by family.
pub fn keys(pairs: &[Pair<'_>]) -> String {
    let mut text = "| family | right | fifth above | relative | parallel | other | none |\n".to_owned();
    let _ = writeln!(text, "|---|{}", "---|".repeat(6));
    for (family, pairs) in by_family(pairs) {
        let mut counts = [0usize; 6];
        for (case, answer) in &pairs {
            let Some(wanted) = case.key else { continue };
            counts[KeyMistake::of(wanted, answer.key) as usize] += 1;
        }
        row(&mut text, family, &counts);
    }
    text
}

/// Families without a label have no row.
fn row(text: &mut String, family: &str, counts: &[usize]) {
    if counts.iter().any(|count| *count > 0) {
        let cells: Vec<String> = counts.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "| {family} | {} |", cells.join(" | "));
    }
}

/// How often answers are right, by the confidence with which they were given.
pub fn calibration(pairs: &[Pair<'_>]) -> String {
    let tempo: Vec<(f64, bool)> = pairs
        .iter()
        .filter_map(|(case, answer)| {
            let wanted = case.bpm?;
            Some((answer.bpm_confidence?, near(answer.bpm, wanted, &[1.0], 0.04)))
        })
        .collect();
    let key: Vec<(f64, bool)> =
        pairs.iter().filter_map(|(c, a)| Some((a.key_confidence?, a.key == Some(c.key?)))).collect();
    let mut text = "| confidence | tempo right | key right |\n|---|---|---|\n".to_owned();
    for bounds in CONFIDENCES.windows(2) {
        let cell = |answers: &[(f64, bool)]| {
            let inside: Vec<bool> = answers
                .iter()
                .filter(|(confidence, _)| (bounds[0]..bounds[1]).contains(confidence))
                .map(|(_, right)| *right)
                .collect();
            let right = inside.iter().filter(|right| **right).count();
            if inside.is_empty() { "-".to_owned() } else { format!("{right} of {}", inside.len()) }
        };
        let upper = bounds[1].min(1.0);
        let _ = writeln!(text, "| {} to {upper} | {} | {} |", bounds[0], cell(&tempo), cell(&key));
    }
    text
}
