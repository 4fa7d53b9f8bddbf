//! Whatever is changed in the file behind the log's back is found, and the rest stays readable.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::{any, prop_assert, prop_assert_eq};
use proptest::test_runner::{Config, TestRunner};
use rusqlite::{Connection, types::Value};
use std::path::Path;
use synx_domain::RoomId;
use synx_log::testing::{chat, chats, created, room};
use synx_log::{BadLink, ChainFault, Log, LogError, LogOptions};

/// A log of two rooms whose events take turns: room 1 has 12, room 2 has 6.
async fn two_rooms(path: &Path) {
    let log = Log::open(path, LogOptions::default()).unwrap();
    log.append(room(1), 0, vec![created()]).await.unwrap();
    log.append(room(2), 0, vec![created()]).await.unwrap();
    for turn in 0..5 {
        log.append(room(1), 1 + turn * 2, chats(2)).await.unwrap();
        log.append(room(2), 1 + turn, vec![chat("What a bass line! \u{1f3b8}")]).await.unwrap();
    }
    log.append(room(1), 11, chats(1)).await.unwrap();
    log.close();
}

/// The first bad event of each room after this was done to the file.
async fn bad_after(change: &str) -> Vec<(RoomId, Option<BadLink>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    two_rooms(&path).await;
    Connection::open(&path).unwrap().execute_batch(change).unwrap();
    let log = Log::open(&path, LogOptions::default()).unwrap();
    let reports = log.verify(None).await.unwrap();
    reports.into_iter().map(|report| (report.room_id, report.first_bad)).collect()
}

fn only_in_room_1(seq: u64, fault: ChainFault) -> Vec<(RoomId, Option<BadLink>)> {
    vec![(room(1), Some(BadLink { seq, fault })), (room(2), None)]
}

const EVENT_5_OF_ROOM_1: &str =
    "aggregate_id = x'00000000000000000000000000000001' AND aggregate_version = 5";

#[tokio::test]
async fn a_change_in_any_column_is_found() {
    for change in [
        "event_id = randomblob(16)",
        "event_name = 'room.user_left'",
        "event_version = 2",
        "event_data = replace(event_data, '2', '3')",
        "event_data = event_data || ' '",
        "actor = x'00000000000000000000000000000009'",
        "command_id = NULL",
        "occurred_at = occurred_at + 1",
        "hash = x'00000000000000000000000000000000000000000000000000000000000000ff'",
        "actor = x'0009'",
    ] {
        let found = bad_after(&format!("UPDATE domain_events SET {change} WHERE {EVENT_5_OF_ROOM_1}")).await;
        let fault = if change.contains("x'0009'") { ChainFault::Missing } else { ChainFault::Altered };
        assert_eq!(found, only_in_room_1(5, fault), "{change}");
    }
}

#[tokio::test]
async fn removal_and_another_order_are_found() {
    let delete = |condition: &str| format!("DELETE FROM domain_events WHERE {condition}");
    let found = bad_after(&delete(EVENT_5_OF_ROOM_1)).await;
    assert_eq!(found, only_in_room_1(5, ChainFault::Missing));
    let end = delete("aggregate_id = x'00000000000000000000000000000001' AND aggregate_version > 9");
    assert_eq!(bad_after(&end).await[0], (room(1), Some(BadLink { seq: 10, fault: ChainFault::Missing })));
    let room_2 = delete("aggregate_id = x'00000000000000000000000000000002'");
    assert_eq!(bad_after(&room_2).await[1], (room(2), Some(BadLink { seq: 1, fault: ChainFault::Missing })));
    let moved = format!("UPDATE domain_events SET aggregate_version = 50 WHERE {EVENT_5_OF_ROOM_1}");
    assert_eq!(bad_after(&moved).await, only_in_room_1(5, ChainFault::Missing));
    let swapped = format!(
        "UPDATE domain_events SET aggregate_version = 99 WHERE {EVENT_5_OF_ROOM_1};
         UPDATE domain_events SET aggregate_version = aggregate_version - 1 WHERE aggregate_version = 6 AND {};
         UPDATE domain_events SET aggregate_version = 6 WHERE aggregate_version = 99",
        "aggregate_id = x'00000000000000000000000000000001'"
    );
    assert_eq!(bad_after(&swapped).await, only_in_room_1(5, ChainFault::Missing));
    let without_trace =
        format!("{room_2}; DELETE FROM heads WHERE aggregate_id = x'00000000000000000000000000000002'");
    assert_eq!(
        bad_after(&without_trace).await,
        [(room(1), Some(BadLink { seq: 2, fault: ChainFault::Displaced }))]
    );
    let elsewhere = format!("UPDATE domain_events SET seq = 1000 WHERE {EVENT_5_OF_ROOM_1}");
    assert_eq!(bad_after(&elsewhere).await, only_in_room_1(5, ChainFault::Missing));
}

