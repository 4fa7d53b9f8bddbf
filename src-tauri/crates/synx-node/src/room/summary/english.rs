//! The log's sentences in English.

use super::clock;
use synx_domain::{
    ContentHash, Envelope, LeaveReason, QueueChange, Role, Room, RoomEvent, SyncCause, TrackState, UserId,
};

pub fn summary(room: &Room, envelope: &Envelope) -> String {
    let by = name(room, envelope.actor);
    match &envelope.event {
        RoomEvent::RoomCreated { settings, .. } => format!("{by} opened “{}”", settings.name),
        RoomEvent::UserJoined { profile, .. } => format!("{} joined", profile.name),
        RoomEvent::InviteCreated { .. } => format!("{by} made an invite"),
        RoomEvent::InviteRevoked { .. } => format!("{by} withdrew an invite"),
        RoomEvent::UserLeft { user, reason } => {
            let user = name(room, *user);
            match reason {
                LeaveReason::Left => format!("{user} left"),
                LeaveReason::ConnectionLost => format!("{user} lost the connection"),
                LeaveReason::Removed => format!("{by} removed {user} for good"),
                LeaveReason::SentOut => format!("{by} sent {user} out"),
            }
        }
        RoomEvent::BanLifted { user } => format!("{by} lets {} in again", name(room, *user)),
        RoomEvent::RoleChanged { user, role } => {
            format!("{by} made {} {}", name(room, *user), role_name(*role))
        }
        RoomEvent::SettingsUpdated { .. } => format!("{by} changed the settings"),
        RoomEvent::ChatMessagePosted { text } => format!("{by}: {text}"),
        RoomEvent::FileShared { track } => format!("{by} shared “{}”", track.title),
        RoomEvent::QueueChanged(change) => queue_summary(room, by, change),
        RoomEvent::CommentAdded { position_us, text, .. } => {
            format!("{by} at {}: {text}", clock(*position_us))
        }
        RoomEvent::CommentResolved { comment, done } => {
            let words =
                room.comments.iter().find(|known| known.id == *comment).map(|known| known.text.as_str());
            let words = words.map_or("a comment".to_owned(), |words| format!("“{words}”"));
            let state = if *done { "done" } else { "open again" };
            format!("{by} marked {words} as {state}")
        }
        RoomEvent::UploadStarted { file_name, .. } => format!("{by} is uploading {file_name}"),
        RoomEvent::UploadCompleted { hash } => format!("“{}” has arrived", title(room, *hash)),
        RoomEvent::AudioAnalyzed { hash, analysis } => {
            let tempo = analysis.bpm.map_or("no tempo".to_owned(), |bpm| format!("{bpm:.1} BPM"));
            let key = analysis.key.as_deref().unwrap_or("no key");
            format!("“{}” is {tempo}, {key}", title(room, *hash))
        }
        RoomEvent::ProcessingFailed { file_name, code, .. } if code == TrackState::GIVEN_UP => {
            format!("{by} gave up the upload of {file_name}")
        }
        RoomEvent::ProcessingFailed { file_name, reason, .. } => {
            format!("{file_name} cannot be used: {reason}")
        }
        RoomEvent::PlaybackSynced { transport, cause } => {
            let track = transport.current.map(|current| title(room, current.track)).unwrap_or_default();
            let happened = sync_summary(by, *cause, track, transport.anchor.position_us);
            if transport.awaits { format!("{happened} (when everybody has it)") } else { happened }
        }
        RoomEvent::UserCreated { profile, .. } | RoomEvent::ProfileUpdated { profile, .. } => {
            format!("{by} is now {}", profile.name)
        }
        RoomEvent::MusicalPreferencesUpdated { .. } => format!("{by} changed what they like"),
    }
}

fn queue_summary(room: &Room, by: &str, change: &QueueChange) -> String {
    match change {
        QueueChange::Added { item, .. } => format!("{by} queued “{}”", title(room, item.track)),
        QueueChange::Removed { .. } => format!("{by} took a track out of the queue"),
        QueueChange::Moved { .. } => format!("{by} reordered the queue"),
    }
}

fn sync_summary(by: &str, cause: SyncCause, track: &str, position_us: i64) -> String {
    match cause {
        SyncCause::Play => format!("{by} played “{track}”"),
        SyncCause::Pause => format!("{by} paused at {}", clock(position_us)),
        SyncCause::Seek => format!("{by} moved to {}", clock(position_us)),
        SyncCause::Loop => format!("{by} changed what is repeated"),
        SyncCause::Skip => format!("{by} went on to “{track}”"),
        SyncCause::Advance => format!("“{track}” followed"),
        SyncCause::QueueEnded => "the queue ended".to_owned(),
        SyncCause::HostRestarted => "the host started again".to_owned(),
        SyncCause::Released => format!("“{track}” began for everybody"),
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Listener => "a listener",
        Role::Dj => "a DJ",
        Role::Host => "the host",
    }
}

fn name(room: &Room, user: UserId) -> &str {
    super::name(room, user, "somebody")
}

fn title(room: &Room, hash: ContentHash) -> &str {
    super::title(room, hash, "a track")
}
