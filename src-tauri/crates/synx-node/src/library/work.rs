//! The analyses that are to be done, as many side by side as is set: what is asked for first, then what is on screen, then the rest in
//! the order in which it came.
//!
//! Must never hold up who asks: it works by itself, and tells.

use super::store::{Found, Presence};
use super::{Library, lock};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use synx_domain::ContentHash;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Changes that come closer together than this are told once.
const TELL_EVERY: Duration = Duration::from_millis(150);

/// A scan changes the words many times a second, and reading them all takes a good part of one in a large library.
const LEARN_EVERY: Duration = Duration::from_secs(3);

/// What is to be done next.
#[derive(Debug, Default)]
pub struct Agenda {
    first: Mutex<VecDeque<ContentHash>>,
    on_screen: Mutex<VecDeque<ContentHash>>,
    more: Notify,
    paused: watch::Sender<bool>,
    workers: AtomicU32,
}

impl Agenda {
    /// These before all others.
    pub fn first(&self, hashes: impl IntoIterator<Item = ContentHash>) {
        lock(&self.first).extend(hashes);
        self.more.notify_one();
    }

    /// These are seen now, in place of those that were.
    pub fn on_screen(&self, hashes: impl IntoIterator<Item = ContentHash>) {
        *lock(&self.on_screen) = hashes.into_iter().collect();
        self.more.notify_one();
    }

    /// There is more to do.
    pub fn more(&self) {
        self.more.notify_one();
    }

    /// Stops after the present one, or goes on. What is asked for first is done all the same.
    pub fn pause(&self, paused: bool) {
        self.paused.send_replace(paused);
        self.more.notify_one();
    }

    /// So many side by side from now on. With none, only what is asked for first is done.
    pub fn set_workers(&self, count: u32) {
        self.workers.store(count, Ordering::Relaxed);
        self.more.notify_one();
    }

    /// How many are done side by side.
    pub fn workers(&self) -> u32 {
        self.workers.load(Ordering::Relaxed)
    }

    /// Whether it rests.
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }
}

/// Analyses what waits until the library is no more.
pub async fn analyze_all(library: Weak<Library>) {
    let mut under_way = JoinSet::new();
    loop {
        let Some(here) = library.upgrade() else { return };
        let agenda = Arc::clone(&here.agenda);
        let free = under_way.len() < agenda.workers().max(1) as usize;
        if let Some((hash, path)) = free.then(|| here.next_to_analyze()).flatten() {
            lock(&here.under_way).insert(hash, 0.0);
            under_way.spawn(here.analyze_one(hash, path));
            continue;
        }
        drop(here);
        tokio::select! {
            () = agenda.more.notified() => {}
            Some(_) = under_way.join_next() => {}
        }
    }
}

/// Tells the windows of changes until the library is no more.
pub async fn tell_changes(library: Weak<Library>, mut changes: watch::Receiver<u64>) {
    while changes.changed().await.is_ok() {
        tokio::time::sleep(TELL_EVERY).await;
        changes.borrow_and_update();
        let Some(library) = library.upgrade() else { return };
        library.tell_now();
    }
}

/// Learns what tracks are called, now and after each change, until the library is no more: no search waits for that.
pub async fn learn_words(library: Weak<Library>, mut changes: watch::Receiver<u64>) {
    loop {
        let Some(here) = library.upgrade() else { return };
        let learning = tokio::task::spawn_blocking(move || here.lists.learn_words(&here.store));
        if let Ok(Err(error)) = learning.await {
            tracing::warn!(%error, "the words of the library cannot be read ahead of a search");
        }
        tokio::time::sleep(LEARN_EVERY).await;
        if changes.changed().await.is_err() {
            return;
        }
    }
}

impl Library {
    fn next_to_analyze(&self) -> Option<(ContentHash, PathBuf)> {
        let under_way: Vec<ContentHash> = lock(&self.under_way).keys().copied().collect();
        let waiting =
            |hash| self.store.if_waiting(hash).ok().flatten().filter(|_| !under_way.contains(&hash));
        while let Some(hash) = lock(&self.agenda.first).pop_front() {
            if let Some(found) = waiting(hash) {
                return Some(found);
            }
        }
        if self.agenda.is_paused() || self.agenda.workers() == 0 {
            return None;
        }
        while let Some(hash) = lock(&self.agenda.on_screen).pop_front() {
            if let Some(found) = waiting(hash) {
                return Some(found);
            }
        }
        let oldest = self.store.next_waiting(under_way.len() + 1).unwrap_or_else(|error| {
            tracing::warn!(%error, "no analysis can be begun");
            Vec::new()
        });
        oldest.into_iter().find(|(hash, _)| !under_way.contains(hash))
    }

    async fn analyze_one(self: Arc<Self>, hash: ContentHash, path: PathBuf) {
        let told = Arc::clone(&self);
        let progress = Box::new(move |done: f64| told.progressed(hash, done));
        let outcome = self.analyses.analyze(hash, &path, progress).await;
        lock(&self.under_way).remove(&hash);
        let kept = match outcome {
            Ok(analysis) => self.store.put_found(hash, &Found::from(&*analysis)),
            Err(_) if self.analyses.is_cancelled() => return,
            Err(_) if !path.is_file() => self.store.put_presence(hash, Presence::OutOfReach),
            Err(error) => {
                tracing::warn!(%hash, %error, "analysis failed");
                self.store.put_error(hash, &error.into())
            }
        };
        if let Err(error) = kept {
            // It would be begun again at once, and for ever: the disk is given time.
            tracing::warn!(%hash, %error, "the library does not remember an analysis");
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        self.arrivals.send_modify(|count| *count += 1);
        self.track_changed(hash);
        self.changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{Analyses, LibraryStore, Pictures, store};
    use synx_domain::TrackMeta;

    const PATIENCE: Duration = Duration::from_secs(60);

    async fn until_ready(library: &Library) {
        let ready = async {
            while !library.lists.is_ready(&library.store) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.expect("the words are learned");
    }

    #[tokio::test]
    async fn no_search_has_to_wait_for_the_words() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::start(
            LibraryStore::open(&folder.path().join("library.db")).unwrap(),
            Arc::new(Analyses::new(folder.path().join("analysis"), 1)),
            Pictures::open(folder.path().join("artwork")),
            tokio::sync::broadcast::channel(8).0,
            watch::Sender::new(0),
            0,
        );
        until_ready(&library).await;
        let meta = TrackMeta {
            hash: ContentHash::from_bytes([7; 32]),
            file_name: "lantern.flac".to_owned(),
            size_bytes: 1,
            duration_us: 1,
            sample_rate_hz: 44_100,
            channels: 2,
            title: "Lantern".to_owned(),
            artist: None,
            album: None,
        };
        let track = store::new_track(meta, std::path::Path::new("/lantern.flac"), None, None, 1);
        library.store.put(&track).unwrap();
        assert!(!library.lists.is_ready(&library.store));
        library.changed();
        until_ready(&library).await;
        library.close();
    }
}
