//! What plays, as a function of room time.

use crate::{ContentHash, EpochId, QueueItemId};
use serde::{Deserialize, Serialize};

/// The instant at which a position is (or, paused, stays) the one that is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Microseconds of room time within the transport's epoch.
    pub room_time_us: i64,
    /// Microseconds into the track.
    pub position_us: i64,
}

/// What is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentTrack {
    /// The queue entry.
    pub item: QueueItemId,
    /// The audio it names.
    pub track: ContentHash,
}

/// The room's playback state. Seek, pause, next and late join are all this one value replaced by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transport {
    /// Grows by one with every change; peers drop what is older than what they have.
    pub revision: u64,
    /// The host run whose room time the anchor counts in.
    pub epoch: EpochId,
    /// What is loaded, if anything is.
    pub current: Option<CurrentTrack>,
    /// Where the track is at one instant.
    pub anchor: Anchor,
    /// Whether the position advances from the anchor on. Before the anchor's instant the previous state holds.
    pub playing: bool,
}

impl Transport {
    /// Position in microseconds that is heard at `room_time_us` (same epoch), not clamped to the track's length.
    /// Before the anchor's instant this is the anchor's position.
    pub fn position_us_at(&self, room_time_us: i64) -> i64 {
        let elapsed_us = room_time_us.saturating_sub(self.anchor.room_time_us).max(0);
        if self.playing {
            self.anchor.position_us.saturating_add(elapsed_us)
        } else {
            self.anchor.position_us
        }
    }
}