#[tokio::test]
async fn a_room_whose_end_is_gone_is_read_but_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    two_rooms(&path).await;
    let cut = "DELETE FROM domain_events WHERE aggregate_version = 12";
    Connection::open(&path).unwrap().execute_batch(cut).unwrap();
    let log = Log::open(&path, LogOptions::default()).unwrap();
    assert_eq!(log.read(room(1), 0, 100).await.unwrap().len(), 11);
    assert!(matches!(log.append(room(1), 11, chats(1)).await, Err(LogError::Corrupt { .. })));
    log.append(room(2), 6, chats(1)).await.expect("the other room is sound");
}

const FLIPS: u32 = 600;

/// All rows, as SQLite reads them.
fn rows(path: &Path) -> rusqlite::Result<Vec<Vec<Value>>> {
    let connection = Connection::open(path)?;
    let mut statement = connection.prepare("SELECT * FROM domain_events NOT INDEXED ORDER BY seq")?;
    let rows = statement.query_map([], |row| (0..11).map(|column| row.get(column)).collect())?;
    rows.collect()
}

/// Either no row reads differently, or the damage is found; and it is never a panic.
#[test]
fn a_flipped_byte_anywhere_in_the_file_is_harmless_or_found() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (sound, damaged) = (folder.path().join("sound.db"), folder.path().join("damaged.db"));
    runtime.block_on(two_rooms(&sound));
    let (bytes, before) = (std::fs::read(&sound).unwrap(), rows(&sound).unwrap());
    let found = std::cell::Cell::new(0);
    let mut runner = TestRunner::new_with_rng(
        Config { cases: FLIPS, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let flip = |(place, bit): (proptest::sample::Index, u8)| {
        let mut changed = bytes.clone();
        // Free space in pages holds nothing: look for bytes that are something.
        let used: Vec<usize> = (0..changed.len()).filter(|at| changed[*at] != 0).collect();
        changed[used[place.index(used.len())]] ^= 1 << (bit % 8);
        std::fs::write(&damaged, &changed).unwrap();
        let verdict = runtime.block_on(async {
            let log = Log::open(&damaged, LogOptions::default())?;
            let reports = log.verify(None).await;
            // Whatever the damage, reading ends in events or in an error.
            drop(log.read(room(1), 0, 100).await);
            drop(log.fold(room(1), None).await);
            log.close();
            reports
        });
        let sound = verdict.is_ok_and(|reports| reports.iter().all(|report| report.first_bad.is_none()));
        if sound {
            prop_assert_eq!(&rows(&damaged).unwrap(), &before);
        } else {
            found.set(found.get() + 1);
        }
        prop_assert!(damaged.exists());
        Ok(())
    };
    runner.run(&(any::<proptest::sample::Index>(), any::<u8>()), flip).unwrap();
    assert!(found.get() > FLIPS / 2, "only {} of {FLIPS} flips were found", found.get());
}
