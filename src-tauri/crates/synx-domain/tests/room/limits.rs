//! What a room's state holds at most, so that who joins can always be told it.

use crate::ask;
use synx_domain::{
    ChatMessage, Command, CommandEnvelope, Comment, ContentHash, LeaveReason, Member, MusicalPreferences,
    Role, Room, RoomEvent, RoomSnapshot, SettingsChange, SharedTrack, StorageLimits, TrackMeta, TrackState,
    UserId, UserProfile,
};
use synx_testkit::events::{
    ADA, BEN, CLEO, DAN, RoomLog, analysis, command_id, hash, invite, profile, track,
};
use uuid::Uuid;

/// What a peer takes as one message.
const MESSAGE_BYTES: usize = 64 << 20;

fn user(n: u64) -> UserId {
    UserId::from_uuid(Uuid::from_u128(0x1_0000 + u128::from(n)))
}

fn nth_hash(n: u64) -> ContentHash {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    ContentHash::from_bytes(bytes)
}

fn upload(n: u64, size_bytes: u64) -> Command {
    Command::StartUpload { hash: nth_hash(n), file_name: format!("{n}.flac"), size_bytes }
}

fn failed(n: u64) -> Command {
    let (code, reason) = ("media_corrupt".to_owned(), "broken".to_owned());
    Command::FailProcessing { hash: nth_hash(n), file_name: format!("{n}.flac"), code, reason }
}

fn decide(room: &Room, actor: UserId, command: Command) -> Result<Vec<RoomEvent>, &'static str> {
    let envelope = CommandEnvelope { id: command_id(u64::MAX), actor, command };
    room.decide(&envelope, RoomLog::empty().now()).map_err(|rejection| rejection.code())
}

fn comment(author: UserId, n: u64, text: &str) -> Comment {
    Comment {
        id: command_id(1_000_000 + n),
        track: hash(1),
        position_us: i64::MAX,
        end_us: Some(i64::MAX),
        author,
        text: text.to_owned(),
        reply_to: Some(command_id(n)),
        posted_at_ms: i64::MAX,
        done: false,
    }
}

fn say_at(text: &str) -> Command {
    let text = text.to_owned();
    Command::AddComment { track: hash(1), position_us: 0, end_us: None, text, reply_to: None }
}

/// Characters whose JSON is as long as that of any that is let in.
fn wide(chars: usize) -> String {
    "\u{1f3b5}".repeat(chars)
}

fn member(present: bool, left: Option<LeaveReason>) -> Member {
    let words = || vec![wide(40); 16];
    let removed = left == Some(LeaveReason::Removed);
    let preferences = MusicalPreferences {
        genres: words(),
        tempo_range_bpm: Some((20.123_456_789_012_34, 399.123_456_789_012_3)),
        keys: words(),
        instruments: words(),
    };
    Member {
        profile: UserProfile {
            name: wide(40),
            color: Some("#ffffff".to_owned()),
            bio: (!removed).then(|| wide(500)),
            picture: present.then(|| "A".repeat(4267) + "="),
        },
        role: Role::Listener,
        role_set: false,
        present,
        left,
        preferences: if removed { MusicalPreferences::default() } else { preferences },
        joined_at_ms: i64::MAX,
        since_seq: u64::MAX,
        invite: Some(invite(1).id),
    }
}

/// A room at each of its limits, with the longest words everywhere.
fn full() -> Room {
    let mut room = RoomLog::with_people().shared(1).room().clone();
    let here = (0..1000).map(|n| (user(n), member(true, None)));
    let former = (0..Room::FORMER_KEPT as u64)
        .map(|n| (user(10_000 + n), member(false, Some(LeaveReason::ConnectionLost))));
    let removed =
        (0..Room::REMOVED_KEPT as u64).map(|n| (user(20_000 + n), member(false, Some(LeaveReason::Removed))));
    room.members.extend(here.chain(former).chain(removed));
    room.chat = (0..Room::CHAT_KEPT)
        .map(|_| ChatMessage { seq: u64::MAX, author: ADA, text: wide(4000), posted_at_ms: i64::MAX })
        .collect();
    // Line feeds are what grows most for the byte that they count: two characters each.
    let words = "\n".repeat(Room::COMMENT_BYTES_MAX / Room::COMMENTS_MAX - 1) + "x";
    room.comments = (0..Room::COMMENTS_MAX as u64).map(|n| comment(user(n % 2), n, &words)).collect();
    let tracks = (0..Room::TRACKS_MAX as u64 - 1).map(|n| {
        let meta = TrackMeta {
            hash: nth_hash(n),
            file_name: "\"".repeat(255),
            size_bytes: u64::MAX,
            duration_us: i64::MAX,
            title: wide(300),
            artist: Some(wide(300)),
            album: Some(wide(300)),
            ..track(1)
        };
        let (state, analysis) = (TrackState::Shared, Some(analysis()));
        (nth_hash(n), SharedTrack { shared_by: ADA, state, meta: Some(meta), analysis, since_seq: u64::MAX })
    });
    room.tracks.extend(tracks);
    let failed = (0..Room::FAILED_KEPT as u64).map(|n| {
        let state =
            TrackState::Failed { file_name: wide(300), code: "media_corrupt".to_owned(), reason: wide(300) };
        let track = SharedTrack { shared_by: ADA, state, meta: None, analysis: None, since_seq: u64::MAX };
        (nth_hash(100_000 + n), track)
    });
    room.tracks.extend(failed);
    room
}

