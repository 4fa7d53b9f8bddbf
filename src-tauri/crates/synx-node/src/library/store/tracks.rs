//! The tracks: what is stored of each, and how it is read and written.

use super::fold::{folded, plain};
use super::{LibraryStore, failed, path_bytes, path_of};
use crate::bridge::CallError;
use crate::error::NodeError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use synx_analysis::{ANALYSER_VERSION, Analysis, Key, KeyEstimate, Mode, Tempo};
use synx_domain::{ContentHash, TrackMeta};

/// Whether a track's file is where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// It is there.
    #[default]
    There,
    /// Its folder cannot be reached, or a file that was opened alone is gone.
    OutOfReach,
    /// It was deleted. What is known of it is kept for the day when it comes back.
    Gone,
}

/// A track as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrack {
    /// What its file says.
    pub meta: TrackMeta,
    /// Year of its release.
    pub year: Option<u16>,
    /// Where its file was seen last.
    pub path: PathBuf,
    /// Why it cannot be used.
    pub error: Option<CallError>,
    /// Whether its file is there.
    pub presence: Presence,
    /// When it came, milliseconds since 1970 UTC.
    pub added_at_ms: i64,
    /// What the analysis found; none before it.
    pub found: Option<Found>,
    /// What the user set in its place.
    pub correction: Correction,
    /// How often it was played.
    pub plays: u32,
    /// When last, milliseconds since 1970 UTC.
    pub played_at_ms: Option<i64>,
}

/// The short form of an analysis: what a list shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Tempo, without its beats.
    pub tempo: Option<Tempo>,
    /// Key.
    pub key: Option<KeyEstimate>,
    /// 1 to 10.
    pub energy: u8,
    /// Integrated.
    pub loudness_lufs: Option<f64>,
}

impl From<&Analysis> for Found {
    fn from(analysis: &Analysis) -> Self {
        let tempo = analysis.tempo.as_ref();
        Self {
            tempo: tempo.map(|tempo| Tempo { beats_s: Vec::new(), downbeats: Vec::new(), ..tempo.clone() }),
            key: analysis.key.clone(),
            energy: analysis.energy,
            loudness_lufs: analysis.loudness.integrated_lufs,
        }
    }
}

/// What the user set by hand; it wins over whatever an analysis finds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Correction {
    /// Beats per minute.
    pub bpm: Option<f64>,
    /// Seconds from the start of the track to a beat of the grid.
    pub first_beat_s: Option<f64>,
    /// Key.
    pub key: Option<Key>,
}

impl StoredTrack {
    /// The tempo that counts.
    pub fn bpm(&self) -> Option<f64> {
        self.correction.bpm.or_else(|| Some(self.found.as_ref()?.tempo.as_ref()?.bpm))
    }

    /// The key that counts.
    pub fn key(&self) -> Option<Key> {
        self.correction.key.or_else(|| Some(self.found.as_ref()?.key.as_ref()?.key))
    }
}

/// A key's place in a list: by its Camelot number, minor before major, 0 to 23. Neighbours on the wheel are neighbours here.
pub fn key_place(key: Key) -> u8 {
    let number = key.camelot().trim_end_matches(['A', 'B']).parse::<u8>().unwrap_or(1);
    (number - 1) * 2 + u8::from(key.mode() == Mode::Major)
}

pub(super) const COLUMNS: &str = "library.path, library.meta, library.error, library.presence, library.year, library.added_at_ms, library.found, \
     library.plays, library.played_at_ms, corrections.bpm, corrections.first_beat_s, corrections.key, library.error_code";
pub(super) const JOINED: &str = "library LEFT JOIN corrections ON corrections.hash = library.hash";

