//! One exchange of time stamps with the host. Holds the arithmetic of a single probe and nothing that lasts.

use serde::{Deserialize, Serialize};

/// Four stamps of one exchange, in microseconds. `t1` and `t4` are the peer's monotonic clock, `t2` and `t3` the
/// host's (room time).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The peer sent the request (local).
    pub t1_us: i64,
    /// The host received it (room).
    pub t2_us: i64,
    /// The host sent the answer (room).
    pub t3_us: i64,
    /// The peer received it (local).
    pub t4_us: i64,
}

impl Probe {
    /// Time on the wire, both ways together; what the host spent between `t2` and `t3` is not in it.
    #[must_use]
    pub fn rtt_us(&self) -> i64 {
        (self.t4_us.saturating_sub(self.t1_us)).saturating_sub(self.t3_us.saturating_sub(self.t2_us))
    }

    /// `room - local` cannot have been more than this at `t1`: a request does not arrive before it is sent.
    #[must_use]
    pub fn upper_us(&self) -> i64 {
        self.t2_us.saturating_sub(self.t1_us)
    }

    /// `room - local` cannot have been less than this at `t4`.
    #[must_use]
    pub fn lower_us(&self) -> i64 {
        self.t3_us.saturating_sub(self.t4_us)
    }

    /// False when the stamps contradict themselves, as a broken or hostile host may send them.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        /// A century: beyond it the sums below would lose their sub-microsecond part.
        const LIMIT_US: u64 = 3_200_000_000_000_000;
        let in_range =
            [self.t1_us, self.t2_us, self.t3_us, self.t4_us].iter().all(|t| t.unsigned_abs() < LIMIT_US);
        in_range && self.t4_us >= self.t1_us && self.t3_us >= self.t2_us && self.rtt_us() >= 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_enclose_the_true_offset_whatever_the_two_delays_are() {
        let (offset, up, down) = (5_000, 900, 30);
        let p =
            Probe { t1_us: 100, t2_us: 100 + offset + up, t3_us: 110 + offset + up, t4_us: 110 + up + down };
        assert!(p.lower_us() <= offset && offset <= p.upper_us());
        assert_eq!(p.rtt_us(), up + down);
    }

    #[test]
    fn contradicting_stamps_are_not_plausible() {
        assert!(!Probe { t1_us: 10, t2_us: 0, t3_us: 0, t4_us: 9 }.is_plausible());
        assert!(!Probe { t1_us: 0, t2_us: 0, t3_us: 50, t4_us: 10 }.is_plausible());
        assert!(!Probe { t1_us: i64::MIN, t2_us: 0, t3_us: 0, t4_us: i64::MAX }.is_plausible());
    }
}
