//! What SQLite and the file system say, in the log's own terms.

use crate::LogError;
use rusqlite::{Error, ErrorCode};
use std::io;

/// The typed error for a failure of SQLite while the log did `what`.
pub(super) fn sqlite_error(what: &'static str) -> impl Fn(Error) -> LogError {
    move |error| {
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => LogError::DiskFull,
            Some(ErrorCode::ReadOnly) => LogError::ReadOnly { detail },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => LogError::Corrupt { detail },
            _ => LogError::Io { what, detail },
        }
    }
}

/// The typed error for a failure of the file system while the log did `what`.
pub(super) fn io_error(what: &'static str) -> impl Fn(io::Error) -> LogError {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LogError::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            LogError::ReadOnly { detail: error.to_string() }
        }
        _ => LogError::Io { what, detail: error.to_string() },
    }
}
