//! The analyses that are to be done, one after the other: what is asked for first, then what is on screen, then the rest in
//! the order in which it came.
//!
//! Must never hold up who asks: it works by itself, and tells.

use super::store::{Found, Presence};
use super::{Library, lock};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::{Arc, Weak};
use std::time::Duration;
use synx_domain::ContentHash;
use tokio::sync::{Notify, watch};

/// Changes that come closer together than this are told once.
const TELL_EVERY: Duration = Duration::from_millis(150);

/// What is to be done next.
#[derive(Debug, Default)]
pub struct Agenda {
    first: Mutex<VecDeque<ContentHash>>,
    on_screen: Mutex<VecDeque<ContentHash>>,
    more: Notify,
    paused: watch::Sender<bool>,
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

    /// Whether it rests.
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }
}

/// Analyses what waits until the library is no more.
pub async fn analyze_all(library: Weak<Library>) {
    loop {
        let Some(next) = library.upgrade() else { return };
        let agenda = Arc::clone(&next.agenda);
        match next.next_to_analyze() {
            Some((hash, path)) => next.analyze_one(hash, path).await,
            None => {
                drop(next);
                agenda.more.notified().await;
            }
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

impl Library {
    fn next_to_analyze(&self) -> Option<(ContentHash, PathBuf)> {
        let waiting = |hash| self.store.if_waiting(hash).ok().flatten();
        while let Some(hash) = lock(&self.agenda.first).pop_front() {
            if let Some(found) = waiting(hash) {
                return Some(found);
            }
        }
        if self.agenda.is_paused() {
            return None;
        }
        while let Some(hash) = lock(&self.agenda.on_screen).pop_front() {
            if let Some(found) = waiting(hash) {
                return Some(found);
            }
        }
        self.store.next_waiting().unwrap_or_else(|error| {
            tracing::warn!(%error, "no analysis can be begun");
            None
        })
    }

    async fn analyze_one(self: Arc<Self>, hash: ContentHash, path: PathBuf) {
        lock(&self.under_way).insert(hash, 0.0);
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
                self.store.put_error(hash, &crate::error::for_people(&error.to_string()))
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
