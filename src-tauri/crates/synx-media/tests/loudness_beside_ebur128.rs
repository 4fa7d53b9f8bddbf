//! The loudness meter beside an independent implementation of the same standards, over generated programmes: any rate,
//! number of channels, levels and pauses, cut into blocks anyhow.
#![allow(clippy::unwrap_used)]

use ebur128::{EbuR128, Mode};
use proptest::prelude::*;
use synx_media::{Loudness, LoudnessMeter};

/// A stretch of a programme: how long, how loud, and which of the sounds below.
#[derive(Clone, Debug)]
struct Part {
    seconds: f64,
    level_db: f64,
    sound: Sound,
}

#[derive(Clone, Copy, Debug)]
enum Sound {
    Silence,
    Noise,
    /// A tone at a share of the sample rate.
    Tone(f64),
    /// Clicks, so many in a second.
    Clicks(u32),
}

fn sound() -> impl Strategy<Value = Sound> {
    prop_oneof![
        1 => Just(Sound::Silence),
        3 => Just(Sound::Noise),
        3 => (0.0002..0.49f64).prop_map(Sound::Tone),
        1 => (1..50u32).prop_map(Sound::Clicks),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    (0.05..4.0f64, -80.0..6.0f64, sound()).prop_map(|(seconds, level_db, sound)| Part {
        seconds,
        level_db,
        sound,
    })
}

fn rates() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => prop::sample::select(vec![44_100, 48_000]),
        1 => prop::sample::select(vec![8_000, 11_025, 96_000, 192_000]),
        1 => 4_000..100_000u32,
    ]
}

/// Noise that is the same everywhere.
fn noise(state: &mut u32) -> f64 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    f64::from(*state) / f64::from(u32::MAX) * 2.0 - 1.0
}

fn programme(rate_hz: u32, channels: usize, parts: &[Part]) -> Vec<f32> {
    let (mut state, mut samples) = (1, Vec::new());
    for Part { seconds, level_db, sound } in parts {
        let gain = 10f64.powf(level_db / 20.0);
        for frame in 0..(seconds * f64::from(rate_hz)) as u32 {
            for channel in 0..channels {
                let value = match *sound {
                    Sound::Silence => 0.0,
                    Sound::Noise => noise(&mut state),
                    Sound::Tone(share) => {
                        (std::f64::consts::TAU * share * f64::from(frame) + channel as f64).sin()
                    }
                    Sound::Clicks(rate) => f64::from(u8::from(frame % (rate_hz / rate) == channel as u32)),
                };
                samples.push((gain * value) as f32);
            }
        }
    }
    samples
}

fn ours(rate_hz: u32, channels: usize, samples: &[f32], blocks: &[usize]) -> Loudness {
    let mut meter = LoudnessMeter::new(rate_hz, channels);
    let (mut rest, mut blocks) = (samples, blocks.iter().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at((blocks.next().unwrap() * channels).min(rest.len()));
        meter.push(now);
        rest = later;
    }
    meter.finish()
}

fn theirs(rate_hz: u32, channels: usize, samples: &[f32]) -> Loudness {
    let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK;
    let channel_count = u32::try_from(channels).unwrap();
    let mut meter = EbuR128::new(channel_count, rate_hz, mode).unwrap();
    meter.add_frames_f32(samples).unwrap();
    let peak = (0..channel_count).map(|c| meter.true_peak(c).unwrap()).fold(0.0, f64::max);
    let integrated_lufs = Some(meter.loudness_global().unwrap()).filter(|l| l.is_finite());
    Loudness {
        integrated_lufs,
        range_lu: integrated_lufs.map(|_| meter.loudness_range().unwrap()),
        true_peak_dbtp: (peak > 0.0).then(|| 20.0 * peak.log10()),
    }
}

fn near(ours: Option<f64>, theirs: Option<f64>, tolerance: f64) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= tolerance,
        (ours, theirs) => ours.is_none() && theirs.is_none(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn both_say_the_same(
        rate_hz in rates(),
        channels in 1..=8usize,
        parts in prop::collection::vec(part(), 1..6),
        blocks in prop::collection::vec(1..5_000usize, 1..6),
    ) {
        let samples = programme(rate_hz, channels, &parts);
        let (ours, theirs) = (ours(rate_hz, channels, &samples, &blocks), theirs(rate_hz, channels, &samples));
        prop_assert!(near(ours.integrated_lufs, theirs.integrated_lufs, 0.001), "{ours:?}, theirs {theirs:?}");
        prop_assert!(near(ours.range_lu, theirs.range_lu, 0.001), "{ours:?}, theirs {theirs:?}");
        prop_assert!(near(ours.true_peak_dbtp, theirs.true_peak_dbtp, 0.001), "{ours:?}, theirs {theirs:?}");
    }
}
