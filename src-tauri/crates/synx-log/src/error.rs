//! What can go wrong with a log, in terms that its users can act on.

use std::path::PathBuf;
use synx_domain::{EventId, RoomId};

/// Why the log did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Somebody else appended first; nothing was written.
    #[error("room {room} is at event {actual}, not at {expected}: read the new events and decide again")]
    Conflict {
        /// The room.
        room: RoomId,
        /// The head the appender believed in.
        expected: u64,
        /// The head there is.
        actual: u64,
    },
    /// An event with this id is in the log; nothing was written.
    #[error("event {event_id} is in the log already: give every event an id of its own")]
    DuplicateEvent {
        /// The id.
        event_id: EventId,
    },
    /// The input queue is full; nothing was written.
    #[error("the log is overloaded: try again in a moment")]
    Overloaded,
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// The log was opened for reading, or the medium allows nothing else.
    #[error(
        "the log cannot be written: {detail}; free the medium from write protection or check permissions"
    )]
    ReadOnly {
        /// What the system said.
        detail: String,
    },
    /// No room on the medium; nothing was written, and what is there stays readable.
    #[error("the disk that holds the log is full: {detail}; free some space and try again")]
    DiskFull {
        /// What the system said.
        detail: String,
    },
    /// The medium failed. After a crash, events of a failed append may turn out to be there.
    #[error("the log could not {what}: {detail}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        detail: String,
    },
    /// The file is damaged.
    #[error("the log is damaged: {detail}; restore a backup, or export what can be read")]
    Corrupt {
        /// Where and how.
        detail: String,
    },
    /// Another process has the log.
    #[error("{} is in use by another running instance: close that one first", path.display())]
    Locked {
        /// The log's file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not an event log of this program", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the program made the file.
    #[error("the log has schema {found}, this program knows up to {supported}: update the program")]
    NewerSchema {
        /// The file's schema.
        found: i64,
        /// The newest schema this program knows.
        supported: i64,
    },
    /// A stored event has a name that this program does not know.
    #[error(
        "event {seq} of room {room} is named {name:?}, which this program does not know: update the program"
    )]
    UnknownEvent {
        /// The room.
        room: RoomId,
        /// Its place in the room's log.
        seq: u64,
        /// Its name.
        name: String,
    },
    /// A stored event has a version that this program can neither read nor upcast.
    #[error(
        "event {seq} of room {room} is {name} of version {version}, this program reads {supported}: update the program"
    )]
    UnknownVersion {
        /// The room.
        room: RoomId,
        /// Its place in the room's log.
        seq: u64,
        /// Its name.
        name: String,
        /// Its version.
        version: u32,
        /// The version this program reads.
        supported: u32,
    },
    /// A stored event's payload is not what its name promises.
    #[error("event {seq} of room {room} ({name}) cannot be read: {detail}")]
    UndecodableEvent {
        /// The room.
        room: RoomId,
        /// Its place in the room's log.
        seq: u64,
        /// Its name.
        name: String,
        /// Why.
        detail: String,
    },
    /// An event would not read back as it is (a number that JSON cannot hold); nothing was written.
    #[error("an event {name} cannot be stored: {detail}")]
    NotStorable {
        /// Its name.
        name: &'static str,
        /// Why.
        detail: String,
    },
    /// An append is larger than the log takes at once; nothing was written.
    #[error("an append of {size} {unit} is more than the {limit} that are taken at once: split it")]
    TooLarge {
        /// How much it is.
        size: usize,
        /// The limit.
        limit: usize,
        /// Of what: `events` or `bytes`.
        unit: &'static str,
    },
    /// Something was asked of a place that the log has not reached.
    #[error("room {room} is at event {head}, there is no event {wanted} yet")]
    BeyondHead {
        /// The room.
        room: RoomId,
        /// The place asked for.
        wanted: u64,
        /// The head there is.
        head: u64,
    },
    /// Something was asked of a place before the first event that is still kept.
    #[error("the events of room {room} up to {through} were dropped: there is only what came after them")]
    HistoryDropped {
        /// The room.
        room: RoomId,
        /// The last of them.
        through: u64,
    },
    /// Events are to be dropped that are no whole segments of the archive; nothing was dropped.
    #[error("the events of room {room} up to {seq} are not in the archive: move them there first")]
    NotArchived {
        /// The room.
        room: RoomId,
        /// The last of them.
        seq: u64,
    },
    /// A snapshot that names another room, or cannot be written down.
    #[error("the snapshot of room {room} cannot be used: {detail}")]
    BadSnapshot {
        /// The room.
        room: RoomId,
        /// Why.
        detail: String,
    },
    /// Events that come from elsewhere continue another history than the one that is here; nothing was written.
    #[error(
        "event {seq} of room {room} does not follow from the history that is here: it is from another copy of the room"
    )]
    ForeignHistory {
        /// The room.
        room: RoomId,
        /// The event's place.
        seq: u64,
    },
    /// An exported log that cannot be taken in.
    #[error("line {line} of the export cannot be taken in: {detail}")]
    BadImport {
        /// Counted from 1.
        line: u64,
        /// Why.
        detail: String,
    },
}

impl LogError {
    /// Stable code for programs and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "conflict",
            Self::DuplicateEvent { .. } => "duplicate_event",
            Self::Overloaded => "overloaded",
            Self::Closed => "log_closed",
            Self::ReadOnly { .. } => "log_read_only",
            Self::DiskFull { .. } => "disk_full",
            Self::Io { .. } => "log_io",
            Self::Corrupt { .. } => "log_corrupt",
            Self::Locked { .. } => "log_locked",
            Self::NotALog { .. } => "not_a_log",
            Self::NewerSchema { .. } => "newer_schema",
            Self::UnknownEvent { .. } => "unknown_event",
            Self::UnknownVersion { .. } => "unknown_event_version",
            Self::UndecodableEvent { .. } => "undecodable_event",
            Self::NotStorable { .. } => "event_not_storable",
            Self::TooLarge { .. } => "append_too_large",
            Self::BeyondHead { .. } => "beyond_head",
            Self::HistoryDropped { .. } => "history_dropped",
            Self::NotArchived { .. } => "not_archived",
            Self::BadSnapshot { .. } => "bad_snapshot",
            Self::ForeignHistory { .. } => "foreign_history",
            Self::BadImport { .. } => "bad_import",
        }
    }
}
