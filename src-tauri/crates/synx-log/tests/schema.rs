//! Files of older programs go on being read, and become current ones when they are appended to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use rusqlite::Connection;
use std::path::Path;
use synx_log::testing::{chats, created, room};
use synx_log::{Log, LogOptions, Old};

/// As the first program made it.
const SCHEMA_1: &str = "
    CREATE TABLE domain_events (
        seq INTEGER PRIMARY KEY, event_id BLOB NOT NULL, event_name TEXT NOT NULL, aggregate_id BLOB NOT NULL,
        aggregate_version INTEGER NOT NULL, event_version INTEGER NOT NULL, event_data TEXT NOT NULL, actor BLOB NOT NULL,
        command_id BLOB, occurred_at INTEGER NOT NULL, hash BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX domain_events_by_id ON domain_events (event_id);
    CREATE UNIQUE INDEX domain_events_by_aggregate ON domain_events (aggregate_id, aggregate_version);
    CREATE INDEX domain_events_by_name ON domain_events (event_name);
    CREATE INDEX domain_events_by_time ON domain_events (occurred_at);
    CREATE TABLE heads (
        aggregate_id BLOB NOT NULL PRIMARY KEY, aggregate_version INTEGER NOT NULL, occurred_at INTEGER NOT NULL,
        hash BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE snapshots (
        aggregate_id BLOB NOT NULL, aggregate_version INTEGER NOT NULL, data TEXT NOT NULL, digest BLOB NOT NULL,
        PRIMARY KEY (aggregate_id, aggregate_version)
    ) STRICT;
    INSERT INTO domain_events SELECT * FROM now.domain_events;
    INSERT INTO heads SELECT * FROM now.heads;
    PRAGMA application_id = 0x53594e58;
    PRAGMA user_version = 1;";

/// A log of 41 events as the first program would have written it.
async fn of_schema_1(folder: &Path) -> std::path::PathBuf {
    let (now, then) = (folder.join("now.db"), folder.join("then.db"));
    let log = Log::open(&now, LogOptions::default()).unwrap();
    log.append(room(1), 0, vec![created()]).await.unwrap();
    log.append(room(1), 1, chats(40)).await.unwrap();
    log.close();
    let file = Connection::open(&then).unwrap();
    file.execute("ATTACH ?1 AS now", [now.to_str().unwrap()]).unwrap();
    file.execute_batch(SCHEMA_1).unwrap();
    then
}

fn schema_of(path: &Path) -> i64 {
    let file = Connection::open(path).unwrap();
    file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

async fn is_whole(log: &Log, events: u64) {
    let report = log.verify(None).await.unwrap().pop().unwrap();
    assert_eq!((report.events, report.first_bad), (events, None));
    assert_eq!(log.read(room(1), 0, 100).await.unwrap().len() as u64, events);
    assert_eq!(log.fold(room(1), None).await.unwrap().seq, events);
}

#[tokio::test]
async fn a_log_of_the_first_schema_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = of_schema_1(folder.path()).await;
    let log = Log::open(&path, LogOptions::read_only()).unwrap();
    is_whole(&log, 41).await;
    assert_eq!(log.audit(synx_log::AuditFilter::default()).await.unwrap().len(), 41);
    log.close();
    assert_eq!(schema_of(&path), 1, "who only looks changes nothing");
}

#[tokio::test]
async fn a_log_of_the_first_schema_becomes_a_current_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = of_schema_1(folder.path()).await;
    let log = Log::open(&path, LogOptions::default()).unwrap();
    is_whole(&log, 41).await;
    log.append(room(1), 41, chats(1)).await.unwrap();
    let old = Old { through_seq: 30, before_ms: i64::MAX, whole_segments: false };
    assert_eq!(log.archive(room(1), old).await.unwrap(), 30);
    log.close();
    assert_eq!(schema_of(&path), schema_of(&folder.path().join("now.db")));
    let log = Log::open(&path, LogOptions::default()).unwrap();
    assert_eq!(log.fold(room(1), None).await.unwrap().seq, 42);
    assert!(log.verify(None).await.unwrap()[0].first_bad.is_none());
}
