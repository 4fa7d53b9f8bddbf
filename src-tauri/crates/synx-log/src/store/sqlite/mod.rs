//! The store on disk: one SQLite file in WAL mode.
//!
//! Three kinds of connections: the writer's, a pool of readers that never wait for it, and one that checkpoints, so that no
//! commit pays for moving pages from the WAL to the file. Old events lie in segments beside the table of recent ones, and reads
//! look there for what the table does not have. Must never answer a commit before it is synced, but in a copy.

mod archive;
mod audit;
mod checkpoint;
mod copy;
mod failure;
mod files;
mod looking;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

use super::{Archived, EventStore, Old, Scanned, StoreHead};
use crate::{AuditFilter, Checkpoint, LogError, Record, StoredSnapshot};
use checkpoint::Checkpointer;
use failure::{io_error, of_file, sqlite_error};
pub(crate) use files::replace_log;
use files::{beside, lock, sync_folder_of};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use synx_domain::{EventId, RoomId};

/// What a log's file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Appending; no other process may have it open for appending.
    ReadWrite,
    /// Appending what is durable elsewhere: no commit waits for the disk. A loss of power may take the latest commits,
    /// never a part of one.
    Copy,
    /// Looking only; also beside a process that appends, and on a medium that cannot be written.
    ReadOnly,
}

/// Connections that are kept open for readers. More may be open for a moment.
const IDLE_READERS: usize = 4;

/// Keeps records in an SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    access: Access,
    /// Whether nobody can be writing: then the file is read with no shared memory beside it.
    immutable: bool,
    /// Keeps others from writing to a file that is read so, if somebody could.
    _alone: Option<File>,
    /// False for a file of an older schema that is only looked at: it has neither archive nor checkpoints.
    has_archive: bool,
    writer: Mutex<Option<Writer>>,
    /// None once the store is closed.
    readers: Mutex<Option<Vec<Connection>>>,
}

/// What only the one who appends needs. The lock goes last: fields are dropped in order.
struct Writer {
    connection: Connection,
    checkpointer: Checkpointer,
    _lock: File,
}

impl SqliteStore {
    /// Opens the log in this file; [`Access::ReadWrite`] makes it when it is missing, and brings an older schema up to date.
    ///
    /// # Errors
    /// When the file is in use, damaged, of a later schema, something else than a log, or out of reach.
    pub fn open(path: &Path, access: Access) -> Result<Self, LogError> {
        match access {
            Access::ReadWrite | Access::Copy => Self::open_writable(path, access),
            Access::ReadOnly => Self::open_readable(path),
        }
    }

    fn open_writable(path: &Path, access: Access) -> Result<Self, LogError> {
        let lock = lock(path)?;
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::prepare(&connection, path)?;
        if access == Access::Copy {
            connection
                .pragma_update(None, "synchronous", "NORMAL")
                .map_err(sqlite_error("prepare its file"))?;
        }
        let checkpointer = Checkpointer::start(path)?;
        let writer = Writer { connection, checkpointer, _lock: lock };
        Ok(Self {
            path: path.to_owned(),
            access,
            immutable: false,
            _alone: None,
            has_archive: true,
            writer: Mutex::new(Some(writer)),
            readers: Mutex::new(Some(Vec::new())),
        })
    }

    fn with_reader<T>(&self, look: impl FnOnce(&Connection) -> Result<T, LogError>) -> Result<T, LogError> {
        let idle = guard(&self.readers).as_mut().ok_or(LogError::Closed)?.pop();
        let connection = idle.map_or_else(|| self.new_reader(), Ok)?;
        let found = look(&connection)?;
        // A connection that failed is not used again: it is dropped by the line above.
        if let Some(idle) = guard(&self.readers).as_mut().filter(|idle| idle.len() < IDLE_READERS) {
            idle.push(connection);
        }
        Ok(found)
    }

    fn with_writer<T>(&self, write: impl FnOnce(&mut Writer) -> Result<T, LogError>) -> Result<T, LogError> {
        match guard(&self.writer).as_mut() {
            Some(writer) => write(writer).map_err(of_file(&self.path)),
            None if self.access == Access::ReadOnly => {
                Err(LogError::ReadOnly { detail: "it was opened for reading only".to_owned() })
            }
            None => Err(LogError::Closed),
        }
    }

    fn with_archive<T: Default>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        if self.has_archive { self.with_reader(look) } else { Ok(T::default()) }
    }
}

