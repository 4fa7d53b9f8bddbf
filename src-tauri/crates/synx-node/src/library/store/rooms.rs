//! The rooms that were seen last.

use super::{LibraryStore, failed};
use crate::error::NodeError;
use rusqlite::params;

/// A room that was hosted or joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentRoom {
    /// Which.
    pub room: synx_domain::RoomId,
    /// Its name when it was seen last.
    pub name: String,
    /// Whether this machine is its host.
    pub hosted_here: bool,
    /// Link to join again.
    pub link: Option<String>,
    /// When it was seen last, milliseconds since 1970 UTC.
    pub last_seen_ms: i64,
}

impl LibraryStore {
    /// Remembers a room.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remember_room(&self, room: &RecentRoom) -> Result<(), NodeError> {
        self.write(false, |connection| {
            connection.execute(
                "INSERT OR REPLACE INTO recent_rooms (room, name, hosted_here, link, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![room.room.as_bytes(), room.name, room.hosted_here, room.link, room.last_seen_ms],
            )?;
            Ok(())
        })
    }

    /// The rooms seen last, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn recent_rooms(&self) -> Result<Vec<RecentRoom>, NodeError> {
        let read = || -> rusqlite::Result<Vec<_>> {
            let connection = self.reader();
            let mut query = connection.prepare_cached(
                "SELECT room, name, hosted_here, link, last_seen_ms FROM recent_rooms ORDER BY last_seen_ms DESC LIMIT 20",
            )?;
            query
                .query_map([], |row| {
                    Ok(RecentRoom {
                        room: synx_domain::RoomId::from_bytes(row.get(0)?),
                        name: row.get(1)?,
                        hosted_here: row.get(2)?,
                        link: row.get(3)?,
                        last_seen_ms: row.get(4)?,
                    })
                })?
                .collect()
        };
        read().map_err(failed("read"))
    }
}
