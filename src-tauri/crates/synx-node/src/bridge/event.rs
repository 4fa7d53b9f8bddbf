//! What a node tells its user interfaces by itself.

use super::app::{LanguageView, PlayerView, ProfileView};
use super::library::{LibraryStateView, QueuedView, TrackView};
use super::room::{
    AtDoorView, ChatMessageView, LanRoomView, PeerSyncView, RecentRoomView, RoomView, TransferView,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One event. Each `…_changed` carries the whole new value, so that none depends on one that was missed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export, export_to = "bridge.ts")]
pub enum NodeEvent {
    /// The own profile changed.
    ProfileChanged { profile: ProfileView },
    /// The library changed: whoever shows a part of it asks for that part again.
    LibraryChanged { library: Box<LibraryStateView> },
    /// One track of the library changed (its analysis goes on, or is done).
    TrackChanged { track: Box<TrackView> },
    /// What plays next when one is alone.
    QueueChanged { queue: Vec<QueuedView> },
    /// The room changed; null when the node is in none.
    RoomChanged { room: Option<Box<RoomView>> },
    /// One waits for a host's word, or does not any more.
    AtDoorChanged { at_door: Option<AtDoorView> },
    /// Something was said in the room. What was said before one came is told ahead of the room itself.
    ChatAppended { messages: Vec<ChatMessageView> },
    /// Playback state: on every change, and about four times a second while playing.
    PlayerChanged { player: Box<PlayerView> },
    /// Sync errors as the peers measure them, about once a second.
    SyncMeasured { peers: Vec<PeerSyncView> },
    /// Files on their way; empty when there are none.
    TransfersChanged { transfers: Vec<TransferView> },
    /// Public rooms on the local network.
    LanRoomsChanged { rooms: Vec<LanRoomView> },
    /// Rooms this machine hosted or joined.
    RecentRoomsChanged { rooms: Vec<RecentRoomView> },
    /// Another language was chosen; null is the system's.
    LanguageChanged { language: Option<LanguageView> },
    /// Something to tell the user once.
    Notice { level: NoticeLevel, code: String, message: String },
    /// A link was opened from outside; the window asks whether to join.
    LinkOpened { link: String },
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "bridge.ts")]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something works less well.
    Warning,
    /// Something did not work.
    Error,
}
