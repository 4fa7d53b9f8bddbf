//! What SQLite and the file system say, in the log's own terms.

use crate::LogError;
use rusqlite::{Error, ErrorCode, ffi};
use std::io;
use std::path::Path;

/// The typed error for a failure of SQLite while the log did `what`.
pub(super) fn sqlite_error(what: &'static str) -> impl Fn(Error) -> LogError {
    move |error| {
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => LogError::DiskFull { detail },
            _ if has_no_space(&error) => LogError::DiskFull { detail },
            Some(ErrorCode::ReadOnly) => LogError::ReadOnly { detail },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => LogError::Corrupt { detail },
            _ => LogError::Io { what, detail },
        }
    }
}

/// Whether there was no space for the index of the WAL, which SQLite makes before it reads anything.
fn has_no_space(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE)
}

/// The same error, saying which file cannot be written.
pub(super) fn of_file(path: &Path) -> impl Fn(LogError) -> LogError {
    let named = |detail| format!("{}: {detail}", path.display());
    move |error| match error {
        LogError::ReadOnly { detail } => LogError::ReadOnly { detail: named(detail) },
        LogError::DiskFull { detail } => LogError::DiskFull { detail: named(detail) },
        error => error,
    }
}

/// The typed error for a failure of the file system while the log did `what`.
pub(super) fn io_error(what: &'static str) -> impl Fn(io::Error) -> LogError {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            LogError::DiskFull { detail: error.to_string() }
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            LogError::ReadOnly { detail: error.to_string() }
        }
        _ => LogError::Io { what, detail: error.to_string() },
    }
}
