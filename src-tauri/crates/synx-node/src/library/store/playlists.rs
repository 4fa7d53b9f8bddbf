//! Playlists, and what was played.

use super::{LibraryStore, failed};
use crate::bridge::PlaylistView;
use crate::error::NodeError;
use rusqlite::{Connection, OptionalExtension, params};
use synx_domain::ContentHash;

/// A name is one line, as long as others that people give.
const NAME_MAX_CHARS: usize = 80;

impl LibraryStore {
    /// All playlists by their names.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn playlists(&self) -> Result<Vec<PlaylistView>, NodeError> {
        let read = || {
            let connection = self.reader();
            let mut query = connection.prepare_cached(
                "SELECT id, name, (SELECT COUNT(*) FROM playlist_tracks JOIN library ON library.hash = playlist_tracks.hash
                    WHERE playlist = playlists.id AND presence < 2)
                 FROM playlists ORDER BY name COLLATE NOCASE, id",
            )?;
            let view = |row: &rusqlite::Row<'_>| {
                Ok(PlaylistView { id: row.get(0)?, name: row.get(1)?, tracks: row.get(2)? })
            };
            query.query_map([], view)?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read"))
    }

    /// Makes a playlist of these tracks.
    ///
    /// # Errors
    /// A name that is none, or a database that cannot be written.
    pub fn create_playlist(&self, name: &str, tracks: &[ContentHash]) -> Result<i64, NodeError> {
        let name = checked(name)?;
        self.write(false, |connection| {
            connection.execute("INSERT INTO playlists (name) VALUES (?1)", params![name])?;
            let id = connection.last_insert_rowid();
            append(connection, id, tracks)?;
            Ok(id)
        })
    }

    /// Gives a playlist another name.
    ///
    /// # Errors
    /// A name that is none, a playlist that is not there, or a database that cannot be written.
    pub fn rename_playlist(&self, id: i64, name: &str) -> Result<(), NodeError> {
        let name = checked(name)?;
        let update = "UPDATE playlists SET name = ?2 WHERE id = ?1";
        there(self.write(false, |connection| connection.execute(update, params![id, name]))?)
    }

    /// Deletes a playlist; its tracks stay in the library.
    ///
    /// # Errors
    /// A playlist that is not there, or a database that cannot be written.
    pub fn delete_playlist(&self, id: i64) -> Result<(), NodeError> {
        there(self.write(false, |connection| {
            connection.execute("DELETE FROM playlists WHERE id = ?1", params![id])
        })?)
    }

    /// Puts tracks at the end of a playlist.
    ///
    /// # Errors
    /// A playlist that is not there, or a database that cannot be written.
    pub fn add_to_playlist(&self, id: i64, tracks: &[ContentHash]) -> Result<(), NodeError> {
        let known = self.write(false, |connection| {
            let known = connection
                .query_row("SELECT 1 FROM playlists WHERE id = ?1", params![id], |_| Ok(()))
                .optional()?;
            if known.is_some() {
                append(connection, id, tracks)?;
            }
            Ok(known)
        })?;
        known.ok_or(NodeError::NoSuchPlaylist)
    }

    /// Takes the track at a place, counted from 0, out of a playlist.
    ///
    /// # Errors
    /// When nothing is there, or the database cannot be written.
    pub fn remove_from_playlist(&self, id: i64, place: u32) -> Result<(), NodeError> {
        let rows = self.shown_in_playlist(id)?;
        let (row, _) = rows.get(place as usize).ok_or(NodeError::NoSuchPlaylist)?;
        let delete = "DELETE FROM playlist_tracks WHERE id = ?1";
        self.write(false, |connection| connection.execute(delete, params![row])).map(drop)
    }

    /// Moves the track at a place to another one.
    ///
    /// # Errors
    /// When nothing is there, or the database cannot be written.
    pub fn move_in_playlist(&self, id: i64, from: u32, to: u32) -> Result<(), NodeError> {
        let mut rows = self.shown_in_playlist(id)?;
        if from as usize >= rows.len() {
            return Err(NodeError::NoSuchPlaylist);
        }
        let (row, _) = rows.remove(from as usize);
        let to = (to as usize).min(rows.len());
        // Between its neighbours: no other row is written.
        let (before, after) = (to.checked_sub(1).and_then(|at| rows.get(at)), rows.get(to));
        let place = match (before, after) {
            (Some((_, before)), Some((_, after))) => f64::midpoint(*before, *after),
            (Some((_, before)), None) => before + 1.0,
            (None, Some((_, after))) => after - 1.0,
            (None, None) => return Ok(()),
        };
        let update = "UPDATE playlist_tracks SET place = ?2 WHERE id = ?1";
        self.write(false, |connection| connection.execute(update, params![row, place])).map(drop)
    }

    fn shown_in_playlist(&self, id: i64) -> Result<Vec<(i64, f64)>, NodeError> {
        let read = || {
            let connection = self.reader();
            let mut query = connection.prepare_cached(
                "SELECT playlist_tracks.id, place FROM playlist_tracks JOIN library ON library.hash = playlist_tracks.hash
                 WHERE playlist = ?1 AND presence < 2 ORDER BY place, playlist_tracks.id",
            )?;
            query.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read"))
    }

    /// Remembers that a track was played.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_play(&self, hash: ContentHash, at_ms: i64) -> Result<(), NodeError> {
        self.write(false, |connection| {
            connection.execute(
                "INSERT INTO plays (hash, at_ms) VALUES (?1, ?2)",
                params![hash.as_bytes(), at_ms],
            )?;
            let count = "UPDATE library SET plays = plays + 1, played_at_ms = ?2 WHERE hash = ?1";
            connection.execute(count, params![hash.as_bytes(), at_ms]).map(drop)
        })
    }
}

fn append(connection: &Connection, id: i64, tracks: &[ContentHash]) -> rusqlite::Result<()> {
    for hash in tracks {
        connection.execute(
            "INSERT INTO playlist_tracks (playlist, place, hash)
             VALUES (?1, (SELECT COALESCE(MAX(place), 0) + 1 FROM playlist_tracks WHERE playlist = ?1), ?2)",
            params![id, hash.as_bytes()],
        )?;
    }
    Ok(())
}

fn checked(name: &str) -> Result<&str, NodeError> {
    let name = name.trim();
    let problem = match name {
        "" => "must not be empty",
        name if name.chars().count() > NAME_MAX_CHARS => "must have at most 80 characters",
        name if name.chars().any(char::is_control) => "must not contain control characters",
        _ => return Ok(name),
    };
    Err(NodeError::BadValue { what: "the playlist's name", problem })
}

fn there(changed: usize) -> Result<(), NodeError> {
    if changed > 0 { Ok(()) } else { Err(NodeError::NoSuchPlaylist) }
}
