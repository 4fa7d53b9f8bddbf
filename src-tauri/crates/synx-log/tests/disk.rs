//! What the file on disk must withstand: crashes, a second process, other people's files, damage.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use rusqlite::Connection;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use synx_domain::RoomId;
use synx_log::testing::{chat, chats, created, room};
use synx_log::{Log, LogError, LogOptions};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn log(&self) -> Result<Log, LogError> {
        Log::open(&self.path("log.db"), LogOptions::default())
    }

    /// Looks at the file past the log.
    fn sql(&self, statement: &str) {
        Connection::open(self.path("log.db")).unwrap().execute_batch(statement).unwrap();
    }
}

async fn assert_contiguous(log: &Log, room: RoomId) -> u64 {
    let mut seq = 0;
    loop {
        let page = log.read(room, seq, 1000).await.unwrap();
        if page.is_empty() {
            return seq;
        }
        for envelope in page {
            assert_eq!(envelope.seq, seq + 1);
            seq = envelope.seq;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_appenders_at_once_nothing_is_lost() {
    let folder = Folder::new();
    let log = folder.log().unwrap();
    let appender = |number: u128| {
        let log = log.clone();
        async move {
            // Half of them have a room of their own, half fight over one.
            let room = if number.is_multiple_of(2) { room(number + 10) } else { room(1) };
            let mut acknowledged = Vec::new();
            while acknowledged.len() < 40 {
                let head = log.head(room).unwrap();
                match log.append(room, head, vec![chat("one"), chat("two")]).await {
                    Ok(events) => acknowledged.extend(events),
                    Err(LogError::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            acknowledged
        }
    };
    let appenders: Vec<_> = (0..16).map(|number| tokio::spawn(appender(number))).collect();
    let mut acknowledged = Vec::new();
    for appender in appenders {
        acknowledged.extend(appender.await.unwrap());
    }
    log.close();
    let log = folder.log().unwrap();
    let stored: u64 = log.rooms().unwrap().iter().map(|head| head.seq).sum();
    assert_eq!(stored, acknowledged.len() as u64);
    for head in log.rooms().unwrap() {
        assert_eq!(assert_contiguous(&log, head.room_id).await, head.seq);
    }
    for event in acknowledged.iter().step_by(7) {
        assert_eq!(log.read(event.room_id, event.seq - 1, 1).await.unwrap(), [Arc::clone(event)]);
    }
}

/// Not a test of its own: the process that the next test kills.
#[tokio::test]
async fn appender_process() {
    let Ok(path) = std::env::var("SYNX_LOG_TEST_APPEND_TO") else { return };
    let log = Log::open(Path::new(&path), LogOptions::default()).unwrap();
    let mut head = log.head(room(1)).unwrap();
    loop {
        log.append(room(1), head, chats(3)).await.unwrap();
        head += 3;
        println!("acknowledged {head}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_acknowledged_and_frees_its_lock() {
    let folder = Folder::new();
    let mut acknowledged = 0;
    for _ in 0..5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "appender_process", "--nocapture"])
            .env("SYNX_LOG_TEST_APPEND_TO", folder.path("log.db"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut numbers =
            lines.filter_map(|line| line.split_once("acknowledged ")?.1.trim().parse::<u64>().ok());
        let enough = acknowledged + 60;
        while acknowledged < enough {
            acknowledged = numbers.next().expect("the child appends until it is killed");
        }
        assert!(matches!(folder.log(), Err(LogError::Locked { .. })));
        child.kill().unwrap();
        acknowledged = numbers.last().unwrap_or(acknowledged);
        child.wait().unwrap();

        let log = folder.log().unwrap();
        let head = log.head(room(1)).unwrap();
        assert!(head >= acknowledged, "acknowledged {acknowledged}, stored {head}");
        assert_eq!(assert_contiguous(&log, room(1)).await, head);
        assert!(log.verify(None).await.unwrap().iter().all(|report| report.first_bad.is_none()));
        log.close();
    }
}

#[tokio::test]
async fn a_second_writer_is_refused_and_a_reader_is_not() {
    let folder = Folder::new();
    let log = folder.log().unwrap();
    log.append(room(1), 0, vec![created()]).await.unwrap();
    assert!(matches!(folder.log(), Err(LogError::Locked { .. })));
    let reader = Log::open(&folder.path("log.db"), LogOptions::read_only()).unwrap();
    assert_eq!(reader.read(room(1), 0, 9).await.unwrap(), log.read(room(1), 0, 9).await.unwrap());
    assert!(matches!(reader.append(room(1), 1, chats(1)).await, Err(LogError::ReadOnly { .. })));
    log.close();
    folder.log().unwrap();
}

#[tokio::test]
async fn files_that_are_no_log_of_ours_are_left_alone() {
    let folder = Folder::new();
    std::fs::write(folder.path("log.db"), "Dear diary, today we played until four.".repeat(200)).unwrap();
    assert!(matches!(folder.log(), Err(LogError::NotALog { .. })));
    std::fs::remove_file(folder.path("log.db")).unwrap();
    folder.sql("CREATE TABLE recipes (name TEXT)");
    assert!(matches!(folder.log(), Err(LogError::NotALog { .. })));
    let missing = Log::open(&folder.path("no/log.db"), LogOptions::default());
    assert!(matches!(missing, Err(LogError::Io { .. })));
    let missing = Log::open(&folder.path("none.db"), LogOptions::read_only());
    assert!(matches!(missing, Err(LogError::Io { .. })));
}

#[tokio::test]
async fn a_later_schema_is_refused() {
    let folder = Folder::new();
    folder.log().unwrap().close();
    folder.sql("PRAGMA user_version = 99");
    let refused = folder.log().err().unwrap();
    assert!(matches!(refused, LogError::NewerSchema { found: 99, .. }), "{refused}");
    assert_eq!(refused.code(), "newer_schema");
}

#[tokio::test]
async fn a_backup_is_a_log_of_its_own() {
    let folder = Folder::new();
    let log = folder.log().unwrap();
    log.append(room(1), 0, chats(100)).await.unwrap();
    log.backup(&folder.path("copy.db")).await.unwrap();
    log.append(room(1), 100, chats(1)).await.unwrap();
    log.backup(&folder.path("copy.db")).await.unwrap_err();
    let copy = Log::open(&folder.path("copy.db"), LogOptions::default()).unwrap();
    assert_eq!(copy.head(room(1)).unwrap(), 100);
    assert_eq!(copy.read(room(1), 0, 100).await.unwrap(), log.read(room(1), 0, 100).await.unwrap());
    assert!(copy.verify(None).await.unwrap()[0].first_bad.is_none());
    copy.append(room(1), 100, chats(1)).await.unwrap();
}
