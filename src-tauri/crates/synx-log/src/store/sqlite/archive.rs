//! Old events of a room in compressed segments, in the same file as the table of the recent ones.
//!
//! One transaction puts a segment in and takes its rows out: at any moment, also after a crash, an event is in one of the two
//! places. Must never take out a row that does not read back from the segment, nor the last one of a room, by which its end is
//! known.

use super::failure::sqlite_error;
use super::rows;
use crate::segment::{SEGMENT_BYTES, SEGMENT_EVENTS, Segment};
use crate::store::{Archived, Old};
use crate::{AuditFilter, ChainHash, Checkpoint, LogError, Record, StoredSnapshot};
use rusqlite::{Connection, OptionalExtension, Row, params};
use synx_domain::RoomId;

const COLUMNS: &str = "aggregate_id, first_version, last_version, first_seq, last_seq, hash, digest, data";

const PUT: &str = "INSERT INTO segments (aggregate_id, first_version, last_version, first_seq, last_seq, hash, digest, \
     data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const KEEP_IDS: &str = "INSERT INTO archived_ids (event_id) SELECT event_id FROM domain_events \
     WHERE aggregate_id = ?1 AND aggregate_version BETWEEN ?2 AND ?3";

const TAKE_OUT: &str =
    "DELETE FROM domain_events WHERE aggregate_id = ?1 AND aggregate_version BETWEEN ?2 AND ?3";

const CONTAINS: &str = "SELECT 1 FROM archived_ids WHERE event_id = ?1";

const GREATEST_ID: &str = "SELECT max(event_id) FROM archived_ids";

const COUNT: &str = "SELECT count(*) FROM segments";

/// The end of the archive, or where the log begins.
const END: &str = "SELECT last_version AS place, hash FROM segments WHERE aggregate_id = ?1 UNION ALL \
     SELECT aggregate_version, hash FROM checkpoints WHERE aggregate_id = ?1 ORDER BY place DESC LIMIT 1";

const CHECKPOINT: &str =
    "SELECT aggregate_version, hash, data, digest FROM checkpoints WHERE aggregate_id = ?1";

const DROPPED: &str = "SELECT aggregate_id, aggregate_version FROM checkpoints";

const BEGIN_AT: &str = "INSERT OR REPLACE INTO checkpoints (aggregate_id, aggregate_version, hash, data, digest) \
     VALUES (?1, ?2, ?3, ?4, ?5)";

const FORGET_ID: &str = "DELETE FROM archived_ids WHERE event_id = ?1";

const DROP_SEGMENTS: &str = "DELETE FROM segments WHERE aggregate_id = ?1 AND last_version <= ?2";

const DROP_SNAPSHOTS: &str = "DELETE FROM snapshots WHERE aggregate_id = ?1 AND aggregate_version <= ?2";

/// The next segment of a room's old events, packed; none when there is nothing that is old.
pub(super) fn pack(connection: &Connection, room: RoomId, old: Old) -> Result<Option<Segment>, LogError> {
    let failed = sqlite_error("read what is old");
    let moment = connection.unchecked_transaction().map_err(&failed)?;
    let (archived, hash) = end(&moment, room)?;
    let recorded = "SELECT aggregate_version FROM heads WHERE aggregate_id = ?1";
    let head: Option<i64> =
        moment.query_row(recorded, [room.as_bytes()], |row| row.get(0)).optional().map_err(&failed)?;
    let head = head.and_then(|head| u64::try_from(head).ok()).unwrap_or_default();
    let through = old.through_seq.min(head.saturating_sub(1));
    let mut statement = moment.prepare_cached(rows::READ).map_err(&failed)?;
    let values = params![room.as_bytes(), rows::integer(archived), SEGMENT_EVENTS as i64];
    let mut found = statement.query(values).map_err(&failed)?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    while bytes < SEGMENT_BYTES
        && let Some(row) = found.next().map_err(&failed)?
    {
        let record = rows::record(row)?;
        if record.seq > through || record.occurred_at_ms >= old.before_ms {
            break;
        }
        bytes += record.data.len();
        records.push(record);
    }
    let whole = records.len() == SEGMENT_EVENTS || bytes >= SEGMENT_BYTES;
    if old.whole_segments && !whole {
        return Ok(None);
    }
    // A record that is not there shows as a break of the chain.
    match records.first() {
        Some(first) if first.seq != archived + 1 => {
            Err(LogError::Corrupt { detail: format!("event {} of room {room} is missing", archived + 1) })
        }
        _ => Segment::of(&records, hash),
    }
}