impl LibraryStore {
    /// Stores what a file says, and that it is there. What was found and set by hand, and when it came, is kept.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put(&self, track: &StoredTrack) -> Result<(), NodeError> {
        self.write(true, |connection| put(connection, track))
    }

    /// Stores many at once.
    ///
    /// # Errors
    /// When the database cannot be written: then none is stored.
    pub fn put_all(&self, tracks: &[StoredTrack]) -> Result<(), NodeError> {
        self.write(true, |connection| tracks.iter().try_for_each(|track| put(connection, track)))
    }

    /// Stores what an analysis found.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_found(&self, hash: ContentHash, found: &Found) -> Result<(), NodeError> {
        self.write(false, |connection| put_found(connection, hash, found))
    }

    /// Stores what many analyses found.
    ///
    /// # Errors
    /// When the database cannot be written: then nothing is stored.
    pub fn put_all_found(
        &self,
        found: impl IntoIterator<Item = (ContentHash, Found)>,
    ) -> Result<(), NodeError> {
        self.write(false, |connection| {
            found.into_iter().try_for_each(|(hash, found)| put_found(connection, hash, &found))
        })
    }

    /// The tracks that wait longest for their analysis, `count` at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn next_waiting(&self, count: usize) -> Result<Vec<(ContentHash, PathBuf)>, NodeError> {
        self.waiting("1 ORDER BY id LIMIT ?1", params![count as i64])
    }

    /// A track, if it waits for its analysis.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn if_waiting(&self, hash: ContentHash) -> Result<Option<(ContentHash, PathBuf)>, NodeError> {
        Ok(self.waiting("hash = ?1", params![hash.as_bytes()])?.pop())
    }

    fn waiting(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<(ContentHash, PathBuf)>, NodeError> {
        let query = format!(
            "SELECT hash, path FROM library
             WHERE analyser_version IS NULL AND error IS NULL AND presence = 0 AND {condition}"
        );
        let connection = self.reader();
        let read = || {
            let mut query = connection.prepare_cached(&query)?;
            let rows = query
                .query_map(values, |row| Ok((ContentHash::from_bytes(row.get(0)?), path_of(row.get(1)?))))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed("read"))
    }

    /// Says whether a track's file is there. One that is gone is not shown; what is known of it is kept.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_presence(&self, hash: ContentHash, presence: Presence) -> Result<(), NodeError> {
        self.write(presence == Presence::Gone, |connection| {
            let set = "UPDATE library SET presence = ?2 WHERE hash = ?1";
            connection.execute(set, params![hash.as_bytes(), presence as u8]).map(drop)
        })
    }

    /// Stores why a track cannot be used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_error(&self, hash: ContentHash, reason: &CallError) -> Result<(), NodeError> {
        self.write(false, |connection| {
            let update = "UPDATE library SET error = ?2, error_code = ?3 WHERE hash = ?1";
            connection.execute(update, params![hash.as_bytes(), reason.message, reason.code]).map(drop)
        })
    }

    /// Stores what the user set by hand, in place of what was set before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_correction(&self, hash: ContentHash, correction: &Correction) -> Result<(), NodeError> {
        self.write(false, |connection| {
            connection.execute(
                "INSERT OR REPLACE INTO corrections (hash, bpm, first_beat_s, key) VALUES (?1, ?2, ?3, ?4)",
                params![
                    hash.as_bytes(),
                    correction.bpm,
                    correction.first_beat_s,
                    correction.key.map(String::from)
                ],
            )?;
            settle(connection, hash)
        })
    }

    /// A track by its hash; none for one that was taken out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn get(&self, hash: ContentHash) -> Result<Option<StoredTrack>, NodeError> {
        let query = format!("SELECT {COLUMNS} FROM {JOINED} WHERE library.hash = ?1 AND presence < 2");
        let connection = self.reader();
        let mut query = connection.prepare_cached(&query).map_err(failed("read"))?;
        query.query_row(params![hash.as_bytes()], track).optional().map_err(failed("read"))
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn put(connection: &Connection, track: &StoredTrack) -> rusqlite::Result<()> {
    let meta = &track.meta;
    let mut insert = connection.prepare_cached(
        "INSERT INTO library (hash, path, meta, error, presence, year, added_at_ms, duration_us, title_key, artist_key, album_key, error_code)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (hash) DO UPDATE SET path = ?2, meta = ?3, error = ?4, presence = ?5, year = ?6, duration_us = ?8,
            title_key = ?9, artist_key = ?10, album_key = ?11, error_code = ?12
         RETURNING id",
    )?;
    let id = insert.query_row(
        params![
            meta.hash.as_bytes(),
            path_bytes(&track.path),
            json(meta),
            track.error.as_ref().map(|error| &error.message),
            track.presence as u8,
            track.year,
            track.added_at_ms,
            meta.duration_us,
            folded(&meta.title),
            meta.artist.as_deref().map(folded),
            meta.album.as_deref().map(folded),
            track.error.as_ref().map(|error| &error.code),
        ],
        |row| row.get(0),
    )?;
    index_words(connection, id, meta)?;
    settle(connection, meta.hash)
}

