//! Other programs on the same files, as far as they are installed: aubio and Essentia through Python, and the scorer of
//! the data set, which must come to the same figures.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::cases::Case;
use crate::metrics::{Answer, Figures};

const COMPARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/bench_analysis/others.py");

/// What another program says.
#[derive(Default)]
pub struct Other {
    /// By file.
    pub answers: BTreeMap<String, Answer>,
    /// How many times faster than real time, decoding not counted.
    pub speed: f64,
}

/// Runs the other programs; none where Python, aubio and Essentia are all missing.
pub fn run(python: &str, folder: &Path) -> BTreeMap<String, Other> {
    let mut found = BTreeMap::<String, Other>::new();
    let output = Command::new(python).arg(COMPARE).arg(folder).stderr(Stdio::inherit()).output();
    let Ok(output) = output else { return found };
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let Some(program) = line["program"].as_str() else { continue };
        let other = found.entry(program.to_owned()).or_default();
        if let Some(speed) = line["speed"].as_f64() {
            other.speed = speed;
        } else if let Some(file) = line["file"].as_str() {
            other.answers.insert(file.to_owned(), answer(&line));
        }
    }
    found
}

fn answer(line: &Value) -> Answer {
    let beats = line["beats"].as_array();
    Answer {
        bpm: line["bpm"].as_f64(),
        key: line["key"].as_str().and_then(|key| key.parse().ok()),
        beats_s: beats.map(|beats| beats.iter().filter_map(Value::as_f64).collect()),
        ..Answer::default()
    }
}

/// Compares our figures with those of `score.py` in the folder: how many agree, or in which they differ.
///
/// # Errors
/// When it cannot be run: what is missing.
pub fn check(
    python: &str,
    folder: &Path,
    cases: &[Case],
    answers: &[Answer],
    figures: &Figures,
) -> io::Result<Result<usize, Vec<String>>> {
    let mut predictions = tempfile::NamedTempFile::new()?;
    for (case, answer) in cases.iter().zip(answers) {
        let line = json!({"file": case.file, "bpm": answer.bpm, "key": answer.key, "beats": answer.beats_s});
        writeln!(predictions, "{line}")?;
    }
    let scorer = folder.join("score.py");
    fs::metadata(&scorer)?;
    let mut call = Command::new(python);
    call.arg(&scorer).arg(folder.join("manifest.csv")).arg(predictions.path()).arg("--json");
    let output = call.stderr(Stdio::inherit()).output()?;
    let theirs: Value = serde_json::from_slice(&output.stdout)?;
    let differing = |name: &&str, percent: f64| {
        let their = theirs["ALL"][name]["mean"].as_f64();
        // They are rounded to a tenth.
        (!their.is_some_and(|t| (t - percent).abs() < 0.051))
            .then(|| format!("{name}: {percent:.2}, {their:?}"))
    };
    let different: Vec<String> =
        figures.iter().filter_map(|(name, mean)| differing(name, mean.percent())).collect();
    Ok(if different.is_empty() { Ok(figures.len()) } else { Err(different) })
}
