//! Follows the watched folders: what the system tells of them, and, where it tells nothing, a look now and then.

use super::scan::{Reader, ScanCount, ScanWatch, scan};
use super::{Library, lock};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// A folder is scanned once nothing has happened in it for this long: copies are then done, or come again.
const QUIET: Duration = Duration::from_millis(800);
/// And at the latest after this, however much happens.
const PATIENCE: Duration = Duration::from_secs(5);
/// Network folders tell nothing of what others change, and nothing of coming back.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How often a scan that rests looks whether it may go on.
const REST: Duration = Duration::from_millis(100);

/// What a scan is about, for the windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanning {
    /// The folder.
    pub folder: PathBuf,
    /// How far it is.
    pub count: ScanCount,
}

/// The watched folders as the system watches them.
pub struct Folders {
    events: mpsc::UnboundedSender<PathBuf>,
    watcher: Option<RecommendedWatcher>,
    watched: Vec<PathBuf>,
}

impl Folders {
    /// Nothing is watched yet; what happens is told to `events` as the path where it did.
    pub fn new(events: mpsc::UnboundedSender<PathBuf>) -> Self {
        let told = events.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
            Ok(event) if !matches!(event.kind, EventKind::Access(_)) => {
                // Nobody follows any more: then nobody needs to know.
                event.paths.into_iter().for_each(|path| drop(told.send(path)));
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a change of a watched folder was missed: it is found at the next look")
            }
        });
        let watcher = watcher
            .inspect_err(
                |error| tracing::warn!(%error, "folders cannot be watched: they are looked at now and then"),
            )
            .ok();
        Self { events, watcher, watched: Vec::new() }
    }

    /// Watches these, and no others, and has those scanned that were not watched.
    pub fn watch(&mut self, folders: Vec<PathBuf>) {
        for gone in self.watched.iter().filter(|folder| !folders.contains(folder)) {
            if let Some(watcher) = &mut self.watcher {
                // One that was deleted is not watched any more anyway.
                drop(watcher.unwatch(gone));
            }
        }
        for new in folders.iter().filter(|folder| !self.watched.contains(folder)) {
            if let Some(watcher) = &mut self.watcher
                && let Err(error) = watcher.watch(new, RecursiveMode::Recursive)
            {
                tracing::warn!(folder = ?new, %error, "folder cannot be watched: it is looked at now and then");
            }
            drop(self.events.send(new.clone()));
        }
        self.watched = folders;
    }

    /// Has all scanned that are watched.
    pub fn look_again(&self) {
        self.watched.iter().for_each(|folder| drop(self.events.send(folder.clone())));
    }
}

/// Scans folders as things happen in them, until the library is no more.
pub async fn follow(library: Weak<Library>, mut events: mpsc::UnboundedReceiver<PathBuf>) {
    let mut waiting: VecDeque<PathBuf> = VecDeque::new();
    loop {
        let happened = tokio::time::timeout(LOOK_EVERY, events.recv()).await;
        let Some(here) = library.upgrade() else { return };
        let folders = here.store.folders().unwrap_or_default();
        drop(here);
        match happened {
            Ok(Some(path)) => {
                note(&mut waiting, &folders, &path);
                settle(&mut waiting, &folders, &mut events).await;
            }
            Ok(None) => return,
            Err(_) => waiting.extend(folders.iter().cloned()),
        }
        while let Some(folder) = waiting.pop_front() {
            let Some(here) = library.upgrade() else { return };
            let scanned = tokio::task::spawn_blocking(move || here.scan_folder(&folder)).await;
            if scanned.is_err() {
                return;
            }
        }
    }
}

/// Takes in what happens until it is quiet.
async fn settle(
    waiting: &mut VecDeque<PathBuf>,
    folders: &[PathBuf],
    events: &mut mpsc::UnboundedReceiver<PathBuf>,
) {
    let end = Instant::now() + PATIENCE;
    while let Ok(Some(path)) = timeout_at(end.min(Instant::now() + QUIET), events.recv()).await {
        note(waiting, folders, &path);
    }
}

fn note(waiting: &mut VecDeque<PathBuf>, folders: &[PathBuf], path: &Path) {
    for folder in folders.iter().filter(|folder| path.starts_with(folder)) {
        if !waiting.contains(folder) {
            waiting.push_back(folder.clone());
        }
    }
}

impl Library {
    fn scan_folder(self: Arc<Self>, folder: &Path) {
        let told = Told { library: &self, folder };
        let outcome = scan(&self.store, &Reader::new(self.analyses.workers()), folder, &told);
        *lock(&self.scanning) = None;
        match outcome {
            Ok(true) => lock(&self.unreachable).retain(|other| other != folder),
            Ok(false) => {
                let mut unreachable = lock(&self.unreachable);
                if !unreachable.iter().any(|other| other == folder) {
                    unreachable.push(folder.to_owned());
                }
            }
            Err(error) => tracing::warn!(?folder, %error, "a folder could not be scanned"),
        }
        self.arrivals.send_modify(|count| *count += 1);
        self.changed();
    }
}

struct Told<'a> {
    library: &'a Library,
    folder: &'a Path,
}

impl ScanWatch for Told<'_> {
    fn go_on(&self) -> bool {
        while self.library.agenda.is_paused() && !self.library.analyses.is_cancelled() {
            std::thread::sleep(REST);
        }
        !self.library.analyses.is_cancelled()
    }

    fn scanned(&self, count: ScanCount) {
        *lock(&self.library.scanning) = Some(Scanning { folder: self.folder.to_owned(), count });
        self.library.changed();
    }
}
