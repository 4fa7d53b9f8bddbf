//! Doors for audio: files as they come from strangers, and signals that no recording holds.
//!
//! A target must never look at what a signal is, only at what is said of it: numbers, in their bounds, that can be sent.

use std::io::Write;
use std::sync::Once;
use synx_analysis::{Analysis, Options};
use synx_media::Decoder;
use tempfile::NamedTempFile;

/// Frames that are decoded of a file at most. Few bytes may stand for days, and one run must not take as long.
const MOST_FRAMES: usize = 1 << 20;
const BLOCK_FRAMES: usize = 4096;

/// The shortest signal that has a tempo to find, and no longer than that.
const SIGNAL_S: u32 = 6;
/// Rates that players have, and some at the edges of what is taken.
const RATES_HZ: [u32; 8] = [44_100, 48_000, 8_000, 22_050, 96_000, 1_000, 11_025, 16_000];

/// A file of any bytes: described, looked into for its picture, decoded to its end or to a reason, and decoded again from its middle.
pub fn decode(bytes: &[u8]) {
    let Some(file) = on_disk(bytes) else { return };
    parsers_may_panic();
    drop(synx_media::probe(file.path()));
    drop(synx_media::artwork(file.path()));
    let Ok(mut decoder) = Decoder::open(file.path()) else { return };
    assert!((1..=32).contains(&decoder.channels()));
    let heard = listen(&mut decoder);
    if decoder.seek(heard as u64 / 2).is_ok() {
        listen(&mut decoder);
    }
}

/// Decodes to the end, and says how many frames there were.
fn listen(decoder: &mut Decoder) -> usize {
    let mut block = vec![0.0_f32; BLOCK_FRAMES * decoder.channels()];
    let mut frames = 0;
    while frames < MOST_FRAMES {
        let Ok(got @ 1..) = decoder.read(&mut block) else { break };
        let samples = &block[..got * decoder.channels()];
        assert!(samples.iter().all(|sample| sample.abs() <= 64.0), "no sample");
        frames += got;
    }
    frames
}

/// Any signal: the first bytes choose rate and channels, the others are samples as they are, over and over. What is found
/// is said in numbers that are what they should be, and can be read again as they are written.
pub fn analysis(bytes: &[u8]) {
    let [rate, channels, samples @ ..] = bytes else { return };
    let rate_hz = RATES_HZ[usize::from(*rate) % RATES_HZ.len()];
    let channels = u32::from(*channels % 3) + 1;
    let Some(file) = on_disk(&float_wav(rate_hz, channels, samples)) else { return };
    parsers_may_panic();
    let Ok(found) = synx_analysis::analyze(file.path(), &Options::default()) else { return };
    check(&found);
    let again = serde_json::to_string(&found).and_then(|text| serde_json::from_str::<Analysis>(&text));
    assert_eq!(again.ok(), Some(found), "what is found is not what arrives");
}

fn check(found: &Analysis) {
    let share = |value: f64| (0.0..=1.0).contains(&value);
    assert!((1..=10).contains(&found.energy));
    let loudness = [found.loudness.integrated_lufs, found.loudness.range_lu, found.loudness.true_peak_dbtp];
    assert!(loudness.iter().flatten().all(|value| value.is_finite()));
    assert!(found.spectral_centroid_hz.is_none_or(|hz| hz.is_finite() && hz >= 0.0));
    if let Some(tempo) = &found.tempo {
        assert!(tempo.bpm.is_finite() && tempo.bpm > 0.0 && share(tempo.confidence), "{tempo:?}");
        assert!(tempo.alternatives.iter().all(|other| other.bpm.is_finite() && share(other.confidence)));
        assert!(tempo.beats_s.is_sorted_by(|a, b| a < b), "beats that do not rise");
        assert!(tempo.downbeats.iter().all(|index| (*index as usize) < tempo.beats_s.len()));
    }
    if let Some(key) = &found.key {
        assert!(share(key.confidence) && key.tuning_cents.abs() <= 50.0, "{key:?}");
    }
}

/// A WAV file of 32-bit floats, of the given bytes as often as they fit.
fn float_wav(rate_hz: u32, channels: u32, samples: &[u8]) -> Vec<u8> {
    let (frame, length) = (channels * 4, rate_hz * SIGNAL_S * channels * 4);
    let mut wav = Vec::with_capacity(length as usize + 44);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(length + 36).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x03\0");
    wav.extend_from_slice(&(channels as u16).to_le_bytes());
    wav.extend_from_slice(&rate_hz.to_le_bytes());
    wav.extend_from_slice(&(rate_hz * frame).to_le_bytes());
    wav.extend_from_slice(&(frame as u16).to_le_bytes());
    wav.extend_from_slice(b"\x20\0data");
    wav.extend_from_slice(&length.to_le_bytes());
    let signal = if samples.is_empty() { &[0] } else { samples };
    wav.extend(signal.iter().copied().cycle().take(length as usize));
    wav
}

/// Files are read from disk, as they are by the program.
fn on_disk(bytes: &[u8]) -> Option<NamedTempFile> {
    let mut file = NamedTempFile::new().ok()?;
    file.write_all(bytes).ok()?;
    Some(file)
}

/// A panic inside a parser is caught by the decoder and is no finding. libFuzzer's own hook would end the process at it;
/// what reaches the target itself still does. Each is named by a line, since somebody may want to mend the parser.
fn parsers_may_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| eprintln!("{panic}"))));
}
