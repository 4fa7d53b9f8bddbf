//! `cargo xtask bench sync --rig DIR [ROW…] [--seconds S] [--no-snapcast]`: how far apart players really are.
//!
//! Runs `synx` and, where it is installed, Snapcast one after the other through the same cases on virtual sound cards, and
//! writes the table and a plot of offset over time into docs/. The instrument is the rig that DIR was set up with; this
//! only runs it, and must never measure by what a player says of itself.

mod report;
mod rig;
mod seek;
mod together;

use rig::Rig;
use std::path::{Path, PathBuf};

type Failure = Box<dyn std::error::Error>;

/// A case of two players: what it is called, and what the rig is told after the player, the name and the seconds.
struct Row {
    name: &'static str,
    about: &'static str,
    arguments: &'static [&'static str],
    seconds: u32,
}

const BAD_LINK: &str = "--delay 20 --jitter 15 --stall-every 10 --stall 100 --seed 2";

const ROWS: &[Row] = &[
    Row { name: "quiet", about: "quiet", arguments: &["--vcard"], seconds: 180 },
    Row { name: "burn", about: "one of two cores busy", arguments: &["--vcard", "--burn", "1"], seconds: 60 },
    Row {
        name: "drift",
        about: "cards at −50 and +50 ppm",
        arguments: &["--vcard", "--ppm-a", "-50", "--ppm-b", "50"],
        seconds: 90,
    },
    Row {
        name: "skew",
        about: "peer's host clock +50 ppm and 1000 s ahead",
        arguments: &["--vcard", "--skew-b", "50", "--offset-b", "1000"],
        seconds: 90,
    },
    Row {
        name: "link",
        about: "peer over 20±15 ms with 100 ms stalls, from 60 s on",
        arguments: &["--vcard", "--proxy", BAD_LINK, "--skip", "60"],
        seconds: 120,
    },
    Row {
        name: "link-early",
        about: "the same link, first 10 s",
        arguments: &["--vcard", "--proxy", BAD_LINK, "--skip", "0"],
        seconds: 1,
    },
    Row {
        name: "events",
        about: "a peer stopped for 2 s, then killed and started again",
        arguments: &["--vcard", "--events"],
        seconds: 10,
    },
    Row { name: "pulse", about: "quiet, through PulseAudio (rig A)", arguments: &[], seconds: 60 },
];

fn main() -> Result<(), Failure> {
    let asked = Asked::parse(std::env::args().skip(1))?;
    let rig = Rig::open(&asked.rig)?;
    for row in ROWS.iter().filter(|row| asked.wants(row.name)) {
        let seconds = asked.seconds.unwrap_or(row.seconds);
        let snapcast = asked.snapcast && rig.has_snapcast();
        for player in ["synx", "snap"].iter().filter(|player| **player == "synx" || snapcast) {
            eprintln!("{player}: {} ({seconds} s)", row.about);
            eprintln!("{}", rig.run(player, row.name, seconds, row.arguments)?);
        }
    }
    for case in together::CASES.iter().filter(|case| asked.wants(case.name)) {
        // An hour is run only when it is asked for by name.
        if case.name != "hour" || !asked.rows.is_empty() {
            eprintln!("{}", together::run(&rig, case, asked.seconds.unwrap_or(case.seconds))?);
        }
    }
    if asked.wants(seek::NAME) {
        eprintln!("synx: {}", seek::ABOUT);
        eprintln!("{}", seek::run(&rig)?);
    }
    report::write(&rig, &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs"))
}

struct Asked {
    rig: PathBuf,
    rows: Vec<String>,
    seconds: Option<u32>,
    snapcast: bool,
}

impl Asked {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut asked = Self { rig: PathBuf::new(), rows: Vec::new(), seconds: None, snapcast: true };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--rig" => {
                    asked.rig = args.next().ok_or("--rig needs the folder that the rig was set up in")?.into()
                }
                "--seconds" => asked.seconds = Some(args.next().ok_or("--seconds needs a number")?.parse()?),
                "--no-snapcast" => asked.snapcast = false,
                name if names().any(|known| known == name) => asked.rows.push(arg),
                other => return Err(format!("there is no case `{other}`").into()),
            }
        }
        if asked.rig.as_os_str().is_empty() {
            return Err("--rig DIR is missing: the folder that the rig's setup.sh made".into());
        }
        Ok(asked)
    }

    fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|asked| asked == row)
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name).chain(together::CASES.iter().map(|case| case.name)).chain([seek::NAME])
}
