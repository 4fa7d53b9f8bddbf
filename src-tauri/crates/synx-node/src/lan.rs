//! Public rooms of the local network, as they come and go.

use crate::bridge::{LanRoomView, NodeEvent};
use crate::error::NodeError;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use synx_domain::RoomId;
use synx_net::{Browser, InviteLink, LanChange, LanNotice, LanRoom};
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;

/// The rooms that are announced now.
pub struct Lan {
    rooms: Arc<Mutex<BTreeMap<RoomId, LanRoom>>>,
    seen: watch::Sender<bool>,
    task: AbortHandle,
}

impl Lan {
    /// Listens while this machine shows itself. Where multicast is not to be had, no room is ever found, and the log
    /// says why.
    pub fn start(events: broadcast::Sender<NodeEvent>, seen: bool) -> Self {
        let rooms: Arc<Mutex<BTreeMap<RoomId, LanRoom>>> = Arc::default();
        let seen = watch::Sender::new(seen);
        let task = tokio::spawn(listen(Arc::clone(&rooms), seen.subscribe(), events)).abort_handle();
        Self { rooms, seen, task }
    }

    /// Shows this machine on the local network from now on, or no more.
    pub fn show(&self, seen: bool) {
        self.seen.send_replace(seen);
    }

    /// Whether this machine shows itself.
    pub fn seen(&self) -> watch::Receiver<bool> {
        self.seen.subscribe()
    }

    /// The rooms as they are drawn.
    pub fn rooms(&self) -> Vec<LanRoomView> {
        views(&lock(&self.rooms))
    }

    /// The link to a room that is announced now.
    pub fn link(&self, room: RoomId) -> Option<InviteLink> {
        lock(&self.rooms).get(&room).map(LanRoom::link)
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows what others announce while this machine shows itself; forgets it when it does not.
async fn listen(
    rooms: Arc<Mutex<BTreeMap<RoomId, LanRoom>>>,
    mut seen: watch::Receiver<bool>,
    events: broadcast::Sender<NodeEvent>,
) {
    while seen.wait_for(|seen| *seen).await.is_ok() {
        match Browser::start() {
            Ok(browser) => tokio::select! {
                () = follow(browser, Arc::clone(&rooms), events.clone()) => return,
                hidden = seen.wait_for(|seen| !*seen) => if hidden.is_err() { return },
            },
            Err(error) => {
                tracing::warn!(%error, "rooms of the local network cannot be found");
                if seen.wait_for(|seen| !*seen).await.is_err() {
                    return;
                }
            }
        }
        lock(&rooms).clear();
        // No window may be open: then nobody needs to know.
        drop(events.send(NodeEvent::LanRoomsChanged { rooms: Vec::new() }));
    }
}

async fn follow(
    mut browser: Browser,
    rooms: Arc<Mutex<BTreeMap<RoomId, LanRoom>>>,
    events: broadcast::Sender<NodeEvent>,
) {
    while let Some(change) = browser.next().await {
        let rooms = {
            let mut rooms = lock(&rooms);
            match change {
                LanChange::Found(room) => drop(rooms.insert(room.room_id, room)),
                LanChange::Lost(room) => drop(rooms.remove(&room)),
            }
            views(&rooms)
        };
        // No window may be open: then nobody needs to know.
        drop(events.send(NodeEvent::LanRoomsChanged { rooms }));
    }
}

/// Listens for a while; what `synx rooms` lists.
///
/// # Errors
/// When multicast is not to be had.
pub async fn find_lan_rooms(wait: Duration) -> Result<Vec<LanRoomView>, NodeError> {
    let mut browser = Browser::start()?;
    let mut rooms = BTreeMap::new();
    let listen = async {
        while let Some(change) = browser.next().await {
            match change {
                LanChange::Found(room) => drop(rooms.insert(room.room_id, room)),
                LanChange::Lost(room) => drop(rooms.remove(&room)),
            }
        }
    };
    // The time is up: that is how this ends.
    drop(tokio::time::timeout(wait, listen).await);
    Ok(views(&rooms))
}

fn views(rooms: &BTreeMap<RoomId, LanRoom>) -> Vec<LanRoomView> {
    rooms.values().map(view).collect()
}

fn view(room: &LanRoom) -> LanRoomView {
    let LanNotice { name, host_name, participants, genres } = room.notice.clone();
    LanRoomView {
        room: room.room_id.to_string(),
        name,
        host_name: Some(host_name).filter(|name| !name.is_empty()),
        participants: Some(participants).filter(|count| *count > 0),
        genres,
        address: room.addresses.first().map(ToString::to_string).unwrap_or_default(),
        link: room.link().to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
