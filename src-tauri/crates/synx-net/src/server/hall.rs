//! A room on this server: the ring of ready frames, the peers that are connected, and the one pump that follows the log.
//!
//! Must never hold anything per peer but a cursor: who lags past the ring reads the log.

use crate::server::Limits;
use crate::server::backend::RoomBackend;
use crate::server::ears::Ears;
use crate::server::ending::{Ending, of_who_left};
use crate::server::meters::{Counted, Meters};
use crate::server::socket::ready_frame;
use crate::wire::{CutOff, ServerMessage};
use bytes::Bytes;
use metrics::Counter;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use synx_domain::{Command, CommandEnvelope, CommandId, Envelope, LeaveReason, RoomEvent, RoomId, UserId};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Frames that the ring keeps at most, by number and by bytes: some seconds of a busy room.
const RING_FRAMES: usize = 8192;
const RING_BYTES: usize = 8 << 20;
/// Events that are read at once.
const PAGE: usize = 512;
/// Passing messages that a slow peer may be behind before it misses some: they are not history.
const PASSING_KEPT: usize = 64;
/// People who are still to be told why they were cut off; of more the first are not told.
const CUT_OFF_KEPT: usize = 256;

/// One event, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub seq: u64,
    pub bytes: Bytes,
}

impl From<&Envelope> for Frame {
    fn from(envelope: &Envelope) -> Self {
        Self { seq: envelope.seq, bytes: ready_frame(&ServerMessage::from(envelope)) }
    }
}

#[derive(Default)]
struct Ring {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Ring {
    fn extend(&mut self, frames: Vec<Frame>) {
        self.bytes += frames.iter().map(|frame| frame.bytes.len()).sum::<usize>();
        self.frames.extend(frames);
        while self.frames.len() > RING_FRAMES || self.bytes > RING_BYTES {
            let Some(oldest) = self.frames.pop_front() else { return };
            self.bytes -= oldest.bytes.len();
        }
    }

    fn begins_after(&self, seq: u64) -> bool {
        self.frames.front().is_none_or(|first| first.seq > seq + 1)
    }

    /// At most a page after `seq`; none if the ring no longer reaches back that far.
    fn after(&self, seq: u64) -> Option<Vec<Frame>> {
        let first = self.frames.front()?.seq;
        let skip = usize::try_from((seq + 1).checked_sub(first)?).ok()?;
        Some(self.frames.iter().skip(skip).take(PAGE).cloned().collect())
    }
}

/// Live connections of one member.
struct Seat {
    connections: usize,
    /// Tells the member's connections to end.
    end: watch::Sender<Option<Ending>>,
}

/// Somebody's place at the door. Dropping it gives it back.
pub(crate) struct Waiting {
    hall: Arc<Hall>,
    user: UserId,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.hall.waiting).remove(&self.user);
    }
}

pub(crate) struct Hall {
    pub backend: Arc<dyn RoomBackend>,
    ring: Mutex<Ring>,
    head: AtomicU64,
    ears: Ears,
    passing: broadcast::Sender<Bytes>,
    seats: Mutex<HashMap<UserId, Seat>>,
    /// Who waits for the host's word.
    waiting: Mutex<HashSet<UserId>>,
    /// Who was cut off, and why, and has not come back.
    cut_off: Mutex<VecDeque<(UserId, CutOff)>>,
    end: watch::Sender<Option<Ending>>,
    pump: Mutex<Option<JoinHandle<()>>>,
    behind_ring: Counter,
    _counted: Counted,
}

impl Hall {
    pub fn open(backend: Arc<dyn RoomBackend>, meters: &Meters) -> Arc<Self> {
        let heads = backend.heads();
        let from = *heads.borrow();
        let hall = Arc::new(Self {
            backend,
            ring: Mutex::default(),
            head: AtomicU64::new(from),
            ears: Ears::default(),
            passing: broadcast::Sender::new(PASSING_KEPT),
            seats: Mutex::default(),
            waiting: Mutex::default(),
            cut_off: Mutex::default(),
            end: watch::Sender::new(None),
            pump: Mutex::default(),
            behind_ring: meters.behind_ring.clone(),
            _counted: Counted::one(&meters.rooms),
        });
        let pump = tokio::spawn(pump(Arc::downgrade(&hall), heads, from));
        *lock(&hall.pump) = Some(pump);
        hall
    }

    pub fn id(&self) -> RoomId {
        self.backend.room_id()
    }

