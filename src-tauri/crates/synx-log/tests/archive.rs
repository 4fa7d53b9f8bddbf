//! Old events lie elsewhere, and nobody who reads, proves, copies or goes back in time can tell.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::{Strategy, any, prop_assert, prop_oneof};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rusqlite::Connection;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use synx_domain::{NewEvent, Room, RoomId};
use synx_log::testing::{Written, chat, chats, created, room};
use synx_log::{AuditFilter, BadLink, ChainFault, Log, LogError, LogOptions, Old, RoomHead};

fn open(path: &Path) -> Log {
    Log::open(path, LogOptions::default()).unwrap()
}

fn through(seq: u64) -> Old {
    Old { through_seq: seq, before_ms: i64::MAX, whole_segments: false }
}

/// Things said, one a millisecond.
fn told(count: usize) -> Vec<NewEvent> {
    (0..count)
        .map(|number| {
            let mut event = chat(&format!("What a bass line! \u{1f3b8} {number}\n"));
            event.occurred_at_ms += number as i64;
            event
        })
        .collect()
}

/// A log whose room 1 has 40 events, 30 of them in three segments, among those of room 2 that has 12, 6 of them in one.
async fn two_rooms(path: &Path) {
    let log = open(path);
    log.append(room(1), 0, vec![created()]).await.unwrap();
    log.append(room(1), 1, told(9)).await.unwrap();
    log.append(room(2), 0, told(8)).await.unwrap();
    log.append(room(1), 10, told(30)).await.unwrap();
    log.append(room(2), 8, told(4)).await.unwrap();
    for seq in [10, 20, 30] {
        assert_eq!(log.archive(room(1), through(seq)).await.unwrap(), 10);
    }
    assert_eq!(log.archive(room(2), through(6)).await.unwrap(), 6);
    log.close();
}

/// Of events that may have gone into the archive and of such that stay, or never were.
const NAMES: [&str; 3] = ["room.created", "room.chat_message_posted", "room.user_left"];

/// All that a log tells of itself, in pages of this size.
#[derive(Debug, PartialEq)]
struct Told {
    heads: Vec<RoomHead>,
    events: Vec<synx_log::Record>,
    rooms: Vec<Room>,
    latest: Vec<Option<synx_log::Record>>,
    export: String,
}

async fn all_told(log: &Log, page: usize) -> Told {
    let reports = log.verify(None).await.unwrap();
    assert!(reports.iter().all(|report| report.first_bad.is_none()), "{reports:?}");
    let (heads, mut events, mut rooms, mut latest) =
        (log.rooms().unwrap(), Vec::new(), Vec::new(), Vec::new());
    let mut filter = AuditFilter { limit: page, ..AuditFilter::default() };
    loop {
        let found = log.audit(filter.clone()).await.unwrap();
        let Some(last) = found.last() else { break };
        filter.after_seq = last.log_seq;
        events.extend(found);
    }
    for head in &heads {
        let mut seq = 0;
        while seq < head.seq {
            let read = log.read(head.room_id, seq, page).await.unwrap();
            assert!(read.len() <= page);
            for envelope in read {
                seq += 1;
                assert_eq!(envelope.seq, seq);
            }
        }
        for seq in (0..=seq).step_by(9).chain([seq]) {
            rooms.push(log.fold(head.room_id, Some(seq)).await.unwrap());
        }
        for name in NAMES {
            latest.push(log.latest(head.room_id, name).await.unwrap());
        }
    }
    let written = Written::default();
    log.export_jsonl(None, written.clone()).await.unwrap();
    let export = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    Told { heads, events, rooms, latest, export }
}

#[derive(Debug, Clone)]
enum Step {
    Append(u128, usize),
    Archive(u128, u64, bool),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..4_u128, 1..40_usize).prop_map(|(room, count)| Step::Append(room, count)),
        (1..4_u128, 0..150_u64, any::<bool>())
            .prop_map(|(room, seq, by_time)| Step::Archive(room, seq, by_time)),
        proptest::strategy::Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..25)
}

