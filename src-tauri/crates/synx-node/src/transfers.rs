//! Files on their way, as the windows show them.

use crate::bridge::{NodeEvent, TransferDirection, TransferView};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, watch};

/// A bar that moves ten times a second moves smoothly.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// The transfers of one instance.
#[derive(Debug)]
pub struct Transfers {
    state: Mutex<State>,
    events: broadcast::Sender<NodeEvent>,
    /// What the person stopped, by audio: it waits where it is until it is let go on.
    stopped: watch::Sender<Stopped>,
}

/// What the person stopped.
#[derive(Debug, Clone, Default)]
pub struct Stopped {
    tracks: BTreeSet<String>,
    /// The last upload of each audio.
    uploads: BTreeMap<String, Upload>,
    /// Uploads that have begun.
    begun: u64,
}

/// An upload of this instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upload {
    /// It runs, or waits where it was stopped; by number.
    UnderWay(u64),
    /// It is sent whole or given up, which the room may not know yet.
    Over,
}

#[derive(Debug, Default)]
struct State {
    /// By audio and person: one person sends one audio once.
    running: BTreeMap<(String, String), TransferView>,
    /// What the room awaits beside that, from others or from oneself.
    awaited: Vec<TransferView>,
    told: Option<Instant>,
}

impl Stopped {
    fn is_last(&self, track: &str, upload: u64) -> bool {
        self.uploads.get(track) == Some(&Upload::UnderWay(upload))
    }
}

impl State {
    fn views(&self) -> Vec<TransferView> {
        // The room is looked at a moment later: what goes on again meanwhile is listed once.
        let is_running =
            |view: &&TransferView| self.running.contains_key(&(view.track.clone(), view.user.clone()));
        self.running.values().chain(self.awaited.iter().filter(|view| !is_running(view))).cloned().collect()
    }
}

impl Transfers {
    /// None yet; news go to `events`.
    pub fn new(events: broadcast::Sender<NodeEvent>) -> Self {
        Self { state: Mutex::default(), events, stopped: watch::Sender::default() }
    }

    /// Stops the transfer of an audio; what has come so far stays.
    pub fn stop(&self, track: &str) {
        self.stopped.send_modify(|stopped| {
            stopped.tracks.insert(track.to_owned());
        });
        self.mark(track, true);
    }

    /// Lets a transfer go on that was stopped.
    pub fn go_on(&self, track: &str) {
        self.stopped.send_modify(|stopped| {
            stopped.tracks.remove(track);
        });
        self.mark(track, false);
    }

    /// Gives an own upload up that is stopped: it is listed no more, and does not go on. False where there is none; what is
    /// fetched the room needs.
    pub fn give_up(&self, track: &str, user: &str) -> bool {
        let mut state = self.lock();
        let key = (track.to_owned(), user.to_owned());
        let is_upload = |view: &TransferView| view.stopped && view.direction == TransferDirection::Upload;
        if !state.running.get(&key).is_some_and(is_upload) {
            return false;
        }
        state.running.remove(&key);
        self.stopped.send_modify(|stopped| {
            stopped.tracks.remove(track);
            stopped.uploads.insert(track.to_owned(), Upload::Over);
        });
        self.tell(&mut state);
        true
    }

    /// An upload begins: its number. An earlier one does not go on beside it.
    pub fn begins(&self, track: &str, user: &str) -> u64 {
        let mut state = self.lock();
        let mut number = 0;
        self.stopped.send_modify(|stopped| {
            stopped.begun += 1;
            number = stopped.begun;
            stopped.tracks.remove(track);
            stopped.uploads.insert(track.to_owned(), Upload::UnderWay(number));
        });
        // One that had broken off stays listed, with what has come of it, until the host answers.
        let broke_off = state.awaited.iter().position(|view| view.track == track && view.user == user);
        if let Some(broke_off) = broke_off.map(|at| state.awaited.swap_remove(at)) {
            let going_on = TransferView { stopped: false, ..broke_off };
            state.running.insert((track.to_owned(), user.to_owned()), going_on);
            self.tell(&mut state);
        }
        number
    }

    /// Another room, or none: nothing is on its way any more.
    pub fn clear(&self) {
        self.stopped.send_modify(|stopped| {
            stopped.tracks.clear();
            stopped.uploads.clear();
        });
        let mut state = self.lock();
        let awaited = std::mem::take(&mut state.awaited);
        if !std::mem::take(&mut state.running).is_empty() || !awaited.is_empty() {
            self.tell(&mut state);
        }
    }

    /// Whether the transfer of an audio is stopped.
    pub fn is_stopped(&self, track: &str) -> bool {
        self.stopped.borrow().tracks.contains(track)
    }

    /// Returns when the transfer of an audio is stopped.
    pub async fn until_stopped(&self, track: &str) {
        let mut stopped = self.stopped.subscribe();
        // The sender lives as long as this does.
        drop(stopped.wait_for(|stopped| stopped.tracks.contains(track)).await);
    }

