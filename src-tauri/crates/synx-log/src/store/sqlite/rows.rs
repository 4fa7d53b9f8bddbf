//! Records as rows and back. Reads check every type: a damaged row is an error, never a guess.

use crate::{ChainHash, LogError, Record, RoomHead, StoredSnapshot};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Row, params};
use std::borrow::Cow;
use synx_domain::{CommandId, EventId, RoomId, UserId};

const COLUMNS: &str = "seq, event_id, event_name, aggregate_id, aggregate_version, event_version, event_data, actor, \
                       command_id, occurred_at, hash";

pub(super) const INSERT: &str = "INSERT INTO domain_events (seq, event_id, event_name, aggregate_id, aggregate_version, \
     event_version, event_data, actor, command_id, occurred_at, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

pub(super) const MOVE_HEAD: &str = "INSERT INTO heads (aggregate_id, aggregate_version, occurred_at, hash) \
     VALUES (?1, ?2, ?3, ?4) ON CONFLICT (aggregate_id) DO UPDATE SET \
     aggregate_version = excluded.aggregate_version, occurred_at = excluded.occurred_at, hash = excluded.hash";

pub(super) const HEADS: &str = "SELECT aggregate_id, aggregate_version, occurred_at, hash FROM heads";

/// The last event of each room. Jumps from room to room in the index, so that it costs the rooms, not the events.
pub(super) const LAST_EVENTS: &str = "WITH RECURSIVE rooms (id) AS (SELECT min(aggregate_id) FROM domain_events UNION ALL \
     SELECT (SELECT min(aggregate_id) FROM domain_events WHERE aggregate_id > rooms.id) FROM rooms WHERE id IS NOT NULL) \
     SELECT e.aggregate_id, e.aggregate_version, e.occurred_at, e.hash FROM rooms JOIN domain_events AS e \
     ON e.aggregate_id = rooms.id AND e.aggregate_version = \
     (SELECT max(aggregate_version) FROM domain_events WHERE aggregate_id = rooms.id)";

pub(super) const ENDS: &str =
    "SELECT (SELECT max(seq) FROM domain_events), (SELECT max(event_id) FROM domain_events)";

pub(super) const CONTAINS: &str = "SELECT 1 FROM domain_events WHERE event_id = ?1";

pub(super) const READ: &str = "SELECT seq, event_id, event_name, aggregate_id, aggregate_version, event_version, \
     event_data, actor, command_id, occurred_at, hash FROM domain_events \
     WHERE aggregate_id = ?1 AND aggregate_version > ?2 ORDER BY aggregate_version LIMIT ?3";

/// `NOT INDEXED`: what an index says of a row is not the row.
pub(super) const SCAN: &str = "SELECT seq, event_id, event_name, aggregate_id, aggregate_version, event_version, \
     event_data, actor, command_id, occurred_at, hash FROM domain_events NOT INDEXED WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// From the last of that name back, of whichever room: a room's own events may be many more.
pub(super) const LATEST: &str = "SELECT seq, event_id, event_name, aggregate_id, aggregate_version, event_version, \
     event_data, actor, command_id, occurred_at, hash FROM domain_events INDEXED BY domain_events_by_name \
     WHERE event_name = :name AND aggregate_id = :room ORDER BY seq DESC LIMIT 1";

pub(super) const SAVE_SNAPSHOT: &str = "INSERT OR REPLACE INTO snapshots \
     (aggregate_id, aggregate_version, data, digest) VALUES (?1, ?2, ?3, ?4)";

pub(super) const DROP_OLD_SNAPSHOTS: &str = "DELETE FROM snapshots WHERE aggregate_id = ?1 AND aggregate_version NOT IN \
     (SELECT aggregate_version FROM snapshots WHERE aggregate_id = ?1 ORDER BY aggregate_version DESC LIMIT ?2)";

pub(super) const SNAPSHOT: &str = "SELECT aggregate_version, data, digest FROM snapshots \
     WHERE aggregate_id = ?1 AND aggregate_version <= ?2 ORDER BY aggregate_version DESC LIMIT 1";

