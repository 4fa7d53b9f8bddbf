//! The engine's time over restarts of a host. Each run of a host counts room time from a zero of its own; the engine must
//! not see that, as what plays goes on until the new run says where the music is.

use synx_clock::ClockEstimate;
use synx_domain::EpochId;

/// Room time as the engine knows it: that of the first run that was met, and later runs shifted onto it.
#[derive(Debug, Default)]
pub struct EngineTime {
    epoch: Option<EpochId>,
    /// Engine time minus room time of the present run, in microseconds.
    shift_us: f64,
    last: Option<ClockEstimate>,
}

impl EngineTime {
    /// Takes in what is known of a run's clock at a local instant; what the engine is to be told.
    pub fn follow(
        &mut self,
        epoch: Option<EpochId>,
        estimate: ClockEstimate,
        local_us: f64,
    ) -> ClockEstimate {
        if epoch != self.epoch {
            self.epoch = epoch;
            self.shift_us =
                self.last.map_or(0.0, |last| (last.room_us(local_us) - estimate.room_us(local_us)).round());
        }
        let shifted = estimate.shifted(self.shift_us);
        self.last = Some(shifted);
        shifted
    }

    /// The run that is followed; none before the first estimate.
    pub fn epoch(&self) -> Option<EpochId> {
        self.epoch
    }

    /// An instant of this machine's own clock, in the engine's time; both in microseconds.
    pub fn of_local_us(&self, local_us: i64) -> i64 {
        self.last.map_or(local_us, |last| last.room_us(local_us as f64).round() as i64)
    }

    /// A room time of the present run, in the engine's time; both in microseconds.
    pub fn of_room_us(&self, room_time_us: i64) -> i64 {
        room_time_us.saturating_add(self.shift_us as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(offset_us: f64) -> ClockEstimate {
        ClockEstimate { offset_us, skew_ppm: 20.0, ..ClockEstimate::identity() }
    }

    #[test]
    fn time_runs_on_when_the_host_starts_again() {
        let (first, second) = (EpochId::from_bytes([1; 16]), EpochId::from_bytes([2; 16]));
        let mut time = EngineTime::default();
        let before = time.follow(Some(first), estimate(5e9), 1e6);
        assert_eq!((before.room_us(1e6), time.of_room_us(7)), (estimate(5e9).room_us(1e6), 7));
        assert_eq!(time.of_local_us(1_000_000) as f64, estimate(5e9).room_us(1e6).round());
        // The new run counts from its own zero.
        let after = time.follow(Some(second), estimate(-3e6), 2e6);
        assert!((after.room_us(2e6) - before.room_us(2e6)).abs() < 1.0);
        // From then on the new run's estimate counts, and its plans lie on the same line.
        let refined = time.follow(Some(second), estimate(-3e6 + 40.0), 3e6);
        assert!((refined.room_us(3e6) - after.room_us(3e6) - 40.0).abs() < 1e-3);
        let room_time_us = estimate(-3e6).room_us(2e6).round() as i64;
        assert!((time.of_room_us(room_time_us) as f64 - before.room_us(2e6)).abs() < 2.0);
    }
}
