//! The true peak of BS.1770-4, annex 2: the highest sample after interpolation to four times the rate.
//!
//! The interpolator is a Hann-windowed sinc of 48 taps in polyphase form. It works on interleaved samples as they are: the
//! neighbours in time of eight samples in a row lie a frame's width beside, whatever the number of channels. Where not even
//! the worst signal of a stretch's level could exceed the peak found so far, nothing is interpolated; that must never
//! change the result.

use std::f64::consts::PI;

/// Taps of the prototype at the higher rate.
const TAPS: usize = 48;
/// Samples interpolated at a time.
const LANES: usize = 8;
/// Shortest stretch that is looked at as a whole.
const STRETCH: usize = 32;
/// Samples copied behind their history at a time.
const CHUNK: usize = 2048;
/// Rates from which on the standard asks for less interpolation, and for none.
const TWOFOLD_HZ: u32 = 96_000;
const ENOUGH_HZ: u32 = 192_000;

pub(super) struct TruePeak {
    channels: usize,
    interpolator: Option<Interpolator>,
    /// The latest samples, as many as the interpolator reaches back and another vector, then room for a chunk.
    samples: Vec<f32>,
    history: usize,
    highest: f32,
}

/// A value between samples is a sum over pairs of samples that lie symmetrically around it, of their sums and differences.
struct Interpolator {
    /// Half way from sample to sample.
    half: Vec<f32>,
    /// A quarter of the way, and by the same taps in reverse three quarters: what both have in common (weights of sums) and
    /// in what they are opposite (weights of differences). Empty for twofold interpolation.
    quarters: Vec<[f32; 2]>,
    /// More than full scale can become.
    gain: f32,
}

impl TruePeak {
    pub(super) fn new(sample_rate_hz: u32, channels: usize) -> TruePeak {
        let interpolator = match sample_rate_hz {
            ..TWOFOLD_HZ => Some(Interpolator::new(4)),
            TWOFOLD_HZ..ENOUGH_HZ => Some(Interpolator::new(2)),
            _ => None,
        };
        let reach = interpolator.as_ref().map_or(0, |i| 2 * i.half.len() - 1);
        let history = reach * channels + LANES;
        TruePeak { channels, interpolator, samples: vec![0.0; history + CHUNK], history, highest: 0.0 }
    }

    /// Takes whole frames.
    pub(super) fn push(&mut self, interleaved: &[f32]) {
        let Some(interpolator) = &self.interpolator else {
            self.highest = self.highest.max(loudest(interleaved));
            return;
        };
        for chunk in interleaved.chunks(CHUNK) {
            let end = self.history + chunk.len();
            self.samples[self.history..end].copy_from_slice(chunk);
            let samples = &self.samples[..end];
            self.highest = interpolator.highest(samples, self.history, self.channels, self.highest);
            self.samples.copy_within(chunk.len()..end, 0);
        }
    }

    /// Highest magnitude so far.
    pub(super) fn highest(&self) -> f32 {
        self.highest
    }
}

impl Interpolator {
    fn new(factor: usize) -> Interpolator {
        let tap = |n: usize| {
            let x = n as f64 - TAPS as f64 / 2.0;
            let hann = 0.5 - 0.5 * (2.0 * PI * n as f64 / TAPS as f64).cos();
            let angle = PI * x / factor as f64;
            if x == 0.0 { hann } else { hann * angle.sin() / angle }
        };
        let reach = TAPS / factor;
        let phase = |phase: usize| -> Vec<f64> { (0..reach).map(|k| tap(factor * k + phase)).collect() };
        let folded = |taps: &[f64], sign: f64| -> Vec<f64> {
            (0..reach / 2).map(|k| 0.5 * (taps[k] + sign * taps[reach - 1 - k])).collect()
        };
        let half = phase(factor / 2);
        let quarter = if factor == 4 { phase(1) } else { Vec::new() };
        let gain = |taps: &[f64]| taps.iter().map(|tap| tap.abs()).sum::<f64>();
        let pairs = |taps: &[f64]| folded(taps, 1.0).into_iter().zip(folded(taps, -1.0));
        Interpolator {
            gain: (1.0001 * gain(&half).max(gain(&quarter))) as f32,
            half: folded(&half, 1.0).into_iter().map(|tap| tap as f32).collect(),
            quarters: if quarter.is_empty() {
                Vec::new()
            } else {
                pairs(&quarter).map(|(sum, difference)| [sum as f32, difference as f32]).collect()
            },
        }
    }

