//! Where the tempo changes: beats that lie on no single line are cut into stretches that do.
//!
//! Top-down segmentation by least squares (Keogh et al., "Segmenting time series", 2004): a stretch that strays from its line
//! is cut where two lines fit best. It must never move a beat.

use super::TempoSection;

/// Beats stray from the line of their stretch by less than this (root mean square, seconds).
const TOLERANCE_S: f64 = 0.02;
/// Fewer beats make no stretch.
const LEAST_BEATS: usize = 8;
/// Neighbours whose tempi differ by less are one.
const SAME_TEMPO: f64 = 0.01;

/// The stretches of beats that are about `period_s` apart.
pub(crate) fn of(beats_s: &[f64], period_s: f64) -> Vec<TempoSection> {
    if beats_s.len() < LEAST_BEATS {
        return Vec::new();
    }
    let sums = Sums::of(beats_s, period_s);
    let mut cuts = vec![0];
    sums.cut(0, beats_s.len(), &mut cuts);
    let ends = cuts.iter().skip(1).copied().chain([beats_s.len()]);
    let found = cuts
        .iter()
        .zip(ends)
        .map(|(&from, to)| TempoSection { start_s: beats_s[from], bpm: sums.bpm(from, to) });
    joined(found)
}

/// Neighbours of one tempo as one.
pub(crate) fn joined(sections: impl Iterator<Item = TempoSection>) -> Vec<TempoSection> {
    let mut found: Vec<TempoSection> = Vec::new();
    for section in sections {
        if found.last().is_none_or(|last| (last.bpm / section.bpm - 1.0).abs() >= SAME_TEMPO) {
            found.push(section);
        }
    }
    found
}

/// Running sums over the beats, numbered by their period, so that any stretch is fitted in one step.
struct Sums {
    n: Vec<f64>,
    s: Vec<f64>,
    nn: Vec<f64>,
    ns: Vec<f64>,
    ss: Vec<f64>,
}

impl Sums {
    fn of(beats_s: &[f64], period_s: f64) -> Sums {
        let mut number = 0.0;
        let mut sums = Sums { n: vec![0.0], s: vec![0.0], nn: vec![0.0], ns: vec![0.0], ss: vec![0.0] };
        for (i, s) in beats_s.iter().enumerate() {
            if i > 0 {
                number += ((s - beats_s[i - 1]) / period_s).round().max(1.0);
            }
            let add = |sum: &mut Vec<f64>, value: f64| sum.push(sum.last().copied().unwrap_or(0.0) + value);
            add(&mut sums.n, number);
            add(&mut sums.s, *s);
            add(&mut sums.nn, number * number);
            add(&mut sums.ns, number * s);
            add(&mut sums.ss, s * s);
        }
        sums
    }

    /// (slope, sum of squared distances) of the line through a stretch.
    fn line(&self, from: usize, to: usize) -> (f64, f64) {
        let count = (to - from) as f64;
        let sum = |of: &[f64]| of[to] - of[from];
        let (n, s) = (sum(&self.n), sum(&self.s));
        let nn = sum(&self.nn) - n * n / count;
        let ns = sum(&self.ns) - n * s / count;
        let ss = sum(&self.ss) - s * s / count;
        let slope = ns / nn.max(f64::EPSILON);
        (slope, (ss - slope * ns).max(0.0))
    }

    fn bpm(&self, from: usize, to: usize) -> f64 {
        60.0 / self.line(from, to).0.max(f64::EPSILON)
    }

    /// Adds where the stretch must be cut, in order.
    fn cut(&self, from: usize, to: usize, cuts: &mut Vec<usize>) {
        let stray = (self.line(from, to).1 / (to - from) as f64).sqrt();
        if stray < TOLERANCE_S || to - from < 2 * LEAST_BEATS {
            return;
        }
        let both = |at: usize| self.line(from, at).1 + self.line(at, to).1;
        let places = from + LEAST_BEATS..=to - LEAST_BEATS;
        let Some(at) = places.min_by(|a, b| both(*a).total_cmp(&both(*b))) else { return };
        self.cut(from, at, cuts);
        cuts.push(at);
        self.cut(at, to, cuts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_on_the_beat() {
        let slow = (0..40).map(|i| 0.5 * f64::from(i));
        let fast = (1..40).map(|i| 19.5 + 0.45 * f64::from(i));
        let beats: Vec<f64> = slow.chain(fast).collect();
        let found = of(&beats, 0.48);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!((found[0].bpm - 120.0).abs() < 0.1 && (found[1].bpm - 133.33).abs() < 0.1, "{found:?}");
        assert!((found[1].start_s - 19.5).abs() < 1.0, "{found:?}");
    }

    #[test]
    fn a_steady_tempo_is_one_stretch_whatever_the_player() {
        let beats: Vec<f64> = (0..80).map(|i| 0.5 * f64::from(i) + 0.01 * f64::from(i % 3)).collect();
        assert_eq!(of(&beats, 0.5).len(), 1);
    }

    #[test]
    fn a_ramp_becomes_steps_that_rise() {
        let mut at = 0.0;
        let beats: Vec<f64> = (0..120)
            .map(|i| {
                at += 60.0 / (100.0 + 0.25 * f64::from(i));
                at
            })
            .collect();
        let found = of(&beats, 0.52);
        assert!(found.len() > 2 && found.windows(2).all(|pair| pair[0].bpm < pair[1].bpm), "{found:?}");
    }
}
