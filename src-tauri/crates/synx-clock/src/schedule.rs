//! When the next probe is due. Pure: the caller owns the timer and the socket.

use crate::ClockEstimate;

/// Probes that follow each other at once, each on the answer to the one before. The first finds processors and radios
/// asleep at both ends and waits until they wake, not equally long at both: on an idle machine of two cores it took 550 us
/// there and 250 back (medians), the second 180 and 150, the fourth 128 and 104. The smallest delays, which are all that
/// the filter stands on, come from the last of a train.
const TRAIN: u32 = 4;
/// Longest least round trip over which trains are sent. On longer paths what waking costs, half a millisecond at most, is
/// lost in the path's own jitter, so trains gain nothing there.
const TRAIN_RTT_US: f64 = 5_000.0;
/// Probes of the burst at the start. Sixteen give offsets good to a tenth of the jitter.
const BURST: u32 = 4 * TRAIN;
/// Intervals are per probe: a train begins as many of them after the last as that one has probes. On a short path the
/// whole burst fits in a third of a second, before the first sound is due.
const BURST_INTERVAL_US: i64 = 20_000;
/// After the burst the filter still learns the skew; it gets twice the steady rate for this many probes (5 s).
const LEARNING: u32 = BURST + 48;
const LEARNING_INTERVAL_US: i64 = 100_000;
/// Steady state on a quiet path.
const STEADY_INTERVAL_US: f64 = 200_000.0;
/// On a noisy path the smallest delays are rare, so more probes are sent until they are seen: up to 20 a second, which
/// is 2 kB/s.
const SHORTEST_INTERVAL_US: f64 = 50_000.0;
/// Uncertainty up to which the steady rate is kept.
const CALM_UNCERTAINTY_US: f64 = 20.0;

/// A burst at the join, then about five probes a second, more while the estimate is uncertain, in trains.
#[derive(Clone, Debug)]
pub struct ProbeSchedule {
    sent: u32,
    /// When the present train began, and how many of it are sent.
    train_us: i64,
    in_train: u32,
    next_us: i64,
}

impl ProbeSchedule {
    /// Starts with a burst at `now_us` (local).
    #[must_use]
    pub fn new(now_us: i64) -> Self {
        Self { sent: 0, train_us: now_us, in_train: 0, next_us: now_us }
    }

    /// Local instant at which the next probe is due, in microseconds. In the past means: at once, without a timer between,
    /// as soon as the one before is answered.
    #[must_use]
    pub fn next_us(&self) -> i64 {
        self.next_us
    }

    /// A probe left at `now_us`; `estimate` is the filter's present one.
    pub fn on_sent(&mut self, now_us: i64, estimate: Option<&ClockEstimate>) {
        if self.in_train == 0 {
            self.train_us = now_us;
        }
        self.sent = self.sent.saturating_add(1);
        self.in_train += 1;
        let short = estimate.is_none_or(|estimate| estimate.rtt_us < TRAIN_RTT_US);
        let wait_us = if short && self.in_train < TRAIN {
            0
        } else {
            i64::from(std::mem::take(&mut self.in_train)) * self.interval_us(estimate)
        };
        self.next_us = self.train_us.saturating_add(wait_us);
    }

    /// Begins a new burst: after a reconnect, a clock jump or a new host.
    pub fn restart(&mut self, now_us: i64) {
        *self = Self::new(now_us);
    }

    fn interval_us(&self, estimate: Option<&ClockEstimate>) -> i64 {
        if self.sent < BURST {
            return BURST_INTERVAL_US;
        }
        if self.sent < LEARNING {
            return LEARNING_INTERVAL_US;
        }
        let uncertainty_us = estimate.map_or(f64::INFINITY, |e| e.uncertainty_us);
        let interval_us = (STEADY_INTERVAL_US * CALM_UNCERTAINTY_US / uncertainty_us)
            .clamp(SHORTEST_INTERVAL_US, STEADY_INTERVAL_US);
        (interval_us * dither(self.sent)) as i64
    }
}

/// 0.9 to 1.1 by the golden ratio: probes must not fall into step with something periodic on the path, such as a
/// beacon or a power-save cycle.
fn dither(n: u32) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    0.9 + 0.2 * (f64::from(n) * GOLDEN).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(uncertainty_us: f64) -> ClockEstimate {
        ClockEstimate { uncertainty_us, ..ClockEstimate::identity() }
    }

    /// Probes sent within `seconds` of simulated time.
    fn sent_in(schedule: &mut ProbeSchedule, from_us: i64, seconds: i64, e: &ClockEstimate) -> u32 {
        let before = schedule.sent;
        while schedule.next_us() < from_us + seconds * 1_000_000 {
            schedule.on_sent(schedule.next_us(), Some(e));
        }
        schedule.sent - before
    }

    #[test]
    fn a_join_starts_with_a_burst_within_a_third_of_a_second() {
        let mut s = ProbeSchedule::new(7);
        for _ in 1..BURST {
            s.on_sent(s.next_us(), None);
        }
        assert!(s.next_us() - 7 <= 333_333);
    }

    #[test]
    fn five_a_second_on_a_quiet_path_and_more_on_a_noisy_one() {
        let mut s = ProbeSchedule::new(0);
        sent_in(&mut s, 0, 10, &estimate(5.0));
        let quiet = sent_in(&mut s, 10_000_000, 60, &estimate(5.0));
        let noisy = sent_in(&mut s, 70_000_000, 60, &estimate(900.0));
        assert!((295..=305).contains(&quiet), "{quiet}");
        assert!((1180..=1220).contains(&noisy), "{noisy}");
    }
}
