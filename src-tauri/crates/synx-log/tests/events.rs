//! Replays and old payloads: what a log says is what happened, whoever reads it and when.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;
use synx_domain::{
    ContentHash, LeaveReason, MusicalPreferences, NewEvent, Role, Room, RoomEvent, RoomSnapshot,
    TrackAnalysis, UserProfile,
};
use synx_log::testing::{chat, chats, created, new_event, room, user};
use synx_log::{Log, LogError, LogOptions, Upcasters};

fn joined((number, name): (u128, String)) -> RoomEvent {
    let profile = UserProfile { name, ..UserProfile::default() };
    RoomEvent::UserJoined { user: user(number), profile, role: Role::Dj, invite: None }
}

fn analyzed(bpm: f64, loudness_lufs: f64) -> RoomEvent {
    let analysis = TrackAnalysis {
        analyser_version: 1,
        bpm: Some(bpm),
        bpm_confidence: 0.1 + 0.2,
        first_beat_s: None,
        key: None,
        camelot: None,
        key_confidence: 0.0,
        energy: 3,
        loudness_lufs: Some(loudness_lufs),
    };
    RoomEvent::AudioAnalyzed { hash: ContentHash::from_bytes([7; 32]), analysis }
}

fn comment((hash, position_us): ([u8; 32], i64)) -> RoomEvent {
    let (track, text) = (ContentHash::from_bytes(hash), "here".to_owned());
    RoomEvent::CommentAdded { track, position_us, end_us: None, text, reply_to: None }
}

fn preferences((low, high): (f64, f64)) -> RoomEvent {
    let preferences =
        MusicalPreferences { tempo_range_bpm: Some((low, high)), ..MusicalPreferences::default() };
    RoomEvent::MusicalPreferencesUpdated { user: user(1), preferences }
}

/// Events in no sensible order: a fold takes in whatever a log holds.
fn event() -> impl Strategy<Value = NewEvent> {
    let number = || -1e300..1e300;
    prop_oneof![
        any::<String>().prop_map(|text| RoomEvent::ChatMessagePosted { text }),
        (1_u128..5, any::<String>()).prop_map(joined),
        (1_u128..5).prop_map(|who| RoomEvent::UserLeft { user: user(who), reason: LeaveReason::Left }),
        (number(), number()).prop_map(preferences),
        (number(), number()).prop_map(|(bpm, loudness)| analyzed(bpm, loudness)),
        (any::<[u8; 32]>(), any::<i64>()).prop_map(comment),
    ]
    .prop_map(new_event)
}

/// Appends in portions, and is the room that somebody saw who was there all the time.
async fn live_room(log: &Log, portions: Vec<Vec<NewEvent>>) -> Room {
    let mut live = Room::default();
    for portion in portions {
        for envelope in log.append(room(1), live.seq, portion).await.unwrap() {
            live.apply(&envelope);
        }
    }
    live
}

#[test]
fn a_replay_from_disk_is_the_live_room() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let replay = |(portions, cut): (Vec<Vec<NewEvent>>, proptest::sample::Index)| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        runtime.block_on(async {
            let log = Log::open(&path, LogOptions::default()).unwrap();
            log.append(room(1), 0, vec![created()]).await.unwrap();
            let mut live = log.fold(room(1), None).await.unwrap();
            for portion in portions {
                for envelope in log.append(room(1), live.seq, portion).await.unwrap() {
                    live.apply(&envelope);
                }
            }
            log.close();
            let log = Log::open(&path, LogOptions::default()).unwrap();
            prop_assert_eq!(&log.fold(room(1), None).await.unwrap(), &live);
            // A snapshot anywhere on the way changes nothing.
            let place = 1 + cut.index(usize::try_from(live.seq).unwrap()) as u64;
            let then = log.fold(room(1), Some(place)).await.unwrap();
            log.save_snapshot(room(1), &RoomSnapshot::of(&then)).await.unwrap();
            prop_assert_eq!(&log.fold(room(1), None).await.unwrap(), &live);
            prop_assert_eq!(&log.fold(room(1), Some(place)).await.unwrap(), &then);
            Ok(())
        })
    };
    runner.run(&(vec(vec(event(), 1..6), 0..8), any::<proptest::sample::Index>()), replay).unwrap();
}

