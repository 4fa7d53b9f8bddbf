//! The log's sentences in German.

use super::clock;
use synx_domain::{
    ContentHash, Envelope, LeaveReason, QueueChange, Role, Room, RoomEvent, SyncCause, TrackState, UserId,
};

pub fn summary(room: &Room, envelope: &Envelope) -> String {
    let by = name(room, envelope.actor);
    match &envelope.event {
        RoomEvent::RoomCreated { settings, .. } => format!("{by} hat „{}“ eröffnet", settings.name),
        RoomEvent::UserJoined { profile, .. } => format!("{} kam dazu", profile.name),
        RoomEvent::InviteCreated { .. } => format!("{by} hat eine Einladung erstellt"),
        RoomEvent::InviteRevoked { .. } => format!("{by} hat eine Einladung zurückgezogen"),
        RoomEvent::UserLeft { user, reason } => {
            let user = name(room, *user);
            match reason {
                LeaveReason::Left => format!("{user} ging"),
                LeaveReason::ConnectionLost => format!("{user} hat die Verbindung verloren"),
                LeaveReason::Removed => format!("{by} hat {user} für immer entfernt"),
                LeaveReason::SentOut => format!("{by} hat {user} hinausgeschickt"),
            }
        }
        RoomEvent::BanLifted { user } => format!("{by} lässt {} wieder hinein", name(room, *user)),
        RoomEvent::RoleChanged { user, role } => {
            format!("{by} hat {} {} gemacht", name(room, *user), role_name(*role))
        }
        RoomEvent::SettingsUpdated { .. } => format!("{by} hat die Einstellungen geändert"),
        RoomEvent::ChatMessagePosted { text } => format!("{by}: {text}"),
        RoomEvent::FileShared { track } => format!("{by} hat „{}“ geteilt", track.title),
        RoomEvent::QueueChanged(change) => queue_summary(room, by, change),
        RoomEvent::CommentAdded { position_us, text, .. } => {
            format!("{by} bei {}: {text}", clock(*position_us))
        }
        RoomEvent::CommentResolved { comment, done } => {
            let known = room.comments.iter().find(|known| known.id == *comment);
            let words = known.map_or("einen Kommentar".to_owned(), |known| format!("„{}“", known.text));
            let state = if *done { "als erledigt" } else { "wieder als offen" };
            format!("{by} hat {words} {state} markiert")
        }
        RoomEvent::UploadStarted { file_name, .. } => format!("{by} lädt {file_name} hoch"),
        RoomEvent::UploadCompleted { hash } => format!("„{}“ ist angekommen", title(room, *hash)),
        RoomEvent::AudioAnalyzed { hash, analysis } => {
            let tempo =
                analysis.bpm.map_or("kein Tempo".to_owned(), |bpm| format!("{bpm:.1} BPM").replace('.', ","));
            let key = analysis.key.as_deref().map_or("keine Tonart".to_owned(), key_name);
            format!("„{}“: {tempo}, {key}", title(room, *hash))
        }
        RoomEvent::ProcessingFailed { file_name, code, .. } if code == TrackState::GIVEN_UP => {
            format!("{by} hat das Hochladen von {file_name} abgebrochen")
        }
        RoomEvent::ProcessingFailed { file_name, reason, .. } => {
            format!("{file_name} lässt sich nicht verwenden: {reason}")
        }
        RoomEvent::PlaybackSynced { transport, cause } => {
            let track = transport.current.map(|current| title(room, current.track)).unwrap_or_default();
            let happened = sync_summary(by, *cause, track, transport.anchor.position_us);
            if transport.awaits { format!("{happened} (sobald alle ihn haben)") } else { happened }
        }
        RoomEvent::UserCreated { profile, .. } | RoomEvent::ProfileUpdated { profile, .. } => {
            format!("{by} heißt jetzt {}", profile.name)
        }
        RoomEvent::MusicalPreferencesUpdated { .. } => format!("{by} mag jetzt anderes"),
    }
}

fn queue_summary(room: &Room, by: &str, change: &QueueChange) -> String {
    match change {
        QueueChange::Added { item, .. } => format!("{by} hat „{}“ eingereiht", title(room, item.track)),
        QueueChange::Removed { .. } => format!("{by} hat einen Track aus der Warteschlange genommen"),
        QueueChange::Moved { .. } => format!("{by} hat die Warteschlange umgeordnet"),
    }
}

fn sync_summary(by: &str, cause: SyncCause, track: &str, position_us: i64) -> String {
    match cause {
        SyncCause::Play => format!("{by} hat „{track}“ gespielt"),
        SyncCause::Pause => format!("{by} hat bei {} angehalten", clock(position_us)),
        SyncCause::Seek => format!("{by} ist zu {} gesprungen", clock(position_us)),
        SyncCause::Loop => format!("{by} hat geändert, was wiederholt wird"),
        SyncCause::Skip => format!("{by} ging weiter zu „{track}“"),
        SyncCause::Advance => format!("„{track}“ folgte"),
        SyncCause::QueueEnded => "die Warteschlange war zu Ende".to_owned(),
        SyncCause::HostRestarted => "der Host hat neu angefangen".to_owned(),
        SyncCause::Released => format!("„{track}“ begann für alle"),
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Listener => "zum Gast",
        Role::Dj => "zum DJ",
        Role::Host => "zum Host",
    }
}

/// The log names keys in English: "Bb minor" is b-Moll.
fn key_name(key: &str) -> String {
    let Some((note, mode)) = key.split_once(' ') else { return key.to_owned() };
    let note = match note {
        "B" => "H",
        "Bb" => "B",
        "Eb" => "Es",
        "Ab" => "As",
        "Db" => "Des",
        "C#" => "Cis",
        "F#" => "Fis",
        "G#" => "Gis",
        other => other,
    };
    if mode == "minor" { format!("{}-Moll", note.to_lowercase()) } else { format!("{note}-Dur") }
}

fn name(room: &Room, user: UserId) -> &str {
    super::name(room, user, "jemand")
}

fn title(room: &Room, hash: ContentHash) -> &str {
    super::title(room, hash, "ein Track")
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_testkit::events::{BEN, RoomLog};

    #[test]
    fn people_and_keys_have_their_german_names() {
        let say = synx_domain::Command::PostChatMessage { text: "Hallo".to_owned() };
        let log = RoomLog::with_people().did(BEN, say);
        let said: Vec<_> = log.envelopes().iter().map(|envelope| summary(log.room(), envelope)).collect();
        assert!(
            said.contains(&"Ben: Hallo".to_owned()) && said.iter().any(|one| one.ends_with("kam dazu")),
            "{said:?}"
        );
        for (english, german) in
            [("Bb minor", "b-Moll"), ("B major", "H-Dur"), ("F# major", "Fis-Dur"), ("C", "C")]
        {
            assert_eq!(key_name(english), german);
        }
    }
}
