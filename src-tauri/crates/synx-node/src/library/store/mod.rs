//! The library's database: which audio is known, where its files are, and what is known of it.
//!
//! Reading never waits for writing: each has a connection of its own. Calls block for a disk access; they are never made
//! on an async or audio thread where they may be long.

mod artwork;
mod files;
mod fold;
mod harmony;
mod lists;
mod playlists;
mod rooms;
mod schema;
mod tracks;

pub use files::SeenFile;
pub use fold::plain;
pub use lists::Counts;
pub use rooms::{RecentRoom, SeenRoom};
pub use tracks::{Correction, Found, Presence, StoredTrack, key_place, new_track};

use crate::error::NodeError;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use synx_net::WriteGate;

/// The library's database.
#[derive(Debug)]
pub struct LibraryStore {
    path: PathBuf,
    gate: WriteGate,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    revision: AtomicU64,
    words_revision: AtomicU64,
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
        let failed = |source| NodeError::OpenLibrary { path: path.to_owned(), source };
        let mut writer = Connection::open(path).map_err(failed)?;
        schema::prepare(&mut writer).map_err(failed)?;
        let reader = to_read(path).map_err(failed)?;
        reader.set_prepared_statement_cache_capacity(64);
        Ok(Self {
            path: path.to_owned(),
            gate: WriteGate::default(),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            revision: AtomicU64::new(1),
            words_revision: AtomicU64::new(1),
        })
    }

    /// The same in a folder that may be let go of.
    #[must_use]
    pub fn behind(self, gate: &WriteGate) -> Self {
        Self { gate: gate.clone(), ..self }
    }

    /// Rises with every change.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Rises when what tracks are called has changed.
    pub fn words_revision(&self) -> u64 {
        self.words_revision.load(Ordering::Acquire)
    }

    /// The connection to read with.
    pub(super) fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the database as one: all of it or nothing. `words` when what tracks are called, or which there are, changes.
    pub(super) fn write<T>(
        &self,
        words: bool,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, NodeError> {
        let mut connection = self.writer();
        let _writing = self.gate.enter().map_err(|_| NodeError::Closing)?;
        let write = || {
            let transaction = connection.transaction()?;
            let done = change(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        let done = write().map_err(failed("written"))?;
        self.revision.fetch_add(1, Ordering::AcqRel);
        self.words_revision.fetch_add(u64::from(words), Ordering::AcqRel);
        Ok(done)
    }
}

fn to_read(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// A path as it is stored: its very bytes where a path is bytes, so that a name that is no text is still found.
#[cfg(unix)]
fn path_bytes(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
}

/// A path as it is stored: text, as elsewhere names are text.
#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_domain::{ContentHash, TrackMeta};

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
        new_track(meta, Path::new(path), None, None, i64::from(byte))
    }

    #[test]
    fn a_track_that_comes_back_is_the_same_with_all_that_was_set_by_hand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library.db");
        let store = LibraryStore::open(&path).unwrap();
        let track = stored(1, "old.mp3");
        store.put(&track).unwrap();
        let correction = Correction { bpm: Some(87.0), first_beat_s: Some(0.25), key: "8A".parse().ok() };
        store.put_correction(track.meta.hash, &correction).unwrap();
        store.put_presence(track.meta.hash, Presence::Gone).unwrap();
        assert_eq!(store.get(track.meta.hash).unwrap(), None);
        drop(store);
        let store = LibraryStore::open(&path).unwrap();
        store.put(&StoredTrack { added_at_ms: 99, ..stored(1, "new.mp3") }).unwrap();
        let back = store.get(track.meta.hash).unwrap().unwrap();
        assert_eq!((back.path.as_path(), back.added_at_ms), (Path::new("new.mp3"), track.added_at_ms));
        assert_eq!(back.correction, correction);
        assert_eq!(store.counts().unwrap(), Counts { tracks: 1, broken: 0, waiting: 1 });
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_kept_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        let store = LibraryStore::open(&folder.path().join("library.db")).unwrap();
        let path = path_of(b"/music/caf\xe9 \xff.mp3".to_vec());
        let track = StoredTrack { path: path.clone(), ..stored(1, "x") };
        store.put(&track).unwrap();
        assert_eq!(store.get(track.meta.hash).unwrap().unwrap().path, path);
    }

    #[test]
    fn a_library_of_an_earlier_version_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(schema::FIRST).unwrap();
        let track = stored(7, "/music/Café.mp3");
        let meta =
            serde_json::to_string(&TrackMeta { title: "Café".to_owned(), ..track.meta.clone() }).unwrap();
        let insert = "INSERT INTO tracks VALUES (?1, '/music/Café.mp3', ?2, NULL, 5); ";
        old.execute(insert, rusqlite::params![track.meta.hash.as_bytes(), meta]).unwrap();
        old.execute_batch("PRAGMA user_version = 1").unwrap();
        drop(old);
        let store = LibraryStore::open(&path).unwrap();
        let taken = store.get(track.meta.hash).unwrap().unwrap();
        assert_eq!((taken.meta.title.as_str(), taken.added_at_ms), ("Café", 5));
        let id = store.id_of(track.meta.hash).unwrap().unwrap();
        assert!(store.matching("\"cafe\"").unwrap().has(id));
    }
}
