//! Fills the bins of the waveform, a base bin at a time.

use super::bands::{self, Bands, Energies, HISTORY};
use super::{BASE_FRAMES, MAX_BINS, PeakBin, PeakLevel, Peaks, ZOOM, pyramid};
use crate::mono::mix_to_mono;

/// Samples compared at a time.
const LANES: usize = 8;

/// Sums of one bin while it is being filled.
#[derive(Clone, Copy)]
struct Sums {
    min: f32,
    max: f32,
    energy: Energies,
    frames: u32,
}

impl Sums {
    const EMPTY: Sums = Sums { min: f32::MAX, max: f32::MIN, energy: [0.0; 4], frames: 0 };

    fn merge(&mut self, other: &Sums) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        for (to, from) in self.energy.iter_mut().zip(other.energy) {
            *to += from;
        }
        self.frames += other.frames;
    }

    fn bin(&self) -> PeakBin {
        let level = |energy: f32| ((energy / self.frames.max(1) as f32).powf(0.25) * 255.0).round() as u8;
        let [rms, low, mid, high] = self.energy.map(level);
        let sample = |s: f32| (s.clamp(-1.0, 1.0) * 127.0).round() as i8;
        PeakBin { min: sample(self.min), max: sample(self.max), rms, low, mid, high }
    }
}

/// Builds [`Peaks`] from interleaved blocks of any size.
pub struct PeaksBuilder {
    sample_rate_hz: u32,
    channels: usize,
    frames: u64,
    frames_per_bin: u32,
    bins: Vec<Sums>,
    current: Sums,
    /// The mono mix of the base bin being filled, behind what the filters look back at.
    mono: Vec<f32>,
    /// Lowest and highest sample in it.
    range: (f32, f32),
    bands: Bands,
}

impl PeaksBuilder {
    /// A builder for interleaved audio.
    #[must_use]
    pub fn new(sample_rate_hz: u32, channels: usize) -> PeaksBuilder {
        PeaksBuilder {
            sample_rate_hz,
            channels: channels.max(1),
            frames: 0,
            frames_per_bin: BASE_FRAMES,
            bins: Vec::new(),
            current: Sums::EMPTY,
            mono: vec![0.0; HISTORY],
            range: (f32::MAX, f32::MIN),
            bands: Bands::new(sample_rate_hz),
        }
    }

    /// Takes the next interleaved block; a trailing incomplete frame is ignored.
    pub fn push(&mut self, interleaved: &[f32]) {
        let full = HISTORY + BASE_FRAMES as usize;
        let mut rest = &interleaved[..interleaved.len() - interleaved.len() % self.channels];
        while !rest.is_empty() {
            let room = (full - self.mono.len()) * self.channels;
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.range = widened(self.range, now);
            mix_to_mono(now, self.channels, &mut self.mono);
            rest = later;
            if self.mono.len() == full {
                self.measure();
            }
        }
    }

    /// Adds what is in `mono` to the current bin: a base bin, or what is left at the end.
    fn measure(&mut self) {
        let frames = self.mono.len() - HISTORY;
        let (min, max) = std::mem::replace(&mut self.range, (f32::MAX, f32::MIN));
        self.mono.resize(HISTORY + frames.next_multiple_of(bands::LANES), 0.0);
        let energy = self.bands.energies(&self.mono, frames);
        self.current.merge(&Sums { min, max, energy, frames: frames as u32 });
        self.mono.copy_within(frames.., 0);
        self.mono.truncate(HISTORY);
        self.frames += frames as u64;
        if self.current.frames == self.frames_per_bin {
            self.close_bin();
        }
    }

    fn close_bin(&mut self) {
        self.bins.push(std::mem::replace(&mut self.current, Sums::EMPTY));
        if self.bins.len() == MAX_BINS {
            self.bins = self
                .bins
                .chunks(ZOOM)
                .map(|group| {
                    let mut merged = Sums::EMPTY;
                    group.iter().for_each(|sums| merged.merge(sums));
                    merged
                })
                .collect();
            self.frames_per_bin = self.frames_per_bin.saturating_mul(ZOOM as u32);
        }
    }

    /// The waveform of everything pushed.
    #[must_use]
    pub fn finish(mut self) -> Peaks {
        if self.mono.len() > HISTORY {
            self.measure();
        }
        if self.current.frames > 0 {
            self.close_bin();
        }
        let bins = self.bins.iter().map(Sums::bin).collect();
        let levels = pyramid(PeakLevel { frames_per_bin: self.frames_per_bin, bins });
        Peaks { sample_rate_hz: self.sample_rate_hz, frames: self.frames, levels }
    }
}

/// The range, made so wide that all samples lie in it.
fn widened((min, max): (f32, f32), samples: &[f32]) -> (f32, f32) {
    // Unlike `f32::min` and `max`, one instruction each.
    let lower = |a: f32, b: f32| if b < a { b } else { a };
    let higher = |a: f32, b: f32| if b > a { b } else { a };
    (furthest(min, samples, lower), furthest(max, samples, higher))
}

#[inline]
fn furthest(from: f32, samples: &[f32], further: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = samples.as_chunks::<LANES>();
    let mut found = [from; LANES];
    for chunk in chunks {
        for (i, lane) in found.iter_mut().enumerate() {
            *lane = further(*lane, chunk[i]);
        }
    }
    rest.iter().chain(&found).fold(from, |a, b| further(a, *b))
}
