//! Everything that can happen in a room: the names and payloads of its log.
//!
//! Names are wire and storage format and never change; a payload changes only with a new version and an upcast of the
//! old ones on read (see docs/events.md).

use crate::{
    CommandId, ContentHash, EventId, InviteId, InviteTerms, MusicalPreferences, QueueItem, QueueItemId, Role,
    RoomId, RoomSettings, SettingsChange, TrackAnalysis, TrackMeta, Transport, UserId, UserProfile,
};
use serde::{Deserialize, Serialize};

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Place in the room's log: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// Unique id.
    pub event_id: EventId,
    /// The room whose log this is.
    pub room_id: RoomId,
    /// Who caused it.
    pub actor: UserId,
    /// The command that it answers; all events of one command share it. None for what the host does by itself.
    pub command_id: Option<CommandId>,
    /// Host's wall clock, milliseconds since 1970 UTC. For people to read; nothing is computed from it.
    pub occurred_at_ms: i64,
    /// What happened.
    pub event: RoomEvent,
}

/// An event that is to be appended; the log assigns `seq`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Unique id, made by the appender.
    pub event_id: EventId,
    /// Who caused it.
    pub actor: UserId,
    /// The command that it answers.
    pub command_id: Option<CommandId>,
    /// Host's wall clock, milliseconds since 1970 UTC.
    pub occurred_at_ms: i64,
    /// What happened.
    pub event: RoomEvent,
}

/// Why somebody is no longer in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// They left.
    Left,
    /// Their connection ended and did not come back in time.
    ConnectionLost,
    /// The host removed them, for good until the ban is lifted.
    Removed,
    /// The host removed them; they may join again.
    SentOut,
}

/// Why the transport changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncCause {
    /// Somebody pressed play.
    Play,
    /// Somebody pressed pause.
    Pause,
    /// Somebody moved the position.
    Seek,
    /// Somebody had a part repeated, or no longer.
    Loop,
    /// Somebody chose another track.
    Skip,
    /// The track ended and the next one follows.
    Advance,
    /// The last track of the queue ended.
    QueueEnded,
    /// The host process started again: same music, new epoch.
    HostRestarted,
    /// Nobody holds the awaited track back any more.
    Released,
}

/// One change of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum QueueChange {
    /// An item was put at `index` (clamped to the queue's length).
    Added {
        /// The new item.
        item: QueueItem,
        /// Where it stands from now on.
        index: usize,
    },
    /// An item was taken out.
    Removed {
        /// Which.
        id: QueueItemId,
    },
    /// An item was moved to `index` (counted after its removal).
    Moved {
        /// Which.
        id: QueueItemId,
        /// Where it stands from now on.
        index: usize,
    },
}

