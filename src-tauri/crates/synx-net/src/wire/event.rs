//! One message for each event of a room's log, and the way there and back without loss.

use serde::{Deserialize, Serialize};
use synx_domain::{
    CommandId, ContentHash, Envelope, EventId, InviteId, InviteTerms, LeaveReason, MusicalPreferences,
    QueueChange, Role, RoomEvent, RoomId, RoomSettings, SettingsChange, SyncCause, TrackAnalysis, TrackMeta,
    Transport, UserId, UserProfile,
};

/// What every event message carries besides its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventHeader {
    /// Place in the room's log.
    pub seq: u64,
    /// The event's id.
    pub event_id: EventId,
    /// Who caused it.
    pub by: UserId,
    /// The command it answers.
    pub command_id: Option<CommandId>,
    /// Host's wall clock, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// An event on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventMessage {
    /// Where it stands and who caused it.
    #[serde(flatten)]
    pub header: EventHeader,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

macro_rules! event_body {
    ($($(#[$doc:meta])* $wire:literal $variant:ident $event:ident { $($field:ident: $ty:ty),* };)*) => {
        /// What happened, under its wire name. Fields are those of the event (see docs/events.md).
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        #[allow(missing_docs)]
        pub enum EventBody {
            $($(#[$doc])* #[serde(rename = $wire)] $variant { $($field: $ty),* },)*
            /// The queue changed.
            #[serde(rename = "queue_changed")]
            QueueChanged(QueueChange),
        }

        impl EventBody {
            pub(crate) const NAMES: &[&str] = &[$($wire,)* "queue_changed"];
        }

        impl From<RoomEvent> for EventBody {
            fn from(event: RoomEvent) -> Self {
                match event {
                    $(RoomEvent::$event { $($field),* } => Self::$variant { $($field),* },)*
                    RoomEvent::QueueChanged(change) => Self::QueueChanged(change),
                }
            }
        }

        impl From<EventBody> for RoomEvent {
            fn from(body: EventBody) -> Self {
                match body {
                    $(EventBody::$variant { $($field),* } => Self::$event { $($field),* },)*
                    EventBody::QueueChanged(change) => Self::QueueChanged(change),
                }
            }
        }
    };
}

event_body! {
    "room_created" RoomCreated RoomCreated { host: UserId, profile: UserProfile, settings: RoomSettings };
    "user_joined" UserJoined UserJoined {
        user: UserId, profile: UserProfile, role: Role, invite: Option<InviteTerms>
    };
    "invite_created" InviteCreated InviteCreated { invite: InviteTerms };
    "invite_revoked" InviteRevoked InviteRevoked { invite: InviteId };
    "user_left" UserLeft UserLeft { user: UserId, reason: LeaveReason };
    "ban_lifted" BanLifted BanLifted { user: UserId };
    "role_changed" RoleChanged RoleChanged { user: UserId, role: Role };
    "settings_updated" SettingsUpdated SettingsUpdated { change: SettingsChange };
    "chat_message" ChatMessage ChatMessagePosted { text: String };
    "file_shared" FileShared FileShared { track: TrackMeta };
    "comment_added" CommentAdded CommentAdded {
        track: ContentHash, position_us: i64, end_us: Option<i64>, text: String, reply_to: Option<CommandId>
    };
    "comment_resolved" CommentResolved CommentResolved { comment: CommandId, done: bool };
    "upload_started" UploadStarted UploadStarted { hash: ContentHash, file_name: String, size_bytes: u64 };
    "upload_completed" UploadCompleted UploadCompleted { hash: ContentHash };
    "audio_analysis_complete" AudioAnalysisComplete AudioAnalyzed { hash: ContentHash, analysis: TrackAnalysis };
    "processing_failed" ProcessingFailed ProcessingFailed {
        hash: ContentHash, file_name: String, code: String, reason: String
    };
    "playback_sync" PlaybackSync PlaybackSynced { transport: Transport, cause: SyncCause };
    "user_created" UserCreated UserCreated { user: UserId, profile: UserProfile };
    "profile_updated" ProfileUpdated ProfileUpdated { user: UserId, profile: UserProfile };
    "musical_preferences_updated" MusicalPreferencesUpdated MusicalPreferencesUpdated {
        user: UserId, preferences: MusicalPreferences
    };
}

impl From<&Envelope> for EventMessage {
    fn from(envelope: &Envelope) -> Self {
        let header = EventHeader {
            seq: envelope.seq,
            event_id: envelope.event_id,
            by: envelope.actor,
            command_id: envelope.command_id,
            at_ms: envelope.occurred_at_ms,
        };
        Self { header, body: envelope.event.clone().into() }
    }
}

impl EventMessage {
    /// The event as the log of `room` holds it.
    pub fn into_envelope(self, room: RoomId) -> Envelope {
        Envelope {
            seq: self.header.seq,
            event_id: self.header.event_id,
            room_id: room,
            actor: self.header.by,
            command_id: self.header.command_id,
            occurred_at_ms: self.header.at_ms,
            event: self.body.into(),
        }
    }
}