/// Puts a segment in and takes its rows out.
pub(super) fn put(connection: &mut Connection, segment: &Segment) -> Result<(), LogError> {
    let failed = sqlite_error("archive events");
    let Segment { room_id, first, last, first_log_seq, last_log_seq, hash, digest, data } = segment;
    let room = room_id.as_bytes();
    let place = params![room, rows::integer(*first), rows::integer(*last)];
    let transaction = connection.transaction().map_err(&failed)?;
    let (before, _) = end(&transaction, *room_id)?;
    let (first_seq, last_seq) = (rows::integer(*first_log_seq), rows::integer(*last_log_seq));
    transaction
        .prepare_cached(PUT)
        .and_then(|mut put| {
            let (first, last) = (rows::integer(*first), rows::integer(*last));
            put.execute(params![room, first, last, first_seq, last_seq, hash.as_bytes(), digest, data])
        })
        .map_err(&failed)?;
    let kept =
        transaction.prepare_cached(KEEP_IDS).and_then(|mut keep| keep.execute(place)).map_err(&failed)?;
    let taken =
        transaction.prepare_cached(TAKE_OUT).and_then(|mut take| take.execute(place)).map_err(&failed)?;
    let events = last + 1 - first;
    if before + 1 != *first || kept as u64 != events || taken as u64 != events {
        // Somebody else archived the same meanwhile. What is dropped here is rolled back.
        let detail = format!("events {first} to {last} of room {room_id} are not in their place any more");
        return Err(LogError::Io { what: "archive events", detail });
    }
    transaction.commit().map_err(failed)
}

/// Drops a room's segments up to a checkpoint.
pub(super) fn drop_up_to(connection: &mut Connection, checkpoint: &Checkpoint) -> Result<(), LogError> {
    // What is dropped shall not be readable in the free pages either.
    connection.pragma_update(None, "secure_delete", true).map_err(sqlite_error("drop archived events"))?;
    let dropped = drop_securely(connection, checkpoint);
    // It costs time, no more, where it stays on.
    drop(connection.pragma_update(None, "secure_delete", false));
    dropped
}

