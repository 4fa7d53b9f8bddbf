//! What it means that a disk refuses: a stable code, and what to do about it.

use std::io::{Error, ErrorKind};

/// The code of a file that cannot be used.
pub fn file_code(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "disk_full",
        ErrorKind::ReadOnlyFilesystem => "read_only",
        _ => "file",
    }
}

/// What to do, to be put behind what the system said; nothing where that says it.
pub fn what_to_do(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull => "; free some space and try again",
        ErrorKind::QuotaExceeded => "; free some space, or have your quota raised, and try again",
        ErrorKind::ReadOnlyFilesystem => "; free the disk from write protection and try again",
        ErrorKind::PermissionDenied => "; check who may use it",
        _ => "",
    }
}
