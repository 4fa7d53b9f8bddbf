//! A log moves: backed up while it is written, restored, exported, imported. Whatever is broken on the way is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::{any, prop_assert, prop_assert_eq};
use proptest::test_runner::{Config, TestRunner};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use synx_log::testing::{Written, chat, chats, created, room};
use synx_log::{Log, LogError, LogOptions};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A log of two rooms under this name, closed.
    async fn two_rooms(&self, name: &str) -> PathBuf {
        let log = open(&self.path(name)).unwrap();
        log.append(room(1), 0, vec![created()]).await.unwrap();
        log.append(room(2), 0, chats(40)).await.unwrap();
        log.append(room(1), 1, chats(30)).await.unwrap();
        log.close();
        self.path(name)
    }
}

fn open(path: &Path) -> Result<Log, LogError> {
    Log::open(path, LogOptions::default())
}

async fn heads(path: &Path) -> Vec<synx_log::RoomHead> {
    let log = open(path).unwrap();
    let heads = log.rooms().unwrap();
    assert!(log.verify(None).await.unwrap().iter().all(|report| report.first_bad.is_none()));
    log.close();
    heads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_made_while_the_log_is_written_is_one_moment_of_it() {
    let folder = Folder::new();
    let log = open(&folder.path("log.db")).unwrap();
    let writing = {
        let log = log.clone();
        tokio::spawn(async move {
            for head in 0..400 {
                // Two rooms that go forward together: a copy of one moment has the first at most one event ahead.
                log.append(room(1), head, chats(1)).await.unwrap();
                log.append(room(2), head, chats(1)).await.unwrap();
            }
        })
    };
    for number in 0..3 {
        log.backup(&folder.path(&format!("copy{number}.db"))).await.unwrap();
    }
    writing.await.unwrap();
    for number in 0..3 {
        let heads = heads(&folder.path(&format!("copy{number}.db"))).await;
        let seq = |wanted| heads.iter().find(|head| head.room_id == room(wanted)).map_or(0, |head| head.seq);
        assert!(seq(1) - seq(2) <= 1, "{heads:?}");
    }
}

#[tokio::test]
async fn a_restored_log_is_the_one_that_was_backed_up_and_the_other_is_kept() {
    let folder = Folder::new();
    let source = folder.two_rooms("source.db").await;
    let to = folder.path("log.db");
    let (reports, before) = Log::restore(&source, &to).await.unwrap();
    assert_eq!((reports.len(), before), (2, None));
    assert_eq!(heads(&to).await, heads(&source).await);

    let log = open(&to).unwrap();
    log.append(room(3), 0, chats(5)).await.unwrap();
    assert!(matches!(Log::restore(&source, &to).await, Err(LogError::Locked { .. })), "somebody has it");
    log.close();
    let with_room_3 = heads(&to).await;
    let (_, before) = Log::restore(&source, &to).await.unwrap();
    assert_eq!(heads(&to).await, heads(&source).await);
    assert_eq!(heads(&before.expect("it is kept")).await, with_room_3);
}

#[tokio::test]
async fn what_is_no_sound_backup_replaces_nothing() {
    let folder = Folder::new();
    let to = folder.two_rooms("log.db").await;
    let before = heads(&to).await;
    let backup = folder.two_rooms("backup.db").await;
    let sound = std::fs::read(&backup).unwrap();
    let refused = async |what: &str, bytes: &[u8]| {
        std::fs::write(&backup, bytes).unwrap();
        assert!(Log::restore(&backup, &to).await.is_err(), "{what}");
        assert_eq!(heads(&to).await, before, "{what}");
    };
    refused("an empty file", b"").await;
    refused("another file", "Dear diary, ".repeat(900).as_bytes()).await;
    refused("half a file", &sound[..sound.len() / 2]).await;
    // Wherever it stands: pages that were split keep a dead copy.
    let places: Vec<usize> =
        (0..sound.len()).filter(|at| sound[*at..].starts_with(br#"{"text":"17"}"#)).collect();
    let mut altered = sound.clone();
    places.iter().for_each(|at| altered[at + 9] = b'9');
    refused("an altered word", &altered).await;
    std::fs::remove_file(&backup).unwrap();
    assert!(Log::restore(&backup, &to).await.is_err(), "no file");
    assert!(!backup.exists());
}

async fn exported(path: &Path) -> Vec<u8> {
    let (log, written) = (open(path).unwrap(), Written::default());
    log.export_jsonl(None, written.clone()).await.unwrap();
    log.close();
    written.0.lock().unwrap().clone()
}

#[tokio::test]
async fn an_import_of_large_events_is_cut_into_what_an_append_takes() {
    let folder = Folder::new();
    let source = open(&folder.path("source.db")).unwrap();
    // The largest follows many that fill half an append.
    let said = |length: usize| chat(&"x".repeat(length));
    let lengths = [300, 150, 30, 950, 10, 500, 480, 900, 900, 1];
    source.append(room(1), 0, lengths.map(said).to_vec()).await.unwrap();
    source.close();
    let lines = exported(&folder.path("source.db")).await;
    let narrow = LogOptions { append_bytes: 1000, ..LogOptions::default() };
    let log = Log::open(&folder.path("narrow.db"), narrow).unwrap();
    assert_eq!(log.import_jsonl(Cursor::new(lines.clone())).await, Ok(10));
    assert_eq!(log.rooms().unwrap(), heads(&folder.path("source.db")).await);
    let few = LogOptions { append_events: 3, ..LogOptions::default() };
    let log = Log::open(&folder.path("few.db"), few).unwrap();
    assert_eq!(log.import_jsonl(Cursor::new(lines.clone())).await, Ok(10));
    let tiny = LogOptions { append_bytes: 800, ..LogOptions::default() };
    let log = Log::open(&folder.path("tiny.db"), tiny).unwrap();
    let refused = log.import_jsonl(Cursor::new(lines)).await;
    assert!(matches!(refused, Err(LogError::TooLarge { size: 961, .. })), "{refused:?}");
}

/// Whatever becomes of an export on its way: what is taken in is the beginning of the history, or nothing.
#[test]
fn a_broken_export_brings_in_no_event_that_was_not() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = Folder::new();
    let (source, lines) = runtime.block_on(async {
        let path = folder.two_rooms("source.db").await;
        let lines = exported(&path).await;
        (open(&path).unwrap(), lines)
    });
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let damage = (any::<proptest::sample::Index>(), any::<u8>(), 0..4_u8);
    let check = |(place, byte, kind): (proptest::sample::Index, u8, u8)| {
        let (mut text, at) = (lines.clone(), place.index(lines.len()));
        match kind {
            0 => text[at] = byte,
            1 => text.insert(at, byte),
            2 => text.truncate(at),
            _ => drop(text.drain(at..(at + usize::from(byte)).min(lines.len()))),
        }
        let log = Log::in_memory();
        runtime.block_on(async {
            let imported = log.import_jsonl(Cursor::new(text)).await;
            for head in log.rooms().unwrap() {
                let here = log.read(head.room_id, 0, 100).await.unwrap();
                let there = source.read(head.room_id, 0, here.len()).await.unwrap();
                prop_assert_eq!(here, there);
            }
            if let Err(error) = imported {
                prop_assert!(!error.to_string().is_empty());
            }
            Ok(())
        })
    };
    runner.run(&damage, check).unwrap();
}