    /// Returns when an upload may not go on: it is stopped, or void as in [`Transfers::until_going_on`].
    pub async fn until_held_up(&self, track: &str, upload: u64) {
        let held_up = |stopped: &Stopped| !stopped.is_last(track, upload) || stopped.tracks.contains(track);
        drop(self.stopped.subscribe().wait_for(held_up).await);
    }

    /// Returns when an upload may go on: false when its room was left meanwhile, it was given up, or began anew.
    pub async fn until_going_on(&self, track: &str, upload: u64) -> bool {
        let decided = |stopped: &Stopped| !stopped.is_last(track, upload) || !stopped.tracks.contains(track);
        self.stopped.subscribe().wait_for(decided).await.is_ok_and(|stopped| stopped.is_last(track, upload))
    }

    /// Whether an upload of this audio runs or waits here, or is over without the room knowing yet. One that broke off does not.
    pub fn sends(&self, track: &str) -> bool {
        self.stopped.borrow().uploads.contains_key(track)
    }

    /// Whether an own upload is listed that nothing here sends any more.
    pub fn broke_off(&self, track: &str, user: &str) -> bool {
        self.lock().awaited.iter().any(|view| view.track == track && view.user == user)
    }

    /// What is stopped, and what is sent, as it changes.
    pub fn stops(&self) -> watch::Receiver<Stopped> {
        self.stopped.subscribe()
    }

    fn mark(&self, track: &str, is_stopped: bool) {
        let mut state = self.lock();
        let of_track = state.running.values_mut().filter(|transfer| transfer.track == track);
        of_track.for_each(|transfer| transfer.stopped = is_stopped);
        self.tell(&mut state);
    }

    /// What is on its way.
    pub fn views(&self) -> Vec<TransferView> {
        self.lock().views()
    }

    /// What the room awaits now beside what is sent here.
    pub fn awaits(&self, awaited: Vec<TransferView>) {
        let mut state = self.lock();
        if state.awaited != awaited {
            state.awaited = awaited;
            self.tell(&mut state);
        }
    }

    /// A transfer has begun or moved on. What is still said of an upload that is over, or of a transfer that was stopped
    /// meanwhile, changes nothing of that: its bytes go by another task.
    pub fn moved(&self, mut transfer: TransferView) {
        let mut state = self.lock();
        {
            let stopped = self.stopped.borrow();
            let is_under_way = matches!(stopped.uploads.get(&transfer.track), Some(Upload::UnderWay(_)));
            if transfer.direction == TransferDirection::Upload && !is_under_way {
                return;
            }
            transfer.stopped = stopped.tracks.contains(&transfer.track);
        }
        let complete = transfer.bytes_done >= transfer.bytes_total;
        let new = state.running.insert((transfer.track.clone(), transfer.user.clone()), transfer).is_none();
        let due = state.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
        if new || complete || due {
            self.tell(&mut state);
        }
    }

    /// A download has ended, one way or the other.
    pub fn ended(&self, track: &str, user: &str) {
        let mut state = self.lock();
        // What was stopped stays on the list, so that it can be let go on.
        if self.is_stopped(track) {
            return;
        }
        if state.running.remove(&(track.to_owned(), user.to_owned())).is_some() {
            self.tell(&mut state);
        }
    }

    /// An upload has ended: the room has all of it, or it broke off and waits for somebody to begin it anew.
    pub fn upload_ended(&self, track: &str, user: &str, upload: u64, is_whole: bool) {
        let mut state = self.lock();
        let ended = self.stopped.send_if_modified(|stopped| {
            let is_last = stopped.is_last(track, upload);
            if is_last {
                stopped.tracks.remove(track);
                stopped.uploads.remove(track);
                if is_whole {
                    stopped.uploads.insert(track.to_owned(), Upload::Over);
                }
            }
            is_last
        });
        if ended && state.running.remove(&(track.to_owned(), user.to_owned())).is_some() {
            self.tell(&mut state);
        }
    }

