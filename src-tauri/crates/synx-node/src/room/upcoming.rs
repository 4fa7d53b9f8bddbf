//! What happens in a room by itself: the end of a track into the next, and the end of waiting into its beginning. Whoever leads
//! the room announces it in time.
//!
//! Must never decide what plays: that is the room's.

use std::time::{Duration, Instant};
use synx_domain::{Command, ContentHash, Room, Transport};

/// The next track is announced this long before the current one ends: the longest lead and a margin for the fsync. From
/// then on pause and seek concern the next track, so no earlier than need be.
const ADVANCE_AHEAD_US: i64 = 700_000;

/// What comes next by itself, of one revision of the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upcoming {
    revision: u64,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// The current track ends at an instant of room time. It has not begun before another.
    End { begins_us: i64, ends_us: i64, next: Option<ContentHash> },
    /// A track is awaited.
    Awaited(ContentHash),
}

impl Upcoming {
    /// What comes next in a room; none while nothing happens by itself.
    pub fn of(room: &Room) -> Option<Self> {
        let transport = room.transport.as_ref()?;
        let track = transport.current?.track;
        let what = if transport.awaits {
            What::Awaited(track)
        } else if transport.playing && transport.repeats().is_none() {
            let duration_us = room.playable(track)?.duration_us;
            let begins_us = transport.anchor.room_time_us;
            let ends_us = begins_us.saturating_add((duration_us - transport.anchor.position_us).max(0));
            What::End { begins_us, ends_us, next: next_track(room, transport) }
        } else {
            return None;
        };
        Some(Self { revision: transport.revision, what })
    }

    /// How long to wait from an instant of room time on, and what is to be asked then. `held_until` says until when, at most,
    /// somebody who lacks a track holds the others back.
    pub fn due(
        self,
        now_us: i64,
        held_until: impl Fn(ContentHash) -> Option<Instant>,
    ) -> (Duration, Command) {
        let Self { revision, what } = self;
        match what {
            What::End { begins_us, ends_us, next } => {
                // The track before this one may still be playing: its end is announced, and this one has not begun.
                let due_us = ends_us.saturating_sub(ADVANCE_AHEAD_US).max(begins_us);
                let wait_us = due_us.saturating_sub(now_us).max(0);
                let awaits = next.is_some_and(|next| held_until(next).is_some());
                (Duration::from_micros(wait_us.unsigned_abs()), Command::Advance { revision, awaits })
            }
            // When nobody holds the track back any more, at the latest when who does has fallen silent.
            What::Awaited(track) => {
                let wait = held_until(track)
                    .map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
                (wait, Command::Release { revision })
            }
        }
    }
}

/// What follows in the queue.
pub fn next_track(room: &Room, transport: &Transport) -> Option<ContentHash> {
    Some(room.queue.after(transport.current?.item)?.track)
}
