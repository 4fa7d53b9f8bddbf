//! Files as they should not be, through the whole analysis: a right answer, none, or a typed error.
#![allow(clippy::unwrap_used)]

use std::f32::consts::TAU;
use std::fs;

use synx_analysis::{Analysis, AnalysisError, Options, analyze};

/// A WAV file of 32-bit floats.
fn wav(rate_hz: u32, channels: u16, samples: &[f32]) -> Vec<u8> {
    let bytes = samples.len() as u32 * 4;
    let mut out = b"RIFF".to_vec();
    out.extend((36 + bytes).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x03\0");
    out.extend(channels.to_le_bytes());
    out.extend(rate_hz.to_le_bytes());
    out.extend((rate_hz * u32::from(channels) * 4).to_le_bytes());
    out.extend((channels * 4).to_le_bytes());
    out.extend(b"\x20\0data");
    out.extend(bytes.to_le_bytes());
    out.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
    out
}

fn analyzed_with(options: &Options, bytes: &[u8]) -> Result<Analysis, AnalysisError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    fs::write(&path, bytes).unwrap();
    analyze(&path, options)
}

fn analyzed(bytes: &[u8]) -> Result<Analysis, AnalysisError> {
    analyzed_with(&Options::default(), bytes)
}

fn constant(value: f32, seconds: f32) -> Result<Analysis, AnalysisError> {
    analyzed(&wav(44_100, 2, &vec![value; (2.0 * 44_100.0 * seconds) as usize]))
}

/// The same in all channels: what a function of time gives.
fn sound(rate_hz: u32, channels: u16, seconds: u32, of: impl Fn(f32) -> f32) -> Vec<f32> {
    let frame = |i: u32| of(i as f32 / rate_hz as f32);
    (0..seconds * rate_hz).flat_map(|i| std::iter::repeat_n(frame(i), usize::from(channels))).collect()
}

/// 120 BPM: kick and snare in turn, a hat between them.
fn drums(t: f32) -> f32 {
    let stroke = |t: f32, hz: f32| (-t * 60.0).exp() * (TAU * hz * t).sin();
    let drum = if t % 1.0 < 0.5 { 60.0 } else { 900.0 };
    0.4 * stroke(t % 0.5, drum) + 0.2 * stroke((t + 0.25) % 0.5, 3_200.0)
}

/// I, IV, V, I in D major, a chord a second, four harmonics a note.
fn cadence(t: f32) -> f32 {
    let root = 2.0 + [0.0, 5.0, 7.0, 0.0][t as usize % 4];
    let tone = |semitones: f32| {
        let hz = 65.41 * ((root + semitones) / 12.0).exp2();
        (1..5u8).map(|h| (TAU * hz * f32::from(h) * t.fract()).sin() / f32::from(h)).sum::<f32>()
    };
    0.08 * (-t.fract()).exp() * [0.0, 12.0, 16.0, 19.0].map(tone).iter().sum::<f32>()
}

#[test]
fn rates_and_channels_do_not_change_the_answer() {
    for (rate_hz, channels) in [(8_000, 1), (44_100, 2), (48_000, 6), (192_000, 2)] {
        let found = |of: fn(f32) -> f32| {
            analyzed(&wav(rate_hz, channels, &sound(rate_hz, channels, 16, of))).unwrap()
        };
        let bpm = found(drums).tempo.map(|t| t.bpm).unwrap();
        assert!((bpm - 120.0).abs() < 0.2, "{bpm} at {rate_hz} Hz in {channels}");
        let key = found(cadence).key.unwrap().key.to_string();
        assert_eq!(key, "D major", "{rate_hz} Hz in {channels}");
        assert!((found(cadence).duration_s - 16.0).abs() < 0.01);
    }
}

#[test]
fn extreme_formats_are_measured_without_an_accident() {
    for (rate_hz, channels) in [(1_000, 1), (1_000, 26), (768_000, 1)] {
        let found = analyzed(&wav(rate_hz, channels, &sound(rate_hz, channels, 4, drums))).unwrap();
        assert!((found.duration_s - 4.0).abs() < 0.01);
        assert!((1..=10).contains(&found.energy));
    }
}

#[test]
fn silence_and_a_constant_voltage_have_no_answer() {
    for value in [0.0, 0.5, -1.0] {
        let found = constant(value, 10.0).unwrap();
        assert_eq!((found.tempo, found.key), (None, None), "{value}");
    }
}

#[test]
fn what_is_no_number_harms_nothing() {
    let mut samples = sound(44_100, 1, 16, drums);
    for (i, damage) in
        [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE].iter().enumerate()
    {
        samples[100_000 + 7_001 * i] = *damage;
    }
    let found = analyzed(&wav(44_100, 1, &samples)).unwrap();
    assert!((found.tempo.unwrap().bpm - 120.0).abs() < 0.2);
    assert!(found.loudness.integrated_lufs.unwrap().is_finite());
    assert!(found.spectral_centroid_hz.unwrap().is_finite());
    let nothing = analyzed(&wav(44_100, 1, &vec![f32::NAN; 441_000])).unwrap();
    assert_eq!((nothing.tempo, nothing.key, nothing.loudness.true_peak_dbtp), (None, None, None));
}

#[test]
fn a_fifth_of_a_second_is_measured_and_gets_no_answer() {
    let found = analyzed(&wav(44_100, 1, &sound(44_100, 1, 1, drums)[..8_820])).unwrap();
    assert_eq!((found.tempo, found.key), (None, None));
    assert!((found.duration_s - 0.2).abs() < 1e-6);
    assert!(found.loudness.true_peak_dbtp.is_some());
}

#[test]
fn what_cannot_be_decoded_says_why() {
    let code = |bytes: &[u8]| analyzed(bytes).unwrap_err().code();
    assert_eq!(code(b""), "media_not_audio");
    assert_eq!(code(b"not audio at all, whatever the name of this file may say"), "media_not_audio");
    assert_eq!(code(&wav(44_100, 2, &[])), "media_empty");
    assert_eq!(code(&wav(900_000, 1, &[0.1; 5_000])), "media_unsupported");
    assert_eq!(code(&wav(44_100, 200, &[0.1; 5_000])), "media_corrupt");
}

#[test]
fn a_file_that_decodes_to_years_is_refused() {
    let options = Options { longest_s: 3.0, ..Options::default() };
    let error = analyzed_with(&options, &wav(8_000, 1, &[0.1; 40_000])).unwrap_err();
    assert_eq!(error.code(), "analysis_too_long");
    assert!(analyzed_with(&options, &wav(8_000, 1, &[0.1; 23_000])).is_ok());
}