#[test]
fn a_full_room_fits_into_a_welcome_and_takes_no_more() {
    let room = full();
    let bytes = serde_json::to_vec(&RoomSnapshot::of(&room)).unwrap().len();
    // The rest of the welcome, the queue, recent commands and invites are a mebibyte together.
    assert!(bytes < MESSAGE_BYTES - (2 << 20), "{bytes} bytes");

    assert_eq!(decide(&room, CLEO, say_at("one more")), Err("too_many"));
    assert_eq!(decide(&room, CLEO, upload(500_000, 1)), Err("too_many"));
    assert!(decide(&room, CLEO, Command::PostChatMessage { text: "hi".to_owned() }).is_ok());
}

#[test]
fn one_member_writes_at_most_half_of_the_comments_and_all_only_so_much() {
    let mut room = RoomLog::with_people().shared(1).room().clone();
    room.comments = (0..Room::COMMENTS_MAX as u64 / 2).map(|n| comment(BEN, n, "x")).collect();
    assert_eq!(decide(&room, BEN, say_at("y")), Err("too_many"));
    assert!(decide(&room, CLEO, say_at("y")).is_ok());
    room.comments = vec![comment(BEN, 1, &"x".repeat(Room::COMMENT_BYTES_MAX - 2))];
    assert!(decide(&room, CLEO, say_at("yy")).is_ok());
    assert_eq!(decide(&room, CLEO, say_at("yyy")), Err("too_many"));
}

#[test]
fn a_full_queue_takes_nothing_until_something_is_taken_out() {
    let again = Command::Enqueue { track: hash(1), index: None };
    let open = RoomLog::with_people().shared(1);
    let mut log = (1..Room::QUEUE_MAX).fold(open, |log, _| log.did(BEN, again.clone()));
    let known = Command::StartUpload { hash: hash(1), file_name: "1.flac".to_owned(), size_bytes: 1 };
    for command in [again.clone(), known, Command::ShareTrack { track: track(1) }] {
        assert_eq!(ask(&log, BEN, command), Err("too_many"));
    }
    // What has come is shared all the same.
    let shared = log.send(CLEO, Command::ShareTrack { track: track(2) }).unwrap();
    assert!(matches!(&shared[..], [RoomEvent::FileShared { .. }]));
    let first = log.room().queue.items()[0].id;
    assert!(ask(&log.did(ADA, Command::Dequeue { id: first }), BEN, again).is_ok());
}

#[test]
fn who_left_long_ago_is_forgotten_and_who_was_removed_is_not() {
    let pass = |log: RoomLog, n: u64| {
        log.joined(user(n), &format!("guest {n}"), Role::Listener)
            .did(user(n), Command::Leave { reason: LeaveReason::Left })
    };
    let log = RoomLog::with_people()
        .did(ADA, Command::RemoveMember { user: CLEO, may_return: false })
        .did(BEN, Command::Leave { reason: LeaveReason::Left });
    let log = (0..Room::FORMER_KEPT as u64 + 5).fold(log, pass);
    let room = log.room();
    assert_eq!(room.members.len(), Room::FORMER_KEPT + 2, "those who left, the host and who was removed");
    assert!(!room.members.contains_key(&user(5)) && room.members.contains_key(&user(6)));
    assert!(room.members.contains_key(&BEN), "a DJ is remembered for longer than listeners");
    assert_eq!(
        ask(&log, CLEO, Command::Join { profile: profile("Cleo"), role: Role::Dj, invite: None }),
        Err("removed")
    );
    let removed = &room.members[&CLEO];
    assert_eq!((&removed.profile.bio, &removed.preferences), (&None, &MusicalPreferences::default()));
}

#[test]
fn what_failed_long_ago_is_forgotten() {
    let log =
        (0..Room::FAILED_KEPT as u64 + 3).fold(RoomLog::with_people(), |log, n| log.did(CLEO, failed(n)));
    let room = log.room();
    assert_eq!(room.tracks.len(), Room::FAILED_KEPT);
    assert!(!room.tracks.contains_key(&nth_hash(2)) && room.tracks.contains_key(&nth_hash(3)));
}