#[test]
fn whatever_is_archived_when_the_log_reads_as_if_it_were_not() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let check = |(steps, page): (Vec<Step>, usize)| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        runtime.block_on(async {
            let (mut log, plain) = (open(&path), Log::in_memory());
            for step in steps {
                match step {
                    Step::Append(number, count) => {
                        let (head, events) = (plain.head(room(number)).unwrap(), told(count));
                        plain.append(room(number), head, events.clone()).await.unwrap();
                        log.append(room(number), head, events).await.unwrap();
                    }
                    Step::Archive(number, seq, by_time) => {
                        let before_ms = if by_time { created().occurred_at_ms + 20 } else { i64::MAX };
                        log.archive(room(number), Old { before_ms, ..through(seq) }).await.unwrap();
                    }
                    Step::Reopen => {
                        log.close();
                        log = open(&path);
                    }
                }
            }
            let same = all_told(&log, page).await == all_told(&plain, page).await;
            prop_assert!(same, "the archive shows");
            Ok(())
        })
    };
    runner.run(&(steps(), 1..60_usize), check).unwrap();
}

#[tokio::test]
async fn what_is_not_old_and_the_last_event_stay_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder.path().join("log.db"));
    log.append(room(1), 0, told(100)).await.unwrap();
    let start = created().occurred_at_ms;
    let archive = async |old| log.archive(room(1), old).await.unwrap();
    assert_eq!(archive(Old { whole_segments: true, ..through(90) }).await, 0, "no whole segment");
    assert_eq!(archive(Old { before_ms: start, ..through(90) }).await, 0, "nothing is so old");
    assert_eq!(archive(Old { before_ms: start + 30, ..through(90) }).await, 30);
    assert_eq!(archive(through(50)).await, 20);
    assert_eq!(archive(through(50)).await, 0, "it is there already");
    assert_eq!(archive(through(u64::MAX)).await, 49, "all but the last");
    assert_eq!(log.archive(room(9), through(5)).await.unwrap(), 0, "no such room");
    log.append(room(1), 100, told(3000)).await.unwrap();
    assert_eq!(archive(Old { whole_segments: true, ..through(u64::MAX) }).await, 2048);
}

#[tokio::test]
async fn an_archived_event_keeps_its_id_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = open(&path);
    let events = told(10);
    log.append(room(1), 0, events.clone()).await.unwrap();
    log.archive(room(1), through(9)).await.unwrap();
    log.close();
    let log = open(&path);
    let again = log.append(room(2), 0, vec![events[3].clone()]).await;
    assert_eq!(again, Err(LogError::DuplicateEvent { event_id: events[3].event_id }));
    log.append(room(2), 0, told(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_verifies_and_appends_meanwhile_notices_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder.path().join("log.db"));
    log.append(room(1), 0, told(2000)).await.unwrap();
    let mover = {
        let log = log.clone();
        tokio::spawn(async move {
            for seq in (0..2000).step_by(20) {
                log.archive(room(1), through(seq)).await.unwrap();
                log.append(room(1), log.head(room(1)).unwrap(), told(1)).await.unwrap();
            }
        })
    };
    let mut rounds = 0;
    while rounds < 3 || !mover.is_finished() {
        let mut seq = 0;
        while seq < 2000 {
            for envelope in log.read(room(1), seq, 150).await.unwrap() {
                seq += 1;
                assert_eq!(envelope.seq, seq);
            }
        }
        let report = log.verify(None).await.unwrap().pop().unwrap();
        assert!(report.events >= 2000 && report.first_bad.is_none(), "{report:?}");
        let audited = log.audit(AuditFilter { limit: 2000, ..AuditFilter::default() }).await.unwrap();
        assert!((1..).zip(&audited).all(|(seq, record)| record.seq == seq));
        rounds += 1;
    }
    mover.await.unwrap();
    assert_eq!(log.head(room(1)).unwrap(), 2100);
}

async fn bad_after(change: &str) -> Vec<(RoomId, Option<BadLink>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    two_rooms(&path).await;
    Connection::open(&path).unwrap().execute_batch(change).unwrap();
    let reports = open(&path).verify(None).await.unwrap();
    reports.into_iter().map(|report| (report.room_id, report.first_bad)).collect()
}

