//! Which of several tempi that all fit is the one that people tap: the octave decision.
//!
//! Each candidate is tracked to beats and described ([`pattern`]); a linear model with a softmax over the candidates of a
//! track weighs that (a conditional logit, McFadden 1974). How the weights were found is told in `training/README.md`.
//! It must never look at anything but the evidence of the track itself.

use super::octave_weights::{CALIBRATION, WEIGHTS};
use super::pattern::{self, FEATURES};
use super::periodicity::Periodicity;
use super::{beats, pattern::densities};

/// Slowest and fastest tempo that is considered.
const RANGE_BPM: std::ops::RangeInclusive<f64> = 46.0..=240.0;
/// Peaks of the combined autocorrelation that become candidates, besides their relatives.
const PEAKS: usize = 6;
/// So many of the highest bring their relatives.
const LEADERS: usize = 2;
/// Relatives of a peak that are candidates as well.
const RELATIVES: [f64; 7] = [1.0, 2.0, 0.5, 1.5, 2.0 / 3.0, 3.0, 1.0 / 3.0];
/// Periods that differ by less (relative) are the same candidate.
const SAME_PERIOD: f64 = 0.03;

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

/// All candidates, likeliest first: for each period the tracked beats and what lies halfway between them, because the
/// strongest strokes need not be the beats.
pub(crate) fn candidates(periodicity: &Periodicity) -> Vec<Candidate> {
    let densities = densities(periodicity);
    let mut found = Vec::new();
    for period in periods(periodicity) {
        let beats = beats::track(&periodicity.sum, period);
        for beats in [beats::halfway(&beats), beats] {
            let features = pattern::features(periodicity, period, &beats, &densities);
            found.push(Candidate { period, beats, features, probability: 0.0 });
        }
    }
    let scores: Vec<f64> = found.iter().map(|c| score(&c.features)).collect();
    let highest = scores.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = scores.iter().map(|s| (s - highest).exp()).sum();
    for (c, score) in found.iter_mut().zip(scores) {
        c.probability = (score - highest).exp() / total;
    }
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    found
}

fn score(features: &[f32; FEATURES]) -> f64 {
    features.iter().zip(WEIGHTS).map(|(f, w)| f64::from(*f) * f64::from(w)).sum()
}

/// One candidate for each period, likeliest first: the likelier of its two phases, with the probability of both.
pub(crate) fn by_period(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        match found.iter_mut().find(|f| f.period == candidate.period) {
            Some(known) => known.probability += candidate.probability,
            None => found.push(candidate),
        }
    }
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    found
}

/// How often answers with this share of the softmax are right.
pub(crate) fn confidence(probability: f64) -> f64 {
    calibrated(probability, CALIBRATION)
}

/// Platt's scaling ("Probabilistic outputs for support vector machines", 1999): a share of a softmax is too sure of itself.
pub(crate) fn calibrated(probability: f64, (slope, offset): (f64, f64)) -> f64 {
    let p = probability.clamp(1e-6, 1.0 - 1e-6);
    let odds = (p / (1.0 - p)).ln();
    1.0 / (1.0 + (-slope * odds - offset).exp())
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
        let relatives = if rank < LEADERS { &RELATIVES[..] } else { &RELATIVES[..1] };
        for ratio in relatives {
            let period = sharpened(periodicity, grid[peak] / ratio);
            let known = found.iter().any(|f| (f / period - 1.0).abs() < SAME_PERIOD);
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
