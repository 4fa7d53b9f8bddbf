//! The audio files of this machine: found, described, analysed, remembered.
//!
//! Must never change or move a file of the user's.

mod analyses;
mod batch;
mod files;
mod store;
mod view;

pub use analyses::{Analyses, summary};
pub use batch::{FileAnalysis, FileOutcome, FileReport, analyze_files};
pub use files::{describe, file_name, find_audio, hash_file};
pub use store::{LibraryStore, RecentRoom, StoredTrack};
pub use view::{analysis_view, waveform_view};

use crate::bridge::{Availability, NodeEvent, TrackView};
use crate::error::NodeError;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synx_domain::{ContentHash, TrackMeta};
use tokio::sync::{broadcast, watch};

/// The library of one instance.
pub struct Library {
    store: LibraryStore,
    analyses: Arc<Analyses>,
    events: broadcast::Sender<NodeEvent>,
    /// Rises when more is known of audio of this machine.
    arrivals: watch::Sender<u64>,
    /// How far the analyses under way are, 0 to 1.
    under_way: Mutex<HashMap<ContentHash, f64>>,
}

impl Library {
    /// A library over its database; results are kept in `analyses`, news go to `events`, and raise `arrivals`.
    pub fn new(
        store: LibraryStore,
        analyses: Arc<Analyses>,
        events: broadcast::Sender<NodeEvent>,
        arrivals: watch::Sender<u64>,
    ) -> Self {
        Self { store, analyses, events, arrivals, under_way: Mutex::default() }
    }

    /// The database.
    pub fn store(&self) -> &LibraryStore {
        &self.store
    }

    /// The analysis results.
    pub fn analyses(&self) -> &Arc<Analyses> {
        &self.analyses
    }

    /// Adds the audio files under `paths` and starts their analyses. A file that cannot be used is in the library with
    /// its reason.
    ///
    /// # Errors
    /// A path that does not exist or holds no audio, or a library that cannot be written.
    pub async fn open_files(self: &Arc<Self>, paths: Vec<PathBuf>) -> Result<Vec<StoredTrack>, NodeError> {
        let library = Arc::clone(self);
        let opened = tokio::task::spawn_blocking(move || library.open_blocking(&paths)).await;
        let tracks = opened.map_err(|_| NodeError::Closing)??;
        self.announce()?;
        for track in tracks.iter().filter(|track| track.error.is_none()) {
            self.start_analysis(track.meta.hash, track.path.clone());
        }
        Ok(tracks)
    }

    fn open_blocking(&self, paths: &[PathBuf]) -> Result<Vec<StoredTrack>, NodeError> {
        let files = find_audio(paths)?;
        if files.is_empty() {
            return Err(NodeError::NoAudio { path: paths.first().cloned().unwrap_or_default() });
        }
        files.iter().map(|path| self.open_one(path)).collect()
    }

    fn open_one(&self, path: &Path) -> Result<StoredTrack, NodeError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let hash = hash_file(&path)?;
        let (meta, error) = match describe(&path, hash, file_name(&path)) {
            Ok(meta) => (meta, None),
            Err(error) => (unusable(&path, hash), Some(error.to_string())),
        };
        let known = self.store.get(hash)?;
        let added_at_ms = known.map_or_else(crate::wall_clock_ms, |known| known.added_at_ms);
        let track = StoredTrack { meta, path, error, added_at_ms };
        self.store.put(&track)?;
        Ok(track)
    }

    /// Starts the analysis of a file unless its result is known; its outcome is told in events.
    pub fn start_analysis(self: &Arc<Self>, hash: ContentHash, path: PathBuf) {
        if self.analyses.get(hash).is_some() || self.lock().insert(hash, 0.0).is_some() {
            return;
        }
        let library = Arc::clone(self);
        tokio::spawn(async move {
            let told = Arc::clone(&library);
            let progress = Box::new(move |done: f64| told.progressed(hash, done));
            let outcome = library.analyses.analyze(hash, &path, progress).await;
            library.lock().remove(&hash);
            if let Err(error) = outcome {
                tracing::warn!(%hash, %error, "analysis failed");
                library.mark_broken(hash, &error.to_string());
            }
            library.arrivals.send_modify(|count| *count += 1);
            library.track_changed(hash);
        });
    }

    fn progressed(&self, hash: ContentHash, done: f64) {
        if let Some(known) = self.lock().get_mut(&hash) {
            *known = done;
        }
        self.track_changed(hash);
    }

    fn mark_broken(&self, hash: ContentHash, reason: &str) {
        let marked = self.store.get(hash).and_then(|track| match track {
            Some(track) => self.store.put(&StoredTrack { error: Some(reason.to_owned()), ..track }),
            None => Ok(()),
        });
        if let Err(error) = marked {
            tracing::warn!(%hash, %error, "the library does not remember a failed analysis");
        }
    }

    fn track_changed(&self, hash: ContentHash) {
        if let Ok(Some(track)) = self.store.get(hash) {
            // No window may be open: then nobody needs to know.
            drop(self.events.send(NodeEvent::TrackChanged { track: self.view(&track) }));
        }
    }

    /// Forgets a track; its file stays.
    ///
    /// # Errors
    /// When the library cannot be written.
    pub fn remove(&self, hash: ContentHash) -> Result<(), NodeError> {
        self.store.remove(hash)?;
        self.announce()
    }

    /// Where a track's file is, if it is still there.
    pub fn locate(&self, hash: ContentHash) -> Option<PathBuf> {
        self.store.get(hash).ok().flatten().map(|track| track.path).filter(|path| path.is_file())
    }

    /// All tracks as they are drawn.
    ///
    /// # Errors
    /// When the library cannot be read.
    pub fn views(&self) -> Result<Vec<TrackView>, NodeError> {
        Ok(self.store.all()?.iter().map(|track| self.view(track)).collect())
    }

    /// A track as it is drawn.
    pub fn view(&self, track: &StoredTrack) -> TrackView {
        let analysis = self.analyses.get(track.meta.hash);
        let progress = self.lock().get(&track.meta.hash).copied();
        let availability = match (&track.error, &analysis, progress) {
            _ if !track.path.is_file() => Availability::Missing,
            (Some(_), ..) => Availability::Broken,
            (None, Some(_), _) => Availability::Ready,
            (None, None, Some(done)) if done > 0.0 => Availability::Analyzing,
            (None, None, _) => Availability::Waiting,
        };
        view::track_view(track, availability, progress.unwrap_or(0.0), analysis.as_deref())
    }

    fn announce(&self) -> Result<(), NodeError> {
        drop(self.events.send(NodeEvent::LibraryChanged { tracks: self.views()? }));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ContentHash, f64>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
