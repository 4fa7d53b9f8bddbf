//! Files and watched folders: where each content was seen, so that one that moves stays the same track.

use super::tracks::put;
use super::{LibraryStore, StoredTrack, failed, path_bytes, path_of};
use crate::error::NodeError;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use synx_domain::ContentHash;

/// A file that changes its tags is the same audio when it is as long as before, to within this.
const SAME_LENGTH_US: i64 = 20_000;

/// A file as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenFile {
    /// Its content.
    pub hash: ContentHash,
    /// Its length.
    pub size_bytes: i64,
    /// When it was changed last, nanoseconds since 1970 UTC; 0 where the system does not say.
    pub changed_ns: i64,
}

impl LibraryStore {
    /// The watched folders.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn folders(&self) -> Result<Vec<PathBuf>, NodeError> {
        let read = || {
            let connection = self.reader();
            let mut query =
                connection.prepare_cached("SELECT path FROM folders ORDER BY added_at_ms, path")?;
            query.query_map([], |row| Ok(path_of(row.get(0)?)))?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read"))
    }

    /// Watches a folder from now on.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_folder(&self, path: &Path, now_ms: i64) -> Result<(), NodeError> {
        self.write(false, |connection| {
            let insert = "INSERT OR IGNORE INTO folders (path, added_at_ms) VALUES (?1, ?2)";
            connection.execute(insert, params![path_bytes(path), now_ms]).map(drop)
        })
    }

    /// Watches a folder no more; its tracks go, unless they are elsewhere as well.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn remove_folder(&self, path: &Path) -> Result<(), NodeError> {
        let files: Vec<PathBuf> = self.files_under(path)?.into_keys().collect();
        self.write(true, |connection| {
            connection.execute("DELETE FROM folders WHERE path = ?1", params![path_bytes(path)])?;
            files.iter().try_for_each(|file| forget_file(connection, file))
        })
    }

    /// The files that were seen under a folder.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn files_under(&self, folder: &Path) -> Result<HashMap<PathBuf, SeenFile>, NodeError> {
        let (low, high) = inside(folder);
        let read = || {
            let connection = self.reader();
            let mut query = connection.prepare_cached(
                "SELECT path, hash, size_bytes, changed_ns FROM files WHERE path > ?1 AND path < ?2",
            )?;
            query
                .query_map(params![low, high], |row| {
                    let seen = SeenFile {
                        hash: ContentHash::from_bytes(row.get(1)?),
                        size_bytes: row.get(2)?,
                        changed_ns: row.get(3)?,
                    };
                    Ok((path_of(row.get(0)?), seen))
                })?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read"))
    }

    /// Stores files with what they hold. One whose content has changed but for its tags hands on what was set by hand,
    /// when it was played, and its places in playlists.
    ///
    /// # Errors
    /// When the database cannot be written: then nothing is stored.
    pub fn put_files(&self, files: &[(SeenFile, StoredTrack)]) -> Result<(), NodeError> {
        self.write(true, |connection| {
            for (seen, track) in files {
                put(connection, track)?;
                if let Some(before) = content_of(connection, &track.path)?.filter(|before| *before != seen.hash) {
                    hand_on(connection, before, track)?;
                    forget_file(connection, &track.path)?;
                }
                connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO files (path, hash, size_bytes, changed_ns) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![
                        path_bytes(&track.path),
                        seen.hash.as_bytes(),
                        seen.size_bytes,
                        seen.changed_ns
                    ])?;
            }
            Ok(())
        })
    }

    /// Files that were deleted: their tracks go, unless they are elsewhere as well.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_files(&self, files: &[PathBuf]) -> Result<(), NodeError> {
        self.write(true, |connection| files.iter().try_for_each(|file| forget_file(connection, file)))
    }

    /// Says of all tracks under a folder whether their files can be reached. True when that is news.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_reachable(&self, folder: &Path, reachable: bool) -> Result<bool, NodeError> {
        let (low, high) = inside(folder);
        let (from, to) = if reachable { (1, 0) } else { (0, 1) };
        self.write(false, |connection| {
            let set = "UPDATE library SET presence = ?1 WHERE presence = ?2 AND path > ?3 AND path < ?4";
            Ok(connection.execute(set, params![to, from, low, high])? > 0)
        })
    }
}

/// Bounds of the paths inside of a folder.
fn inside(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    let mut low = path_bytes(folder);
    if low.last() != Some(&(MAIN_SEPARATOR as u8)) {
        low.push(MAIN_SEPARATOR as u8);
    }
    let mut high = low.clone();
    if let Some(last) = high.last_mut() {
        *last += 1;
    }
    (low, high)
}

fn content_of(connection: &Connection, path: &Path) -> rusqlite::Result<Option<ContentHash>> {
    connection
        .prepare_cached("SELECT hash FROM files WHERE path = ?1")?
        .query_row(params![path_bytes(path)], |row| Ok(ContentHash::from_bytes(row.get(0)?)))
        .optional()
}

/// Takes a file out. Its content is looked for elsewhere, and gone where it is nowhere.
fn forget_file(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    let Some(hash) = content_of(connection, path)? else { return Ok(()) };
    connection.prepare_cached("DELETE FROM files WHERE path = ?1")?.execute(params![path_bytes(path)])?;
    let other: Option<Vec<u8>> = connection
        .prepare_cached("SELECT path FROM files WHERE hash = ?1 LIMIT 1")?
        .query_row(params![hash.as_bytes()], |row| row.get(0))
        .optional()?;
    match other {
        Some(other) => connection
            .prepare_cached("UPDATE library SET path = ?2 WHERE hash = ?1 AND path = ?3")?
            .execute(params![hash.as_bytes(), other, path_bytes(path)]),
        None => connection
            .prepare_cached("UPDATE library SET presence = 2 WHERE hash = ?1 AND path = ?2")?
            .execute(params![hash.as_bytes(), path_bytes(path)]),
    }
    .map(drop)
}

fn hand_on(connection: &Connection, before: ContentHash, track: &StoredTrack) -> rusqlite::Result<()> {
    let (old, new) = (before.as_bytes(), track.meta.hash);
    let length_us: Option<i64> = connection
        .prepare_cached("SELECT duration_us FROM library WHERE hash = ?1 AND error IS NULL")?
        .query_row(params![old], |row| row.get(0))
        .optional()?;
    if length_us
        .is_none_or(|us| track.error.is_some() || (us - track.meta.duration_us).abs() > SAME_LENGTH_US)
    {
        return Ok(());
    }
    let new_hash = new.as_bytes();
    for step in [
        "INSERT OR IGNORE INTO corrections (hash, bpm, first_beat_s, key) SELECT ?2, bpm, first_beat_s, key FROM corrections WHERE hash = ?1",
        "UPDATE plays SET hash = ?2 WHERE hash = ?1",
        "UPDATE playlist_tracks SET hash = ?2 WHERE hash = ?1",
        "UPDATE library SET (added_at_ms, plays, played_at_ms) =
            (SELECT added_at_ms, plays, played_at_ms FROM library WHERE hash = ?1) WHERE hash = ?2",
    ] {
        connection.prepare_cached(step)?.execute(params![old, new_hash])?;
    }
    super::tracks::settle(connection, new)
}
