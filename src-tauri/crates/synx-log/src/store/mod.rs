//! Where records are kept. A store is dumb on purpose: places, hashes and heads are given by the one writer, so that every
//! store holds the same thing.

mod memory;
#[cfg(any(test, feature = "testing"))]
mod shared;
mod sqlite;

pub use memory::MemoryStore;
#[cfg(any(test, feature = "testing"))]
pub use shared::SharedStore;
pub(crate) use sqlite::replace_log;
pub use sqlite::{Access, SqliteStore};

use crate::{AuditFilter, Checkpoint, LogError, Record, RoomHead, StoredSnapshot};
use std::path::Path;
use synx_domain::{EventId, RoomId};

/// Where the whole log ends.
#[derive(Debug, Clone, Default)]
pub struct StoreHead {
    /// Where each room's log ends, by the events themselves.
    pub rooms: Vec<RoomHead>,
    /// Where each room's log ends, by what was recorded beside the events: where this differs, events are missing or
    /// were changed.
    pub recorded: Vec<RoomHead>,
    /// The last place in the whole log.
    pub log_seq: u64,
    /// The greatest event id there is: a greater one is certainly new.
    pub greatest_event_id: Option<EventId>,
    /// How many segments of old events there are.
    pub segments: u64,
    /// The rooms whose first events were dropped, and the last of these.
    pub dropped: Vec<(RoomId, u64)>,
}

/// Which of a room's events are old: all before the first of them that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Old {
    /// None after this one.
    pub through_seq: u64,
    /// None that occurred at or after this, milliseconds since 1970 UTC by the host's wall clock.
    pub before_ms: i64,
    /// Only as many as make a whole segment: small ones pack badly.
    pub whole_segments: bool,
}

/// A segment of a room's old events as a scan of the archive finds it.
pub struct Archived {
    /// The room.
    pub room_id: RoomId,
    /// Its last event.
    pub last: u64,
    /// What is in it; [`LogError::Corrupt`] when that is not what was written.
    pub records: Result<Vec<Record>, LogError>,
}

/// A row as a scan of the whole log finds it.
pub enum Scanned {
    /// It can be read.
    Row(Record),
    /// It cannot: a column is missing, has another type or impossible contents.
    Unreadable {
        /// Its place in the whole log.
        log_seq: u64,
    },
}

impl Scanned {
    /// The row's place in the whole log.
    pub fn log_seq(&self) -> u64 {
        match self {
            Self::Row(record) => record.log_seq,
            Self::Unreadable { log_seq } => *log_seq,
        }
    }
}

/// Where a store tells what others have appended: those of each room in their order, and none left out. It is short and never
/// blocks.
pub type News = Box<dyn Fn(Vec<Record>) + Send + Sync>;

/// Keeps records. Calls may block; one thread writes, any number read meanwhile.
///
/// Every implementation passes the suite in `testing`.
pub trait EventStore: Send + Sync + 'static {
    /// Where everything ends, all of it at one moment.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn head(&self) -> Result<StoreHead, LogError>;

    /// Whether an event with this id is stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn contains(&self, event_id: EventId) -> Result<bool, LogError>;

    /// Tells the log that asked last, from now on, what others have appended, once it can be read here. Where nobody else can
    /// append, as in a file of this process, there is nothing to tell.
    fn follow(&self, _tell: News) {}

    /// Whether it could commit now, as far as it knows without trying.
    ///
    /// # Errors
    /// Why not.
    fn ready(&self) -> Result<(), LogError> {
        Ok(())
    }

    /// Whether others append to this store too, so that what can be read here may be behind.
    fn is_shared(&self) -> bool {
        false
    }

    /// Returns once everything can be read here that anybody was told is stored in this room before this call.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn reach_end(&self, _room: RoomId) -> Result<(), LogError> {
        Ok(())
    }

    /// Events that one commit takes at most: a larger one would make all others wait. One append that is larger is a commit of
    /// its own.
    fn commit_events(&self) -> usize {
        4096
    }

    /// Bytes of payload that one commit takes at most, in the same sense.
    fn commit_bytes(&self) -> usize {
        usize::MAX
    }

    /// Stores all records or none, and returns when they would survive a loss of power. Refuses a place in a room
    /// or an event id that is taken. Where others append too, a record's place in the whole log becomes another one.
    ///
    /// # Errors
    /// When nothing was stored. Where the store is another machine that cannot be asked any more, also when that is unknown.
    fn commit(&self, records: &[Record]) -> Result<(), LogError>;

    /// The room's records after `after_seq` in order: at most `limit`, and no more once they hold `max_bytes` of payload.
    /// Empty only at the end.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn read(
        &self,
        room: RoomId,
        after_seq: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Record>, LogError>;

    /// All rooms' rows after a place in the whole log, straight from where they lie, with no index in between; without what
    /// is archived. Empty only at the end.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan(&self, after_log_seq: u64, limit: usize) -> Result<Vec<Scanned>, LogError>;

    /// Moves the first of a room's old events to its archive, as many as fit into one segment; how many. Wherever it is cut
    /// short, each event is in one of the two places, and all reads go on finding it. Where there is no archive it is none.
    ///
    /// # Errors
    /// When nothing was moved. [`LogError::Corrupt`] when an event is not what was written: it stays where it is.
    fn archive(&self, _room: RoomId, _old: Old) -> Result<u64, LogError> {
        Ok(0)
    }

    /// The first segment of the archive behind this event of this room, ordered by room and place.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan_archive(&self, _room: RoomId, _after_seq: u64) -> Result<Option<Archived>, LogError> {
        Ok(None)
    }

    /// Where a room's log begins whose first events were dropped.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn checkpoint(&self, _room: RoomId) -> Result<Option<Checkpoint>, LogError> {
        Ok(None)
    }

    /// Drops a room's archive up to a checkpoint, which stands for it from then on. Wherever that is cut short, there is
    /// either all of it or the checkpoint.
    ///
    /// # Errors
    /// When nothing was dropped: where a checkpoint is not the end of an archived segment, or there is no archive.
    fn drop_archive(&self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let StoredSnapshot { room_id: room, seq, .. } = checkpoint.state;
        Err(LogError::NotArchived { room, seq })
    }

    /// The records that pass the filter, in log order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn audit(&self, filter: &AuditFilter) -> Result<Vec<Record>, LogError>;

    /// The room's last event of this name, looked up and not read through to.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn latest(&self, room: RoomId, name: &str) -> Result<Option<Record>, LogError>;

    /// Keeps a snapshot, and the latest `keep` of the room's at most. It need not survive a loss of power.
    ///
    /// # Errors
    /// When it could not be stored.
    fn save_snapshot(&self, snapshot: &StoredSnapshot, keep: usize) -> Result<(), LogError>;

    /// The room's latest snapshot at or before a place.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn snapshot(&self, room: RoomId, at_or_before: u64) -> Result<Option<StoredSnapshot>, LogError>;

    /// Checks what lies under the rows: pages, indexes.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] says what is damaged.
    fn check(&self) -> Result<(), LogError>;

    /// Writes a consistent copy to a new file while others go on.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    fn backup(&self, to: &Path) -> Result<(), LogError>;

    /// Lets go of files and locks. Later calls fail with [`LogError::Closed`].
    fn close(&self);
}
