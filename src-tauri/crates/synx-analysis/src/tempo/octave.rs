//! Which of several tempi that all fit is the one that people tap: the octave decision.
//!
//! Each candidate is tracked to beats and described by what happens on them, between them and from one to the next; a
//! linear model with a softmax over the candidates of a track weighs that (a conditional logit, McFadden 1974). How the
//! weights were found is told in `training/README.md`.

use super::beats;
use super::octave_weights::WEIGHTS;
use super::onset::GROUPS;
use super::periodicity::Periodicity;

/// Number of things that are weighed.
pub(crate) const FEATURES: usize = 34;

/// Slowest and fastest tempo that is considered.
const RANGE_BPM: std::ops::RangeInclusive<f64> = 48.0..=230.0;
/// Peaks of the combined autocorrelation that become candidates, besides their relatives.
const PEAKS: usize = 4;
/// Relatives of a peak that are candidates as well.
const RELATIVES: [f64; 7] = [1.0, 2.0, 0.5, 1.5, 2.0 / 3.0, 3.0, 1.0 / 3.0];

/// A tempo that fits, its beats and the evidence for it.
pub(crate) struct Candidate {
    /// Frames from beat to beat.
    pub(crate) period: f64,
    /// Beats in frames.
    pub(crate) beats: Vec<usize>,
    pub(crate) features: [f32; FEATURES],
    /// Share of the softmax.
    pub(crate) probability: f64,
}

impl Candidate {
    pub(crate) fn bpm(&self, frames_per_s: f64) -> f64 {
        60.0 * frames_per_s / self.period
    }
}

/// All candidates, likeliest first.
pub(crate) fn candidates(periodicity: &Periodicity) -> Vec<Candidate> {
    let density = onset_density(periodicity);
    let mut found: Vec<Candidate> =
        periods(periodicity).into_iter().map(|period| candidate(periodicity, period, density)).collect();
    let scores: Vec<f64> = found
        .iter()
        .map(|c| c.features.iter().zip(WEIGHTS).map(|(f, w)| f64::from(*f) * f64::from(w)).sum())
        .collect();
    let highest = scores.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = scores.iter().map(|s| (s - highest).exp()).sum();
    for (c, score) in found.iter_mut().zip(scores) {
        c.probability = (score - highest).exp() / total;
    }
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    found
}

/// Periods in frames whose multiples recur, and their relatives.
fn periods(periodicity: &Periodicity) -> Vec<f64> {
    let lag = |bpm: f64| 60.0 * periodicity.frames_per_s / bpm;
    let (shortest, longest) = (lag(*RANGE_BPM.end()), lag(*RANGE_BPM.start()));
    let steps = ((longest / shortest).ln() / 0.004) as usize;
    let grid: Vec<f64> = (0..=steps).map(|i| shortest * (0.004 * i as f64).exp()).collect();
    let comb = |p: f64| {
        let r = |k: f64| f64::from(periodicity.at(k * p));
        r(1.0) + 0.7 * r(2.0) + 0.5 * r(3.0) + 0.7 * r(4.0)
    };
    let scores: Vec<f64> = grid.iter().map(|p| comb(*p)).collect();
    let mut peaks: Vec<usize> = (1..steps)
        .filter(|&i| scores[i] >= scores[i - 1] && scores[i] > scores[i + 1] && scores[i] > 0.0)
        .collect();
    peaks.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    peaks.truncate(PEAKS);
    let mut found: Vec<f64> = Vec::new();
    for (rank, &peak) in peaks.iter().enumerate() {
        let relatives = if rank < 2 { &RELATIVES[..] } else { &RELATIVES[..1] };
        for ratio in relatives {
            let period = sharpened(periodicity, grid[peak] / ratio);
            let known = found.iter().any(|f| (f / period - 1.0).abs() < 0.03);
            if !known && (shortest..=longest).contains(&period) {
                found.push(period);
            }
        }
    }
    found
}

/// Long lags tell the period more exactly than short ones.
fn sharpened(periodicity: &Periodicity, period: f64) -> f64 {
    let once = periodicity.peak_near(2.0 * period, 0.03).0 / 2.0;
    periodicity.peak_near(4.0 * once, 0.012).0 / 4.0
}

