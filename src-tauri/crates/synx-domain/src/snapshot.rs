//! A room's state in the form that snapshots and the `room_joined` message carry.

use crate::Room;
use serde::{Deserialize, Serialize};

/// A room's state with the version of its form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomSnapshot {
    /// Version of this form; a reader refuses what it does not know.
    pub version: u32,
    /// The state.
    pub room: Room,
}

/// A snapshot that this program cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the room's snapshot has version {found}, this program reads version {expected}: update the older side"
)]
pub struct SnapshotError {
    /// The snapshot's version.
    pub found: u32,
    /// The version this program reads.
    pub expected: u32,
}

impl RoomSnapshot {
    /// The version that is written today.
    pub const VERSION: u32 = 2;

    /// Takes a room's state as it is.
    pub fn of(room: &Room) -> Self {
        Self { version: Self::VERSION, room: room.clone() }
    }

    /// The state inside.
    ///
    /// # Errors
    /// When the snapshot has another version.
    pub fn into_room(self) -> Result<Room, SnapshotError> {
        if self.version == Self::VERSION {
            Ok(self.room)
        } else {
            Err(SnapshotError { found: self.version, expected: Self::VERSION })
        }
    }
}