impl Writer {
    /// Writes records, and what belongs with them, whole or not at all.
    fn commit(
        &mut self,
        records: &[Record],
        with_them: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), LogError> {
        let failed = sqlite_error("write events");
        self.checkpointer.finish_if_due(&self.connection);
        let transaction = self.connection.transaction().map_err(&failed)?;
        let mut heads = HashMap::new();
        {
            let mut insert = transaction.prepare_cached(rows::INSERT).map_err(&failed)?;
            for record in records {
                rows::insert(&mut insert, record).map_err(&failed)?;
                heads.insert(record.room_id, record);
            }
            let mut move_head = transaction.prepare_cached(rows::MOVE_HEAD).map_err(&failed)?;
            for head in heads.values() {
                rows::move_head(&mut move_head, head).map_err(&failed)?;
            }
        }
        with_them(&transaction).map_err(&failed)?;
        transaction.commit().map_err(failed)?;
        self.checkpointer.committed();
        Ok(())
    }
}

impl EventStore for SqliteStore {
    fn head(&self) -> Result<StoreHead, LogError> {
        self.with_reader(|connection| {
            let failed = sqlite_error("read where it ends");
            let moment = connection.unchecked_transaction().map_err(&failed)?;
            let rooms = rows::heads(&moment, rows::LAST_EVENTS).map_err(&failed)?;
            let recorded = rows::heads(&moment, rows::HEADS).map_err(&failed)?;
            let (log_seq, mut greatest_event_id) =
                moment.query_row(rows::ENDS, [], rows::ends).map_err(&failed)?;
            let (mut segments, mut dropped) = (0, Vec::new());
            if self.has_archive {
                let (greatest, count) = archive::extent(&moment).map_err(&failed)?;
                greatest_event_id = greatest_event_id.max(greatest.map(EventId::from_bytes));
                (segments, dropped) = (count, archive::dropped(&moment).map_err(&failed)?);
            }
            Ok(StoreHead { rooms, recorded, log_seq, greatest_event_id, segments, dropped })
        })
    }

    fn contains(&self, event_id: EventId) -> Result<bool, LogError> {
        let id = event_id.as_bytes();
        let recent = self.with_reader(|connection| {
            let mut statement =
                connection.prepare_cached(rows::CONTAINS).map_err(sqlite_error("look up an event"))?;
            statement.exists([id]).map_err(sqlite_error("look up an event"))
        });
        // In this order: what is moved meanwhile is found there.
        Ok(recent? || self.with_archive(|connection| archive::contains(connection, id))?)
    }

    fn commit(&self, records: &[Record]) -> Result<(), LogError> {
        self.with_writer(|writer| writer.commit(records, |_| Ok(())))
    }

