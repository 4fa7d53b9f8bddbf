//! Brings the library up to date with a watched folder: new, changed, moved and deleted files.
//!
//! Must never take a folder that cannot be reached for an empty one: what is out of reach stays in the library.

use super::files::{file_name, find_audio, hash_file};
use super::store::{LibraryStore, SeenFile, StoredTrack, new_track};
use super::unusable;
use crate::error::NodeError;
use crate::worker::{WorkError, Workers};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::UNIX_EPOCH;
use synx_domain::ContentHash;
use tokio::runtime::Handle;

/// Files that are written at once: few enough that they are soon to be seen, many enough that the disk is not what is
/// waited for.
const BATCH: usize = 64;
/// Files that are read side by side: one waits for the disk while the other is hashed. More would take the machine from
/// who listens.
const READERS: usize = 2;

/// How far a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanCount {
    /// Files that were looked into.
    pub done: usize,
    /// Files that are to be.
    pub total: usize,
}

/// Who is asked and told while a folder is scanned.
pub trait ScanWatch: Sync {
    /// Waits while the scan rests; false to give it up.
    fn go_on(&self) -> bool;
    /// Tells how far it is. What is done is in the library.
    fn scanned(&self, count: ScanCount);
}

/// Looks into files: hashes them here, and has the workers say what is in them. Not for the async threads.
pub struct Reader<'a> {
    workers: &'a Workers,
    runtime: Handle,
    now_ms: i64,
}

/// Scans a folder. True when it could be reached.
///
/// # Errors
/// When the library cannot be read or written. Files that cannot be used are in the library with their reason.
pub fn scan(
    store: &LibraryStore,
    reader: &Reader<'_>,
    folder: &Path,
    watch: &dyn ScanWatch,
) -> Result<bool, NodeError> {
    let known = store.files_under(folder)?;
    let found = match find_audio(std::slice::from_ref(&folder.to_owned())) {
        // A network folder that is not mounted is an empty one.
        Ok(found) if fs::read_dir(folder).is_ok() && (known.is_empty() || !found.is_empty()) => found,
        _ => {
            store.put_reachable(folder, false)?;
            return Ok(known.is_empty() && folder.is_dir());
        }
    };
    store.put_reachable(folder, true)?;
    let gone: Vec<PathBuf> = {
        let found: std::collections::HashSet<&PathBuf> = found.iter().collect();
        known.keys().filter(|path| !found.contains(path)).cloned().collect()
    };
    let news: Vec<(PathBuf, Metadata)> = found
        .into_iter()
        .filter_map(|path| fs::metadata(&path).ok().map(|meta| (path, meta)))
        .filter(|(path, meta)| {
            known.get(path).is_none_or(|seen| (seen.size_bytes, seen.changed_ns) != mark(meta))
        })
        .collect();
    // What is new first: a file that has moved is found where it is now before it is missed where it was.
    read_all(store, reader, &news, watch)?;
    if !gone.is_empty() {
        store.forget_files(&gone)?;
    }
    Ok(true)
}

