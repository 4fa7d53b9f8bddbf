//! How late is this device really? What it does not say of itself (an amplifier, a radio, a television) is found by ear,
//! with clicks on two peers, or with a microphone: a chirp is played at every whole second of room time, recorded and
//! found again by cross-correlation.
//!
//! Measures only: what is made of it is the user's decision. A microphone's own hidden latency and the way through the
//! air (2.9 ms for each metre) are in the figure.

#[cfg(target_os = "linux")]
mod capture_alsa;
#[cfg(any(test, not(target_os = "linux")))]
mod capture_cpal;
mod find;
mod microphone;
mod signal;

use std::time::Duration;

use serde::Serialize;
use synx_clock::ClockEstimate;

pub use microphone::microphones;
pub use signal::{Signal, signal_track};

/// Recorded for so long: six whole seconds at least, of which half must be heard.
const LENGTH: Duration = Duration::from_secs(7);
/// Chirps further apart than this from the middle one do not count: echoes, or a door that was slammed.
const AGREE_US: f64 = 2_000.0;
const LEAST_HEARD: usize = 3;

/// What a microphone heard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// How much later than it should the sound came, in microseconds, with the device's offset as it is now.
    pub late_by_us: f64,
    /// Half of the span in which the single chirps lie, in microseconds.
    pub spread_us: f64,
    /// Chirps that were heard and agree.
    pub heard: usize,
    /// Chirps that were played meanwhile.
    pub played: usize,
}

/// Why there is no figure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// It does not exist, is taken, or gives nothing.
    #[error("the microphone cannot be used: {0}; choose another one, or allow this program to record")]
    Microphone(String),
    /// Nothing like the signal is in what was recorded.
    #[error(
        "the signal was heard in {heard} of {played} seconds: turn the volume up, bring the microphone nearer to the \
         loudspeaker, and see that neither is muted"
    )]
    NotHeard {
        /// Seconds in which it was clear.
        heard: usize,
        /// Seconds in which it was played.
        played: usize,
    },
    /// Room time is not known.
    #[error("the room's clock is not known yet: try again in a moment")]
    NoClock,
}

impl CalibrationError {
    /// Stable name for user interfaces and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Microphone(_) => "microphone_unavailable",
            Self::NotHeard { .. } => "signal_not_heard",
            Self::NoClock => "no_clock",
        }
    }
}

/// Records while [`Signal::Chirps`] plays, and says how late it came. Takes nine seconds; blocks.
pub(crate) fn listen(
    microphone: &str,
    clock: impl Fn() -> Option<ClockEstimate>,
) -> Result<Calibration, CalibrationError> {
    let recording = microphone::record(microphone, LENGTH).map_err(CalibrationError::Microphone)?;
    let clock = clock().ok_or(CalibrationError::NoClock)?;
    judge(&recording, &clock)
}

fn judge(recording: &microphone::Recording, clock: &ClockEstimate) -> Result<Calibration, CalibrationError> {
    let silent = || CalibrationError::Microphone("it gave no sound".to_owned());
    let first_us = recording.instant_us(0.0).ok_or_else(silent)?;
    let last_us = recording.instant_us(recording.samples.len() as f64).ok_or_else(silent)?;
    let chirp = signal::chirp(recording.rate_hz);
    let correlation = find::correlate(&recording.samples, &chirp);
    let (mut late, mut played) = (Vec::new(), 0);
    let first_second = (clock.room_us(first_us + find::EARLY_US) / 1e6).ceil();
    for second in 0.. {
        let room_us = (first_second + f64::from(second)) * 1e6;
        let due_us = clock.local_us(room_us);
        if due_us + find::LATE_US > last_us {
            break;
        }
        played += 1;
        let due_frame = (due_us - first_us) * 1e-6 * recording.rate_hz();
        if let Some(frame) = find::arrival(&correlation, due_frame, recording.rate_hz()) {
            late.extend(recording.instant_us(frame).map(|heard_us| heard_us - due_us));
        }
    }
    late.sort_by(f64::total_cmp);
    let heard = late.len();
    let middle_us = late.get(heard / 2).copied().unwrap_or(0.0);
    late.retain(|us| (us - middle_us).abs() < AGREE_US);
    if late.len() < LEAST_HEARD || 2 * late.len() < played {
        return Err(CalibrationError::NotHeard { heard: late.len(), played });
    }
    let spread_us = (late[late.len() - 1] - late[0]) / 2.0;
    Ok(Calibration { late_by_us: late[late.len() / 2], spread_us, heard: late.len(), played })
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_testkit::Random;

    /// Eight and a half seconds of what a microphone hears whose crystal is 80 ppm off, from local instant 12.3 s on: the chirp
    /// `late_us` after each whole second of a room that is 4.2 s ahead, an echo, and noise.
    fn recording(late_us: f64, level: f32, noise: f32, clock: &ClockEstimate) -> microphone::Recording {
        let rate_hz = 44_100.0 * (1.0 + 80e-6);
        let began_us = 12_300_000.0;
        let mut random = Random::new(7);
        let mut samples: Vec<f32> =
            (0..17 * 22_050).map(|_| noise * (random.uniform(-1.0, 1.0) as f32)).collect();
        for second in 0..40 {
            let heard_us = clock.local_us(f64::from(second) * 1e6) + late_us;
            for (delay_us, share) in [(0.0, 1.0), (7_000.0, 0.6), (23_000.0, -0.4)] {
                let start = (heard_us + delay_us - began_us) * 1e-6 * rate_hz;
                signal::add_chirp(&mut samples, start, rate_hz, level * share);
            }
        }
        let stamps = (0..125).map(|i| {
            let frame = i * 3_000;
            // While it settles it is wrong.
            let wrong_us = if i < 15 { -200_000.0 } else { 0.0 };
            (frame, wrong_us + began_us + frame as f64 / rate_hz * 1e6 + random.exponential(200.0))
        });
        microphone::Recording::new(samples, 44_100, stamps)
    }

    fn room() -> ClockEstimate {
        ClockEstimate { offset_us: 4_200_000.0, skew_ppm: 30.0, ..ClockEstimate::identity() }
    }

    #[test]
    fn a_late_device_is_measured_to_a_few_hundredths_of_a_millisecond() {
        for late_us in [-3_000.0, 0.0, 41_370.0, 287_000.0] {
            let got = judge(&recording(late_us, 0.05, 0.05, &room()), &room()).unwrap();
            assert!((got.late_by_us - late_us).abs() < 60.0, "{late_us}: {got:?}");
            assert!(got.spread_us < 60.0 && got.heard >= 5, "{got:?}");
        }
    }

    #[test]
    fn what_is_not_heard_is_not_guessed() {
        for (level, noise) in [(0.0, 0.0), (0.0, 0.1), (0.0001, 0.3)] {
            let got = judge(&recording(5_000.0, level, noise, &room()), &room());
            assert!(matches!(got, Err(CalibrationError::NotHeard { .. })), "{level} {noise}: {got:?}");
        }
    }
}
