//! A room as a pure fold over its events.
//!
//! Everything that can happen in a room is a [`RoomEvent`]; what the room *is* follows from the events alone
//! ([`Room::apply`]); what somebody may do now is decided from that state ([`Room::decide`]). Host and peers run the
//! same code, so equal logs give equal rooms.
//!
//! **Invariant:** nothing in this crate reads a clock, draws a random number, opens a file or socket, or awaits.
//! Time and ids come in as arguments. `apply` accepts any event in any order without panicking.

#![warn(missing_docs)]

mod analysis;
mod apply;
mod command;
mod decide;
mod event;
mod ids;
mod invites;
mod limits;
mod names;
mod people;
mod playback;
mod queue;
mod room;
mod settings;
mod sharing;
mod snapshot;
mod track;
mod transport;
mod user;
mod validate;

pub use analysis::TrackAnalysis;
pub use command::{Command, CommandEnvelope, Moment, Rejection};
pub use event::{Envelope, EventName, LeaveReason, NewEvent, QueueChange, RoomEvent, SyncCause};
pub use ids::{CommandId, ContentHash, EpochId, EventId, InviteId, ParseIdError, RoomId, UserId};
pub use invites::{InviteTerms, RoomInvite};
pub use queue::{Queue, QueueItem, QueueItemId};
pub use room::{AppliedCommand, ChatMessage, Comment, Member, Room, SharedTrack, TrackState};
pub use settings::{PlaybackControl, Role, RoomSettings, SettingsChange, StorageLimits, Visibility};
pub use snapshot::{RoomSnapshot, SnapshotError};
pub use track::TrackMeta;
pub use transport::{Anchor, CurrentTrack, LoopRegion, Transport};
pub use user::{MusicalPreferences, UserProfile};
