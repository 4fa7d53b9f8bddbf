//! Looking for recent events by what they are: who, what, where, when.
//!
//! Must never put a value into the text of a query.

use super::{failure::sqlite_error, rows};
use crate::{AuditFilter, LogError, Record};
use rusqlite::{Connection, ToSql};
use synx_domain::RoomId;

/// The events outside the archive that a filter lets through, in log order.
pub(super) fn recent(connection: &Connection, filter: &AuditFilter) -> Result<Vec<Record>, LogError> {
    let AuditFilter { room, name, actor, since_ms, until_ms, after_seq, limit } = filter;
    let room = room.as_ref().map(RoomId::as_bytes);
    let actor = actor.as_ref().map(synx_domain::UserId::as_bytes);
    let (after_seq, limit) = (rows::integer(*after_seq), rows::integer(*limit as u64));
    let mut conditions = vec!["seq > :after"];
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":after", &after_seq), (":limit", &limit)];
    let mut only = |condition, key, value: Option<_>| {
        if let Some(value) = value {
            conditions.push(condition);
            values.push((key, value));
        }
    };
    only("aggregate_id = :room", ":room", room.as_ref().map(|id| id as &dyn ToSql));
    only("event_name = :name", ":name", name.as_ref().map(|name| name as &dyn ToSql));
    only("actor = :actor", ":actor", actor.as_ref().map(|id| id as &dyn ToSql));
    only("occurred_at >= :since", ":since", since_ms.as_ref().map(|ms| ms as &dyn ToSql));
    only("occurred_at < :until", ":until", until_ms.as_ref().map(|ms| ms as &dyn ToSql));
    let sql = rows::select_where(&conditions.join(" AND "));
    select(connection, &sql, &values)
}

/// The last event of a name outside a room's archive.
pub(super) fn latest(connection: &Connection, room: RoomId, name: &str) -> Result<Option<Record>, LogError> {
    Ok(select(connection, rows::LATEST, &[(":room", room.as_bytes()), (":name", &name)])?.pop())
}

fn select(
    connection: &Connection,
    sql: &str,
    values: &[(&str, &dyn ToSql)],
) -> Result<Vec<Record>, LogError> {
    let mut statement = connection.prepare_cached(sql).map_err(sqlite_error("read events"))?;
    let mut rows = statement.query(values).map_err(sqlite_error("read events"))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite_error("read events"))? {
        records.push(rows::record(row)?);
    }
    Ok(records)
}