/// A query for records under `conditions`, in log order.
pub(super) fn select_where(conditions: &str) -> String {
    format!("SELECT {COLUMNS} FROM domain_events WHERE {conditions} ORDER BY seq LIMIT :limit")
}

/// SQLite's integers are signed; no place in a log comes near the limit.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn insert(statement: &mut CachedStatement<'_>, record: &Record) -> rusqlite::Result<()> {
    statement.execute(params![
        integer(record.log_seq),
        record.event_id.as_bytes(),
        record.name,
        record.room_id.as_bytes(),
        integer(record.seq),
        record.version,
        record.data,
        record.actor.as_bytes(),
        record.command_id.as_ref().map(CommandId::as_bytes),
        record.occurred_at_ms,
        record.hash.as_bytes(),
    ])?;
    Ok(())
}

pub(super) fn move_head(statement: &mut CachedStatement<'_>, last: &Record) -> rusqlite::Result<()> {
    let Record { room_id, seq, occurred_at_ms, hash, .. } = last;
    statement.execute(params![room_id.as_bytes(), integer(*seq), occurred_at_ms, hash.as_bytes()])?;
    Ok(())
}

/// Reads a row that must be sound.
pub(super) fn record(row: &Row<'_>) -> Result<Record, LogError> {
    parse(row).map_err(|error| {
        let place = row.get::<_, i64>(0).unwrap_or_default();
        LogError::Corrupt { detail: format!("row {place} cannot be read: {error}") }
    })
}

/// Reads a row that may be anything.
pub(super) fn scanned(row: &Row<'_>) -> rusqlite::Result<super::Scanned> {
    let log_seq = row.get::<_, i64>(0)?;
    let unreadable = super::Scanned::Unreadable { log_seq: u64::try_from(log_seq).unwrap_or_default() };
    Ok(parse(row).map_or(unreadable, super::Scanned::Row))
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        log_seq: unsigned(row, 0)?,
        event_id: EventId::from_bytes(row.get(1)?),
        name: Cow::Owned(row.get(2)?),
        room_id: RoomId::from_bytes(row.get(3)?),
        seq: unsigned(row, 4)?,
        version: row.get(5)?,
        data: row.get(6)?,
        actor: UserId::from_bytes(row.get(7)?),
        command_id: row.get::<_, Option<[u8; 16]>>(8)?.map(CommandId::from_bytes),
        occurred_at_ms: row.get(9)?,
        hash: ChainHash::from_bytes(row.get(10)?),
    })
}

/// Where rooms end, by this query. A row that cannot be read is left out: the room is then found to be damaged.
pub(super) fn heads(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<RoomHead>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        heads.extend(head(row).ok());
    }
    Ok(heads)
}

fn head(row: &Row<'_>) -> rusqlite::Result<RoomHead> {
    Ok(RoomHead {
        room_id: RoomId::from_bytes(row.get(0)?),
        seq: unsigned(row, 1)?,
        last_occurred_at_ms: row.get(2)?,
        hash: ChainHash::from_bytes(row.get(3)?),
    })
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// The last place in the log, and the greatest event id.
pub(super) fn ends(row: &Row<'_>) -> rusqlite::Result<(u64, Option<EventId>)> {
    let last = row.get::<_, Option<i64>>(0)?.unwrap_or_default();
    // A damaged id in the index is no reason not to open: then every id is looked up.
    let greatest = match row.get_ref(1)? {
        ValueRef::Null => None,
        ValueRef::Blob(bytes) => <[u8; 16]>::try_from(bytes).ok().or(Some([0xff; 16])),
        _ => Some([0xff; 16]),
    };
    Ok((u64::try_from(last).unwrap_or_default(), greatest.map(EventId::from_bytes)))
}

pub(super) fn snapshot(room_id: RoomId, row: &Row<'_>) -> rusqlite::Result<StoredSnapshot> {
    Ok(StoredSnapshot { room_id, seq: unsigned(row, 0)?, data: row.get(1)?, digest: row.get(2)? })
}
