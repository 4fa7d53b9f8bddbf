//! Pitch classes: spectral peaks, whitened, folded into one octave at ten-cent resolution, in segments of some seconds.
//!
//! Peaks rather than bins keep drums and noise out; whitening (each peak against its neighbourhood) keeps one loud voice
//! from deciding alone; each peak also counts for the fundamentals it may be a harmonic of (Gómez, "Tonal description of
//! music audio signals", 2006).

use super::harmony::Harmony;
use crate::spectrum::Spectrum;

/// 8192 samples at 22 kHz: parts semitones down to about 60 Hz by interpolation. The power of two next to it is taken.
const WINDOW_S: f64 = 0.37;
/// Pitches outside of this are rumble or overtones that confuse.
const LOWEST_HZ: f64 = 55.0;
const HIGHEST_HZ: f64 = 3_500.0;
/// Below this a peak counts for the bass.
const BASS_HZ: f64 = 220.0;
/// Ten cents each.
pub(crate) const FINE_BINS: usize = 120;
/// Neighbourhood of the whitening, as a frequency ratio to each side.
const NEIGHBOURHOOD: f64 = 1.25;
/// A peak must stand out of its neighbourhood's mean by this factor.
const PROMINENCE: f32 = 2.2;
/// Harmonics a peak may be, and how much is believed of each.
const HARMONICS: [(f64, f32); 5] = [(1.0, 1.0), (2.0, 0.5), (3.0, 0.33), (4.0, 0.2), (5.0, 0.12)];
/// Frames with peaks below −66 dBFS are silence.
const SILENCE: f32 = 5e-4;
/// Length of a segment.
const SEGMENT_S: f64 = 4.0;

/// Pitch-class evidence of a few seconds.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) all: [f32; FINE_BINS],
    pub(crate) bass: [f32; FINE_BINS],
    /// Share of frames in which something was heard, and how long that was.
    pub(crate) sounding: f32,
    pub(crate) sounding_s: f32,
    /// Share of the spectrum's magnitude that lies in peaks: near 1 for held notes, low for noise.
    pub(crate) tonality: f32,
    /// Share of the peaks that were there the frame before: notes last, strokes and noise do not.
    pub(crate) held: f32,
}

/// Collects segments.
pub(crate) struct Chroma {
    spectrum: Spectrum,
    state: State,
}

struct State {
    bin_hz: f64,
    frames_per_segment: usize,
    hop_s: f32,
    sums: Vec<f64>,
    open: Segment,
    frames: usize,
    segments: Vec<Segment>,
    harmony: Harmony,
    /// Sum of all closed segments, for the tuning by which the frames are folded, and that tuning.
    heard: [f32; FINE_BINS],
    tuning_cents: f64,
    /// Peaks of the frame before: (bin, strength). What is heard twice is a note, not a stroke.
    held: Vec<f32>,
    /// Those of this frame.
    strengths: Vec<f32>,
}

impl Segment {
    const EMPTY: Segment = Segment {
        all: [0.0; FINE_BINS],
        bass: [0.0; FINE_BINS],
        sounding: 0.0,
        sounding_s: 0.0,
        tonality: 0.0,
        held: 0.0,
    };
}

impl Chroma {
    pub(crate) fn new(rate_hz: f64) -> Chroma {
        let window = 1usize << (rate_hz * WINDOW_S).log2().round().max(6.0) as u32;
        let hop = window / 2;
        let state = State {
            bin_hz: rate_hz / window as f64,
            frames_per_segment: ((SEGMENT_S * rate_hz / hop as f64).round() as usize).max(1),
            hop_s: (hop as f64 / rate_hz) as f32,
            sums: Vec::with_capacity(hop + 2),
            open: Segment::EMPTY,
            frames: 0,
            segments: Vec::new(),
            harmony: Harmony::EMPTY,
            heard: [0.0; FINE_BINS],
            tuning_cents: 0.0,
            held: vec![0.0; hop + 1],
            strengths: vec![0.0; hop + 1],
        };
        Chroma { spectrum: Spectrum::new(window, hop), state }
    }