#[tokio::test]
async fn damage_to_the_archive_is_found_and_the_rest_stays_readable() {
    let second = "aggregate_id = x'00000000000000000000000000000001' AND last_version = 20";
    let altered = (room(1), Some(BadLink { seq: 11, fault: ChainFault::Altered }));
    for change in [
        "data = zeroblob(40)",
        "data = substr(data, 1, 50)",
        "data = CAST(data || x'00' AS BLOB)",
        "digest = zeroblob(32)",
        "digest = x'00'",
        "hash = zeroblob(32)",
        "first_version = 12",
        "data = (SELECT data FROM segments WHERE last_version = 30), digest = (SELECT digest FROM segments WHERE last_version = 30)",
    ] {
        let found = bad_after(&format!("UPDATE segments SET {change} WHERE {second}")).await;
        assert_eq!(found, [altered, (room(2), None)], "{change}");
    }
    let missing = (room(1), Some(BadLink { seq: 11, fault: ChainFault::Missing }));
    assert_eq!(bad_after(&format!("DELETE FROM segments WHERE {second}")).await, [missing, (room(2), None)]);
    let gone = bad_after(
        "DELETE FROM segments WHERE aggregate_id = x'00000000000000000000000000000002';
         DELETE FROM domain_events WHERE aggregate_id = x'00000000000000000000000000000002';
         DELETE FROM heads WHERE aggregate_id = x'00000000000000000000000000000002'",
    );
    assert_eq!(gone.await, [(room(1), Some(BadLink { seq: 31, fault: ChainFault::Displaced }))]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    two_rooms(&path).await;
    let change = format!("UPDATE segments SET data = zeroblob(9) WHERE {second}");
    Connection::open(&path).unwrap().execute_batch(&change).unwrap();
    let log = open(&path);
    assert_eq!(log.read(room(1), 0, 100).await.unwrap().len(), 10);
    assert!(matches!(log.read(room(1), 10, 100).await, Err(LogError::Corrupt { .. })));
    assert_eq!(log.read(room(1), 20, 100).await.unwrap().len(), 10);
    assert_eq!(log.read(room(1), 30, 100).await.unwrap().len(), 10);
    log.append(room(1), 40, chats(1)).await.unwrap();
}

#[tokio::test]
async fn what_is_not_as_it_was_written_is_not_archived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    two_rooms(&path).await;
    let change = "UPDATE domain_events SET event_data = '{\"text\":\"never\"}' WHERE aggregate_version = 35";
    Connection::open(&path).unwrap().execute_batch(change).unwrap();
    let log = open(&path);
    assert!(matches!(log.archive(room(1), through(38)).await, Err(LogError::Corrupt { .. })));
    let bad = log.verify(Some(room(1))).await.unwrap()[0].first_bad;
    assert_eq!(bad, Some(BadLink { seq: 35, fault: ChainFault::Altered }));
    assert_eq!(log.archive(room(1), through(34)).await.unwrap(), 4, "what is before it");
}

