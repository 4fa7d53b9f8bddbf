//! The tables, and how an older file becomes a current one.
//!
//! Migrations are only ever added, never edited: `PRAGMA user_version` counts how many a file has seen.

use super::failure::sqlite_error;
use crate::LogError;
use rusqlite::Connection;
use std::path::Path;

/// "SYNX" in the file's header says whose it is.
const APPLICATION_ID: i64 = 0x5359_4e58;

const MIGRATIONS: &[&str] = &[
    // 1. Ids are 16-byte blobs; event ids are UUIDv7 and arrive in order, so every index but the aggregate's grows at its
    //    end: measured, those by name and time cost next to nothing and the one by id a fifth of the rate at most. `heads`
    //    records where each room ends, so that it is found out when events are missing there.
    "CREATE TABLE domain_events (
         seq               INTEGER PRIMARY KEY,
         event_id          BLOB    NOT NULL,
         event_name        TEXT    NOT NULL,
         aggregate_id      BLOB    NOT NULL,
         aggregate_version INTEGER NOT NULL,
         event_version     INTEGER NOT NULL,
         event_data        TEXT    NOT NULL,
         actor             BLOB    NOT NULL,
         command_id        BLOB,
         occurred_at       INTEGER NOT NULL,
         hash              BLOB    NOT NULL
     ) STRICT;
     CREATE UNIQUE INDEX domain_events_by_id ON domain_events (event_id);
     CREATE UNIQUE INDEX domain_events_by_aggregate ON domain_events (aggregate_id, aggregate_version);
     CREATE INDEX domain_events_by_name ON domain_events (event_name);
     CREATE INDEX domain_events_by_time ON domain_events (occurred_at);
     CREATE TABLE heads (
         aggregate_id      BLOB    NOT NULL PRIMARY KEY,
         aggregate_version INTEGER NOT NULL,
         occurred_at       INTEGER NOT NULL,
         hash              BLOB    NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE snapshots (
         aggregate_id      BLOB    NOT NULL,
         aggregate_version INTEGER NOT NULL,
         data              TEXT    NOT NULL,
         digest            BLOB    NOT NULL,
         PRIMARY KEY (aggregate_id, aggregate_version)
     ) STRICT;",
    // 2. Old events in compressed segments, and the ids of these, which stay taken.
    "CREATE TABLE segments (
         aggregate_id      BLOB    NOT NULL,
         last_version      INTEGER NOT NULL,
         first_version     INTEGER NOT NULL,
         first_seq         INTEGER NOT NULL,
         last_seq          INTEGER NOT NULL,
         hash              BLOB    NOT NULL,
         digest            BLOB    NOT NULL,
         data              BLOB    NOT NULL,
         PRIMARY KEY (aggregate_id, last_version)
     ) STRICT;
     CREATE INDEX segments_by_place ON segments (first_seq, last_seq);
     CREATE TABLE archived_ids (
         event_id          BLOB    NOT NULL PRIMARY KEY
     ) STRICT, WITHOUT ROWID;",
    // 3. Where a room's log begins whose first events were dropped: the state after them, and the chain's hash there.
    "CREATE TABLE checkpoints (
         aggregate_id      BLOB    NOT NULL PRIMARY KEY,
         aggregate_version INTEGER NOT NULL,
         hash              BLOB    NOT NULL,
         data              TEXT    NOT NULL,
         digest            BLOB    NOT NULL
     ) STRICT;",
    // 4. For a copy of a log that is elsewhere: the place there up to which everything is here.
    "CREATE TABLE followed (
         id                INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
         place             INTEGER NOT NULL
     ) STRICT;",
];

/// Settings that hold for one connection. The page cache is the system's; a small one of our own is enough. `fullfsync`
/// is for macOS, where a plain sync leaves the data in the drive's cache.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(32);
    connection.execute_batch(
        "PRAGMA busy_timeout = 5000;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA cache_size = -8000;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )
}

/// Brings the file up to date; an empty one becomes a log.
pub(super) fn prepare(connection: &Connection, path: &Path) -> Result<(), LogError> {
    let failed = sqlite_error("prepare its file");
    let version = version(connection, path)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(&failed)?;
    connection
        .pragma_update(None, "journal_size_limit", super::checkpoint::WAL_LIMIT_BYTES)
        .map_err(&failed)?;
    let pending = usize::try_from(version).ok().and_then(|done| MIGRATIONS.get(done..)).unwrap_or_default();
    if pending.is_empty() {
        return Ok(());
    }
    let transaction = connection.unchecked_transaction().map_err(&failed)?;
    pending.iter().try_for_each(|migration| transaction.execute_batch(migration)).map_err(&failed)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(&failed)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(&failed)?;
    transaction.commit().map_err(failed)
}

/// Refuses a file that is not a log of a schema this program reads; whether it is of one that has an archive and checkpoints.
pub(super) fn inspect(connection: &Connection, path: &Path) -> Result<bool, LogError> {
    match version(connection, path)? {
        0 => Err(LogError::NotALog { path: path.to_owned() }),
        version => Ok(version >= 3),
    }
}

/// How many migrations the file has seen; 0 for an empty file.
fn version(connection: &Connection, path: &Path) -> Result<i64, LogError> {
    let read = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let failed = header_error(path);
    let found = read("user_version").map_err(&failed)?;
    let application_id = read("application_id").map_err(&failed)?;
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let supported = MIGRATIONS.len() as i64;
    match (application_id, found) {
        (0, 0) if objects == 0 => Ok(0),
        (APPLICATION_ID, 1..) if found > supported => Err(LogError::NewerSchema { found, supported }),
        (APPLICATION_ID, 1..) => Ok(found),
        _ => Err(LogError::NotALog { path: path.to_owned() }),
    }
}

/// What it means when the first pages cannot be read: most likely somebody else's file.
pub(super) fn header_error(path: &Path) -> impl Fn(rusqlite::Error) -> LogError {
    move |error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => LogError::NotALog { path: path.to_owned() },
        _ => sqlite_error("read its header")(error),
    }
}
