//! The audio files of this machine: found, described, analysed, remembered.
//!
//! Must never change or move a file of the user's.

mod analyses;
mod artwork;
mod batch;
#[doc(hidden)]
pub mod bench;
mod correct;
mod files;
mod scan;
pub mod search;
mod store;
mod view;
mod watch;
mod work;

pub use analyses::{Analyses, summary};
pub use artwork::{PictureSize, Pictures};
pub use batch::{FileAnalysis, FileOutcome, FileReport, analyze_files};
pub use files::{describe, file_name, find_audio, hash_file};
pub use store::{Correction, Found, LibraryStore, Presence, RecentRoom, SeenRoom, StoredTrack};
pub use view::{analysis_view, waveform_view};

use crate::bridge::{
    Availability, FolderView, LibraryStateView, NodeEvent, ScanView, TrackPageView, TrackView,
};
use crate::error::NodeError;
use search::{Listed, Lists, Wanted};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Counts;
use synx_domain::{ContentHash, TrackMeta};
use tokio::sync::{broadcast, mpsc, watch as tokio_watch};
use tokio::task::JoinSet;
use watch::{Folders, Scanning};
use work::Agenda;

/// Rows that are handed out at a time: more than any screen shows.
const ROWS_MAX: u32 = 500;

/// The library of one instance.
pub struct Library {
    store: LibraryStore,
    lists: Lists,
    analyses: Arc<Analyses>,
    pictures: Pictures,
    agenda: Arc<Agenda>,
    events: broadcast::Sender<NodeEvent>,
    /// Rises when more is known of audio of this machine.
    arrivals: tokio_watch::Sender<u64>,
    /// Rises when windows should be told.
    changes: tokio_watch::Sender<u64>,
    /// How far the analyses under way are, 0 to 1.
    under_way: Mutex<HashMap<ContentHash, f64>>,
    /// Folder that is scanned now, and how far.
    scanning: Mutex<Option<Scanning>>,
    /// Watched folders that could not be reached.
    unreachable: Mutex<Vec<PathBuf>>,
    folders: Mutex<Folders>,
    tasks: Mutex<JoinSet<()>>,
}

impl Library {
    /// A library over its database; results are kept in `analyses`, news go to `events`, and raise `arrivals`. What waits
    /// for its analysis is analysed from now on, as [`Library::set_workers`] says.
    pub fn start(
        store: LibraryStore,
        analyses: Arc<Analyses>,
        pictures: Pictures,
        events: broadcast::Sender<NodeEvent>,
        arrivals: tokio_watch::Sender<u64>,
        workers: u32,
    ) -> Arc<Self> {
        let changes = tokio_watch::Sender::new(0);
        let (happened, happening) = mpsc::unbounded_channel();
        let library = Arc::new(Self {
            store,
            lists: Lists::default(),
            analyses,
            pictures,
            agenda: Arc::default(),
            events,
            arrivals,
            changes,
            under_way: Mutex::default(),
            scanning: Mutex::default(),
            unreachable: Mutex::default(),
            folders: Mutex::new(Folders::new(happened)),
            tasks: Mutex::default(),
        });
        library.set_workers(workers);
        let mut tasks = lock(&library.tasks);
        tasks.spawn(work::analyze_all(Arc::downgrade(&library)));
        tasks.spawn(work::tell_changes(Arc::downgrade(&library), library.changes.subscribe()));
        tasks.spawn(work::learn_words(Arc::downgrade(&library), library.changes.subscribe()));
        tasks.spawn(watch::follow(Arc::downgrade(&library), happening));
        drop(tasks);
        library.follow_folders();
        library
    }

    /// Ends all work on it.
    pub fn close(&self) {
        self.analyses.cancel();
        lock(&self.tasks).abort_all();
    }

    /// The database.
    pub fn store(&self) -> &LibraryStore {
        &self.store
    }

    /// The analysis results.
    pub fn analyses(&self) -> &Arc<Analyses> {
        &self.analyses
    }