#[tokio::test]
async fn a_long_replay_leaves_a_snapshot_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = Log::open(&path, LogOptions::default()).unwrap();
    let live =
        live_room(&log, [vec![created()]].into_iter().chain((0..6).map(|_| chats(2000))).collect()).await;
    assert_eq!(log.fold(room(1), None).await.unwrap(), live);
    let snapshots = "SELECT max(aggregate_version) FROM snapshots";
    let last: u64 =
        Connection::open(&path).unwrap().query_row(snapshots, [], |row| row.get::<_, i64>(0)).unwrap() as u64;
    assert_eq!(last, live.seq);
    assert_eq!(log.fold(room(1), None).await.unwrap(), live);
}

#[tokio::test]
async fn what_json_cannot_hold_is_refused() {
    let log = Log::in_memory();
    let refused = log.append(room(1), 0, vec![new_event(analyzed(f64::NAN, -9.0))]).await.unwrap_err();
    assert!(matches!(refused, LogError::NotStorable { name: "audio.analyzed", .. }));
    assert_eq!(log.head(room(1)).unwrap(), 0);
}

/// A log with one chat message whose row was then changed by `change`.
async fn changed(path: &Path, change: &str, options: LogOptions) -> Log {
    let log = Log::open(path, LogOptions::default()).unwrap();
    log.append(room(1), 0, vec![chat("hello")]).await.unwrap();
    log.close();
    Connection::open(path).unwrap().execute_batch(&format!("UPDATE domain_events SET {change}")).unwrap();
    Log::open(path, options).unwrap()
}

#[tokio::test]
async fn old_payloads_are_raised_to_the_current_version() {
    let folder = tempfile::tempdir().unwrap();
    let upcasters = Upcasters::current().with("room.chat_message_posted", 0, |data| {
        let words = data.get("words").and_then(|words| words.as_str()).ok_or("no words")?;
        Ok(json!({ "text": words }))
    });
    let options = LogOptions { upcasters, ..LogOptions::default() };
    let old = r#"event_version = 0, event_data = '{"words":"hello"}'"#;
    let log = changed(&folder.path().join("old.db"), old, options.clone()).await;
    let event = &log.read(room(1), 0, 1).await.unwrap()[0].event;
    assert_eq!(*event, RoomEvent::ChatMessagePosted { text: "hello".to_owned() });

    let broken = r#"event_version = 0, event_data = '{"shouts":"hello"}'"#;
    let log = changed(&folder.path().join("broken.db"), broken, options).await;
    let error = log.read(room(1), 0, 1).await.unwrap_err();
    assert!(
        matches!(error, LogError::UndecodableEvent { seq: 1, ref detail, .. } if detail == "no words"),
        "{error}"
    );
}

#[tokio::test]
async fn events_of_a_later_program_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("name.db");
    let log = changed(&path, "event_name = 'room.fog_machine_started'", LogOptions::default()).await;
    let error = log.fold(room(1), None).await.unwrap_err();
    let name = "room.fog_machine_started".to_owned();
    assert_eq!(error, LogError::UnknownEvent { room: room(1), seq: 1, name: name.clone() });
    assert!(error.to_string().contains(&name));
    assert_eq!(log.audit(synx_log::AuditFilter::default()).await.unwrap()[0].name, name);

    let log = changed(&folder.path().join("version.db"), "event_version = 7", LogOptions::default()).await;
    let error = log.read(room(1), 0, 1).await.unwrap_err();
    assert!(matches!(error, LogError::UnknownVersion { version: 7, supported: 1, .. }), "{error}");

    let garbled = "event_data = '{\"text\":'";
    let log = changed(&folder.path().join("data.db"), garbled, LogOptions::default()).await;
    let error = log.read(room(1), 0, 1).await.unwrap_err();
    assert!(matches!(error, LogError::UndecodableEvent { .. }), "{error}");
}
