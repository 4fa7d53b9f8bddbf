//! The door of a log file that somebody else packed.
//!
//! A target must never be stopped by a hash that whoever makes such a file would have made fit.

use rusqlite::{Connection, params};
use std::io::Cursor;
use std::path::Path;
use std::sync::LazyLock;
use synx_domain::RoomId;
use synx_log::{AuditFilter, Log, LogOptions, Old};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const ROOM: &[u8] = include_bytes!("../corpus/log_import/room");

/// A log whose events are archived, all but the last.
struct Archived {
    folder: TempDir,
    room: RoomId,
    exported: Vec<u8>,
}

/// Any bytes as the archive of a room, with the digest that they have: read, or refused as damaged, and proven only if they are
/// what was archived.
pub fn archive(bytes: &[u8]) {
    static ARCHIVED: LazyLock<Option<Archived>> = LazyLock::new(archived);
    let (Some(runtime), Ok(folder)) = (runtime(), tempfile::tempdir()) else { return };
    let Some(archived) = &*ARCHIVED else { panic!("the seed room cannot be archived") };
    let file = folder.path().join("log.db");
    let Ok(_) = std::fs::copy(log_in(archived.folder.path()), &file) else { return };
    let Ok(()) = put(&file, bytes) else { return };
    let Ok(log) = Log::open(&file, LogOptions::read_only()) else { return };
    runtime.block_on(async {
        drop(log.read(archived.room, 0, 100).await);
        drop(log.audit(AuditFilter::default()).await);
        drop(log.fold(archived.room, Some(2)).await);
        let reports = log.verify(None).await.unwrap_or_default();
        if !reports.is_empty() && reports.iter().all(|report| report.first_bad.is_none()) {
            assert_eq!(
                export(&log, archived.room).await,
                archived.exported,
                "what is proven is not what was archived"
            );
        }
    });
    log.close();
}

fn put(file: &Path, bytes: &[u8]) -> rusqlite::Result<()> {
    let digest = *blake3::hash(bytes).as_bytes();
    let connection = Connection::open(file)?;
    connection.execute("UPDATE segments SET data = ?1, digest = ?2", params![bytes, digest])?;
    Ok(())
}

fn archived() -> Option<Archived> {
    let (folder, runtime) = (tempfile::tempdir().ok()?, runtime()?);
    let log = Log::open(&log_in(folder.path()), LogOptions::default()).ok()?;
    let old = Old { through_seq: u64::MAX, before_ms: i64::MAX, whole_segments: false };
    let made = runtime.block_on(async {
        log.import_jsonl(Cursor::new(ROOM)).await.ok()?;
        let room = log.rooms().ok()?.first()?.room_id;
        log.archive(room, old).await.ok().filter(|moved| *moved > 0)?;
        Some((room, export(&log, room).await))
    });
    log.close();
    made.map(|(room, exported)| Archived { folder, room, exported })
}

async fn export(log: &Log, room: RoomId) -> Vec<u8> {
    let Ok(file) = tempfile::NamedTempFile::new() else { return Vec::new() };
    let Ok(to) = file.reopen() else { return Vec::new() };
    drop(log.export_jsonl(Some(room), to).await);
    std::fs::read(file.path()).unwrap_or_default()
}

fn log_in(folder: &Path) -> std::path::PathBuf {
    folder.join("log.db")
}

fn runtime() -> Option<Runtime> {
    tokio::runtime::Builder::new_current_thread().build().ok()
}
