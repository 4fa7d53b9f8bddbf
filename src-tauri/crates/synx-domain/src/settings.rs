//! What a room allows, and to whom.

use serde::{Deserialize, Serialize};

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Hears, chats, comments and shares.
    Listener,
    /// Also controls playback and the queue.
    Dj,
    /// Also changes settings and roles, and removes members. Exactly one per room.
    Host,
}

/// Who can find the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Announced on the local network.
    Public,
    /// Joined by invite link only.
    Private,
}

/// Who may play, pause, seek and change the queue's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaybackControl {
    /// Only the host.
    Host,
    /// The host and every DJ.
    Djs,
    /// Everybody.
    Everyone,
}

/// How much audio a room takes in, in bytes. What is there stays when a limit is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageLimits {
    /// Of all that one member shared or is uploading.
    pub member_bytes: u64,
    /// Of everything in the room.
    pub room_bytes: u64,
}

impl Default for StorageLimits {
    /// Some twenty albums without loss by one member, a hundred in all.
    fn default() -> Self {
        Self { member_bytes: 10 << 30, room_bytes: 50 << 30 }
    }
}

/// The host's settings of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSettings {
    /// Shown name, 1 to 80 characters.
    pub name: String,
    /// Whether the room is announced on the local network.
    pub visibility: Visibility,
    /// Members at once, the host included: 1 to 1000.
    pub max_participants: u32,
    /// Genres in the host's words.
    #[serde(default)]
    pub genres: Vec<String>,
    /// Who controls playback.
    pub playback_control: PlaybackControl,
    /// How much audio it takes in.
    #[serde(default)]
    pub storage: StorageLimits,
    /// Whether a track begins only when everybody has it.
    #[serde(default)]
    pub wait_for_all: bool,
    /// What is older than so many days goes to the archive of the host's log, where it takes less space and is still
    /// found; 0: nothing does.
    #[serde(default)]
    pub archive_after_days: u32,
}

/// A change of settings: what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SettingsChange {
    /// New name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New visibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// New limit; those present stay even when they are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_participants: Option<u32>,
    /// New genres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genres: Option<Vec<String>>,
    /// New rule for playback control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback_control: Option<PlaybackControl>,
    /// New limits of storage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageLimits>,
    /// Whether to wait for everybody from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_for_all: Option<bool>,
    /// After how many days events go to the archive from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_after_days: Option<u32>,
}