/// What happened. Serialised as `{"name": …, "data": {…}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "data")]
pub enum RoomEvent {
    /// The room exists from now on.
    #[serde(rename = "room.created")]
    RoomCreated {
        /// Its host.
        host: UserId,
        /// How the host appears.
        profile: UserProfile,
        /// Its first settings.
        settings: RoomSettings,
    },
    /// Somebody came in (or came back).
    #[serde(rename = "room.user_joined")]
    UserJoined {
        /// Who.
        user: UserId,
        /// How they appear.
        profile: UserProfile,
        /// What they may do.
        role: Role,
        /// The invite by which somebody new came in: one use of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<InviteTerms>,
    },
    /// The host made an invite.
    #[serde(rename = "room.invite_created")]
    InviteCreated {
        /// What it grants.
        invite: InviteTerms,
    },
    /// An invite lets nobody in any more.
    #[serde(rename = "room.invite_revoked")]
    InviteRevoked {
        /// Which.
        invite: InviteId,
    },
    /// Somebody is gone.
    #[serde(rename = "room.user_left")]
    UserLeft {
        /// Who.
        user: UserId,
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody who was removed for good may join again.
    #[serde(rename = "room.ban_lifted")]
    BanLifted {
        /// Who.
        user: UserId,
    },
    /// Somebody may do more, or less, from now on.
    #[serde(rename = "room.role_changed")]
    RoleChanged {
        /// Who.
        user: UserId,
        /// Their new role.
        role: Role,
    },
    /// Settings changed.
    #[serde(rename = "room.settings_updated")]
    SettingsUpdated {
        /// What changed.
        change: SettingsChange,
    },
    /// Somebody said something. The message's id is the event's command id.
    #[serde(rename = "room.chat_message_posted")]
    ChatMessagePosted {
        /// The words: 1 to 4000 characters.
        text: String,
    },
    /// A track is in the room: its bytes are stored at the host, verified.
    #[serde(rename = "room.file_shared")]
    FileShared {
        /// What it is.
        track: TrackMeta,
    },
    /// The queue changed.
    #[serde(rename = "room.queue_changed")]
    QueueChanged(QueueChange),
    /// Somebody pinned words to a moment of a track. The comment's id is the event's command id.
    #[serde(rename = "room.comment_added")]
    CommentAdded {
        /// Which track.
        track: ContentHash,
        /// Microseconds into the track.
        position_us: i64,
        /// The end of the range that is meant, where it is one.
        end_us: Option<i64>,
        /// The words: 1 to 4000 characters.
        text: String,
        /// The comment that this answers.
        reply_to: Option<CommandId>,
    },
    /// What a comment asks for is done, or not after all.
    #[serde(rename = "room.comment_resolved")]
    CommentResolved {
        /// Which comment.
        comment: CommandId,
        /// Whether it is done.
        done: bool,
    },
    /// Somebody began to upload a file.
    #[serde(rename = "audio.upload_started")]
    UploadStarted {
        /// The hash the uploader announced.
        hash: ContentHash,
        /// The file's name.
        file_name: String,
        /// Its length in bytes.
        size_bytes: u64,
    },
    /// All bytes have arrived and match their hash.
    #[serde(rename = "audio.upload_completed")]
    UploadCompleted {
        /// Which audio.
        hash: ContentHash,
    },
    /// The analysis of a track is done.
    #[serde(rename = "audio.analyzed")]
    AudioAnalyzed {
        /// Which audio.
        hash: ContentHash,
        /// What was found.
        analysis: TrackAnalysis,
    },
    /// A file cannot be used, or its analysis failed.
    #[serde(rename = "audio.processing_failed")]
    ProcessingFailed {
        /// Which audio.
        hash: ContentHash,
        /// The file's name.
        file_name: String,
        /// Stable code of the error.
        code: String,
        /// What went wrong, for a person to read.
        reason: String,
    },
    /// The transport is from now on this one.
    #[serde(rename = "audio.playback_synced")]
    PlaybackSynced {
        /// The whole new state.
        transport: Transport,
        /// Why it changed.
        cause: SyncCause,
    },
    /// A person exists (in the log of that person's own profile).
    #[serde(rename = "user.created")]
    UserCreated {
        /// Who.
        user: UserId,
        /// How they appear.
        profile: UserProfile,
    },
    /// A person presents themselves differently.
    #[serde(rename = "user.profile_updated")]
    ProfileUpdated {
        /// Who.
        user: UserId,
        /// How they appear from now on.
        profile: UserProfile,
    },
    /// A person's taste changed.
    #[serde(rename = "user.musical_preferences_updated")]
    MusicalPreferencesUpdated {
        /// Who.
        user: UserId,
        /// What they like from now on.
        preferences: MusicalPreferences,
    },
}

/// The name under which an event is stored and sent, with the payload version that is written today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventName {
    /// As in `room.created`.
    pub name: &'static str,
    /// Starts at 1.
    pub version: u32,
}

impl RoomEvent {
    /// The event's name and current version.
    pub fn name(&self) -> EventName {
        let name = match self {
            Self::RoomCreated { .. } => "room.created",
            Self::UserJoined { .. } => "room.user_joined",
            Self::InviteCreated { .. } => "room.invite_created",
            Self::InviteRevoked { .. } => "room.invite_revoked",
            Self::UserLeft { .. } => "room.user_left",
            Self::BanLifted { .. } => "room.ban_lifted",
            Self::RoleChanged { .. } => "room.role_changed",
            Self::SettingsUpdated { .. } => "room.settings_updated",
            Self::ChatMessagePosted { .. } => "room.chat_message_posted",
            Self::FileShared { .. } => "room.file_shared",
            Self::QueueChanged(_) => "room.queue_changed",
            Self::CommentAdded { .. } => "room.comment_added",
            Self::CommentResolved { .. } => "room.comment_resolved",
            Self::UploadStarted { .. } => "audio.upload_started",
            Self::UploadCompleted { .. } => "audio.upload_completed",
            Self::AudioAnalyzed { .. } => "audio.analyzed",
            Self::ProcessingFailed { .. } => "audio.processing_failed",
            Self::PlaybackSynced { .. } => "audio.playback_synced",
            Self::UserCreated { .. } => "user.created",
            Self::ProfileUpdated { .. } => "user.profile_updated",
            Self::MusicalPreferencesUpdated { .. } => "user.musical_preferences_updated",
        };
        EventName { name, version: 1 }
    }
}
