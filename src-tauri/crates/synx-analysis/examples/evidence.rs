//! Analyses the files of a manifest (CSV whose first column is a path beside it) and prints one JSON line for each, as
//! `score.py` reads them. With `--features` also the evidence that the trained decisions weigh; with `--aubio` aubio's tempo.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use synx_analysis::{KeyEvidence, Options, Take, TempoEngineKind, TempoEvidence, analyze, evidence};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(manifest) = arguments.iter().find(|a| !a.starts_with("--")).map(PathBuf::from) else {
        eprintln!("usage: score MANIFEST.csv [--features] [--aubio]");
        std::process::exit(2);
    };
    let has = |flag: &str| arguments.iter().any(|a| a == flag);
    let engine = if has("--aubio") { TempoEngineKind::Aubio } else { TempoEngineKind::Onset };
    let text = std::fs::read_to_string(&manifest).unwrap();
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let (mut audio_s, started) = (0.0, Instant::now());
    for file in text.lines().skip(1).filter_map(|line| line.split(',').next()) {
        let mut line = prediction(&folder.join(file), engine, &mut audio_s);
        line["file"] = json!(file);
        if has("--features") {
            add_evidence(&folder.join(file), &mut line);
        }
        println!("{line}");
    }
    let elapsed_s = started.elapsed().as_secs_f64();
    eprintln!("{audio_s:.0} s of audio in {elapsed_s:.2} s: {:.0} times real time", audio_s / elapsed_s);
}

fn prediction(path: &Path, engine: TempoEngineKind, audio_s: &mut f64) -> Value {
    match analyze(path, &Options { tempo_engine: engine, ..Options::default() }) {
        Ok(found) => {
            *audio_s += found.duration_s;
            let tempo = found.tempo.as_ref();
            let key = found.key.as_ref();
            json!({
                "bpm": tempo.map(|t| t.bpm),
                "bpm_confidence": tempo.map(|t| t.confidence),
                "beats": tempo.map(|t| &t.beats_s),
                "key": key.map(|k| k.key),
                "key_confidence": key.map(|k| k.confidence),
                "energy": found.energy,
                "lufs": found.loudness.integrated_lufs,
                "lra": found.loudness.range_lu,
                "true_peak": found.loudness.true_peak_dbtp,
            })
        }
        Err(error) => json!({"error": error.to_string()}),
    }
}

/// At several speeds, so that no decision hangs on the exact tempo or pitch of one file; the speeds are whole semitones
/// apart, so that the key moves by whole semitones as well. And without the start and the end, which recordings that are
/// cut out of a piece do not have.
fn takes() -> Vec<Take> {
    let speed = |semitones: i32| (f64::from(semitones) / 12.0).exp2();
    let whole = [0, -4, -3, -1, 1, 3, 4].map(|s| Take { speed: speed(s), stretch: (0.0, 1.0) });
    let cut = [(0.0, 0.6), (0.15, 0.75), (0.3, 0.9)].map(|stretch| Take { speed: 1.0, stretch });
    [&whole[..], &cut[..]].concat()
}

fn add_evidence(path: &Path, line: &mut Value) {
    let takes = takes();
    let found = evidence(path, &takes).unwrap_or_default();
    let json_of = |(take, (tempo, key)): (&Take, &(TempoEvidence, KeyEvidence))| {
        let tempi: Vec<Value> =
            tempo.readings.iter().map(|e| json!([e.bpm, e.features, e.beats_s])).collect();
        let keys: Vec<Value> = key.readings.iter().map(|e| json!([e.key, e.features])).collect();
        json!({
            "speed": take.speed,
            "stretch": [take.stretch.0, take.stretch.1],
            "tempo": tempi,
            "tempo_presence": tempo.presence,
            "key": keys,
            "key_presence": key.presence,
        })
    };
    line["evidence"] = takes.iter().zip(&found).map(json_of).collect();
}
