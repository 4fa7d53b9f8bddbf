//! The widest straight strip between two clouds of points: upper bounds above, lower bounds below. Pure geometry; knows
//! nothing of probes or of time outside its arguments.
//!
//! Queueing delay only ever adds, so each upper bound lies above the true offset line by an (about exponentially
//! distributed) delay and each lower bound below it. For exponential delays the likelihood of a strip is
//! `n/mean * width`, so the most likely strip is the widest one; with a Gaussian prior on the slope it stays sane while
//! the points span only a moment. Both sides share the slope, which is what a fit of each side by itself throws away.

use crate::floor::{BELIEVABLE, Prior, most_likely_slope};

/// One bound of the offset: `v_us` at local instant `t_us`, both relative to the caller's origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub t_us: f64,
    pub v_us: f64,
}

/// One side of the strip: its points in order of time, how many probes stand behind them, and their mean delay.
pub(crate) struct Side<'a> {
    pub bounds: &'a [Bound],
    pub mean_t_us: f64,
    /// Probes per microsecond of mean delay: how much a microsecond of width is worth.
    pub weight: f64,
}

/// The fitted strip: `top` and `bottom` at `t = 0`, slope as a ratio.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strip {
    pub slope: f64,
    pub top_us: f64,
    pub bottom_us: f64,
}

impl Strip {
    pub(crate) fn middle_us(&self, t_us: f64) -> f64 {
        (self.top_us + self.bottom_us) / 2.0 + self.slope * t_us
    }
}

/// The most likely strip, or `None` without points on both sides.
pub(crate) fn widest(upper: &Side<'_>, lower: &Side<'_>, prior: Prior) -> Option<Strip> {
    if upper.bounds.is_empty() || lower.bounds.is_empty() {
        return None;
    }
    let points = [hull(upper.bounds, 1.0), hull(lower.bounds, -1.0)];
    Some(lay([upper, lower], &points, prior, 0, BELIEVABLE))
}

/// How far from the known slope an inner strip may lie; the next probe may move it further.
const REACH: f64 = 10e-6;

/// The most likely strip that leaves out `rank` bounds on either side, at a slope near a known one; `None` without more
/// points than that on both sides.
pub(crate) fn inner(
    upper: &Side<'_>,
    lower: &Side<'_>,
    prior: Prior,
    rank: usize,
    slope: f64,
) -> Option<Strip> {
    let points = [near(upper.bounds, 1.0, slope, rank)?, near(lower.bounds, -1.0, slope, rank)?];
    Some(lay([upper, lower], &points, prior, rank, [slope - REACH, slope + REACH]))
}

