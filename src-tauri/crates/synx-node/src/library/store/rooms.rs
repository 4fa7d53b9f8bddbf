//! The rooms that were seen last.

use super::{LibraryStore, failed};
use crate::error::NodeError;
use rusqlite::{OptionalExtension, params};
use synx_domain::RoomId;

/// A room that was hosted or joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentRoom {
    /// Which.
    pub room: RoomId,
    /// Its name when it was seen last.
    pub name: String,
    /// Whether this machine is its host.
    pub hosted_here: bool,
    /// Link to join again.
    pub link: Option<String>,
    /// When it was seen last, milliseconds since 1970 UTC.
    pub last_seen_ms: i64,
}

/// How far a room was seen when one was there last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenRoom {
    /// Its last event.
    pub seq: u64,
    /// How many notes there were.
    pub notes: u64,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

impl LibraryStore {
    /// Remembers a room. How far it was seen stays.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remember_room(&self, room: &RecentRoom) -> Result<(), NodeError> {
        self.write(false, |connection| {
            connection.execute(
                "INSERT INTO recent_rooms (room, name, hosted_here, link, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (room) DO UPDATE SET name = ?2, hosted_here = ?3, link = ?4, last_seen_ms = ?5",
                params![room.room.as_bytes(), room.name, room.hosted_here, room.link, room.last_seen_ms],
            )?;
            Ok(())
        })
    }

    /// Notes how far a room that is remembered was seen.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note_seen(&self, room: RoomId, seen: SeenRoom) -> Result<(), NodeError> {
        self.write(false, |connection| {
            connection.execute(
                "UPDATE recent_rooms SET seen_seq = ?2, seen_notes = ?3, last_seen_ms = ?4 WHERE room = ?1",
                params![room.as_bytes(), seen.seq.cast_signed(), seen.notes.cast_signed(), seen.at_ms],
            )?;
            Ok(())
        })
    }

    /// How far a room was seen; none for one where one has not been.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn seen_room(&self, room: RoomId) -> Result<Option<SeenRoom>, NodeError> {
        let read = || -> rusqlite::Result<Option<SeenRoom>> {
            let connection = self.reader();
            let mut query = connection.prepare_cached(
                "SELECT seen_seq, seen_notes, last_seen_ms FROM recent_rooms WHERE room = ?1 AND seen_seq IS NOT NULL",
            )?;
            let seen = query.query_row([room.as_bytes()], |row| {
                let (seq, notes): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(SeenRoom { seq: seq.cast_unsigned(), notes: notes.cast_unsigned(), at_ms: row.get(2)? })
            });
            seen.optional()
        };
        read().map_err(failed("read"))
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
                        room: RoomId::from_bytes(row.get(0)?),
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