    fn tell(&self, state: &mut State) {
        state.told = Some(Instant::now());
        let transfers = state.views();
        // No window may be open: then nobody needs to know.
        drop(self.events.send(NodeEvent::TransfersChanged { transfers }));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(track: &str, bytes_done: u64) -> TransferView {
        TransferView {
            track: track.to_owned(),
            file_name: format!("{track}.flac"),
            direction: TransferDirection::Download,
            user: "ana".to_owned(),
            bytes_done,
            bytes_total: 100,
            stopped: false,
        }
    }

    #[tokio::test]
    async fn what_is_stopped_stays_listed_until_it_goes_on_or_its_room_is_left() {
        let (events, mut told) = broadcast::channel(16);
        let transfers = Transfers::new(events);
        let upload = transfers.begins("a", "ana");
        transfers.moved(transfer("a", 10));
        transfers.moved(transfer("b", 20));
        transfers.stop("a");
        transfers.until_stopped("a").await;
        transfers.ended("a", "ana");
        transfers.ended("b", "ana");
        let listed: Vec<_> =
            transfers.views().into_iter().map(|view| (view.track, view.bytes_done, view.stopped)).collect();
        assert_eq!(listed, [("a".to_owned(), 10, true)]);

        let (going_on, ()) =
            tokio::join!(transfers.until_going_on("a", upload), async { transfers.go_on("a") });
        assert!(going_on && !transfers.is_stopped("a") && !transfers.views()[0].stopped);
        transfers.stop("a");
        let (going_on, ()) = tokio::join!(transfers.until_going_on("a", upload), async { transfers.clear() });
        assert!(!going_on && transfers.views().is_empty() && !transfers.is_stopped("a"));
        let mut last = None;
        while let Ok(event) = told.try_recv() {
            last = Some(event);
        }
        assert_eq!(last, Some(NodeEvent::TransfersChanged { transfers: Vec::new() }));
    }

    #[test]
    fn what_is_said_too_late_of_a_transfer_changes_nothing() {
        let transfers = Transfers::new(broadcast::Sender::new(16));
        let upload = |bytes| TransferView { direction: TransferDirection::Upload, ..transfer("a", bytes) };
        for is_stopped in [false, true] {
            let number = transfers.begins("a", "ana");
            transfers.moved(upload(10));
            if is_stopped {
                transfers.stop("a");
                transfers.moved(upload(20));
                assert!(transfers.views()[0].stopped);
                assert!(transfers.give_up("a", "ana"));
            } else {
                transfers.upload_ended("a", "ana", number, true);
            }
            transfers.moved(upload(30));
            assert_eq!(transfers.views(), []);
        }
        transfers.moved(transfer("b", 10));
        transfers.stop("b");
        transfers.moved(transfer("b", 20));
        assert!(transfers.views()[0].stopped);
    }

    #[tokio::test]
    async fn an_upload_that_is_stopped_can_be_given_up_and_begun_anew() {
        let transfers = Transfers::new(broadcast::Sender::new(16));
        let upload = || TransferView { direction: TransferDirection::Upload, ..transfer("a", 10) };
        let first = transfers.begins("a", "ana");
        transfers.moved(upload());
        transfers.moved(transfer("b", 10));
        assert!(!transfers.give_up("a", "ana"), "it has not been stopped");
        transfers.stop("a");
        transfers.stop("b");
        assert!(!transfers.give_up("b", "ana"), "the room needs what is fetched");
        let (going_on, given_up) =
            tokio::join!(transfers.until_going_on("a", first), async { transfers.give_up("a", "ana") });
        assert!(given_up && !going_on);
        assert_eq!(transfers.views().into_iter().map(|view| view.track).collect::<Vec<_>>(), ["b"]);

        let second = transfers.begins("a", "ana");
        transfers.moved(upload());
        transfers.stop("a");
        let (going_on, ()) =
            tokio::join!(transfers.until_going_on("a", second), async { transfers.go_on("a") });
        assert!(going_on);

        transfers.stop("a");
        let (going_on, third) =
            tokio::join!(transfers.until_going_on("a", second), async { transfers.begins("a", "ana") });
        assert!(!going_on, "two would go on beside each other");
        assert!(transfers.until_going_on("a", third).await);
    }

    #[tokio::test]
    async fn an_upload_that_broke_off_is_listed_as_the_room_awaits_it_and_begins_anew() {
        let transfers = Transfers::new(broadcast::Sender::new(16));
        let upload = |bytes| TransferView { direction: TransferDirection::Upload, ..transfer("a", bytes) };
        let awaited = || vec![TransferView { stopped: true, ..upload(10) }];
        let first = transfers.begins("a", "ana");
        transfers.moved(upload(10));
        assert!(transfers.sends("a") && !transfers.broke_off("a", "ana"));
        transfers.upload_ended("a", "ana", first, false);
        assert!(!transfers.sends("a") && transfers.views().is_empty());
        transfers.awaits(awaited());
        assert_eq!(transfers.views(), awaited());
        assert!(transfers.broke_off("a", "ana") && !transfers.broke_off("a", "ben"));

        let second = transfers.begins("a", "ana");
        assert_eq!(transfers.views(), [upload(10)], "it stays listed until the host answers");
        transfers.awaits(awaited());
        assert_eq!(transfers.views(), [upload(10)], "the room was looked at a moment ago");
        transfers.upload_ended("a", "ana", first, false);
        assert!(transfers.sends("a"), "the first is over, not this one");
        let ((), third) =
            tokio::join!(transfers.until_held_up("a", second), async { transfers.begins("a", "ana") });
        transfers.awaits(Vec::new());
        transfers.upload_ended("a", "ana", third, true);
        assert!(transfers.sends("a") && transfers.views().is_empty(), "the room may not know yet");
    }
}
