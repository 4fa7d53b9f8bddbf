//! The ends of the rooms' logs: how far each one is, and its recent events, shared by all who follow it.
//!
//! This is the whole bus. It must never hold anything for a particular follower: one that is slow reads the store.

use crate::{ChainHash, LogError, RoomHead};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use synx_domain::{Envelope, RoomId};
use tokio::sync::watch;

/// How many recent events a room keeps in memory at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RingLimits {
    pub events: usize,
    pub bytes: usize,
}

/// An event that became durable, with the size of its payload.
pub(crate) type Fresh = (Arc<Envelope>, usize);

/// A room's recent events.
pub(crate) struct Ring {
    events: Mutex<Recent>,
    limits: RingLimits,
}

#[derive(Default)]
struct Recent {
    events: VecDeque<Fresh>,
    bytes: usize,
}

impl Ring {
    fn new(limits: RingLimits) -> Self {
        Self { events: Mutex::default(), limits }
    }

    fn push(&self, fresh: impl Iterator<Item = Fresh>) {
        let mut recent = self.lock();
        for (envelope, bytes) in fresh {
            recent.bytes += bytes;
            recent.events.push_back((envelope, bytes));
        }
        while recent.events.len() > self.limits.events || recent.bytes > self.limits.bytes {
            let Some((_, bytes)) = recent.events.pop_front() else { break };
            recent.bytes -= bytes;
        }
    }

    /// Forgets everything, where what follows cannot be kept.
    fn clear(&self) {
        *self.lock() = Recent::default();
    }

    /// The events after a place; none if the ring begins later than that, or ends there.
    pub(crate) fn after(&self, seq: u64, limit: usize) -> Vec<Arc<Envelope>> {
        let recent = self.lock();
        let Some(first) = recent.events.front().map(|(envelope, _)| envelope.seq) else { return Vec::new() };
        match seq.checked_add(1).and_then(|next| next.checked_sub(first)) {
            Some(skipped) => {
                let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
                recent
                    .events
                    .iter()
                    .skip(skipped)
                    .take(limit)
                    .map(|(envelope, _)| Arc::clone(envelope))
                    .collect()
            }
            None => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Tail {
    head: RoomHead,
    heads: watch::Sender<u64>,
    ring: Arc<Ring>,
}

/// What a follower of a room needs: the news of its head, and its ring.
pub(crate) struct Followed {
    pub heads: watch::Receiver<u64>,
    pub ring: Arc<Ring>,
}

/// All rooms' tails.
pub(crate) struct Tails {
    /// None once the log is closed: then every follower's `heads` ends.
    rooms: RwLock<Option<HashMap<RoomId, Tail>>>,
    limits: RingLimits,
}

impl Tails {
    pub(crate) fn new(heads: Vec<RoomHead>, limits: RingLimits) -> Self {
        let rooms = heads.into_iter().map(|head| (head.room_id, Tail::new(head, limits))).collect();
        Self { rooms: RwLock::new(Some(rooms)), limits }
    }

    /// Where each room that has events ends, by room.
    pub(crate) fn heads(&self) -> Result<Vec<RoomHead>, LogError> {
        self.read(|rooms| {
            let with_events = rooms.values().map(|tail| &tail.head).filter(|head| head.seq > 0);
            let mut heads: Vec<_> = with_events.cloned().collect();
            heads.sort_unstable_by_key(|head| head.room_id);
            heads
        })
    }

    /// Where the room ends; None before its first event.
    pub(crate) fn head(&self, room: RoomId) -> Result<Option<RoomHead>, LogError> {
        self.read(|rooms| rooms.get(&room).map(|tail| tail.head.clone()).filter(|head| head.seq > 0))
    }

    /// The room's events after a place, if they are among its recent ones; none if some are not, or there are none.
    pub(crate) fn recent(
        &self,
        room: RoomId,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Envelope>>, LogError> {
        self.read(|rooms| rooms.get(&room).map(|tail| tail.ring.after(seq, limit)).unwrap_or_default())
    }

    /// Follows a room from now on.
    pub(crate) fn follow(&self, room: RoomId) -> Followed {
        let mut guard = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut() {
            Some(rooms) => {
                let tail = rooms.entry(room).or_insert_with(|| Tail::new(before_first(room), self.limits));
                Followed { heads: tail.heads.subscribe(), ring: Arc::clone(&tail.ring) }
            }
            None => Followed { heads: watch::channel(0).1, ring: Arc::new(Ring::new(self.limits)) },
        }
    }

    /// Lets everybody see events of one room that became durable.
    pub(crate) fn publish(&self, head: RoomHead, fresh: Vec<Fresh>) {
        let mut guard = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let Some(rooms) = guard.as_mut() else { return };
        let tail = rooms.entry(head.room_id).or_insert_with(|| Tail::new(head.clone(), self.limits));
        tail.ring.push(fresh.into_iter());
        tail.heads.send_replace(head.seq);
        tail.head = head;
    }

    /// Lets everybody know of events of one room that cannot be shown from memory: whoever follows reads the store.
    pub(crate) fn publish_unread(&self, head: RoomHead) {
        let room = head.room_id;
        self.publish(head, Vec::new());
        drop(self.read(|rooms| rooms.get(&room).map(|tail| tail.ring.clear())));
    }

    /// Ends it for all followers.
    pub(crate) fn close(&self) {
        *self.rooms.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn read<T>(&self, look: impl FnOnce(&HashMap<RoomId, Tail>) -> T) -> Result<T, LogError> {
        let guard = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref().map(look).ok_or(LogError::Closed)
    }
}

impl Tail {
    fn new(head: RoomHead, limits: RingLimits) -> Self {
        let heads = watch::channel(head.seq).0;
        Self { head, heads, ring: Arc::new(Ring::new(limits)) }
    }
}

fn before_first(room_id: RoomId) -> RoomHead {
    RoomHead { room_id, seq: 0, last_occurred_at_ms: 0, hash: ChainHash::START }
}
