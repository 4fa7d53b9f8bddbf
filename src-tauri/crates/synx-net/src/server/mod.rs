//! The embedded server: WebSocket, clock probes, joining and audio on one port.
//!
//! Must never decide what a room allows: it says who asks, and the room's owner answers.

mod addresses;
mod admission;
mod ahead;
mod arrival;
#[cfg(test)]
mod autobahn;
mod backend;
mod bucket;
mod clock;
mod config;
mod door;
mod ears;
mod ending;
mod files;
mod fresh;
mod gate;
mod hall;
pub(crate) mod history;
mod idle;
mod listen;
mod meters;
mod peer;
mod refusal;
mod socket;

pub(crate) use admission::{Admission, Challenge, JoinRequest, PROOF};
pub use backend::{CommandFailure, RoomBackend, RoomInstant, RoomSource, Unavailable};
pub(crate) use clock::ClockMessage;
pub use config::{Limits, ServerConfig};
pub use files::byte_range;
pub(crate) use files::{UPLOAD_OFFSET, UploadState};

use crate::NetError;
use crate::transport::{self, Listen};
use crate::wire::ServerMessage;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use ending::Ending;
use hall::{Hall, lock};
use refusal::Refusal;
use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use synx_domain::{ContentHash, RoomId, UserId};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// What all requests share.
pub(crate) struct Shared {
    pub config: ServerConfig,
    pub halls: Mutex<BTreeMap<RoomId, Arc<Hall>>>,
    pub challenges: admission::Challenges,
    pub fresh: fresh::FreshTokens,
    pub addresses: Arc<addresses::Addresses>,
    /// Audio that is being written now: one upload of it at a time in a room.
    pub uploading: Mutex<HashSet<(RoomId, ContentHash)>>,
    pub phase: watch::Sender<Phase>,
    pub meters: meters::Meters,
    /// One for each connection that may still come.
    pub seats: Arc<Semaphore>,
    /// Whether new connections are closed at once.
    pub turns_away: AtomicBool,
}

/// How far a server's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    /// Nobody comes in any more, and who is here ends what was begun.
    Draining,
    Stopped,
}

pub(crate) type Shop = State<Arc<Shared>>;

impl Shared {
    pub fn new(config: ServerConfig) -> Self {
        Self {
            halls: Mutex::default(),
            challenges: admission::Challenges::under(config.challenge_key.unwrap_or_else(rand::random)),
            fresh: fresh::FreshTokens::default(),
            addresses: Arc::default(),
            uploading: Mutex::default(),
            phase: watch::Sender::new(Phase::Serving),
            seats: Arc::new(Semaphore::new(config.limits.connections)),
            meters: meters::Meters::new(),
            turns_away: AtomicBool::new(false),
            config,
        }
    }

    /// A room that is open here, or can be.
    pub async fn hall(&self, room: RoomId) -> Result<Arc<Hall>, Refusal> {
        let open = lock(&self.halls).get(&room).cloned();
        match (open, &self.config.rooms) {
            (Some(hall), _) => Ok(hall),
            (None, None) => Err(Refusal::no_such_room()),
            (None, Some(rooms)) => {
                let backend = rooms.open(room).await.map_err(|error| Refusal::unavailable(&error))?;
                let backend = backend.ok_or_else(Refusal::no_such_room)?;
                let mut halls = lock(&self.halls);
                Ok(Arc::clone(halls.entry(room).or_insert_with(|| Hall::open(backend, &self.meters))))
            }
        }
    }

    /// Waits until nobody comes in any more.
    pub async fn draining(&self) {
        until(&mut self.phase.subscribe(), Phase::Draining).await;
    }
}

/// A running server. Dropping it stops it.
pub struct Server {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
}

/// Looks at a running server from elsewhere, and keeps nothing of it alive: what the rooms hold may lead back to them. Of a server
/// that is gone there is nothing to see.
#[derive(Clone)]
pub struct ServerHandle {
    shared: Weak<Shared>,
}

impl Server {
    /// Opens the port and serves from now on.
    ///
    /// # Errors
    /// [`NetError::Listen`].
    pub async fn start(config: ServerConfig) -> Result<Self, NetError> {
        let (listener, _) = Self::bind(config.listen)?;
        Self::over(config, listener)
    }