    /// Tells whenever there is more to send.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.ears.listen()
    }

    /// The last seq that can be sent.
    fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    pub fn passing(&self) -> broadcast::Receiver<Bytes> {
        self.passing.subscribe()
    }

    pub fn endings(&self) -> watch::Receiver<Option<Ending>> {
        self.end.subscribe()
    }

    /// Tells everybody something that is not history, wherever they are connected.
    pub fn say(&self, message: ServerMessage) {
        self.pass(&message);
        self.backend.passed(message);
    }

    /// Tells everybody here something that is not history.
    pub fn pass(&self, message: &ServerMessage) {
        // Nobody may be connected: then nobody needs to know.
        drop(self.passing.send(ready_frame(message)));
    }

    /// Whether what comes after `seq` must be read from the log.
    pub fn is_behind_ring(&self, seq: u64) -> bool {
        seq < self.head() && lock(&self.ring).begins_after(seq)
    }

    /// Frames after `seq`, from the ring or, further back, from the log. Empty at the head.
    pub async fn frames_after(&self, seq: u64) -> Result<Vec<Frame>, super::Unavailable> {
        if seq >= self.head() {
            return Ok(Vec::new());
        }
        let ready = lock(&self.ring).after(seq);
        match ready {
            Some(frames) => Ok(frames),
            None => {
                self.behind_ring.increment(1);
                let events = self.backend.read(seq, PAGE).await?;
                Ok(events.iter().map(|envelope| Frame::from(&**envelope)).collect())
            }
        }
    }

    /// Whether the user is in the room by its log.
    pub fn is_member(&self, user: UserId) -> bool {
        self.backend.with(|room| room.present(user).is_some()).unwrap_or(false)
    }

    pub fn connected(&self) -> Vec<UserId> {
        lock(&self.seats).keys().copied().collect()
    }

    /// Takes a seat for a connection; none if the house is full, or this person has enough of them.
    pub fn sit(self: &Arc<Self>, user: UserId, limits: &Limits) -> Option<watch::Receiver<Option<Ending>>> {
        let mut seats = lock(&self.seats);
        let all = seats.values().map(|seat| seat.connections).sum::<usize>();
        let own = seats.get(&user).map_or(0, |seat| seat.connections);
        if all >= limits.peers_per_room || own >= limits.connections_per_member {
            return None;
        }
        let seat =
            seats.entry(user).or_insert_with(|| Seat { connections: 0, end: watch::Sender::new(None) });
        seat.connections += 1;
        Some(seat.end.subscribe())
    }

    /// A place to wait for the host; none if too many wait, or this person does already.
    pub fn wait_at_door(self: &Arc<Self>, user: UserId, limits: &Limits) -> Option<Waiting> {
        let mut waiting = lock(&self.waiting);
        let room = waiting.len() < limits.knocks_per_room && waiting.insert(user);
        room.then(|| Waiting { hall: Arc::clone(self), user })
    }

    /// Gives a seat back; whether it was the member's last.
    pub fn stand_up(&self, user: UserId) -> bool {
        let mut seats = lock(&self.seats);
        let Some(seat) = seats.get_mut(&user) else { return false };
        seat.connections -= 1;
        let last = seat.connections == 0;
        if last {
            seats.remove(&user);
        }
        last
    }

    /// Notes what cannot be said to somebody's connection any more.
    pub fn cuts_off(&self, user: UserId, why: CutOff) {
        let mut cut_off = lock(&self.cut_off);
        cut_off.retain(|(known, _)| *known != user);
        cut_off.push_back((user, why));
        if cut_off.len() > CUT_OFF_KEPT {
            cut_off.pop_front();
        }
    }

    /// Why somebody was cut off, to be told once.
    pub fn was_cut_off(&self, user: UserId) -> Option<CutOff> {
        let mut cut_off = lock(&self.cut_off);
        let place = cut_off.iter().position(|(known, _)| *known == user)?;
        cut_off.remove(place).map(|(_, why)| why)
    }

    pub fn is_connected(&self, user: UserId) -> bool {
        lock(&self.seats).contains_key(&user)
    }

    /// Writes into the log that somebody did not come back.
    pub async fn lost(&self, user: UserId) {
        let id = CommandId::from_uuid(Uuid::now_v7());
        let command = Command::Leave { reason: LeaveReason::ConnectionLost };
        if let Err(error) = self.backend.execute(CommandEnvelope { id, actor: user, command }).await {
            tracing::debug!(%user, %error, "a lost member was not in the room any more");
        }
    }

    /// Ends every connection.
    pub fn close(&self, ending: Ending) {
        self.end.send_replace(Some(ending));
        if let Some(pump) = lock(&self.pump).take() {
            pump.abort();
        }
    }

    /// Lets the peers have events. They are not told yet.
    fn take(&self, events: &[Arc<Envelope>]) {
        let Some(last) = events.last() else { return };
        let frames: Vec<Frame> = events.iter().map(|envelope| Frame::from(&**envelope)).collect();
        lock(&self.ring).extend(frames);
        self.head.store(last.seq, Ordering::Release);
        for envelope in events {
            if let RoomEvent::UserLeft { user, reason } = &envelope.event
                && let Some(ending) = of_who_left(*reason)
                && let Some(seat) = lock(&self.seats).get(user)
            {
                seat.end.send_replace(Some(ending));
            }
        }
    }
}

/// Makes each event of the log a frame, once for all peers, as long as there is the hall, and tells the peers.
async fn pump(hall: Weak<Hall>, mut heads: watch::Receiver<u64>, mut seq: u64) {
    loop {
        while seq < *heads.borrow_and_update() {
            let Some(hall) = hall.upgrade() else { return };
            match hall.backend.read(seq, PAGE).await {
                Ok(events) if events.is_empty() => break,
                Ok(events) => {
                    hall.take(&events);
                    seq = events.last().map_or(seq, |last| last.seq);
                }
                Err(error) => {
                    tracing::warn!(room = %hall.id(), %error, "the log cannot be read: trying again");
                    drop(hall);
                    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
                }
            }
        }
        if hall.upgrade().is_some_and(|hall| hall.ears.tell_some(seq)) {
            // Meanwhile these are served, and whoever has something to say is heard.
            tokio::task::yield_now().await;
        } else if heads.changed().await.is_err() {
            return;
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
