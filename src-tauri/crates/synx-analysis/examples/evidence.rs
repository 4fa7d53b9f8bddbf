//! What the trained decisions weigh, for the files of a manifest (CSV whose first column is a path beside it): one JSON line
//! for each, the input of `training/train.py`.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use synx_analysis::{KeyEvidence, Take, TempoEvidence, evidence};

fn main() {
    let Some(manifest) = std::env::args().nth(1).map(PathBuf::from) else {
        eprintln!("usage: evidence MANIFEST.csv [--plain]");
        std::process::exit(2);
    };
    let takes = if std::env::args().any(|a| a == "--plain") { vec![PLAIN] } else { takes() };
    let text = std::fs::read_to_string(&manifest).unwrap();
    let folder = manifest.parent().unwrap_or(Path::new("."));
    for file in text.lines().skip(1).filter_map(|line| line.split(',').next()) {
        println!("{}", json!({"file": file, "evidence": evidence_of(&folder.join(file), &takes)}));
    }
}

/// The file as it is; enough for the decision about the bar.
const PLAIN: Take = Take { speed: 1.0, stretch: (0.0, 1.0) };

/// At several speeds, so that no decision hangs on the exact tempo or pitch of one file; the speeds are whole semitones
/// apart, so that the key moves by whole semitones as well. And without the start and the end, which recordings that are
/// cut out of a piece do not have.
fn takes() -> Vec<Take> {
    let speed = |semitones: i32| (f64::from(semitones) / 12.0).exp2();
    let whole = [0, -4, -3, -1, 1, 3, 4].map(|s| Take { speed: speed(s), stretch: (0.0, 1.0) });
    let cut = [(0.0, 0.6), (0.15, 0.75), (0.3, 0.9)].map(|stretch| Take { speed: 1.0, stretch });
    [&whole[..], &cut[..]].concat()
}

/// Empty for a file that cannot be decoded.
fn evidence_of(path: &Path, takes: &[Take]) -> Vec<Value> {
    let found = evidence(path, takes).unwrap_or_default();
    let json_of = |(take, (tempo, key)): (&Take, &(TempoEvidence, KeyEvidence))| {
        let tempi: Vec<Value> =
            tempo.readings.iter().map(|e| json!([e.bpm, e.features, e.beats_s])).collect();
        let keys: Vec<Value> = key.readings.iter().map(|e| json!([e.key, e.features])).collect();
        let bars: Vec<Value> =
            tempo.bars.iter().map(|b| json!([b.beats_per_bar, b.first_downbeat_s, b.features])).collect();
        json!({
            "bars": bars,
            "speed": take.speed,
            "stretch": [take.stretch.0, take.stretch.1],
            "tempo": tempi,
            "tempo_presence": tempo.presence,
            "key": keys,
            "key_presence": key.presence,
        })
    };
    takes.iter().zip(&found).map(json_of).collect()
}