    pub(crate) fn push(&mut self, mono: &[f32]) {
        let state = &mut self.state;
        self.spectrum.push(mono, |magnitudes| state.take(magnitudes));
    }

    /// Length of a segment.
    pub(crate) fn segment_s(&self) -> f64 {
        self.state.frames_per_segment as f64 * f64::from(self.state.hop_s)
    }

    /// All segments, of which the last may be shorter, and what the chords were.
    pub(crate) fn finish(&mut self) -> (Vec<Segment>, Harmony) {
        let state = &mut self.state;
        self.spectrum.flush(|magnitudes| state.take(magnitudes));
        state.close_segment();
        let harmony = std::mem::replace(&mut state.harmony, Harmony::EMPTY);
        (std::mem::take(&mut state.segments), harmony)
    }
}

impl State {
    fn take(&mut self, magnitudes: &[f32]) {
        let from = (LOWEST_HZ / self.bin_hz).ceil().max(1.0) as usize;
        let to = ((HIGHEST_HZ / self.bin_hz) as usize).min(magnitudes.len() - 2);
        self.sums.clear();
        self.sums.push(0.0);
        let mut sum = 0.0;
        // As far as the neighbourhood of the highest pitch reaches.
        let reach = ((to as f64 * NEIGHBOURHOOD) as usize + 1).min(magnitudes.len());
        self.sums.extend(magnitudes[..reach].iter().map(|m| {
            sum += f64::from(*m);
            sum
        }));
        let mut frame = Segment::EMPTY;
        let (mut in_peaks, mut loudest) = (0.0, 0.0f32);
        let (mut lasting, mut peaks) = (0.0, 0.0);
        let strengths = &mut self.strengths;
        strengths.fill(0.0);
        for i in from..=to {
            let (a, m, c) = (magnitudes[i - 1], magnitudes[i], magnitudes[i + 1]);
            if m <= a || m < c || m < SILENCE {
                continue;
            }
            let prominence = m / mean_around(&self.sums, i).max(1e-9);
            if prominence < PROMINENCE {
                continue;
            }
            in_peaks += a + m + c;
            loudest = loudest.max(m);
            let strength = (prominence / PROMINENCE).ln().min(1.5) + 0.3;
            strengths[i] = strength;
            let held = self.held[i - 1].max(self.held[i]).max(self.held[i + 1]);
            peaks += strength;
            lasting += if held > 0.0 { strength } else { 0.0 };
            let weight = strength.min(0.25 * strength + held);
            let bin = i as f64 + interpolated(a, m, c);
            frame.add(bin * self.bin_hz, weight);
        }
        std::mem::swap(&mut self.held, &mut self.strengths);
        self.frames += 1;
        if loudest > 0.0 {
            let band = (self.sums[to + 1] - self.sums[from]) as f32;
            self.open.tonality += (in_peaks / band.max(1e-9)).min(1.0);
            self.open.held += lasting / f32::max(peaks, 1e-9);
            self.open.sounding += 1.0;
            self.open.merge(&frame);
            let fold = |fine| folded(fine, self.tuning_cents);
            self.harmony.take(&fold(&frame.all), &fold(&frame.bass));
        }
        if self.frames == self.frames_per_segment {
            self.close_segment();
        }
    }

    fn close_segment(&mut self) {
        let mut segment = std::mem::replace(&mut self.open, Segment::EMPTY);
        if self.frames > 0 {
            segment.tonality /= segment.sounding.max(1.0);
            segment.held /= segment.sounding.max(1.0);
            segment.sounding_s = segment.sounding * self.hop_s;
            segment.sounding /= self.frames as f32;
            self.heard.iter_mut().zip(segment.all).for_each(|(to, from)| *to += from);
            self.tuning_cents = tuning_cents(&self.heard);
            self.segments.push(segment);
        }
        self.frames = 0;
    }
}

