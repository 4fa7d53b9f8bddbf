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

/// A part of a track that is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopRegion {
    /// Its first microsecond in the track.
    pub begin_us: i64,
    /// The first one behind it.
    pub end_us: i64,
}

impl LoopRegion {
    /// Shorter loops are a tone, not music.
    pub const SHORTEST_US: i64 = 50_000;

    /// Whether it can be repeated: what comes over the wire may be anything.
    pub(crate) fn is_valid(self) -> bool {
        self.begin_us >= 0 && self.end_us.saturating_sub(self.begin_us) >= Self::SHORTEST_US
    }

    /// Where an unrolled position lies when the region, a valid one, repeats: unchanged before its end.
    fn folded(self, position_us: i64) -> i64 {
        if position_us < self.end_us {
            return position_us;
        }
        self.begin_us + (position_us - self.begin_us) % (self.end_us - self.begin_us)
    }
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
    /// Not `playing` yet, but wanted so: the position is held until everybody has the track.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits: bool,
    /// What is repeated; none, or a position behind its end, plays to the end of the track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_region: Option<LoopRegion>,
}

impl Transport {
    /// The region that is repeated from here on: a position already behind its end is not drawn back.
    pub fn repeats(&self) -> Option<LoopRegion> {
        self.loop_region.filter(|region| region.is_valid() && self.anchor.position_us < region.end_us)
    }

    /// Position in microseconds that is heard at `room_time_us` (same epoch), not clamped to the track's length.
    /// Before the anchor's instant this is the anchor's position.
    pub fn position_us_at(&self, room_time_us: i64) -> i64 {
        let elapsed_us = room_time_us.saturating_sub(self.anchor.room_time_us).max(0);
        if !self.playing {
            return self.anchor.position_us;
        }
        let position_us = self.anchor.position_us.saturating_add(elapsed_us);
        self.repeats().map_or(position_us, |region| region.folded(position_us))
    }
}
