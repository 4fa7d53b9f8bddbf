//! The test signals of EBU Tech 3341 and 3342, synthesised as they are specified, with the tolerances given there: ±0.1 LU,
//! ±1 LU of range, +0.2 and −0.4 dB of true peak. Cases 9 to 14 are about momentary loudness, which is not measured.
#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use synx_media::{Loudness, LoudnessMeter};

/// A sine of 1 kHz for some seconds, with a level in dBFS for each channel.
type Part<'a> = (&'a [f64], f64);

fn measured(rate_hz: u32, parts: &[Part<'_>]) -> Loudness {
    let channels = parts[0].0.len();
    let mut meter = LoudnessMeter::new(rate_hz, channels);
    let mut frame = 0u32;
    for (levels_dbfs, seconds) in parts {
        let gains: Vec<f64> = levels_dbfs.iter().map(|dbfs| 10f64.powf(dbfs / 20.0)).collect();
        let samples: Vec<f32> = (0..(seconds * f64::from(rate_hz)) as usize)
            .flat_map(|_| {
                frame += 1;
                let sine = (TAU * 1000.0 * f64::from(frame) / f64::from(rate_hz)).sin();
                gains.iter().map(move |gain| (gain * sine) as f32)
            })
            .collect();
        samples.chunks(1000 * channels).for_each(|block| meter.push(block));
    }
    meter.finish()
}

fn stereo(rate_hz: u32, parts: &[(f64, f64)]) -> Loudness {
    let levels: Vec<[f64; 2]> = parts.iter().map(|(dbfs, _)| [*dbfs; 2]).collect();
    let parts: Vec<Part<'_>> = levels.iter().zip(parts).map(|(l, (_, seconds))| (&l[..], *seconds)).collect();
    measured(rate_hz, &parts)
}

fn check_integrated(parts: &[(f64, f64)], expected_lufs: f64) {
    for rate_hz in [44_100, 48_000] {
        let lufs = stereo(rate_hz, parts).integrated_lufs.unwrap();
        assert!((lufs - expected_lufs).abs() <= 0.1, "{lufs} for {parts:?} at {rate_hz} Hz");
    }
}

fn check_range(parts: &[(f64, f64)], expected_lu: f64) {
    let lu = stereo(48_000, parts).range_lu.unwrap();
    assert!((lu - expected_lu).abs() <= 1.0, "{lu} for {parts:?}");
}

#[test]
fn a_sine_has_its_level() {
    check_integrated(&[(-23.0, 20.0)], -23.0);
    check_integrated(&[(-33.0, 20.0)], -33.0);
}

#[test]
fn the_relative_gate_leaves_out_what_is_quieter_by_ten() {
    check_integrated(&[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0);
    check_integrated(&[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0);
}

#[test]
fn the_absolute_gate_leaves_out_what_is_near_silence() {
    let gated = [(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)];
    check_integrated(&gated, -23.0);
    assert_eq!(stereo(48_000, &[(-75.0, 10.0)]).integrated_lufs, None);
}

#[test]
fn surround_channels_count_more_and_the_low_frequency_channel_does_not() {
    let five = measured(48_000, &[(&[-28.0, -28.0, -24.0, -30.0, -30.0], 20.0)]).integrated_lufs.unwrap();
    assert!((five + 23.0).abs() <= 0.1, "{five}");
    let six =
        measured(48_000, &[(&[-28.0, -28.0, -24.0, -10.0, -30.0, -30.0], 20.0)]).integrated_lufs.unwrap();
    assert!((six + 23.0).abs() <= 0.1, "{six}");
}

#[test]
fn the_range_is_between_the_quiet_and_the_loud() {
    check_range(&[(-20.0, 20.0), (-30.0, 20.0)], 10.0);
    check_range(&[(-20.0, 20.0), (-15.0, 20.0)], 5.0);
    check_range(&[(-40.0, 20.0), (-20.0, 20.0)], 20.0);
    check_range(&[(-50.0, 20.0), (-35.0, 20.0), (-20.0, 20.0), (-35.0, 20.0), (-50.0, 20.0)], 15.0);
}

fn true_peak(mono: &[f32]) -> f64 {
    let mut meter = LoudnessMeter::new(48_000, 1);
    mono.chunks(1000).for_each(|block| meter.push(block));
    meter.finish().true_peak_dbtp.unwrap()
}

/// A sine of a fraction of the sample rate, faded in and out, so that nothing rings at its ends.
fn faded_sine(fraction: f64, phase_degrees: f64, gain: f64) -> Vec<f32> {
    (0..48_000)
        .map(|i| {
            let edge = (f64::from(i.min(48_000 - i)) / 480.0).min(1.0);
            (gain * edge * (TAU * (fraction * f64::from(i) + phase_degrees / 360.0)).sin()) as f32
        })
        .collect()
}

#[test]
fn true_peaks_lie_between_the_samples_of_a_sine() {
    let cases = [
        (4.0, 0.0, 0.5, -6.0),
        (4.0, 45.0, 0.5, -6.0),
        (6.0, 60.0, 0.5, -6.0),
        (8.0, 67.5, 0.5, -6.0),
        (4.0, 45.0, 1.41, 3.0),
    ];
    for (divisor, phase, gain, expected) in cases {
        let off = true_peak(&faded_sine(1.0 / divisor, phase, gain)) - expected;
        assert!((-0.4..=0.2).contains(&off), "1/{divisor} at {phase}°: {off}");
    }
}

/// One short, band-limited pulse whose top lies on a sample or a quarter, half or three quarters beside it.
#[test]
fn a_single_peak_between_samples_is_found() {
    for quarter in 0..4 {
        let centre = 2_000.0 + 0.25 * f64::from(quarter);
        let pulse: Vec<f32> = (0..4_000)
            .map(|i| {
                let x = f64::from(i) - centre;
                ((-0.5 * (x / 8.0).powi(2)).exp() * (TAU * x / 6.0).cos()) as f32
            })
            .collect();
        let peak = true_peak(&pulse);
        assert!((-0.4..=0.2).contains(&peak), "{quarter} quarters off: {peak}");
    }
}

#[test]
fn silence_has_no_loudness() {
    let mut meter = LoudnessMeter::new(44_100, 2);
    meter.push(&vec![0.0; 88_200]);
    assert_eq!(meter.finish(), Loudness::default());
}

#[test]
fn a_rate_too_low_for_the_weighting_has_a_peak_but_no_loudness() {
    let mut meter = LoudnessMeter::new(2_000, 1);
    meter.push(&vec![0.5; 20_000]);
    let found = meter.finish();
    assert_eq!((found.integrated_lufs, found.range_lu), (None, None));
    assert!(found.true_peak_dbtp.is_some_and(|peak| (-6.1..-4.0).contains(&peak)), "{found:?}");
}
