//! What it means that a disk refuses: a stable code, and what to do about it.

use crate::Unavailable;
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

/// What others are told when this machine cannot keep what they sent: not where it keeps things. None when it was not the
/// disk that refused.
pub(crate) fn cannot_keep(error: &Error) -> Option<Unavailable> {
    error.raw_os_error()?;
    let (code, message) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ("host_disk_full", "the host's disk is full: share it again once there is space")
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            ("host_read_only", "the host cannot write to its disk: share it again once it can")
        }
        _ => ("host_disk", "the host has a problem with its disk: share it again later"),
    };
    Some(Unavailable { code: code.to_owned(), message: message.to_owned() })
}
