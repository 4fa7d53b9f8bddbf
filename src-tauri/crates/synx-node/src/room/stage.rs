//! Where music plays: alone, in a room of this machine, or in a room of another one. One set of verbs for all three.

use crate::error::NodeError;
use crate::room::clock::RoomClock;
use crate::room::coming::Coming;
use crate::room::hosting::Hosting;
use crate::room::joined::JoinedRoom;
use crate::room::solo::SoloRoom;
use std::time::Instant;
use synx_clock::ClockEstimate;
use synx_domain::{Command, ContentHash, EpochId, Room};
use tokio::sync::watch;

/// What the node is in.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, behind an Arc")]
pub enum Stage {
    /// No room: the local player.
    Solo(SoloRoom),
    /// A room of this machine.
    Hosted(Hosting),
    /// A room elsewhere.
    Joined(JoinedRoom),
}

impl Stage {
    /// Looks at the room. `look` must be short.
    pub fn with<T>(&self, look: impl FnOnce(&Room) -> T) -> T {
        match self {
            Self::Solo(solo) => solo.with(look),
            Self::Hosted(hosting) => hosting.room().with(look),
            Self::Joined(joined) => joined.with(look),
        }
    }

    /// Carries out a command as oneself.
    ///
    /// # Errors
    /// The room's rejection, or why there is no answer.
    pub async fn execute(&self, command: Command) -> Result<u64, NodeError> {
        match self {
            Self::Solo(solo) => Ok(solo.execute(command)?),
            Self::Hosted(hosting) => Ok(hosting.room().execute_as(hosting.me(), command).await?),
            Self::Joined(joined) => joined.execute(command).await,
        }
    }

    /// The room's seq, as it grows.
    pub fn changes(&self) -> watch::Receiver<u64> {
        match self {
            Self::Solo(solo) => solo.changes(),
            Self::Hosted(hosting) => hosting.room().changes(),
            Self::Joined(joined) => joined.changes(),
        }
    }

    /// Whether this machine announces the ends of tracks.
    pub fn leads(&self) -> bool {
        !matches!(self, Self::Joined(_))
    }

    /// The run of room time that is followed; none while it is not known yet.
    pub fn epoch(&self) -> Option<EpochId> {
        match self {
            Self::Solo(solo) => Some(solo.epoch()),
            Self::Hosted(hosting) => Some(hosting.room().now().epoch),
            Self::Joined(joined) => joined.clock().borrow().epoch,
        }
    }

    /// Room time as it is known here, as it changes.
    pub fn clock(&self) -> watch::Receiver<RoomClock> {
        match self {
            Self::Joined(joined) => joined.clock(),
            Self::Solo(_) | Self::Hosted(_) => {
                let known = RoomClock { epoch: self.epoch(), estimate: Some(ClockEstimate::identity()) };
                watch::Sender::new(known).subscribe()
            }
        }
    }

    /// Until when, at most, somebody who lacks `track` holds the others back; none when nobody does.
    pub fn held_until(&self, track: ContentHash) -> Option<Instant> {
        let Self::Hosted(hosting) = self else { return None };
        let present =
            self.with(|room| room.waits_for_all().then(|| room.present_users().collect::<Vec<_>>()))?;
        hosting.room().board().held_until(track, &present)
    }

    /// Rises when somebody has told the room of this machine about other files than before, or something else that is news; ends
    /// at once elsewhere.
    pub fn files(&self) -> watch::Receiver<u64> {
        match self {
            Self::Hosted(hosting) => hosting.room().board().news(),
            Self::Solo(_) | Self::Joined(_) => watch::Sender::new(0).subscribe(),
        }
    }

    /// How far files are that others send to the room.
    pub fn coming(&self) -> Option<&Coming> {
        match self {
            Self::Hosted(hosting) => Some(hosting.room().coming()),
            Self::Joined(joined) => Some(joined.coming()),
            Self::Solo(_) => None,
        }
    }

    /// Whether this is a room with others in it.
    pub fn is_room(&self) -> bool {
        !matches!(self, Self::Solo(_))
    }
}
