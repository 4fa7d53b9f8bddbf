//! What is played for calibration: one short sound at the beginning of every second.

use std::f64::consts::TAU;
use std::path::Path;

use synx_media::MediaError;

use crate::{FrameSource, TrackHandle};

const RATE_HZ: u32 = 48_000;

/// A chirp: long enough to stand out of a room's noise (its time-bandwidth product gains 25 dB), in the band that small
/// loudspeakers and microphones carry.
const CHIRP_S: f64 = 0.05;
const CHIRP_HZ: (f64, f64) = (1_000.0, 7_000.0);
const CHIRP_PEAK: f64 = 0.5;

/// A click: so short that two of them are heard as two from a few milliseconds apart on.
const CLICK_S: f64 = 0.008;
const CLICK_HZ: f64 = 2_500.0;
const CLICK_DECAY_S: f64 = 0.0012;
const CLICK_PEAK: f64 = 0.7;

/// What sounds at each whole second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// For the ear: where two peers click as one, they are together.
    Clicks,
    /// For a microphone.
    Chirps,
}

/// The signal as a track without end. Played from its beginning at a whole second of room time, it sounds at every one.
///
/// # Errors
/// None that can be seen; the signature is that of a track that is opened.
pub fn signal_track(signal: Signal) -> Result<TrackHandle, MediaError> {
    let second = match signal {
        Signal::Clicks => click(),
        Signal::Chirps => chirp(RATE_HZ),
    };
    TrackHandle::from_opener(Path::new("calibration"), move || {
        Ok(Box::new(Seconds { sound: second.clone(), frame: 0 }))
    })
}

/// The chirp at a rate, from its first sample on.
pub(super) fn chirp(rate_hz: u32) -> Vec<f32> {
    let frames = (CHIRP_S * f64::from(rate_hz)) as usize;
    (0..frames).map(|i| chirp_at(i as f64 / f64::from(rate_hz))).collect()
}

/// A linear sweep under a Hann window.
fn chirp_at(t_s: f64) -> f32 {
    if !(0.0..CHIRP_S).contains(&t_s) {
        return 0.0;
    }
    let (from, to) = CHIRP_HZ;
    let phase = TAU * (from * t_s + (to - from) * t_s * t_s / (2.0 * CHIRP_S));
    let window = 0.5 - 0.5 * (TAU * t_s / CHIRP_S).cos();
    (CHIRP_PEAK * window * phase.sin()) as f32
}

/// Adds the chirp to a recording at any position, scaled.
#[cfg(test)]
pub(super) fn add_chirp(samples: &mut [f32], start: f64, rate_hz: f64, level: f32) {
    let first = start.ceil().max(0.0) as usize;
    for i in first..(first + (CHIRP_S * rate_hz) as usize + 1).min(samples.len()) {
        samples[i] += level * chirp_at((i as f64 - start) / rate_hz);
    }
}

fn click() -> Vec<f32> {
    let frames = (CLICK_S * f64::from(RATE_HZ)) as usize;
    let at = |i: usize| {
        let t_s = i as f64 / f64::from(RATE_HZ);
        (CLICK_PEAK * (-t_s / CLICK_DECAY_S).exp() * (TAU * CLICK_HZ * t_s).sin()) as f32
    };
    (0..frames).map(at).collect()
}

struct Seconds {
    sound: Vec<f32>,
    frame: u64,
}

impl FrameSource for Seconds {
    fn sample_rate_hz(&self) -> u32 {
        RATE_HZ
    }
    fn channels(&self) -> usize {
        1
    }
    fn frames(&self) -> Option<u64> {
        None
    }
    fn read(&mut self, out: &mut [f32]) -> Result<usize, MediaError> {
        for sample in out.iter_mut() {
            let within = (self.frame % u64::from(RATE_HZ)) as usize;
            *sample = self.sound.get(within).copied().unwrap_or(0.0);
            self.frame += 1;
        }
        Ok(out.len())
    }
    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.frame = frame;
        Ok(())
    }
}
