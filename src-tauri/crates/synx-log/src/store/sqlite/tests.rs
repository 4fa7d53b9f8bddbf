//! What can only be provoked from within.

use super::{Access, SqliteStore};
use crate::testing::{chat, chats, room};
use crate::{Log, LogError, LogOptions};
use std::sync::Arc;

#[tokio::test]
async fn a_full_disk_refuses_and_the_log_goes_on_once_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("log.db"), Access::ReadWrite).unwrap());
    // SQLite's own limit on the file's length fails as a full disk does.
    let limit_pages = |pages: i64| {
        store.with_writer(|writer| {
            writer.connection.pragma_update(None, "max_page_count", pages).unwrap();
            Ok(())
        })
    };
    let log = Log::over(Arc::<SqliteStore>::clone(&store), LogOptions::default()).unwrap();
    limit_pages(200).unwrap();
    let (long, mut head) = ("x".repeat(100_000), 0);
    let refused = loop {
        match log.append(room(1), head, vec![chat(&long)]).await {
            Ok(_) => head += 1,
            Err(error) => break error,
        }
    };
    let LogError::DiskFull { detail } = refused else { panic!("{refused}") };
    assert!(detail.contains("log.db"), "{detail}");
    assert!(head > 0);
    assert_eq!(log.head(room(1)).unwrap(), head);
    assert_eq!(log.read(room(1), 0, 100).await.unwrap().len() as u64, head);
    log.append(room(1), head, chats(1)).await.expect("a small event still fits");
    limit_pages(1_000_000).unwrap();
    log.append(room(1), head + 1, vec![chat(&long)]).await.unwrap();
    assert!(log.verify(None).await.unwrap().iter().all(|report| report.first_bad.is_none()));
}

#[tokio::test]
async fn the_wal_starts_anew_once_it_is_large() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(&folder.path().join("log.db"), LogOptions::default()).unwrap();
    let wal_bytes = || std::fs::metadata(folder.path().join("log.db-wal")).unwrap().len();
    let long = "x".repeat(100_000);
    let started = std::time::Instant::now();
    for head in 0.. {
        log.append(room(1), head, vec![chat(&long)]).await.unwrap();
        let written = (head + 1) * long.len() as u64;
        if head > 30 && wal_bytes() < written / 2 {
            break;
        }
        // A checkpoint may also reach the end by chance; a WAL that only ever grows is what must not be.
        let late = started.elapsed() > super::checkpoint::REST * 20;
        assert!(!late, "the WAL has {} bytes after {written}", wal_bytes());
    }
}
