//! How a log is opened that is only looked at, also where nothing can be made beside it, as a medium is read-only or full.

use super::files::{beside, keep_writers_out};
use super::{Access, SqliteStore, connect, schema};
use crate::LogError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Mutex;

impl SqliteStore {
    pub(super) fn open_readable(path: &Path) -> Result<Self, LogError> {
        let open = |immutable, alone| {
            let mut store = Self {
                path: path.to_owned(),
                access: Access::ReadOnly,
                immutable,
                _alone: alone,
                has_archive: false,
                writer: Mutex::new(None),
                readers: Mutex::new(Some(Vec::new())),
            };
            store.has_archive = store.with_reader(|connection| schema::inspect(connection, path))?;
            Ok(store)
        };
        match open(false, None) {
            // Where the index of the WAL cannot be made, as the medium is read-only or full, nobody writes who has not begun
            // before.
            Err(error @ (LogError::ReadOnly { .. } | LogError::Io { .. } | LogError::DiskFull { .. }))
                if is_file(path) =>
            {
                let alone = keep_writers_out(path)?;
                if has_content(&beside(path, "-wal")) {
                    return Err(needs_its_wal(path, error));
                }
                // The file alone is the log.
                open(true, alone)
            }
            opened => opened,
        }
    }

    pub(super) fn new_reader(&self) -> Result<Connection, LogError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        if !self.immutable {
            return connect(&self.path, flags);
        }
        let uri = format!("file:{}?immutable=1", percent_encoded(&self.path));
        connect(Path::new(&uri), flags | OpenFlags::SQLITE_OPEN_URI)
    }
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

fn has_content(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

/// Why a log cannot be read whose last events are still in its WAL.
fn needs_its_wal(path: &Path, error: LogError) -> LogError {
    match error {
        LogError::DiskFull { .. } => error,
        _ => LogError::ReadOnly {
            detail: format!(
                "the last events of {} are in a file beside it, which is read only where another can be made: copy both to \
                 a folder that can be written",
                path.display()
            ),
        },
    }
}

/// A path as SQLite's URIs take it.
fn percent_encoded(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