impl Segment {
    /// Whether enough of it sounds to say anything.
    pub(crate) fn is_audible(&self) -> bool {
        self.sounding > 0.2
    }

    fn add(&mut self, hz: f64, weight: f32) {
        for (harmonic, share) in HARMONICS {
            let fundamental = hz / harmonic;
            if fundamental < LOWEST_HZ {
                break;
            }
            self.all[fine_bin(fundamental)] += weight * share;
        }
        if hz < BASS_HZ {
            self.bass[fine_bin(hz)] += weight;
        }
    }

    /// Adds a frame at equal weight, however many notes it holds.
    fn merge(&mut self, frame: &Segment) {
        let total: f32 = frame.all.iter().sum();
        if total > 0.0 {
            self.all.iter_mut().zip(frame.all).for_each(|(to, from)| *to += from / total);
        }
        self.bass.iter_mut().zip(frame.bass).for_each(|(to, from)| *to += from);
    }
}

/// Mean magnitude around a bin, from sums of all magnitudes below.
fn mean_around(sums: &[f64], bin: usize) -> f32 {
    let from = (bin as f64 / NEIGHBOURHOOD) as usize;
    let to = ((bin as f64 * NEIGHBOURHOOD) as usize + 1).min(sums.len() - 1);
    ((sums[to] - sums[from]) / (to - from).max(1) as f64) as f32
}

/// Ten-cent bin within the octave, 0 at C of A = 440 Hz.
fn fine_bin(hz: f64) -> usize {
    let octaves = (hz / 440.0).log2() + 9.0 / 12.0;
    ((octaves - octaves.floor()) * FINE_BINS as f64).round() as usize % FINE_BINS
}

/// Where between the bins the peak lies, from the logarithms of three magnitudes (Smith and Serra, 1987).
fn interpolated(a: f32, m: f32, c: f32) -> f64 {
    let (a, m, c) = (a.max(1e-9).ln(), m.ln(), c.max(1e-9).ln());
    let curvature = a - 2.0 * m + c;
    if curvature < 0.0 { f64::from((0.5 * (a - c) / curvature).clamp(-0.5, 0.5)) } else { 0.0 }
}

/// How far the pitches lie from equal temperament on A = 440 Hz, in cents.
pub(crate) fn tuning_cents(fine: &[f32; FINE_BINS]) -> f64 {
    let (x, y) = semitone_phase(fine);
    if x == 0.0 && y == 0.0 { 0.0 } else { y.atan2(x) / std::f64::consts::TAU * 100.0 }
}

/// How well the pitches agree on a tuning: 1 if all lie on one grid of semitones, 0 if they lie anywhere.
pub(crate) fn tuning_focus(fine: &[f32; FINE_BINS]) -> f32 {
    let (x, y) = semitone_phase(fine);
    x.hypot(y) as f32 / fine.iter().sum::<f32>().max(1e-9)
}

/// Sum of all pitches as vectors whose angle is their place within the semitone.
fn semitone_phase(fine: &[f32; FINE_BINS]) -> (f64, f64) {
    let (mut x, mut y) = (0.0, 0.0);
    for (i, weight) in fine.iter().enumerate() {
        // Ten bins a semitone: one turn of the circle.
        let angle = std::f64::consts::TAU * i as f64 / 10.0;
        x += f64::from(*weight) * angle.cos();
        y += f64::from(*weight) * angle.sin();
    }
    (x, y)
}

/// Folds fine bins to twelve pitch classes of the given tuning. A bin between two classes counts little for either.
pub(crate) fn folded(fine: &[f32; FINE_BINS], tuning_cents: f64) -> [f32; 12] {
    let mut classes = [0.0; 12];
    for (i, weight) in fine.iter().enumerate() {
        let semitones = (i as f64 * 10.0 - tuning_cents) / 100.0;
        let nearest = semitones.round();
        let off = semitones - nearest;
        let share = (std::f64::consts::PI * off).cos().powi(2) as f32;
        classes[nearest.rem_euclid(12.0) as usize % 12] += weight * share;
    }
    classes
}