fn read_all(
    store: &LibraryStore,
    reader: &Reader<'_>,
    news: &[(PathBuf, Metadata)],
    watch: &dyn ScanWatch,
) -> Result<(), NodeError> {
    let next = AtomicUsize::new(0);
    let (read, ready) = mpsc::sync_channel(BATCH);
    let total = news.len();
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            let (read, next) = (read.clone(), &next);
            scope.spawn(move || {
                while let Some((path, meta)) = news.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !watch.go_on() || read.send(reader.look_into(path, meta)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(read);
        let mut done = 0;
        let mut batch = Vec::with_capacity(BATCH);
        for looked_into in ready {
            match looked_into {
                Ok(one) => batch.push(one),
                // As it was in the library, until the next scan.
                Err(error) => tracing::warn!(%error, "a file was not looked into"),
            }
            done += 1;
            if batch.len() == BATCH || done == total {
                store.put_files(&batch)?;
                batch.clear();
                watch.scanned(ScanCount { done, total });
            }
        }
        // Given up half-way: what was read is kept.
        store.put_files(&batch)
    })
}

impl<'a> Reader<'a> {
    /// Reads with these workers from now on. To be called where a runtime is.
    pub fn new(workers: &'a Workers) -> Self {
        Self { workers, runtime: Handle::current(), now_ms: crate::wall_clock_ms() }
    }

    /// What is in a file. One that cannot be used comes with the reason.
    ///
    /// # Errors
    /// When that cannot be said, through no fault of the file.
    pub fn look_into(&self, path: &Path, meta: &Metadata) -> Result<(SeenFile, StoredTrack), WorkError> {
        let (size_bytes, changed_ns) = mark(meta);
        let hash = match hash_file(path) {
            Ok(hash) => hash,
            Err(error) => return Ok(self.unreadable(path, error)),
        };
        let seen = SeenFile { hash, size_bytes, changed_ns };
        match self.runtime.block_on(self.workers.describe(path, hash, file_name(path))) {
            Ok((meta, year)) => Ok((seen, new_track(meta, path, year, None, self.now_ms))),
            Err(error) if error.is_the_files() => Ok((seen, self.broken(path, hash, error.into()))),
            Err(error @ WorkError::Failed { .. }) => Ok(self.unreadable(path, error.into())),
            Err(error) => Err(error),
        }
    }

    /// Listed by its place, as its content is not known, and looked into again at the next scan.
    fn unreadable(&self, path: &Path, error: NodeError) -> (SeenFile, StoredTrack) {
        let hash = ContentHash::from_bytes(*blake3::hash(path.as_os_str().as_encoded_bytes()).as_bytes());
        (SeenFile { hash, size_bytes: 0, changed_ns: 0 }, self.broken(path, hash, error))
    }

    fn broken(&self, path: &Path, hash: ContentHash, error: NodeError) -> StoredTrack {
        new_track(unusable(path, hash), path, None, Some(error.into()), self.now_ms)
    }
}

/// What tells whether a file has changed.
fn mark(meta: &Metadata) -> (i64, i64) {
    let changed = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let size_bytes = i64::try_from(meta.len()).unwrap_or(i64::MAX);
    (size_bytes, changed.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::CallError;
    use crate::worker::{Bounds, Launch};

    struct Unasked;

    impl ScanWatch for Unasked {
        fn go_on(&self) -> bool {
            true
        }

        fn scanned(&self, _: ScanCount) {}
    }

    /// What a scan finds of one demo track when files are read by this program.
    fn scanned_by(program: Option<&str>) -> Option<Option<CallError>> {
        let folder = tempfile::tempdir().unwrap();
        let (music, store) = (folder.path().join("music"), folder.path().join("library.db"));
        fs::create_dir(&music).unwrap();
        let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../assets/demo/tide-line.mp3");
        let song = music.join("song.mp3");
        fs::copy(demo, &song).unwrap();
        let store = LibraryStore::open(&store).unwrap();
        let launch = program.map(|program| Launch { program: program.into(), args: Vec::new() });
        let workers = Workers::new(launch, Bounds::default());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _here = runtime.enter();
        assert!(scan(&store, &Reader::new(&workers), &music, &Unasked).unwrap());
        let listed = store.get(hash_file(&song).unwrap()).unwrap();
        listed.map(|track| track.error)
    }

    #[test]
    fn a_file_is_broken_when_it_takes_its_worker_down_but_not_when_there_is_none() {
        assert_eq!(scanned_by(None), Some(None));
        assert_eq!(scanned_by(Some("/nowhere/program")), None);
        let broken = scanned_by(Some("true")).flatten().unwrap();
        assert_eq!(broken.code, "media_crashed");
        assert!(broken.message.contains("the program that read it ended"), "{broken:?}");
    }
}
