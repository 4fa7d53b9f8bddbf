//! Analyses the files of a manifest (CSV whose first column is a path beside it) and prints one JSON line for each, as
//! `score.py` reads them. With `--features` also the evidence that the trained decisions weigh; with `--aubio` aubio's tempo.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use synx_analysis::{Options, TempoEngineKind, analyze, evidence};

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

fn add_evidence(path: &Path, line: &mut Value) {
    let Ok((tempi, keys)) = evidence(path) else { return };
    line["tempo_evidence"] = tempi.iter().map(|e| json!([e.bpm, e.features])).collect();
    line["key_evidence"] = keys.iter().map(|e| json!([e.key, e.features])).collect();
}