fn put_found(connection: &Connection, hash: ContentHash, found: &Found) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE library SET analyser_version = ?2, found = ?3, energy = ?4, loudness_lufs = ?5 WHERE hash = ?1",
        )?
        .execute(params![hash.as_bytes(), ANALYSER_VERSION, json(found), found.energy, found.loudness_lufs])?;
    settle(connection, hash)
}

/// Puts the words of a track into the index, in place of those that were there.
pub(super) fn index_words(connection: &Connection, id: i64, meta: &TrackMeta) -> rusqlite::Result<()> {
    let text = |text: Option<&String>| text.map(|text| plain(text)).unwrap_or_default();
    connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([id])?;
    connection
        .prepare_cached(
            "INSERT INTO search (rowid, title, artist, album, file_name) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id,
            plain(&meta.title),
            text(meta.artist.as_ref()),
            text(meta.album.as_ref()),
            plain(&meta.file_name)
        ])
        .map(drop)
}

/// Writes the tempo and key that count, for sorting and filtering.
pub(super) fn settle(connection: &Connection, hash: ContentHash) -> rusqlite::Result<()> {
    let query = format!("SELECT {COLUMNS} FROM {JOINED} WHERE library.hash = ?1");
    let stored = connection.prepare_cached(&query)?.query_row(params![hash.as_bytes()], track).optional()?;
    let Some(stored) = stored else { return Ok(()) };
    let (bpm, key) = (stored.bpm(), stored.key().map(key_place));
    let mut update = connection.prepare_cached("UPDATE library SET bpm = ?2, key = ?3 WHERE hash = ?1")?;
    update.execute(params![hash.as_bytes(), bpm, key]).map(drop)
}

/// A row of [`COLUMNS`].
pub(super) fn track(row: &Row<'_>) -> rusqlite::Result<StoredTrack> {
    let (path, meta): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
    let meta = serde_json::from_str(&meta).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into())
    })?;
    let (found, key): (Option<String>, Option<String>) = (row.get(6)?, row.get(11)?);
    let (message, code): (Option<String>, Option<String>) = (row.get(2)?, row.get(12)?);
    Ok(StoredTrack {
        meta,
        path: path_of(path),
        error: message
            .map(|message| CallError { code: code.unwrap_or_else(|| "broken_track".to_owned()), message }),
        presence: match row.get(3)? {
            0 => Presence::There,
            1 => Presence::OutOfReach,
            _ => Presence::Gone,
        },
        year: row.get(4)?,
        added_at_ms: row.get(5)?,
        // What cannot be read any more is found anew.
        found: found.and_then(|found| serde_json::from_str(&found).ok()),
        correction: Correction {
            bpm: row.get(9)?,
            first_beat_s: row.get(10)?,
            key: key.and_then(|key| key.parse().ok()),
        },
        plays: row.get(7)?,
        played_at_ms: row.get(8)?,
    })
}

/// A track of which only its file is known.
pub fn new_track(
    meta: TrackMeta,
    path: &Path,
    year: Option<u16>,
    error: Option<CallError>,
    added_at_ms: i64,
) -> StoredTrack {
    StoredTrack {
        meta,
        year,
        path: path.to_owned(),
        error,
        presence: Presence::There,
        added_at_ms,
        found: None,
        correction: Correction::default(),
        plays: 0,
        played_at_ms: None,
    }
}
