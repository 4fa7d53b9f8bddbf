//! Stored and sent forms: they are read for years, so each is held by an example in docs/events.md or a snapshot.

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use synx_domain::{
    Command, ContentHash, Envelope, Rejection, RoomEvent, RoomSnapshot, SnapshotError, UserId,
};
use synx_testkit::events::{ADA, BEN, CLEO, RoomLog, analysis, hash, one_of_each};

const DOCS: &str = include_str!("../../../../../docs/events.md");

/// The JSON examples of a piece of the docs.
fn examples(text: &str) -> Vec<Value> {
    let blocks = text.split("```json\n").skip(1);
    blocks.map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap()).collect()
}

/// The sections of the docs that describe an event: its heading's name and version, and its examples.
fn documented() -> Vec<(String, Vec<Value>)> {
    let sections = DOCS.split("\n### `").skip(1);
    sections.map(|section| (section.lines().next().unwrap().to_owned(), examples(section))).collect()
}

/// Does not compile while an event is missing here; `one_of_each` must then have it as well.
fn place(event: &RoomEvent) -> usize {
    match event {
        RoomEvent::RoomCreated { .. } => 0,
        RoomEvent::UserJoined { .. } => 1,
        RoomEvent::UserLeft { .. } => 2,
        RoomEvent::RoleChanged { .. } => 3,
        RoomEvent::SettingsUpdated { .. } => 4,
        RoomEvent::ChatMessagePosted { .. } => 5,
        RoomEvent::FileShared { .. } => 6,
        RoomEvent::QueueChanged(_) => 7,
        RoomEvent::CommentAdded { .. } => 8,
        RoomEvent::UploadStarted { .. } => 9,
        RoomEvent::UploadCompleted { .. } => 10,
        RoomEvent::AudioAnalyzed { .. } => 11,
        RoomEvent::ProcessingFailed { .. } => 12,
        RoomEvent::PlaybackSynced { .. } => 13,
        RoomEvent::UserCreated { .. } => 14,
        RoomEvent::ProfileUpdated { .. } => 15,
        RoomEvent::MusicalPreferencesUpdated { .. } => 16,
        RoomEvent::CommentResolved { .. } => 17,
        RoomEvent::BanLifted { .. } => 18,
        RoomEvent::InviteCreated { .. } => 19,
        RoomEvent::InviteRevoked { .. } => 20,
    }
}

#[test]
fn there_is_one_of_each() {
    let places: BTreeSet<_> = one_of_each().iter().map(place).collect();
    assert_eq!(places, (0..21).collect());
}

#[test]
fn an_event_is_stored_under_its_name() {
    for event in one_of_each() {
        let stored = serde_json::to_value(&event).unwrap();
        assert_eq!(stored["name"], event.name().name);
        assert_eq!(serde_json::from_value::<RoomEvent>(stored).unwrap(), event);
    }
}

#[test]
fn the_docs_show_every_event_as_it_is_stored() {
    let mut expected: Vec<(String, Vec<Value>)> = vec![];
    for event in one_of_each() {
        let heading = format!("{}`, version {}", event.name().name, event.name().version);
        let stored = serde_json::to_value(&event).unwrap();
        match expected.last_mut() {
            Some((last, examples)) if *last == heading => examples.push(stored),
            _ => expected.push((heading, vec![stored])),
        }
    }
    for (documented, expected) in documented().iter().zip(&expected) {
        assert_eq!(documented, expected);
    }
    assert_eq!(documented().len(), expected.len());
}

#[test]
fn the_docs_show_an_envelope_as_it_is_exported() {
    let said = Command::PostChatMessage { text: "What a bass line!".to_owned() };
    let log = RoomLog::open().did(ADA, said);
    let envelope = serde_json::to_value(&log.envelopes()[1]).unwrap();
    assert_eq!(examples(DOCS.split("\n### `").next().unwrap()), [envelope]);
}

