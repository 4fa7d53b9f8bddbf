//! The most likely straight line under a cloud of late stamps: the one-sided relation of the strip, for clocks that are
//! watched from one side only, such as a sound card's. Allocates nothing.

/// What is known of the slope before looking: a ratio and its standard deviation.
#[derive(Clone, Copy, Debug)]
pub struct Prior {
    /// Most likely slope.
    pub mean: f64,
    /// Standard deviation of it.
    pub sd: f64,
}

impl Prior {
    pub(crate) fn log_likelihood(self, slope: f64) -> f64 {
        let surprise = (slope - self.mean) / self.sd;
        -surprise * surprise / 2.0
    }
}

/// A line under points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Floor {
    /// Rise per unit of time, a ratio.
    pub slope: f64,
    /// Height at time zero, in microseconds.
    pub level_us: f64,
}

impl Floor {
    /// The most likely line under `points` (time, height; both in microseconds, relative to the caller's origin), if
    /// heights exceed it by exponentially distributed delays. `weight` is the number of stamps behind the points over
    /// their mean delay in microseconds, `mean_t_us` the mean time of those stamps. `None` without points.
    #[must_use]
    pub fn under(
        points: impl Iterator<Item = (f64, f64)> + Clone,
        mean_t_us: f64,
        weight: f64,
        prior: Prior,
    ) -> Option<Self> {
        points.clone().next()?;
        let level = |slope: f64| points.clone().fold(f64::INFINITY, |m, (t, v)| m.min(v - slope * t));
        let slope = most_likely_slope(BELIEVABLE, |slope| {
            weight * (level(slope) + slope * mean_t_us) + prior.log_likelihood(slope)
        });
        Some(Self { slope, level_us: level(slope) })
    }

    /// Height at a time, in microseconds.
    #[must_use]
    pub fn at(&self, t_us: f64) -> f64 {
        self.level_us + self.slope * t_us
    }
}

/// Largest believable difference of two clock rates. Crystals differ by up to 200 ppm, NTP slews by up to 500.
const MAX_SLOPE: f64 = 1000e-6;

/// All slopes that two clocks can have.
pub(crate) const BELIEVABLE: [f64; 2] = [-MAX_SLOPE, MAX_SLOPE];

/// Golden-section search over a range of slopes. A likelihood of this family (minima of lines, or means of the smallest of
/// them, less a parabola) is concave, so there is one maximum.
pub(crate) fn most_likely_slope([mut lo, mut hi]: [f64; 2], log_likelihood: impl Fn(f64) -> f64) -> f64 {
    /// The bracket at the end: a microsecond in a day.
    const NARROW: f64 = 1e-11;
    const INV_PHI: f64 = 0.618_033_988_749_895;
    let (mut a, mut b) = (hi - INV_PHI * (hi - lo), lo + INV_PHI * (hi - lo));
    let (mut fa, mut fb) = (log_likelihood(a), log_likelihood(b));
    let steps = ((hi - lo) / NARROW).log(1.0 / INV_PHI).ceil() as usize;
    for _ in 0..steps {
        if fa > fb {
            (hi, b, fb) = (b, a, fa);
            a = hi - INV_PHI * (hi - lo);
            fa = log_likelihood(a);
        } else {
            (lo, a, fa) = (a, b, fb);
            b = lo + INV_PHI * (hi - lo);
            fb = log_likelihood(b);
        }
    }
    f64::midpoint(lo, hi)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_line_is_under_every_point_and_touches_one(
            points in prop::collection::vec((0.0..1e7f64, 0.0..500.0f64), 1..80),
        ) {
            let mean = points.iter().map(|p| p.0).sum::<f64>() / points.len() as f64;
            let prior = Prior { mean: 0.0, sd: 100e-6 };
            let f = Floor::under(points.iter().copied(), mean, 0.5, prior).unwrap();
            let gap = points.iter().map(|&(t, v)| v - f.at(t)).fold(f64::INFINITY, f64::min);
            prop_assert!(gap.abs() < 1e-6, "{gap}");
        }
    }

    #[test]
    fn a_sawtooth_of_late_stamps_has_its_floor_found() {
        let points = (0..400).map(|i| {
            let t = f64::from(i) * 50_000.0;
            (t, 120e-6 * t + f64::from(i * 37 % 100) * 50.0)
        });
        let f = Floor::under(points, 10e6, 0.2, Prior { mean: 0.0, sd: 100e-6 }).unwrap();
        assert!((f.slope - 120e-6).abs() < 1e-6, "{f:?}");
    }

    #[test]
    fn no_points_no_line() {
        assert_eq!(Floor::under(std::iter::empty(), 0.0, 1.0, Prior { mean: 0.0, sd: 1e-6 }), None);
    }
}