#[test]
fn a_member_has_so_many_uploads_under_way() {
    let many = Room::UPLOADS_PER_MEMBER as u64;
    let log = (0..many).fold(RoomLog::with_people(), |log, n| log.did(BEN, upload(n, 1)));
    assert_eq!(ask(&log, BEN, upload(many, 1)), Err("too_many"));
    assert!(ask(&log, CLEO, upload(many, 1)).is_ok());
    assert!(ask(&log, BEN, upload(0, 2)).is_ok(), "announced again with another length");
    assert!(ask(&log.did(BEN, failed(3)), BEN, upload(many, 1)).is_ok());
}

#[test]
fn storage_is_shared_out_by_the_settings() {
    let storage = StorageLimits { member_bytes: 100, room_bytes: 150 };
    let change = SettingsChange { storage: Some(storage), ..SettingsChange::default() };
    let log = RoomLog::with_people().did(ADA, Command::UpdateSettings { change });
    assert_eq!(log.room().settings.as_ref().unwrap().storage, storage);

    assert_eq!(ask(&log, BEN, upload(1, 101)), Err("storage_full"));
    assert_eq!(ask(&log, BEN, upload(1, u64::MAX)), Err("storage_full"));
    let log = log.did(BEN, upload(1, 60));
    assert_eq!(ask(&log, BEN, upload(2, 41)), Err("storage_full"));
    assert!(ask(&log, BEN, upload(1, 100)).is_ok(), "announced again: it gives back what it had");
    let log = log.did(CLEO, upload(3, 90));
    assert_eq!(ask(&log, ADA, upload(4, 1)), Err("storage_full"), "the room is full");
    let log = log.did(BEN, failed(1));
    assert!(ask(&log, ADA, upload(4, 60)).is_ok(), "what failed takes no room");
    let meta = TrackMeta { size_bytes: 90, ..TrackMeta { hash: nth_hash(3), ..track(3) } };
    let log = log.did(CLEO, Command::ShareTrack { track: meta });
    assert_eq!(ask(&log, CLEO, upload(5, 11)), Err("storage_full"), "what is shared counts");
}

#[test]
fn a_name_is_its_holders_alone() {
    let log = RoomLog::with_people();
    let named = |log: &RoomLog, user, name: &str| {
        let events =
            ask(log, user, Command::Join { profile: profile(name), role: Role::Listener, invite: None });
        match &events.unwrap()[..] {
            [RoomEvent::UserJoined { profile, .. } | RoomEvent::ProfileUpdated { profile, .. }] => {
                profile.name.clone()
            }
            events => panic!("{events:?}"),
        }
    };
    for like_ben in ["Ben", "BEN", " Ben", "B\u{435}n", "Be\u{200d}n"] {
        assert_eq!(named(&log, DAN, like_ben), format!("{like_ben} (2)"));
        let rename = Command::UpdateProfile { profile: profile(like_ben) };
        assert_eq!(ask(&log, CLEO, rename), Err("name_taken"), "{like_ben:?}");
    }
    assert_eq!(named(&log, DAN, "Benjamin"), "Benjamin");
    assert!(ask(&log, BEN, Command::UpdateProfile { profile: profile("ben") }).is_ok(), "one's own");

    // Stable: on coming back it is the same, and nothing is written for a connection more.
    let log = log.joined(DAN, "Ben", Role::Listener);
    assert_eq!(
        ask(&log, DAN, Command::Join { profile: profile("Ben"), role: Role::Listener, invite: None }),
        crate::NOTHING
    );
    let log = log.did(DAN, Command::Leave { reason: LeaveReason::Left });
    assert_eq!(named(&log, user(1), "Ben"), "Ben (3)", "who is gone keeps their name");
    assert_eq!(named(&log.did(BEN, Command::Leave { reason: LeaveReason::Left }), DAN, "Ben"), "Ben (2)");

    let long = "x".repeat(40);
    let log = RoomLog::open().joined(BEN, &long, Role::Listener);
    assert_eq!(named(&log, CLEO, &long), format!("{} (2)", "x".repeat(36)));
}

#[test]
fn a_name_shows_something_and_turns_nothing_around() {
    for name in ["\u{200b}\u{feff}", "\u{3164} ", "evil\u{202e}nimda", "\u{2067}x"] {
        let join = Command::Join { profile: profile(name), role: Role::Listener, invite: None };
        assert_eq!(ask(&RoomLog::open(), DAN, join), Err("invalid"), "{name:?}");
    }
}
