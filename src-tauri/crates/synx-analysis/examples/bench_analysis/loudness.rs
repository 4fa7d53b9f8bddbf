//! Loudness and range of test sequences, beside what they must be.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use synx_media::{Decoder, Loudness, LoudnessMeter, MediaError};

/// Frames decoded at a time.
const BLOCK_FRAMES: usize = 8192;

/// A table of the files named in `expected.csv` of a folder (file, integrated_lufs, lra_lu).
pub fn table(folder: &Path) -> Result<String, String> {
    let path = folder.join("expected.csv");
    let expected = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let mut text =
        "| sequence | integrated, LUFS | expected | range, LU | expected |\n|---|---|---|---|---|\n"
            .to_owned();
    for line in expected.lines().skip(1) {
        let mut fields = line.split(',');
        let mut next = || fields.next().unwrap_or_default().to_owned();
        let (file, lufs, range) = (next(), next(), next());
        let found = measure(&folder.join(&file)).map_err(|e| e.to_string())?;
        let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        let name = file.split('.').next().unwrap_or_default();
        let (integrated, lra) = (cell(found.integrated_lufs), cell(found.range_lu));
        let _ = writeln!(text, "| {name} | {integrated} | {lufs} | {lra} | {range} |");
    }
    Ok(text)
}

fn measure(path: &Path) -> Result<Loudness, MediaError> {
    let mut decoder = Decoder::open(path)?;
    let mut meter = LoudnessMeter::new(decoder.sample_rate_hz(), decoder.channels());
    let mut block = vec![0.0; BLOCK_FRAMES * decoder.channels()];
    loop {
        let frames = decoder.read(&mut block)?;
        if frames == 0 {
            return Ok(meter.finish());
        }
        meter.push(&block[..frames * decoder.channels()]);
    }
}