fn candidate(periodicity: &Periodicity, period: f64, density: f64) -> Candidate {
    let beats = beats::track(&periodicity.sum, period);
    let features = features(periodicity, period, &beats, density);
    Candidate { period, beats, features, probability: 0.0 }
}

/// Onsets a second: local maxima that stand out.
fn onset_density(periodicity: &Periodicity) -> f64 {
    let s = &periodicity.sum;
    let peaks = (2..s.len().saturating_sub(2))
        .filter(|&i| s[i] > 0.7 && s[i] >= s[i - 1] && s[i] > s[i + 1] && s[i] >= s[i - 2] && s[i] > s[i + 2])
        .count();
    peaks as f64 / (s.len().max(1) as f64 / periodicity.frames_per_s)
}

/// Mean strength of a group at a phase between successive beats, over every `stride`-th beat from `start`.
struct Sampler<'a> {
    periodicity: &'a Periodicity,
    beats: &'a [usize],
}

impl Sampler<'_> {
    fn mean(&self, group: usize, phase: f64, start: usize, stride: usize) -> f32 {
        let strength = &self.periodicity.groups[group];
        let (mut sum, mut n) = (0.0, 0.0);
        for pair in self.beats.windows(2).skip(start).step_by(stride) {
            let at = pair[0] as f64 + phase * (pair[1] - pair[0]) as f64;
            let at = at.round() as usize;
            let around = &strength[at.saturating_sub(2)..(at + 3).min(strength.len())];
            sum += around.iter().copied().fold(f32::MIN, f32::max).min(6.0);
            n += 1.0;
        }
        if n > 0.0 { sum / n } else { 0.0 }
    }
}

fn features(p: &Periodicity, period: f64, beats: &[usize], density: f64) -> [f32; FEATURES] {
    let sampler = Sampler { periodicity: p, beats };
    let octaves = (60.0 * p.frames_per_s / period / 120.0).log2() as f32;
    let mut f = Vec::with_capacity(FEATURES);
    f.extend([octaves, octaves * octaves, (octaves - 0.4).max(0.0), (-octaves - 0.4).max(0.0)]);
    f.extend([1.0, 2.0, 4.0, 0.5, 3.0, 1.0 / 3.0, 1.5, 0.25].map(|k| p.at(k * period)));
    let on: [f32; GROUPS] = std::array::from_fn(|g| sampler.mean(g, 0.0, 0, 1));
    let off: [f32; GROUPS] = std::array::from_fn(|g| sampler.mean(g, 0.5, 0, 1));
    let quarter: [f32; GROUPS] =
        std::array::from_fn(|g| 0.5 * (sampler.mean(g, 0.25, 0, 1) + sampler.mean(g, 0.75, 0, 1)));
    let third: f32 =
        (0..GROUPS).map(|g| sampler.mean(g, 1.0 / 3.0, 0, 1) + sampler.mean(g, 2.0 / 3.0, 0, 1)).sum();
    f.extend(on);
    f.extend(off);
    f.extend(quarter);
    f.push(third / 8.0);
    // From beat to beat: a back beat alternates bass and snare; at twice the tempo the alternation is beat and rest.
    let alternation: [f32; GROUPS] =
        std::array::from_fn(|g| sampler.mean(g, 0.0, 0, 2) - sampler.mean(g, 0.0, 1, 2));
    f.extend(alternation.map(f32::abs));
    f.push((-alternation[0] * alternation[2]).clamp(-4.0, 4.0));
    let per_beat = (density * period / p.frames_per_s).max(0.1).log2() as f32;
    f.extend([per_beat, per_beat * per_beat]);
    let (ons, offs): (f32, f32) = (on.iter().sum(), off.iter().sum());
    f.extend([(ons - offs) / 4.0, (offs / ons.max(0.5)).min(2.0)]);
    let mut out = [0.0; FEATURES];
    out.iter_mut().zip(f).for_each(|(to, from)| *to = from);
    out
}