    /// Adds the audio files under `paths`, which are analysed before all others. A file that cannot be used is in the
    /// library with its reason.
    ///
    /// # Errors
    /// A path that does not exist or holds no audio, or a library that cannot be written.
    pub async fn open_files(self: &Arc<Self>, paths: Vec<PathBuf>) -> Result<Vec<StoredTrack>, NodeError> {
        let library = Arc::clone(self);
        let opened = tokio::task::spawn_blocking(move || library.open_blocking(&paths)).await;
        let tracks = opened.map_err(|_| NodeError::Closing)??;
        self.changed();
        self.agenda.first(tracks.iter().map(|track| track.meta.hash));
        Ok(tracks)
    }

    fn open_blocking(&self, paths: &[PathBuf]) -> Result<Vec<StoredTrack>, NodeError> {
        let files = find_audio(paths)?;
        if files.is_empty() {
            return Err(NodeError::NoAudio { path: paths.first().cloned().unwrap_or_default() });
        }
        let reader = scan::Reader::new(self.analyses.workers());
        files.iter().map(|path| self.open_one(path, &reader)).collect()
    }

    fn open_one(&self, path: &Path, reader: &scan::Reader<'_>) -> Result<StoredTrack, NodeError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let meta = std::fs::metadata(&path).map_err(|source| NodeError::File {
            action: "open",
            path: path.clone(),
            source,
        })?;
        let (seen, track) = reader.look_into(&path, &meta)?;
        let hash = track.meta.hash;
        self.store.put_files(&[(seen, track.clone())])?;
        Ok(self.store.get(hash)?.unwrap_or(track))
    }

    fn progressed(&self, hash: ContentHash, done: f64) {
        if let Some(known) = lock(&self.under_way).get_mut(&hash) {
            *known = done;
        }
        self.track_changed(hash);
    }

    fn track_changed(&self, hash: ContentHash) {
        if let Ok(Some(track)) = self.store.get(hash) {
            // No window may be open: then nobody needs to know.
            drop(self.events.send(NodeEvent::TrackChanged { track: Box::new(self.view(&track)) }));
        }
    }

    /// Forgets a track; its file stays.
    ///
    /// # Errors
    /// When the library cannot be written.
    pub fn remove(&self, hash: ContentHash) -> Result<(), NodeError> {
        self.store.put_presence(hash, Presence::Gone)?;
        self.changed();
        Ok(())
    }

    /// Watches a folder from now on, and takes in what is in it.
    ///
    /// # Errors
    /// When there is no such folder, or the library cannot be written.
    pub fn add_folder(&self, path: &Path) -> Result<(), NodeError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        std::fs::read_dir(&path).map_err(|source| NodeError::File {
            action: "open",
            path: path.clone(),
            source,
        })?;
        self.store.add_folder(&path, crate::wall_clock_ms())?;
        self.follow_folders();
        self.changed();
        Ok(())
    }

    /// Watches a folder no more. Its tracks leave the library; its files stay.
    ///
    /// # Errors
    /// When the library cannot be written.
    pub fn remove_folder(&self, path: &Path) -> Result<(), NodeError> {
        self.store.remove_folder(path)?;
        lock(&self.unreachable).retain(|other| other != path);
        self.follow_folders();
        self.changed();
        Ok(())
    }

    fn follow_folders(&self) {
        match self.store.folders() {
            Ok(folders) => lock(&self.folders).watch(folders),
            Err(error) => tracing::warn!(%error, "the watched folders are not known"),
        }
    }

    /// A track whose file is not where it was. It stays, and is shown so.
    pub fn is_missing(&self, hash: ContentHash) {
        if let Err(error) = self.store.put_presence(hash, Presence::OutOfReach) {
            tracing::warn!(%hash, %error, "the library does not remember a missing file");
        }
        self.track_changed(hash);
    }

    /// Where a track's file is, if it is still there.
    pub fn locate(&self, hash: ContentHash) -> Option<PathBuf> {
        self.store.get(hash).ok().flatten().map(|track| track.path).filter(|path| path.is_file())
    }

    /// A list of tracks, in the order and with the search that are wanted.
    ///
    /// # Errors
    /// A filter that means nothing, a list that is not there, or a library that cannot be read.
    pub fn list(&self, wanted: &Wanted) -> Result<Listed, NodeError> {
        self.lists.list(&self.store, wanted)
    }

    /// A part of a list as it is drawn. What is drawn is analysed before what is not.
    ///
    /// # Errors
    /// As [`Library::list`].
    pub fn page(&self, wanted: &Wanted, from: u32, count: u32) -> Result<TrackPageView, NodeError> {
        let listed = self.list(wanted)?;
        let rows = listed.rows(&self.store, from as usize, count.min(ROWS_MAX) as usize)?;
        self.agenda.on_screen(rows.iter().filter(|row| row.found.is_none()).map(|row| row.meta.hash));
        Ok(TrackPageView {
            revision: listed.revision,
            total: u32::try_from(listed.ids.len()).unwrap_or(u32::MAX),
            from,
            rows: rows.iter().map(|row| self.view(row)).collect(),
            read_as: listed.read_as,
        })
    }

    /// The library but for its tracks. What cannot be read is nothing, with a warning in the log.
    pub fn state(&self) -> LibraryStateView {
        let counts = self.store.counts().unwrap_or_else(|error| {
            tracing::warn!(%error, "the library cannot be read");
            Counts::default()
        });
        LibraryStateView {
            revision: self.store.revision(),
            tracks: counts.tracks,
            broken: counts.broken,
            waiting: counts.waiting,
            paused: self.agenda.is_paused(),
            workers: self.agenda.workers(),
            workers_most: workers_most(),
            folders: self.folder_views(),
            scan: lock(&self.scanning).as_ref().map(|scanning| ScanView {
                folder: scanning.folder.to_string_lossy().into_owned(),
                done: scanning.count.done,
                total: scanning.count.total,
            }),
            playlists: self.store.playlists().unwrap_or_default(),
        }
    }

    fn folder_views(&self) -> Vec<FolderView> {
        let unreachable = lock(&self.unreachable);
        let view = |path: PathBuf| FolderView {
            reachable: !unreachable.contains(&path),
            path: path.to_string_lossy().into_owned(),
        };
        self.store.folders().unwrap_or_default().into_iter().map(view).collect()
    }

    /// Lets scans and analyses rest, but for what is opened, or go on.
    pub fn pause(&self, paused: bool) {
        self.agenda.pause(paused);
        self.changed();
    }

    /// So many files are analysed side by side from now on. With none, only what is opened or played.
    pub fn set_workers(&self, count: u32) {
        let count = count.min(workers_most());
        self.analyses.set_at_a_time(count as usize);
        self.agenda.set_workers(count);
        self.changed();
    }

    /// Analyses a track before all others, if it waits for that.
    pub fn analyze_first(&self, hash: ContentHash) {
        self.agenda.first([hash]);
    }

    /// Looks through all watched folders again.
    pub fn rescan(&self) {
        lock(&self.folders).look_again();
    }

    /// A track as it is drawn.
    pub fn view(&self, track: &StoredTrack) -> TrackView {
        let progress = lock(&self.under_way).get(&track.meta.hash).copied();
        let availability = match (&track.error, &track.found, progress) {
            _ if track.presence != Presence::There => Availability::Missing,
            (Some(_), ..) => Availability::Broken,
            (None, Some(_), _) => Availability::Ready,
            (None, None, Some(done)) if done > 0.0 => Availability::Analyzing,
            (None, None, _) => Availability::Waiting,
        };
        view::track_view(track, availability, progress.unwrap_or(0.0))
    }

    /// Windows are told soon.
    pub fn changed(&self) {
        self.agenda.more();
        self.changes.send_modify(|count| *count += 1);
    }

    fn tell_now(&self) {
        drop(self.events.send(NodeEvent::LibraryChanged { library: Box::new(self.state()) }));
    }
}

/// More analyses side by side than the machine has processors make none of them faster.
fn workers_most() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What can be said of a file that is no audio.
fn unusable(path: &Path, hash: ContentHash) -> TrackMeta {
    let file_name = file_name(path);
    TrackMeta {
        hash,
        title: file_name.clone(),
        file_name,
        size_bytes: std::fs::metadata(path).map_or(0, |meta| meta.len()),
        duration_us: 0,
        sample_rate_hz: 0,
        channels: 0,
        artist: None,
        album: None,
    }
}