fn drop_securely(connection: &mut Connection, checkpoint: &Checkpoint) -> Result<(), LogError> {
    let failed = sqlite_error("drop archived events");
    let StoredSnapshot { room_id, seq, data, digest } = &checkpoint.state;
    let (room, through) = (room_id.as_bytes(), rows::integer(*seq));
    let transaction = connection.transaction().map_err(&failed)?;
    let mut found = None;
    while let Some(segment) =
        next(&transaction, *room_id, found.unwrap_or(0))?.filter(|next| next.last <= *seq)
    {
        found = Some(segment.last);
        let mut forget = transaction.prepare_cached(FORGET_ID).map_err(&failed)?;
        for record in segment.records()? {
            forget.execute([record.event_id.as_bytes()]).map_err(&failed)?;
        }
    }
    if found != Some(*seq) {
        return Err(LogError::NotArchived { room: *room_id, seq: *seq });
    }
    let hash = checkpoint.hash.as_bytes();
    let begun = transaction.execute(BEGIN_AT, params![room, through, hash, data, digest]);
    begun.map_err(&failed)?;
    for sql in [DROP_SEGMENTS, DROP_SNAPSHOTS] {
        transaction.execute(sql, params![room, through]).map_err(&failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Where a room's log begins whose first events were dropped.
pub(super) fn checkpoint(connection: &Connection, room_id: RoomId) -> Result<Option<Checkpoint>, LogError> {
    let failed = sqlite_error("read where a room begins");
    let mut statement = connection.prepare_cached(CHECKPOINT).map_err(&failed)?;
    let mut found = statement.query([room_id.as_bytes()]).map_err(&failed)?;
    let Some(row) = found.next().map_err(failed)? else { return Ok(None) };
    let checkpoint = || {
        let state =
            StoredSnapshot { room_id, seq: rows::unsigned(row, 0)?, data: row.get(2)?, digest: row.get(3)? };
        Ok(Checkpoint { hash: ChainHash::from_bytes(row.get(1)?), state })
    };
    checkpoint().map(Some).map_err(|error: rusqlite::Error| unreadable(&error))
}

/// The rooms whose first events were dropped, and the last of these.
pub(super) fn dropped(connection: &Connection) -> rusqlite::Result<Vec<(RoomId, u64)>> {
    let mut statement = connection.prepare_cached(DROPPED)?;
    let rows =
        statement.query_map([], |row| Ok((RoomId::from_bytes(row.get(0)?), rows::unsigned(row, 1)?)))?;
    rows.collect()
}

/// The records of a room after a place, if the next one is archived: those of one segment, within these limits.
pub(super) fn read(
    connection: &Connection,
    room: RoomId,
    after: u64,
    limit: usize,
    max_bytes: usize,
) -> Result<Vec<Record>, LogError> {
    let Some(segment) = next(connection, room, after)? else { return Ok(Vec::new()) };
    if segment.first > after + 1 {
        return Ok(Vec::new());
    }
    let mut bytes = 0;
    let within = |record: &Record| {
        let full = bytes >= max_bytes;
        bytes += record.data.len();
        !full
    };
    let behind = segment.records()?.into_iter().filter(|record| record.seq > after);
    Ok(behind.take(limit).take_while(within).collect())
}

/// The first segment, of any room, behind a place.
pub(super) fn scan(connection: &Connection, room: RoomId, after: u64) -> Result<Option<Archived>, LogError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM segments WHERE (aggregate_id, last_version) > (?1, ?2) \
         ORDER BY aggregate_id, last_version LIMIT 1"
    );
    let failed = sqlite_error("read the archive");
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let mut found = statement.query(params![room.as_bytes(), rows::integer(after)]).map_err(&failed)?;
    let Some(row) = found.next().map_err(failed)? else { return Ok(None) };
    let (room_id, last) = place(row)?;
    Ok(Some(Archived { room_id, last, records: segment(row).and_then(|segment| segment.records()) }))
}

/// The archived records that pass the filter, in log order.
pub(super) fn audit(connection: &Connection, filter: &AuditFilter) -> Result<Vec<Record>, LogError> {
    let failed = sqlite_error("read the archive");
    let sql = format!(
        "SELECT {COLUMNS} FROM segments WHERE last_seq > ?1 AND (?2 IS NULL OR aggregate_id = ?2) ORDER BY first_seq"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let room = filter.room.as_ref().map(RoomId::as_bytes);
    let mut found = statement.query(params![rows::integer(filter.after_seq), room]).map_err(&failed)?;
    let mut records: Vec<Record> = Vec::new();
    while let Some(row) = found.next().map_err(&failed)? {
        let segment = segment(row)?;
        let full = records.len() >= filter.limit;
        if full && records.last().is_none_or(|last| last.log_seq < segment.first_log_seq) {
            break;
        }
        records.extend(segment.records()?.into_iter().filter(|record| filter.passes(record)));
        // Segments of several rooms overlap.
        records.sort_unstable_by_key(|record| record.log_seq);
        records.truncate(filter.limit);
    }
    Ok(records)
}

/// The last event of a name in a room's archive, from its last segment back.
pub(super) fn latest(connection: &Connection, room: RoomId, name: &str) -> Result<Option<Record>, LogError> {
    let failed = sqlite_error("read the archive");
    let sql = format!("SELECT {COLUMNS} FROM segments WHERE aggregate_id = ?1 ORDER BY last_version DESC");
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let mut segments = statement.query([room.as_bytes()]).map_err(&failed)?;
    while let Some(row) = segments.next().map_err(&failed)? {
        let found = segment(row)?.records()?.into_iter().rfind(|record| record.name == name);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(super) fn contains(connection: &Connection, event_id: &[u8; 16]) -> Result<bool, LogError> {
    let failed = sqlite_error("look up an event");
    connection.prepare_cached(CONTAINS).map_err(&failed)?.exists([event_id]).map_err(failed)
}

/// The greatest archived id, and how many segments there are.
pub(super) fn extent(connection: &Connection) -> rusqlite::Result<(Option<[u8; 16]>, u64)> {
    let greatest = connection.query_row(GREATEST_ID, [], |row| row.get(0))?;
    let count: i64 = connection.query_row(COUNT, [], |row| row.get(0))?;
    Ok((greatest, u64::try_from(count).unwrap_or_default()))
}

/// The last archived event of a room and the chain's hash there.
fn end(connection: &Connection, room: RoomId) -> Result<(u64, ChainHash), LogError> {
    let failed = sqlite_error("read where the archive ends");
    let end = connection
        .prepare_cached(END)
        .map_err(&failed)?
        .query_row([room.as_bytes()], |row| Ok((rows::unsigned(row, 0)?, ChainHash::from_bytes(row.get(1)?))))
        .optional();
    Ok(end.map_err(failed)?.unwrap_or((0, ChainHash::START)))
}

/// A room's first segment that ends behind a place.
fn next(connection: &Connection, room: RoomId, after: u64) -> Result<Option<Segment>, LogError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM segments WHERE aggregate_id = ?1 AND last_version > ?2 ORDER BY last_version LIMIT 1"
    );
    let failed = sqlite_error("read the archive");
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let mut found = statement.query(params![room.as_bytes(), rows::integer(after)]).map_err(&failed)?;
    found.next().map_err(failed)?.map(segment).transpose()
}

fn place(row: &Row<'_>) -> Result<(RoomId, u64), LogError> {
    let place = || Ok((RoomId::from_bytes(row.get(0)?), rows::unsigned(row, 2)?));
    place().map_err(|error: rusqlite::Error| unreadable(&error))
}

fn segment(row: &Row<'_>) -> Result<Segment, LogError> {
    let segment = || {
        Ok(Segment {
            room_id: RoomId::from_bytes(row.get(0)?),
            first: rows::unsigned(row, 1)?,
            last: rows::unsigned(row, 2)?,
            first_log_seq: rows::unsigned(row, 3)?,
            last_log_seq: rows::unsigned(row, 4)?,
            hash: ChainHash::from_bytes(row.get(5)?),
            digest: row.get(6)?,
            data: row.get(7)?,
        })
    };
    segment().map_err(|error: rusqlite::Error| unreadable(&error))
}

fn unreadable(error: &rusqlite::Error) -> LogError {
    LogError::Corrupt { detail: format!("a part of the archive cannot be read: {error}") }
}
