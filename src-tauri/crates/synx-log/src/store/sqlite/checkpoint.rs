//! Moves pages from the WAL to the file, off the commit path.
//!
//! A passive checkpoint runs beside commits, so under steady load it never quite reaches the WAL's end and the WAL would
//! grow for ever. Once it is large, the writer itself finishes what little is left, between two commits; the next commit
//! then starts the WAL from its beginning.
//!
//! A process that died has left its WAL, which must be read when the log is opened. It is moved at once, or one that dies young
//! again and again would open more slowly each time.

use super::failure::io_error;
use super::{connect, guard};
use crate::LogError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Pages of 4 KiB in the WAL from which the writer has to finish a checkpoint: 64 MiB, and 1 MiB in tests.
const WAL_LIMIT_PAGES: i64 = if cfg!(test) { 256 } else { 16_384 };
/// Pages in a WAL that somebody left from which it is worth a pause of the writer to be rid of it: 4 MiB.
const LEFT_BEHIND_PAGES: i64 = WAL_LIMIT_PAGES / 16;
/// To this length the file of the WAL is cut when it starts anew.
pub(super) const WAL_LIMIT_BYTES: i64 = WAL_LIMIT_PAGES * 4096;
/// Commits gather for so long before their pages are moved: one write per page instead of one per commit.
pub(super) const REST: Duration = Duration::from_millis(500);

/// Runs checkpoints on a thread and connection of its own. Ends when dropped.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    wanted: Mutex<Wanted>,
    changed: Condvar,
    /// The writer shall finish the checkpoint.
    finish: AtomicBool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    #[default]
    Nothing,
    Checkpoint,
    End,
}

impl Checkpointer {
    pub(super) fn start(path: &Path) -> Result<Self, LogError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let shared = Arc::new(Shared::default());
        let run = {
            let shared = Arc::clone(&shared);
            move || shared.run(&connection)
        };
        let thread = std::thread::Builder::new()
            .name("log-checkpoint".to_owned())
            .spawn(run)
            .map_err(io_error("start its checkpoint thread"))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// To be called after each commit.
    pub(super) fn committed(&self) {
        self.shared.want(Wanted::Checkpoint);
    }

    /// To be called by the writer before each commit.
    pub(super) fn finish_if_due(&self, writer: &Connection) {
        if self.shared.finish.swap(false, Ordering::Relaxed) {
            checkpoint(writer);
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.want(Wanted::End);
        if let Some(thread) = self.thread.take() {
            // A checkpointer that panicked has nothing left to end.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn want(&self, wanted: Wanted) {
        let mut current = guard(&self.wanted);
        if *current != wanted {
            *current = wanted;
            self.changed.notify_one();
        }
    }

    fn run(&self, connection: &Connection) {
        self.move_pages(connection, LEFT_BEHIND_PAGES);
        while self.wait() {
            self.move_pages(connection, WAL_LIMIT_PAGES);
        }
    }

    fn move_pages(&self, connection: &Connection, limit: i64) {
        let pages = checkpoint(connection);
        self.finish.store(pages >= limit, Ordering::Relaxed);
    }

    /// Waits until there is something to move; false at the end.
    fn wait(&self) -> bool {
        let wanted = guard(&self.wanted);
        let wanted = self.changed.wait_while(wanted, |wanted| *wanted == Wanted::Nothing);
        let wanted = wanted.unwrap_or_else(PoisonError::into_inner);
        let rested = self.changed.wait_timeout_while(wanted, REST, |wanted| *wanted != Wanted::End);
        let (mut wanted, _) = rested.unwrap_or_else(PoisonError::into_inner);
        if *wanted == Wanted::End {
            return false;
        }
        *wanted = Wanted::Nothing;
        true
    }
}

/// Moves what can be moved without waiting for anybody; the number of pages in the WAL.
fn checkpoint(connection: &Connection) -> i64 {
    match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1)) {
        Ok(pages) => pages,
        // Nothing is lost: the events are in the WAL, and the next checkpoint tries again.
        Err(error) => {
            tracing::warn!(%error, "a checkpoint of the log failed");
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{chat, room};
    use crate::{Log, LogOptions};
    use std::time::Instant;

    #[tokio::test]
    async fn what_a_dead_process_left_in_the_wal_is_moved_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (log, left) = (folder.path().join("log.db"), folder.path().join("left.db"));
        let living = Log::open(&log, LogOptions::default()).unwrap();
        for head in 0..4 {
            living.append(room(1), head, vec![chat(&"x".repeat(300_000))]).await.unwrap();
        }
        // What a death leaves: the WAL first, so that the file has at least what it lacks.
        for suffix in ["-wal", ""] {
            std::fs::copy(
                folder.path().join(format!("log.db{suffix}")),
                folder.path().join(format!("left.db{suffix}")),
            )
            .unwrap();
        }
        let checkpointer = Checkpointer::start(&left).unwrap();
        let begun = Instant::now();
        while !checkpointer.shared.finish.load(Ordering::Relaxed) {
            assert!(begun.elapsed() < Duration::from_secs(60), "nobody is told to start the WAL anew");
            std::thread::yield_now();
        }
        let moved: i64 = connect(&left, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .unwrap()
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?)
            })
            .unwrap();
        assert_eq!(moved, 0, "all of it is in the file");
    }
}