    /// Opens the port alone, and says where: whoever comes there waits until a server is put over it.
    ///
    /// # Errors
    /// [`NetError::Listen`].
    pub fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), NetError> {
        let failed = |source| NetError::Listen { address, source };
        let listener = transport::bind(address).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        Ok((listener, bound))
    }

    /// Serves whoever comes from there.
    ///
    /// # Errors
    /// [`NetError::Listen`].
    pub fn over(config: ServerConfig, listener: impl Listen) -> Result<Self, NetError> {
        let address = config.listen;
        let local_addr = listener.local_addr().map_err(|source| NetError::Listen { address, source })?;
        let shared = Arc::new(Shared::new(config));
        if shared.config.rooms.is_some() {
            tokio::spawn(idle::close_idle(Arc::downgrade(&shared)));
        }
        tokio::spawn(listen::accept(listener, Arc::clone(&shared), router(&shared)));
        Ok(Self { shared, local_addr })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// A view of this server.
    pub fn handle(&self) -> ServerHandle {
        ServerHandle { shared: Arc::downgrade(&self.shared) }
    }

    /// Opens a room to peers.
    pub fn add_room(&self, backend: Arc<dyn RoomBackend>) {
        let hall = Hall::open(backend, &self.shared.meters);
        lock(&self.shared.halls).insert(hall.id(), hall);
    }

    /// Closes a room: its peers are told and do not come back.
    pub async fn remove_room(&self, room: RoomId, reason: &str) {
        let hall = lock(&self.shared.halls).remove(&room);
        let Some(hall) = hall else { return };
        hall.close(Ending { code: "room_closed", reason: reason.to_owned(), reconnect: false });
        // Those that take nothing any more are cut off; the others are gone when they have been told.
        let told = async {
            while !hall.connected().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        drop(tokio::time::timeout(Duration::from_secs(1), told).await);
    }

    /// Tells all peers of a room something that is not history.
    pub fn broadcast(&self, room: RoomId, message: &ServerMessage) {
        if let Some(hall) = lock(&self.shared.halls).get(&room) {
            hall.pass(message);
        }
    }

    /// Stops: rooms that are still open are closed, and no connection is taken any more.
    pub async fn stop(&self) {
        let rooms: Vec<RoomId> = lock(&self.shared.halls).keys().copied().collect();
        for room in rooms {
            self.remove_room(room, "the host closed the room").await;
        }
        self.shared.phase.send_replace(Phase::Stopped);
    }

    /// Stops with its rooms left open, here after a restart or on another node: no connection is taken any more, commands that
    /// were read are answered, and each peer is told to come back. What has not ended after `patience` is cut off.
    pub async fn drain(&self, patience: Duration) {
        self.shared.phase.send_replace(Phase::Draining);
        let all = u32::try_from(self.shared.config.limits.connections).unwrap_or(u32::MAX);
        if tokio::time::timeout(patience, self.shared.seats.acquire_many(all)).await.is_err() {
            tracing::warn!(?patience, "not everybody has gone in time: they are cut off");
        }
        self.cut_off();
    }

    fn cut_off(&self) {
        self.shared.phase.send_replace(Phase::Stopped);
        let ending = Ending { code: "host_stopped", reason: "the host stopped".to_owned(), reconnect: true };
        lock(&self.shared.halls).values().for_each(|hall| hall.close(ending.clone()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cut_off();
    }
}

/// Waits until a server's life has come so far.
pub(crate) async fn until(phase: &mut watch::Receiver<Phase>, at_least: Phase) {
    let reached = |phase: &Phase| *phase == at_least || *phase == Phase::Stopped;
    // A server that is gone has stopped.
    drop(phase.wait_for(reached).await);
}

impl ServerHandle {
    /// Takes connections, or closes them at once, so that peers try the next address of their link.
    pub fn set_open(&self, open: bool) {
        if let Some(shared) = self.shared.upgrade() {
            shared.turns_away.store(!open, Ordering::Relaxed);
        }
    }

    /// Closes all rooms and tells their peers to come back: they are opened again when somebody comes.
    pub fn send_away(&self, reason: &str) {
        let Some(shared) = self.shared.upgrade() else { return };
        let halls = std::mem::take(&mut *lock(&shared.halls));
        for hall in halls.into_values() {
            hall.close(Ending { code: "moved", reason: reason.to_owned(), reconnect: true });
        }
    }

    /// Tells all peers of a room here something that is not history.
    pub fn broadcast(&self, room: RoomId, message: &ServerMessage) {
        self.look(room, |hall| hall.pass(message));
    }

    /// Members of a room that have a live connection.
    pub fn connected(&self, room: RoomId) -> Vec<UserId> {
        self.look(room, Hall::connected).unwrap_or_default()
    }

    fn look<T>(&self, room: RoomId, look: impl FnOnce(&Hall) -> T) -> Option<T> {
        lock(&self.shared.upgrade()?.halls).get(&room).map(|hall| look(hall))
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/ws", any(arrival::upgrade))
        .route("/api/v1/rooms/{room}/clock", any(clock::upgrade))
        .route("/api/v1/health", get(health))
        .route("/api/v1/rooms/{room}/challenge", get(admission::challenge))
        .route(
            "/api/v1/rooms/{room}/join",
            post(admission::join).layer(DefaultBodyLimit::max(admission::JOIN_BYTES)),
        )
        .route("/api/v1/rooms/{room}/audio/{hash}", get(files::download).put(files::upload))
        .route("/api/v1/rooms/{room}/uploads/{hash}", get(files::state))
        .route("/api/v1/rooms/{room}/events", get(history::page))
        .fallback(|| async { Refusal::not_found() })
        .layer(axum::middleware::from_fn_with_state(Arc::clone(shared), gate::check))
        .with_state(Arc::clone(shared))
}

async fn health() -> Json<serde_json::Value> {
    Json(serde_json::json!({"status": "ok", "protocol": crate::wire::PROTOCOL_VERSION}))
}