fn lay(
    [upper, lower]: [&Side<'_>; 2],
    [above, below]: &[Vec<Bound>; 2],
    prior: Prior,
    rank: usize,
    slopes: [f64; 2],
) -> Strip {
    let (top, bottom) = (|slope| edge(above, 1.0, slope, rank), |slope| edge(below, -1.0, slope, rank));
    let slope = most_likely_slope(slopes, |slope| {
        upper.weight * (top(slope).mean_us + slope * upper.mean_t_us)
            + lower.weight * (bottom(slope).mean_us - slope * lower.mean_t_us)
            + prior.log_likelihood(slope)
    });
    Strip { slope, top_us: top(slope).at_us, bottom_us: -bottom(slope).at_us }
}

/// Where a side begins as seen along a slope.
struct Edge {
    /// The bound of the rank.
    at_us: f64,
    /// The mean of it and of those before it, a superquantile (Rockafellar and Uryasev, "Optimization of conditional
    /// value-at-risk", 2000): concave in the slope as the least one is, which the bound of a rank by itself is not.
    mean_us: f64,
}

fn edge(points: &[Bound], sign: f64, slope: f64, rank: usize) -> Edge {
    let levels = points.iter().map(|p| sign * (p.v_us - slope * p.t_us));
    if rank == 0 {
        let at_us = levels.fold(f64::INFINITY, f64::min);
        return Edge { at_us, mean_us: at_us };
    }
    let mut levels: Vec<f64> = levels.collect();
    let (before, &mut at_us, _) = levels.select_nth_unstable_by(rank, f64::total_cmp);
    Edge { at_us, mean_us: (before.iter().sum::<f64>() + at_us) / (rank + 1) as f64 }
}

/// The points that can be of the rank or before it along any slope within [`REACH`]; `None` if there are too few.
fn near(points: &[Bound], sign: f64, slope: f64, rank: usize) -> Option<Vec<Bound>> {
    let span_us = points.last()?.t_us - points.first()?.t_us;
    if points.len() <= rank {
        return None;
    }
    let far_us = edge(points, sign, slope, rank).at_us + REACH * span_us;
    Some(points.iter().filter(|p| sign * (p.v_us - slope * p.t_us) <= far_us).copied().collect())
}

/// The lower convex hull (`sign` 1) or upper (`sign` -1): the only points a straight line can touch from outside.
/// Andrew's monotone chain.
fn hull(points: &[Bound], sign: f64) -> Vec<Bound> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.t_us.total_cmp(&b.t_us));
    let mut hull: Vec<Bound> = Vec::with_capacity(32);
    for p in sorted {
        while let [.., a, b] = hull.as_slice() {
            let turn = (b.v_us - a.v_us) * (p.t_us - a.t_us) - (p.v_us - a.v_us) * (b.t_us - a.t_us);
            if sign * turn < 0.0 {
                break;
            }
            hull.pop();
        }
        hull.push(p);
    }
    hull
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fit(points: &[(f64, f64, f64)], slope: f64, prior: Prior) -> Strip {
        let offset = 40.0;
        let line = |t: f64| offset + slope * t;
        let upper: Vec<_> = points.iter().map(|&(t, u, _)| Bound { t_us: t, v_us: line(t) + u }).collect();
        let lower: Vec<_> = points.iter().map(|&(t, _, d)| Bound { t_us: t, v_us: line(t) - d }).collect();
        let mean_t_us = points.iter().map(|p| p.0).sum::<f64>() / points.len() as f64;
        let side = |bounds| Side { bounds, mean_t_us, weight: points.len() as f64 / 50.0 };
        widest(&side(&upper), &side(&lower), prior).unwrap()
    }

    proptest! {
        #[test]
        fn no_point_lies_inside_the_strip(
            points in prop::collection::vec((0.0..1e8f64, 1.0..200.0f64, 1.0..200.0f64), 1..60),
            ppm in -300.0..300.0f64,
        ) {
            let s = fit(&points, ppm * 1e-6, Prior { mean: 0.0, sd: 100e-6 });
            for &(t, u, d) in &points {
                let truth = 40.0 + ppm * 1e-6 * t;
                prop_assert!(truth + u >= s.top_us + s.slope * t - 1e-6);
                prop_assert!(truth - d <= s.bottom_us + s.slope * t + 1e-6);
            }
        }
    }

    proptest! {
        #[test]
        fn an_inner_strip_leaves_out_what_its_rank_says_and_needs_only_what_is_near(
            delays in prop::collection::vec((1.0..2000.0f64, 1.0..2000.0f64), 2..120),
            rank in 0..12usize,
            ppm in -9.0..9.0f64,
        ) {
            let along = |delay: fn(&(f64, f64)) -> f64| -> Vec<Bound> {
                let bound = |(i, d): (usize, &(f64, f64))| {
                    let t_us = i as f64 * 250e3;
                    Bound { t_us, v_us: ppm * 1e-6 * t_us + delay(d) }
                };
                delays.iter().enumerate().map(bound).collect()
            };
            let (upper, lower) = (along(|d| d.0), along(|d| -d.1));
            let mean_t_us = (delays.len() - 1) as f64 * 125e3;
            let side = |bounds| Side { bounds, mean_t_us, weight: 1.0 };
            let (upper, lower) = (side(&upper), side(&lower));
            let prior = Prior { mean: 0.0, sd: 60e-6 };
            let Some(s) = inner(&upper, &lower, prior, rank, 0.0) else {
                prop_assert!(delays.len() <= rank);
                return Ok(());
            };
            let before = |bounds: &[Bound], sign: f64, edge_us: f64| {
                bounds.iter().filter(|b| sign * (b.v_us - s.slope * b.t_us - edge_us) < -1e-6).count()
            };
            prop_assert!(before(upper.bounds, 1.0, s.top_us) <= rank);
            prop_assert!(before(lower.bounds, -1.0, s.bottom_us) <= rank);
            let points = [upper.bounds.to_vec(), lower.bounds.to_vec()];
            let of_all = lay([&upper, &lower], &points, prior, rank, [-REACH, REACH]);
            prop_assert!((s.slope - of_all.slope).abs() < 1e-10, "{s:?} {of_all:?}");
        }
    }

    #[test]
    fn a_constant_delay_gives_the_exact_line() {
        let points: Vec<_> = (0..100).map(|i| (f64::from(i) * 1e6, 30.0, 30.0)).collect();
        let s = fit(&points, 80e-6, Prior { mean: 0.0, sd: 100e-6 });
        assert!((s.slope - 80e-6).abs() < 1e-9, "{}", s.slope);
        assert!((s.middle_us(99e6) - (40.0 + 80e-6 * 99e6)).abs() < 0.1);
    }

    #[test]
    fn a_single_moment_leaves_the_slope_to_the_prior() {
        let points: Vec<_> = (0..8).map(|i| (f64::from(i) * 1e3, 30.0 + f64::from(i % 3), 25.0)).collect();
        let s = fit(&points, 0.0, Prior { mean: 10e-6, sd: 1e-6 });
        assert!((s.slope - 10e-6).abs() < 2e-6, "{}", s.slope);
    }
}