    /// The higher of `highest` and the true peak of `samples` from `start` on; what is before is their history.
    fn highest(&self, samples: &[f32], start: usize, channels: usize, mut highest: f32) -> f32 {
        let reach = (2 * self.half.len() - 1) * channels;
        let stretch = reach.max(STRETCH).next_multiple_of(LANES);
        let mut before = loudest(&samples[start - reach..start]);
        let mut at = start;
        while at < samples.len() {
            let end = samples.len().min(at + stretch);
            let here = loudest(&samples[at..end]);
            highest = highest.max(here);
            if self.gain * here.max(before) > highest {
                highest = highest.max(self.between(&samples[at - reach - LANES..end], end - at, channels));
            }
            // A stretch is at least as long as the interpolator reaches; only the last may be shorter.
            (before, at) = (here, end);
        }
        highest
    }

    /// Highest value between the samples, for the last `count` of `samples`. Some before them may be looked at again.
    fn between(&self, samples: &[f32], count: usize, channels: usize) -> f32 {
        let reach = (2 * self.half.len() - 1) * channels;
        let mut highest = [0.0; LANES];
        let mut end = samples.len();
        let first = end - count;
        while end > first {
            let window = &samples[end - LANES - reach..end];
            self.interpolate(window, channels, &mut highest);
            end -= LANES.min(end - first);
        }
        highest.into_iter().fold(0.0, f32::max)
    }

    #[inline]
    fn interpolate(&self, window: &[f32], channels: usize, highest: &mut [f32; LANES]) {
        let last = window.len() - LANES;
        let pair = |k: usize| (lanes(window, k * channels), lanes(window, last - k * channels));
        let mut half = [0.0; LANES];
        if self.quarters.is_empty() {
            for (k, tap) in self.half.iter().enumerate() {
                let (old, new) = pair(k);
                half = all(|i| half[i] + tap * (old[i] + new[i]));
            }
        } else {
            let (mut common, mut opposite) = ([0.0; LANES], [0.0; LANES]);
            for (k, (tap, [sum_tap, difference_tap])) in self.half.iter().zip(&self.quarters).enumerate() {
                let (old, new) = pair(k);
                let sum: [f32; LANES] = all(|i| old[i] + new[i]);
                half = all(|i| half[i] + tap * sum[i]);
                common = all(|i| common[i] + sum_tap * sum[i]);
                opposite = all(|i| opposite[i] + difference_tap * (old[i] - new[i]));
            }
            // The higher magnitude of the sum and the difference of the two.
            *highest = all(|i| larger(highest[i], common[i].abs() + opposite[i].abs()));
        }
        *highest = all(|i| larger(highest[i], half[i].abs()));
    }
}

#[inline]
fn lanes(samples: &[f32], at: usize) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    out.copy_from_slice(&samples[at..at + LANES]);
    out
}

#[inline]
fn all(f: impl Fn(usize) -> f32) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    for (i, lane) in out.iter_mut().enumerate() {
        *lane = f(i);
    }
    out
}

/// As `f32::max`, but one instruction: of what is no number it takes the other.
#[inline]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

#[inline]
fn loudest(samples: &[f32]) -> f32 {
    let (chunks, rest) = samples.as_chunks::<LANES>();
    let mut highest = [0.0; LANES];
    for chunk in chunks {
        highest = all(|i| larger(highest[i], chunk[i].abs()));
    }
    rest.iter().map(|sample| sample.abs()).chain(highest).fold(0.0, larger)
}
