//! Files on their way, as the windows show them.

use crate::bridge::{NodeEvent, TransferView};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast;

/// A bar that moves ten times a second moves smoothly.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// The transfers of one instance.
#[derive(Debug)]
pub struct Transfers {
    state: Mutex<State>,
    events: broadcast::Sender<NodeEvent>,
}

#[derive(Debug, Default)]
struct State {
    /// By audio and person: one person sends one audio once.
    running: BTreeMap<(String, String), TransferView>,
    told: Option<Instant>,
}

impl Transfers {
    /// None yet; news go to `events`.
    pub fn new(events: broadcast::Sender<NodeEvent>) -> Self {
        Self { state: Mutex::default(), events }
    }

    /// What is on its way.
    pub fn views(&self) -> Vec<TransferView> {
        self.lock().running.values().cloned().collect()
    }

    /// A transfer has begun or moved on.
    pub fn moved(&self, transfer: TransferView) {
        let mut state = self.lock();
        let complete = transfer.bytes_done >= transfer.bytes_total;
        let new = state.running.insert((transfer.track.clone(), transfer.user.clone()), transfer).is_none();
        let due = state.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
        if new || complete || due {
            self.tell(&mut state);
        }
    }

    /// A transfer has ended, one way or the other.
    pub fn ended(&self, track: &str, user: &str) {
        let mut state = self.lock();
        if state.running.remove(&(track.to_owned(), user.to_owned())).is_some() {
            self.tell(&mut state);
        }
    }

    fn tell(&self, state: &mut State) {
        state.told = Some(Instant::now());
        let transfers = state.running.values().cloned().collect();
        // No window may be open: then nobody needs to know.
        drop(self.events.send(NodeEvent::TransfersChanged { transfers }));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