#[test]
fn what_a_later_version_adds_is_ignored() {
    let mut stored = serde_json::to_value(RoomLog::open().envelopes()[0].clone()).unwrap();
    stored["added_later"] = json!(1);
    stored["event"]["data"]["added_later"] = json!({"deep": []});
    stored["event"]["data"]["settings"]["added_later"] = json!("x");
    let read: Envelope = serde_json::from_value(stored).unwrap();
    assert_eq!(read, RoomLog::open().envelopes()[0]);
}

#[test]
fn a_name_that_is_not_known_is_an_error_that_says_it() {
    let error = serde_json::from_value::<RoomEvent>(json!({"name": "room.exploded", "data": {}}));
    assert!(error.unwrap_err().to_string().contains("room.exploded"));
}

#[test]
fn a_snapshot_holds_the_whole_room() {
    let comment = Command::AddComment {
        track: hash(1),
        position_us: 61_500_000,
        end_us: None,
        text: "here".to_owned(),
        reply_to: None,
    };
    let (code, reason) = ("decode".to_owned(), "This file is broken.".to_owned());
    let upload =
        Command::StartUpload { hash: hash(3), file_name: "3.flac".to_owned(), size_bytes: 21_000_000 };
    let log = RoomLog::with_people()
        .shared(1)
        .did(ADA, Command::RecordAnalysis { hash: hash(1), analysis: analysis() })
        .did(BEN, Command::Play { track: None })
        .did(CLEO, comment)
        .did(CLEO, Command::PostChatMessage { text: "hi".to_owned() })
        .did(CLEO, upload)
        .did(ADA, Command::FailProcessing { hash: hash(2), file_name: "2.flac".to_owned(), code, reason })
        .did(ADA, Command::RemoveMember { user: CLEO, may_return: false });
    insta::assert_json_snapshot!(RoomSnapshot::of(log.room()));
}

#[test]
fn a_snapshot_of_another_version_is_refused() {
    let other = RoomSnapshot { version: 1, ..RoomSnapshot::of(RoomLog::open().room()) };
    assert_eq!(other.into_room(), Err(SnapshotError { found: 1, expected: 2 }));
}

#[test]
fn every_rejection_has_its_own_code() {
    let codes = [
        Rejection::NoSuchRoom,
        Rejection::RoomExists,
        Rejection::NotAMember,
        Rejection::RoomFull { limit: 1 },
        Rejection::Removed,
        Rejection::NotAllowed { needed: "the host" },
        Rejection::HostStays,
        Rejection::NoSuchMember,
        Rejection::NoSuchTrack,
        Rejection::NoSuchUpload,
        Rejection::NoSuchQueueItem,
        Rejection::NoSuchComment,
        Rejection::NothingToPlay,
        Rejection::TooMany { what: "comments", limit: 1, remedy: "say less" },
        Rejection::StorageFull { whose: "your", limit_bytes: 1 },
        Rejection::NameTaken,
        Rejection::InviteExpired,
        Rejection::InviteRevoked,
        Rejection::InviteUsedUp,
        Rejection::NoSuchInvite,
        Rejection::Invalid { field: "name", problem: "must not be empty".to_owned() },
    ]
    .map(|rejection| rejection.code());
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
}

#[test]
fn ids_in_other_forms_are_refused() {
    for text in ["", "x", &"A".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
        let error = text.parse::<ContentHash>().unwrap_err().to_string();
        assert!(error.contains("64 lower-case hexadecimal digits"), "{error}");
        assert!(text.parse::<UserId>().is_err());
    }
}

proptest! {
    #[test]
    fn ids_read_what_they_write(bytes: [u8; 32], half: [u8; 16]) {
        let (hash, user) = (ContentHash::from_bytes(bytes), UserId::from_bytes(half));
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        prop_assert_eq!(user.to_string().parse(), Ok(user));
        let stored = serde_json::to_string(&(hash, user)).unwrap();
        prop_assert_eq!(stored, format!("[\"{hash}\",\"{user}\"]"));
    }

    #[test]
    fn any_text_is_an_id_or_an_error(text in ".{0,80}|[0-9a-f]{64}") {
        if let Ok(hash) = text.parse::<ContentHash>() {
            prop_assert_eq!(hash.to_string(), text);
        }
    }
}