#[tokio::test]
async fn what_was_dropped_leaves_a_checkpoint_from_which_room_and_chain_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    two_rooms(&path).await;
    let log = open(&path);
    let at_25 = log.fold(room(1), Some(25)).await.unwrap();
    assert_eq!(log.drop_archive(room(1), 9).await.unwrap(), 0, "no whole segment");
    assert_eq!(log.drop_archive(room(1), 29).await.unwrap(), 20, "two of them");
    assert_eq!(log.drop_archive(room(9), 29).await.unwrap(), 0, "no such room");
    let goes_on = async |log: &Log, events| {
        let reports = log.verify(None).await.unwrap();
        assert!(reports.iter().all(|report| report.first_bad.is_none()), "{reports:?}");
        assert_eq!(reports[0].events, events);
        assert_eq!(log.fold(room(1), Some(25)).await.unwrap(), at_25);
        let through = 20;
        let dropped = LogError::HistoryDropped { room: room(1), through };
        assert_eq!(log.fold(room(1), Some(19)).await, Err(dropped.clone()));
        assert_eq!(log.read(room(1), 0, 9).await, Err(dropped.clone()));
        assert_eq!(log.read(room(1), 19, 9).await, Err(dropped));
        assert_eq!(log.read(room(1), 20, 9).await.unwrap()[0].seq, 21);
        assert_eq!(log.dropped(room(1)), through);
        assert_eq!(log.read(room(2), 0, 9).await.unwrap()[0].seq, 1, "the other room has all");
    };
    goes_on(&log, 40).await;
    log.append(room(1), 40, told(1)).await.unwrap();
    log.close();
    let log = open(&path);
    goes_on(&log, 41).await;
    log.backup(&folder.path().join("copy.db")).await.unwrap();
    goes_on(&open(&folder.path().join("copy.db")), 41).await;
    assert_eq!(log.archive(room(1), through(35)).await.unwrap(), 5);
    goes_on(&log, 41).await;
    assert_eq!(log.drop_archive(room(1), 35).await.unwrap(), 35, "and once more");
    assert!(matches!(log.fold(room(1), Some(25)).await, Err(LogError::HistoryDropped { through: 35, .. })));
    log.close();
    let ids = Connection::open(&path).unwrap();
    let count: i64 = ids.query_row("SELECT count(*) FROM archived_ids", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 6, "those of the other room");
}

#[tokio::test]
async fn a_checkpoint_that_was_changed_is_found() {
    let folder = tempfile::tempdir().unwrap();
    for (change, seq, fault) in [
        ("data = replace(data, 'Basement', 'Attic')", 20, ChainFault::Altered),
        ("digest = zeroblob(32)", 20, ChainFault::Altered),
        ("hash = zeroblob(32)", 20, ChainFault::Altered),
        ("aggregate_version = 19", 20, ChainFault::Missing),
    ] {
        let path = folder.path().join(format!("{}.db", change.len()));
        two_rooms(&path).await;
        let log = open(&path);
        log.drop_archive(room(1), 20).await.unwrap();
        log.close();
        Connection::open(&path).unwrap().execute_batch(&format!("UPDATE checkpoints SET {change}")).unwrap();
        let log = open(&path);
        let bad = log.verify(Some(room(1))).await.unwrap()[0].first_bad;
        assert_eq!(bad, Some(BadLink { seq, fault }), "{change}");
        assert!(matches!(log.drop_archive(room(1), 30).await, Err(LogError::Corrupt { .. })), "{change}");
    }
    let path = folder.path().join("gone.db");
    two_rooms(&path).await;
    let log = open(&path);
    log.drop_archive(room(1), 20).await.unwrap();
    log.close();
    Connection::open(&path).unwrap().execute_batch("DELETE FROM checkpoints").unwrap();
    let bad = open(&path).verify(Some(room(1))).await.unwrap()[0].first_bad;
    assert_eq!(bad, Some(BadLink { seq: 1, fault: ChainFault::Missing }));
}

#[tokio::test]
async fn copies_take_the_archive_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    two_rooms(&path("log.db")).await;
    let log = open(&path("log.db"));
    let told = all_told(&log, 7).await;
    log.backup(&path("copy.db")).await.unwrap();
    log.close();
    Log::restore(&path("copy.db"), &path("log.db")).await.unwrap();
    let restored = open(&path("log.db"));
    assert_eq!(all_told(&restored, 7).await, told);
    restored.append(room(1), 40, chats(1)).await.unwrap();

    let elsewhere = open(&path("elsewhere.db"));
    let taken = elsewhere.import_jsonl(Cursor::new(told.export.clone().into_bytes())).await.unwrap();
    assert_eq!(taken, 52);
    assert_eq!(elsewhere.archive(room(1), through(25)).await.unwrap(), 25);
    let again = elsewhere.import_jsonl(Cursor::new(told.export.clone().into_bytes())).await.unwrap();
    assert_eq!(again, 0, "all is here already");
    let there = all_told(&elsewhere, 7).await;
    assert_eq!((there.heads, there.rooms), (told.heads, told.rooms));
    let third = open(&path("third.db"));
    assert_eq!(third.take_over(room(1), &elsewhere).await.unwrap().events, 40);
}
