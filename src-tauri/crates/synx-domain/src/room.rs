//! The room's state. It changes in [`crate::Room::apply`] alone.

use crate::{
    CommandId, ContentHash, InviteId, LeaveReason, MusicalPreferences, PlaybackControl, Queue, Role, RoomId,
    RoomInvite, RoomSettings, TrackAnalysis, TrackMeta, Transport, UserId, UserProfile,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Somebody who is or was in the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// How they appear.
    pub profile: UserProfile,
    /// What they may do.
    pub role: Role,
    /// Whether the host chose that role: then no invite raises it.
    #[serde(default)]
    pub role_set: bool,
    /// Whether they are in the room now.
    pub present: bool,
    /// Why they are not, if they are not.
    pub left: Option<LeaveReason>,
    /// What they like.
    pub preferences: MusicalPreferences,
    /// Host's wall clock of their last arrival, milliseconds since 1970 UTC.
    pub joined_at_ms: i64,
    /// The event by which they last came or went.
    pub since_seq: u64,
    /// The invite by which they first came, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<InviteId>,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Place in the log.
    pub seq: u64,
    /// Who.
    pub author: UserId,
    /// What.
    pub text: String,
    /// When, by the host's wall clock, milliseconds since 1970 UTC.
    pub posted_at_ms: i64,
}

/// Words at a moment of a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Names the comment.
    pub id: CommandId,
    /// Which track.
    pub track: ContentHash,
    /// Microseconds into the track.
    pub position_us: i64,
    /// End of a range.
    pub end_us: Option<i64>,
    /// Who.
    pub author: UserId,
    /// What.
    pub text: String,
    /// The comment this answers.
    pub reply_to: Option<CommandId>,
    /// When, by the host's wall clock, milliseconds since 1970 UTC.
    pub posted_at_ms: i64,
    /// Whether somebody said that it is done.
    #[serde(default)]
    pub done: bool,
}

/// How far a track has come in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TrackState {
    /// Bytes are on their way to the host.
    Uploading {
        /// The file's name.
        file_name: String,
        /// Bytes to come in all.
        size_bytes: u64,
    },
    /// Bytes are at the host, not yet probed.
    Uploaded,
    /// Playable.
    Shared,
    /// Unusable.
    Failed {
        /// The file's name.
        file_name: String,
        /// Stable code.
        code: String,
        /// For a person.
        reason: String,
    },
}

impl TrackState {
    /// The code of an upload that somebody gave up.
    pub const GIVEN_UP: &str = "upload_given_up";
}

/// A track in the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharedTrack {
    /// Who brought it.
    pub shared_by: UserId,
    /// How far it is.
    pub state: TrackState,
    /// Known once it is shared.
    pub meta: Option<TrackMeta>,
    /// Known once it is analysed.
    pub analysis: Option<TrackAnalysis>,
    /// The event that brought it to its state.
    pub since_seq: u64,
}

/// A command that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedCommand {
    /// Which.
    pub id: CommandId,
    /// Its last event.
    pub seq: u64,
}

/// A room at one place of its log.
///
/// `Room::default()` is the room before its first event.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Room {
    /// Names the room; known from the first event on.
    pub id: Option<RoomId>,
    /// The last event that is in this state; 0 for none.
    pub seq: u64,
    /// The host.
    pub host: Option<UserId>,
    /// Settings; known from `room.created` on.
    pub settings: Option<RoomSettings>,
    /// Who is here, who was removed, and who was here lately; see [`Room::FORMER_KEPT`].
    pub members: BTreeMap<UserId, Member>,
    /// All audio that is here or on its way, and what lately failed.
    pub tracks: BTreeMap<ContentHash, SharedTrack>,
    /// What plays next.
    pub queue: Queue,
    /// What plays.
    pub transport: Option<Transport>,
    /// The last [`Room::CHAT_KEPT`] messages, oldest first; earlier ones are in the log.
    pub chat: VecDeque<ChatMessage>,
    /// Invites that are good or were revoked; those that have expired are forgotten when another is noted.
    #[serde(default)]
    pub invites: BTreeMap<InviteId, RoomInvite>,
    /// All comments in log order.
    pub comments: Vec<Comment>,
    /// The last [`Room::COMMANDS_KEPT`] commands, oldest first, so that a retry is recognised.
    pub recent_commands: VecDeque<AppliedCommand>,
}

impl Room {
    /// The seq of the last event that this command caused, if the room remembers the command.
    pub fn applied(&self, command: CommandId) -> Option<u64> {
        self.recent_commands.iter().rev().find(|applied| applied.id == command).map(|applied| applied.seq)
    }

    /// The member, if they are in the room now.
    pub fn present(&self, user: UserId) -> Option<&Member> {
        self.members.get(&user).filter(|member| member.present)
    }

    /// Who is in the room now.
    pub fn present_users(&self) -> impl Iterator<Item = UserId> + '_ {
        self.members.iter().filter(|(_, member)| member.present).map(|(user, _)| *user)
    }

    /// How many are in the room now.
    pub fn present_count(&self) -> usize {
        self.present_users().count()
    }

    /// What a shared, playable track is.
    pub fn playable(&self, track: ContentHash) -> Option<&TrackMeta> {
        self.tracks.get(&track).filter(|shared| shared.state == TrackState::Shared)?.meta.as_ref()
    }

    /// Whether a track begins here only when everybody has it.
    pub fn waits_for_all(&self) -> bool {
        self.settings.as_ref().is_some_and(|settings| settings.wait_for_all)
    }

    /// Whether this role may control playback and the queue here.
    pub fn may_control(&self, role: Role) -> bool {
        let needed = match self.settings.as_ref().map(|settings| settings.playback_control) {
            Some(PlaybackControl::Everyone) => Role::Listener,
            Some(PlaybackControl::Djs) => Role::Dj,
            Some(PlaybackControl::Host) | None => Role::Host,
        };
        role >= needed
    }
}
