//! Whether there is a tempo at all: a logistic regression over how steadily anything recurs.
//!
//! It must refuse what has no pulse (noise, random strokes, speech, glides, drones), because a tempo that is not there is
//! worse than none; what it weighs must not depend on which of the candidates is right.

use super::octave::Candidate;
use super::periodicity::Periodicity;
use super::presence_weights::{BIAS, WEIGHTS};

/// Number of things that are weighed.
pub(crate) const FEATURES: usize = 9;
/// Where the onset strength is among them.
const LOG_FLUX: usize = 8;
/// Less likely than this, there is no answer.
pub(crate) const LEAST: f64 = 0.5;
/// Logarithm of the onset strength (nepers a band) below which nothing is struck or begun, however steadily it recurs: slow
/// glides cross the bands of the filter bank in a rhythm of their own. Measured: glides −4.2 to −3.2, the softest piano
/// ballads of the training material −2.4.
const LEAST_LOG_FLUX: f32 = -3.0;
/// Short excerpts recur by chance more than long ones; longer than this makes no difference.
const LONG_S: f64 = 60.0;

/// How likely anything recurs, 0 to 1.
pub(crate) fn probability(features: &[f32; FEATURES]) -> f64 {
    if features[LOG_FLUX] < LEAST_LOG_FLUX {
        return 0.0;
    }
    let score: f64 = features.iter().zip(WEIGHTS).map(|(f, w)| f64::from(f * w)).sum();
    1.0 / (1.0 + (-score - BIAS).exp())
}

/// The strongest sign of each kind among all candidates, so that no octave is favoured.
pub(crate) fn features(p: &Periodicity, candidates: &[Candidate]) -> [f32; FEATURES] {
    let strongest = |of: &dyn Fn(&Candidate) -> f32| candidates.iter().map(of).fold(0.0, f32::max);
    let at = |c: &Candidate, k: f64| p.peak_near(k * c.period, 0.02).1;
    let seconds = p.sum.len() as f64 / p.frames_per_s;
    [
        strongest(&|c| at(c, 1.0)),
        strongest(&|c| (at(c, 1.0) + at(c, 2.0) + at(c, 4.0)) / 3.0),
        strongest(&|c| at(c, 4.0)),
        strongest(&|c| at(c, 8.0)),
        strongest(&|c| mean_at(&p.sum, &c.beats)),
        strongest(&|c| mean_at(&p.sum, &c.beats) * at(c, 2.0)),
        strongest(&|c| steadiness(c)),
        (seconds.min(LONG_S) / LONG_S).ln() as f32,
        p.log_flux,
    ]
}

/// Mean onset strength on the beats.
fn mean_at(strength: &[f32], beats: &[usize]) -> f32 {
    let sum: f32 = beats.iter().filter_map(|at| strength.get(*at)).sum();
    sum / beats.len().max(1) as f32
}

/// Share of the intervals that keep to the period within 5 %.
fn steadiness(candidate: &Candidate) -> f32 {
    let steady = |pair: &&[usize]| ((pair[1] - pair[0]) as f64 / candidate.period - 1.0).abs() < 0.05;
    let kept = candidate.beats.windows(2).filter(steady).count();
    kept as f32 / candidate.beats.len().max(2) as f32
}