    fn read(
        &self,
        room: RoomId,
        after_seq: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Record>, LogError> {
        let recent = self.with_reader(|connection| {
            let failed = sqlite_error("read events");
            let mut statement = connection.prepare_cached(rows::READ).map_err(&failed)?;
            let values = params![room.as_bytes(), rows::integer(after_seq), rows::integer(limit as u64)];
            let mut rows = statement.query(values).map_err(&failed)?;
            let (mut records, mut bytes) = (Vec::new(), 0);
            while bytes < max_bytes
                && let Some(row) = rows.next().map_err(&failed)?
            {
                let record = rows::record(row)?;
                bytes += record.data.len();
                records.push(record);
            }
            Ok(records)
        })?;
        if recent.first().is_some_and(|first| first.seq == after_seq + 1) || limit == 0 || max_bytes == 0 {
            return Ok(recent);
        }
        // In this order: what is moved meanwhile is found there.
        let old =
            self.with_archive(|connection| archive::read(connection, room, after_seq, limit, max_bytes))?;
        Ok(if old.is_empty() { recent } else { old })
    }

    fn scan(&self, after_log_seq: u64, limit: usize) -> Result<Vec<Scanned>, LogError> {
        self.with_reader(|connection| {
            let failed = sqlite_error("scan events");
            let mut statement = connection.prepare_cached(rows::SCAN).map_err(&failed)?;
            let values = params![rows::integer(after_log_seq), rows::integer(limit as u64)];
            let mut rows = statement.query(values).map_err(&failed)?;
            let mut found = Vec::with_capacity(limit);
            while let Some(row) = rows.next().map_err(&failed)? {
                found.push(rows::scanned(row).map_err(&failed)?);
            }
            Ok(found)
        })
    }

    fn archive(&self, room: RoomId, old: Old) -> Result<u64, LogError> {
        let packed = self.with_archive(|connection| archive::pack(connection, room, old))?;
        let Some(segment) = packed else { return Ok(0) };
        self.with_writer(|writer| {
            archive::put(&mut writer.connection, &segment)?;
            writer.checkpointer.committed();
            Ok(segment.last + 1 - segment.first)
        })
    }

    fn scan_archive(&self, room: RoomId, after_seq: u64) -> Result<Option<Archived>, LogError> {
        self.with_archive(|connection| archive::scan(connection, room, after_seq))
    }

    fn checkpoint(&self, room: RoomId) -> Result<Option<Checkpoint>, LogError> {
        self.with_archive(|connection| archive::checkpoint(connection, room))
    }

    fn drop_archive(&self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        self.with_writer(|writer| {
            archive::drop_up_to(&mut writer.connection, checkpoint)?;
            writer.checkpointer.committed();
            Ok(())
        })
    }

    fn audit(&self, filter: &AuditFilter) -> Result<Vec<Record>, LogError> {
        // At one moment, so that what is moved meanwhile is seen once.
        self.with_reader(|connection| {
            let moment = connection.unchecked_transaction().map_err(sqlite_error("read events"))?;
            let mut found = if self.has_archive { archive::audit(&moment, filter)? } else { Vec::new() };
            found.append(&mut audit::recent(&moment, filter)?);
            found.sort_unstable_by_key(|record| record.log_seq);
            found.truncate(filter.limit);
            Ok(found)
        })
    }

    fn latest(&self, room: RoomId, name: &str) -> Result<Option<Record>, LogError> {
        self.with_reader(|connection| {
            let moment = connection.unchecked_transaction().map_err(sqlite_error("read events"))?;
            match audit::latest(&moment, room, name)? {
                // What is archived is older.
                None if self.has_archive => archive::latest(&moment, room, name),
                found => Ok(found),
            }
        })
    }

    fn save_snapshot(&self, snapshot: &StoredSnapshot, keep: usize) -> Result<(), LogError> {
        self.with_writer(|writer| {
            let failed = sqlite_error("keep a snapshot");
            let StoredSnapshot { room_id, seq, data, digest } = snapshot;
            let (room, seq) = (room_id.as_bytes(), rows::integer(*seq));
            let transaction = writer.connection.transaction().map_err(&failed)?;
            transaction.execute(rows::SAVE_SNAPSHOT, params![room, seq, data, digest]).map_err(&failed)?;
            transaction
                .execute(rows::DROP_OLD_SNAPSHOTS, params![room, rows::integer(keep as u64)])
                .map_err(&failed)?;
            transaction.commit().map_err(failed)
        })
    }

    fn snapshot(&self, room: RoomId, at_or_before: u64) -> Result<Option<StoredSnapshot>, LogError> {
        self.with_reader(|connection| {
            let mut statement =
                connection.prepare_cached(rows::SNAPSHOT).map_err(sqlite_error("read a snapshot"))?;
            let values = params![room.as_bytes(), rows::integer(at_or_before)];
            statement
                .query_row(values, |row| rows::snapshot(room, row))
                .optional()
                .map_err(sqlite_error("read a snapshot"))
        })
    }

    fn check(&self) -> Result<(), LogError> {
        self.with_reader(|connection| {
            let verdict: String = connection
                .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
                .map_err(sqlite_error("check its pages"))?;
            if verdict == "ok" { Ok(()) } else { Err(LogError::Corrupt { detail: verdict }) }
        })
    }

    fn backup(&self, to: &Path) -> Result<(), LogError> {
        let failed = io_error("back itself up");
        if to.exists() {
            let detail = format!("{} exists already", to.display());
            return Err(LogError::Io { what: "back itself up", detail });
        }
        // Under its name there is a whole copy or none.
        let partial = beside(to, ".partial");
        drop(fs::remove_file(&partial));
        let target = partial.to_str().ok_or_else(|| LogError::Io {
            what: "back itself up",
            detail: format!("{} is not a name in Unicode", to.display()),
        })?;
        let copied = self.with_reader(|connection| {
            connection.execute("VACUUM INTO ?1", [target]).map_err(sqlite_error("back itself up"))
        });
        let kept = copied.and_then(|_| {
            File::open(&partial).and_then(|copy| copy.sync_all()).map_err(&failed)?;
            fs::rename(&partial, to).map_err(&failed)?;
            sync_folder_of(to).map_err(&failed)
        });
        if kept.is_err() {
            drop(fs::remove_file(&partial));
        }
        kept
    }

    fn close(&self) {
        // Readers first, so that the last connection to close is the one that can fold the WAL into the file.
        *guard(&self.readers) = None;
        *guard(&self.writer) = None;
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, LogError> {
    let failed = sqlite_error("open its file");
    let connection =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    schema::configure(&connection).map_err(schema::header_error(path))?;
    Ok(connection)
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
