//! What is to be heard when, as a pure function of room time. Knows no clock, no device and no decoder.

use crate::TrackHandle;

/// A transport state. It takes effect at the sample that is heard at `anchor_room_us`; until then the plan before it
/// holds. From then on, what is heard at room time `r` is `anchor_position_us + (r - anchor_room_us)`, folded into the
/// loop if there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Grows with each change; a plan with a smaller one than the last is ignored.
    pub revision: u64,
    /// What is played; `None` is silence.
    pub track: Option<TrackHandle>,
    /// Room time of the anchor, in microseconds.
    pub anchor_room_us: i64,
    /// Position in the track at the anchor, in microseconds.
    pub anchor_position_us: i64,
    /// False holds the position.
    pub playing: bool,
    /// Begin and end of a loop, in microseconds of the track. A position already behind its end is not drawn back.
    pub loop_region: Option<(i64, i64)>,
    /// It follows the end of the plan before it: what sounds till then runs out by itself instead of being faded out.
    pub gapless: bool,
}

impl Plan {
    /// Nothing to play.
    #[must_use]
    pub fn silence(revision: u64, at_room_us: i64) -> Self {
        Self {
            revision,
            track: None,
            anchor_room_us: at_room_us,
            anchor_position_us: 0,
            playing: false,
            loop_region: None,
            gapless: false,
        }
    }

    pub(crate) fn timeline(&self) -> Option<Timeline> {
        let track = self.track.as_ref()?;
        let rate_hz = f64::from(track.sample_rate_hz());
        Some(Timeline {
            track: track.id(),
            rate_hz,
            anchor_room_us: self.anchor_room_us as f64,
            anchor_frame: self.anchor_position_us as f64 * rate_hz * 1e-6,
            fold: self.loop_region.and_then(|region| Fold::new(region, rate_hz, self.anchor_position_us)),
        })
    }
}

/// A running plan: unrolled frames (loops written out one after the other) over room time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timeline {
    pub track: u64,
    pub rate_hz: f64,
    pub anchor_room_us: f64,
    pub anchor_frame: f64,
    pub fold: Option<Fold>,
}

impl Timeline {
    /// Unrolled frame heard at a room instant, with its fraction; negative before the track begins.
    pub(crate) fn frame_at(&self, room_us: f64) -> f64 {
        self.anchor_frame + (room_us - self.anchor_room_us) * self.rate_hz * 1e-6
    }

    /// Whether the other one sounds the same from now on but for at most a millisecond: then nothing need be re-decoded.
    pub(crate) fn continues(&self, other: &Self) -> bool {
        self.track == other.track
            && self.fold == other.fold
            && (self.frame_at(other.anchor_room_us) - other.anchor_frame).abs() <= self.rate_hz * 1e-3
    }

    pub(crate) fn track_frame(&self, unrolled: f64) -> f64 {
        match self.fold {
            Some(fold) if unrolled >= fold.end as f64 => {
                fold.begin as f64 + (unrolled - fold.begin as f64) % fold.length() as f64
            }
            _ => unrolled,
        }
    }
}

/// A loop in whole frames of the track, so that every peer cuts at the same sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fold {
    pub begin: u64,
    pub end: u64,
}

impl Fold {
    /// Shorter loops are a tone, not music, and would have the decoder seek all the time.
    const SHORTEST_US: i64 = 20_000;

    fn new((begin_us, end_us): (i64, i64), rate_hz: f64, position_us: i64) -> Option<Self> {
        if begin_us < 0 || end_us.saturating_sub(begin_us) < Self::SHORTEST_US || position_us >= end_us {
            return None;
        }
        let frame = |us: i64| (us as f64 * rate_hz * 1e-6).round() as u64;
        Some(Self { begin: frame(begin_us), end: frame(end_us) })
    }

    pub(crate) fn length(self) -> u64 {
        self.end - self.begin
    }

    /// The track's frame that an unrolled frame stands for, and how many follow it before the next fold.
    pub(crate) fn place(self, unrolled: u64) -> (u64, u64) {
        if unrolled < self.end {
            return (unrolled, self.end - unrolled);
        }
        let frame = self.begin + (unrolled - self.begin) % self.length();
        (frame, self.end - frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_fold_stays_inside_the_loop_and_runs_on_frame_by_frame(
            begin in 0u64..100_000, length in 1_000u64..50_000, unrolled in 0u64..10_000_000,
        ) {
            let fold = Fold { begin, end: begin + length };
            let (here, left) = fold.place(unrolled);
            let (next, _) = fold.place(unrolled + 1);
            prop_assert!(here < fold.end && left == fold.end - here);
            prop_assert_eq!(next, if left == 1 { begin } else { here + 1 });
        }
    }

    #[test]
    fn a_position_behind_the_loop_is_not_drawn_back() {
        assert_eq!(Fold::new((0, 1_000_000), 48_000.0, 1_000_000), None);
        assert_eq!(Fold::new((0, 1_000_000), 48_000.0, 999_999), Some(Fold { begin: 0, end: 48_000 }));
        assert_eq!(Fold::new((500, 600), 48_000.0, 0), None);
    }
}
