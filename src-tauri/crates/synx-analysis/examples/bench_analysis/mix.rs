//! A mix of many hours, made by repeating the frames of a demo track: whether memory stays bounded whatever the length.

use std::fs::{self, File};
use std::io::{BufWriter, Write};

use synx_analysis::{Options, analyze};

use crate::{Stopwatch, peak_mib};

const TRACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../assets/demo/tide-line.mp3");
/// Bit rates of MPEG 1 layer III, by the index in the frame's header.
const KBPS: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const RATES_HZ: [usize; 3] = [44_100, 48_000, 32_000];

/// Analyses a mix of so many hours and tells what it took.
pub fn measure(hours: f64) -> Result<String, String> {
    let track = fs::read(TRACK).map_err(|e| format!("cannot read {TRACK}: {e}"))?;
    let frames = audio_frames(&track).ok_or("the demo track is no MP3 as the mix is made of")?;
    let once_s = analyze(TRACK.as_ref(), &Options::default()).map_err(|e| e.to_string())?.duration_s;
    let path =
        tempfile::Builder::new().suffix(".mp3").tempfile().map_err(|e| e.to_string())?.into_temp_path();
    let mut out = BufWriter::new(File::create(&path).map_err(|e| e.to_string())?);
    for _ in 0..(hours * 3600.0 / once_s).ceil() as usize {
        out.write_all(frames).map_err(|e| e.to_string())?;
    }
    out.into_inner().map_err(|e| e.to_string())?;
    let started = Stopwatch::start();
    let found = analyze(&path, &Options::default()).map_err(|e| e.to_string())?;
    let speed = found.duration_s / started.elapsed_s();
    let memory = peak_mib().map_or_else(|| "not known here".to_owned(), |mib| format!("{mib:.0} MiB"));
    let hours = found.duration_s / 3600.0;
    Ok(format!("A mix of {hours:.1} hours in stereo: peak memory {memory}, {speed:.0} times real time."))
}

/// What follows the tag and the first frame: that one holds no audio but the encoder's notes.
fn audio_frames(mp3: &[u8]) -> Option<&[u8]> {
    let tag =
        mp3.strip_prefix(b"ID3")?.get(3..7)?.iter().fold(0usize, |size, byte| size << 7 | usize::from(*byte));
    let frames = mp3.get(10 + tag..)?;
    let header = frames.get(..4).filter(|header| header[0] == 0xFF && header[1] & 0xFE == 0xFA)?;
    let kbps = KBPS.get(usize::from(header[2] >> 4))?;
    let rate_hz = RATES_HZ.get(usize::from(header[2] >> 2 & 3))?;
    let padding = usize::from(header[2] >> 1 & 1);
    frames.get(144_000 * kbps / rate_hz + padding..)
}
