//! The library's table: which audio files are known, where they are and what is known of them.

use crate::error::NodeError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use synx_domain::{ContentHash, TrackMeta};

/// Steps of the schema, in order; only ever added to. `user_version` counts those that have run.
const MIGRATIONS: &[&str] = &["CREATE TABLE tracks (
    hash BLOB PRIMARY KEY, path TEXT NOT NULL, meta TEXT NOT NULL, error TEXT, added_at_ms INTEGER NOT NULL
 ) STRICT, WITHOUT ROWID;
 CREATE INDEX tracks_by_path ON tracks (path);
 CREATE TABLE recent_rooms (
    room BLOB PRIMARY KEY, name TEXT NOT NULL, hosted_here INTEGER NOT NULL, link TEXT, last_seen_ms INTEGER NOT NULL
 ) STRICT, WITHOUT ROWID;"];

/// A track as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrack {
    /// What its file says.
    pub meta: TrackMeta,
    /// Where its file was seen last.
    pub path: PathBuf,
    /// Why it cannot be used.
    pub error: Option<String>,
    /// When it came, milliseconds since 1970 UTC.
    pub added_at_ms: i64,
}

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

/// The library's database. Calls block for a disk access: they are short, and never made on the audio thread.
#[derive(Debug)]
pub struct LibraryStore {
    connection: Mutex<Connection>,
}

fn failed(action: &'static str) -> impl Fn(rusqlite::Error) -> NodeError {
    move |source| NodeError::Library { action, source }
}

impl LibraryStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When the file is no database of this program or a newer one.
    pub fn open(path: &Path) -> Result<Self, NodeError> {
        let connection = Connection::open(path).map_err(failed("opened"))?;
        Self::prepare(&connection).map_err(failed("opened"))?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn prepare(connection: &Connection) -> rusqlite::Result<()> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let done: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for (index, step) in MIGRATIONS.iter().enumerate().skip(usize::try_from(done).unwrap_or(0)) {
            connection
                .execute_batch(&format!("BEGIN; {step} PRAGMA user_version = {}; COMMIT;", index + 1))?;
        }
        Ok(())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a track, or what is new of it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put(&self, track: &StoredTrack) -> Result<(), NodeError> {
        let meta = serde_json::to_string(&track.meta).unwrap_or_default();
        let path = track.path.to_string_lossy();
        self.connection()
            .execute(
                "INSERT INTO tracks (hash, path, meta, error, added_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (hash) DO UPDATE SET path = ?2, meta = ?3, error = ?4",
                params![track.meta.hash.as_bytes(), path, meta, track.error, track.added_at_ms],
            )
            .map_err(failed("written"))?;
        Ok(())
    }

    /// Forgets a track.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remove(&self, hash: ContentHash) -> Result<(), NodeError> {
        let removed =
            self.connection().execute("DELETE FROM tracks WHERE hash = ?1", params![hash.as_bytes()]);
        removed.map(drop).map_err(failed("written"))
    }

    /// A track by its hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn get(&self, hash: ContentHash) -> Result<Option<StoredTrack>, NodeError> {
        self.connection()
            .query_row(
                "SELECT path, meta, error, added_at_ms FROM tracks WHERE hash = ?1",
                params![hash.as_bytes()],
                track,
            )
            .optional()
            .map_err(failed("read"))
    }

    /// All tracks in the order in which they came.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn all(&self) -> Result<Vec<StoredTrack>, NodeError> {
        let read = || -> rusqlite::Result<Vec<_>> {
            let connection = self.connection();
            let mut query = connection.prepare_cached(
                "SELECT path, meta, error, added_at_ms FROM tracks ORDER BY added_at_ms, path",
            )?;
            query.query_map([], track)?.collect()
        };
        read().map_err(failed("read"))
    }

    /// Remembers a room.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remember_room(&self, room: &RecentRoom) -> Result<(), NodeError> {
        self.connection()
            .execute(
                "INSERT OR REPLACE INTO recent_rooms (room, name, hosted_here, link, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![room.room.as_bytes(), room.name, room.hosted_here, room.link, room.last_seen_ms],
            )
            .map(drop)
            .map_err(failed("written"))
    }

    /// The rooms seen last, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn recent_rooms(&self) -> Result<Vec<RecentRoom>, NodeError> {
        let read = || -> rusqlite::Result<Vec<_>> {
            let connection = self.connection();
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

fn track(row: &Row<'_>) -> rusqlite::Result<StoredTrack> {
    let (path, meta): (String, String) = (row.get(0)?, row.get(1)?);
    let meta = serde_json::from_str(&meta).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into())
    })?;
    Ok(StoredTrack { meta, path: path.into(), error: row.get(2)?, added_at_ms: row.get(3)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(byte: u8, path: &str) -> StoredTrack {
        let meta = TrackMeta {
            hash: ContentHash::from_bytes([byte; 32]),
            file_name: path.to_owned(),
            size_bytes: 1,
            duration_us: 1_000_000,
            sample_rate_hz: 44_100,
            channels: 2,
            title: "T".to_owned(),
            artist: None,
            album: None,
        };
        StoredTrack { meta, path: path.into(), error: None, added_at_ms: i64::from(byte) }
    }

    #[test]
    fn keeps_tracks_over_a_restart_in_order_of_arrival() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library.db");
        let (first, second) = (stored(1, "b.mp3"), stored(2, "a.mp3"));
        let store = LibraryStore::open(&path).unwrap();
        store.put(&second).unwrap();
        store.put(&first).unwrap();
        drop(store);
        let store = LibraryStore::open(&path).unwrap();
        assert_eq!(store.all().unwrap(), [first.clone(), second]);
        store.remove(first.meta.hash).unwrap();
        assert_eq!(store.get(first.meta.hash).unwrap(), None);
    }

    #[test]
    fn a_moved_file_is_the_same_track() {
        let store = LibraryStore::open(Path::new(":memory:")).unwrap();
        store.put(&stored(1, "old.mp3")).unwrap();
        store.put(&stored(1, "new.mp3")).unwrap();
        let all = store.all().unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].path, Path::new("new.mp3"));
    }
}
