//! The library's tables, and how a file of an earlier version becomes one of this.

use super::fold::folded;
use super::tracks::index_words;
use rusqlite::Connection;
use synx_analysis::ANALYSER_VERSION;
use synx_domain::TrackMeta;

/// The schema of the first version.
pub(super) const FIRST: &str = "CREATE TABLE tracks (
        hash BLOB PRIMARY KEY, path TEXT NOT NULL, meta TEXT NOT NULL, error TEXT, added_at_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX tracks_by_path ON tracks (path);
     CREATE TABLE recent_rooms (
        room BLOB PRIMARY KEY, name TEXT NOT NULL, hosted_here INTEGER NOT NULL, link TEXT, last_seen_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;";

/// Steps of the schema, in order; only ever added to. `user_version` counts those that have run.
const MIGRATIONS: &[&str] = &[
    FIRST,
    // Tracks with what they are sorted, searched and filtered by. `presence`: 0 there, 1 out of reach, 2 gone and hidden,
    // kept for the day when its file comes back. `bpm` and `key` hold what counts: the user's value where there is one.
    "CREATE TABLE library (
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, path BLOB NOT NULL, meta TEXT NOT NULL, error TEXT,
        presence INTEGER NOT NULL DEFAULT 0, year INTEGER, added_at_ms INTEGER NOT NULL, duration_us INTEGER NOT NULL,
        title_key TEXT, artist_key TEXT, album_key TEXT,
        analyser_version INTEGER, found TEXT, bpm REAL, key INTEGER, energy INTEGER, loudness_lufs REAL,
        plays INTEGER NOT NULL DEFAULT 0, played_at_ms INTEGER
     ) STRICT;
     INSERT INTO library (hash, path, meta, error, added_at_ms, duration_us)
        SELECT hash, CAST(path AS BLOB), meta, error, added_at_ms, COALESCE(json_extract(meta, '$.duration_us'), 0) FROM tracks;
     DROP TABLE tracks;
     CREATE INDEX library_by_title ON library (title_key, presence);
     CREATE INDEX library_by_artist ON library (artist_key, album_key, title_key, presence);
     CREATE INDEX library_by_album ON library (album_key, title_key, presence);
     CREATE INDEX library_figures ON library
        (bpm, key, energy, loudness_lufs, year, added_at_ms, duration_us, plays, played_at_ms, analyser_version, presence);
     CREATE INDEX library_broken ON library (presence) WHERE error IS NOT NULL;
     CREATE INDEX library_shown ON library (presence);
     CREATE INDEX library_waiting ON library (id) WHERE analyser_version IS NULL AND error IS NULL AND presence = 0;
     CREATE TABLE files (path BLOB PRIMARY KEY, hash BLOB NOT NULL, size_bytes INTEGER NOT NULL, changed_ns INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
     CREATE INDEX files_by_hash ON files (hash);
     CREATE TABLE folders (path BLOB PRIMARY KEY, added_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE corrections (hash BLOB PRIMARY KEY, bpm REAL, first_beat_s REAL, key TEXT) STRICT, WITHOUT ROWID;
     CREATE TABLE plays (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, at_ms INTEGER NOT NULL) STRICT;
     CREATE INDEX plays_by_hash ON plays (hash);
     CREATE TABLE playlists (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
     CREATE TABLE playlist_tracks (
        id INTEGER PRIMARY KEY, playlist INTEGER NOT NULL REFERENCES playlists (id) ON DELETE CASCADE,
        place REAL NOT NULL, hash BLOB NOT NULL
     ) STRICT;
     CREATE INDEX playlist_tracks_in_order ON playlist_tracks (playlist, place);
     CREATE VIRTUAL TABLE search USING fts5 (
        title, artist, album, file_name, content = '', contentless_delete = 1,
        tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
     );
     CREATE VIRTUAL TABLE search_terms USING fts5vocab (search, row);",
    // `picture` is null for a track that was looked into and has none.
    "CREATE TABLE artwork (hash BLOB PRIMARY KEY, picture BLOB) STRICT, WITHOUT ROWID;",
    // What `error` says, as a code; null where it was found by an earlier version.
    "ALTER TABLE library ADD COLUMN error_code TEXT;",
    // How far a room was seen when one was there last; null where that was not noted.
    "ALTER TABLE recent_rooms ADD COLUMN seen_seq INTEGER; ALTER TABLE recent_rooms ADD COLUMN seen_notes INTEGER;",
];

/// Brings the file to the newest schema.
pub fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let done: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (index, step) in MIGRATIONS.iter().enumerate().skip(usize::try_from(done).unwrap_or(0)) {
        connection.execute_batch(&format!("BEGIN; {step} PRAGMA user_version = {}; COMMIT;", index + 1))?;
    }
    // What an earlier analyser found is shown until the present one has been over it.
    connection.execute(
        "UPDATE library SET analyser_version = NULL WHERE analyser_version < ?1",
        [ANALYSER_VERSION],
    )?;
    index_old_tracks(connection)
}

/// Tracks of an earlier version have no keys to be sorted by, nor words to be found by.
fn index_old_tracks(connection: &mut Connection) -> rusqlite::Result<()> {
    let rows: Vec<(i64, String)> = connection
        .prepare("SELECT id, meta FROM library WHERE title_key IS NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let transaction = connection.transaction()?;
    for (id, meta) in rows {
        let Ok(meta) = serde_json::from_str::<TrackMeta>(&meta) else { continue };
        let keys =
            (folded(&meta.title), meta.artist.as_deref().map(folded), meta.album.as_deref().map(folded));
        transaction.execute(
            "UPDATE library SET title_key = ?2, artist_key = ?3, album_key = ?4 WHERE id = ?1",
            rusqlite::params![id, keys.0, keys.1, keys.2],
        )?;
        index_words(&transaction, id, &meta)?;
    }
    transaction.commit()
}
