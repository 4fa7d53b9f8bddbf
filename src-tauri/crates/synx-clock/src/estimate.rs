//! The straight line from local to room time that everything else reads. Immutable; never decides anything.

use serde::{Deserialize, Serialize};

/// Room time as a straight line over local monotonic time, with its uncertainty. Small and `Copy`, so that it can be
/// handed to the audio thread whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockEstimate {
    /// Local instant, in microseconds, at which `offset_us` and `uncertainty_us` hold.
    pub at_local_us: f64,
    /// Room minus local time at that instant, in microseconds.
    pub offset_us: f64,
    /// How much faster the room's clock runs than the local one, in parts per million.
    pub skew_ppm: f64,
    /// Half-width of the interval that holds the true offset in at least 95 of 100 cases, in microseconds. What no
    /// probe can show, a fixed difference between the two directions of the path, is not in it: that is at most half
    /// of `rtt_us`.
    pub uncertainty_us: f64,
    /// The same for `skew_ppm`: how fast the uncertainty grows when probes stay away.
    pub skew_uncertainty_ppm: f64,
    /// Smallest round trip in the window, in microseconds.
    pub rtt_us: f64,
    /// The 99th percentile of the delay beyond the smallest on the way from the room's host to here, in microseconds: what
    /// the lead time has to allow for.
    pub jitter_us: f64,
}

impl ClockEstimate {
    /// The host's own estimate: room time is its monotonic clock, exactly.
    #[must_use]
    pub const fn identity() -> Self {
        Self {
            at_local_us: 0.0,
            offset_us: 0.0,
            skew_ppm: 0.0,
            uncertainty_us: 0.0,
            skew_uncertainty_ppm: 0.0,
            rtt_us: 0.0,
            jitter_us: 0.0,
        }
    }

    /// The same line for a room clock that reads `by_us` microseconds more.
    #[must_use]
    pub fn shifted(self, by_us: f64) -> Self {
        Self { offset_us: self.offset_us + by_us, ..self }
    }

    /// Room time at a local instant, both in microseconds.
    #[must_use]
    pub fn room_us(&self, local_us: f64) -> f64 {
        local_us + self.offset_at_us(local_us)
    }

    /// Local time at a room instant, both in microseconds: the inverse of [`room_us`](Self::room_us).
    #[must_use]
    pub fn local_us(&self, room_us: f64) -> f64 {
        let at_room = self.at_local_us + self.offset_us;
        self.at_local_us + (room_us - at_room) / self.rate()
    }

    /// Room minus local time at a local instant, in microseconds.
    #[must_use]
    pub fn offset_at_us(&self, local_us: f64) -> f64 {
        self.offset_us + (local_us - self.at_local_us) * self.skew_ppm * 1e-6
    }

    /// Uncertainty at a local instant: it grows with the distance from the last probe.
    #[must_use]
    pub fn uncertainty_at_us(&self, local_us: f64) -> f64 {
        self.uncertainty_us + (local_us - self.at_local_us).abs() * self.skew_uncertainty_ppm * 1e-6
    }

    /// Room seconds per local second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        1.0 + self.skew_ppm * 1e-6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_and_room_time_are_inverses() {
        let e = ClockEstimate {
            at_local_us: 3.0e9,
            offset_us: 1.0e9,
            skew_ppm: 120.0,
            ..ClockEstimate::identity()
        };
        for local in [0.0, 3.0e9, 3.6e9, 9.9e12] {
            assert!((e.local_us(e.room_us(local)) - local).abs() < 0.01);
        }
        assert!((e.room_us(3.0e9 + 1.0e6) - (4.0e9 + 1.0e6 + 120.0)).abs() < 1e-3);
    }

    #[test]
    fn the_identity_leaves_time_alone() {
        let e = ClockEstimate::identity();
        assert!((e.room_us(123_456.5) - 123_456.5).abs() < f64::EPSILON);
        assert!(e.uncertainty_at_us(1e12).abs() < f64::EPSILON);
    }
}
