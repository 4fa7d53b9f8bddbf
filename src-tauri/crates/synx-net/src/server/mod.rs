//! The embedded server: WebSocket, clock probes, joining and audio on one port.
//!
//! Must never decide what a room allows: it says who asks, and the room's owner answers.

mod addresses;
mod admission;
mod arrival;
#[cfg(test)]
mod autobahn;
mod backend;
mod bucket;
mod clock;
mod config;
mod files;
mod gate;
mod hall;
pub(crate) mod history;
mod listen;
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
use hall::{Ending, Hall, lock};
use refusal::Refusal;
use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use synx_domain::{ContentHash, RoomId, UserId};
use tokio::sync::watch;

/// What all requests share.
pub(crate) struct Shared {
    pub config: ServerConfig,
    pub halls: Mutex<BTreeMap<RoomId, Arc<Hall>>>,
    pub challenges: admission::Challenges,
    pub addresses: Arc<addresses::Addresses>,
    /// Audio that is being written now: one upload of it at a time in a room.
    pub uploading: Mutex<HashSet<(RoomId, ContentHash)>>,
}

pub(crate) type Shop = State<Arc<Shared>>;

impl Shared {
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
                Ok(Arc::clone(halls.entry(room).or_insert_with(|| Hall::open(backend))))
            }
        }
    }
}

/// A running server. Dropping it stops it.
pub struct Server {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
    stopping: watch::Sender<bool>,
}

/// Looks at a running server from elsewhere.
#[derive(Clone)]
pub struct ServerHandle {
    shared: Arc<Shared>,
}

impl Server {
    /// Opens the port and serves from now on.
    ///
    /// # Errors
    /// [`NetError::Listen`].
    pub async fn start(config: ServerConfig) -> Result<Self, NetError> {
        let address = config.listen;
        let listener = transport::bind(address).map_err(|source| NetError::Listen { address, source })?;
        Self::over(config, listener)
    }

    /// Serves whoever comes from there.
    ///
    /// # Errors
    /// [`NetError::Listen`].
    pub fn over(config: ServerConfig, listener: impl Listen) -> Result<Self, NetError> {
        let address = config.listen;
        let local_addr = listener.local_addr().map_err(|source| NetError::Listen { address, source })?;
        let challenges = admission::Challenges::under(config.challenge_key.unwrap_or_else(rand::random));
        let shared = Arc::new(Shared {
            config,
            halls: Mutex::default(),
            challenges,
            addresses: Arc::default(),
            uploading: Mutex::default(),
        });
        let stopping = watch::Sender::new(false);
        tokio::spawn(listen::accept(listener, Arc::clone(&shared), router(&shared), stopping.subscribe()));
        Ok(Self { shared, local_addr, stopping })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// A view of this server.
    pub fn handle(&self) -> ServerHandle {
        ServerHandle { shared: Arc::clone(&self.shared) }
    }

    /// Opens a room to peers.
    pub fn add_room(&self, backend: Arc<dyn RoomBackend>) {
        let hall = Hall::open(backend);
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
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        drop(tokio::time::timeout(std::time::Duration::from_secs(1), told).await);
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
        self.stopping.send_replace(true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
        for hall in lock(&self.shared.halls).values() {
            hall.close(Ending {
                code: "host_stopped",
                reason: "the host stopped".to_owned(),
                reconnect: true,
            });
        }
    }
}

impl ServerHandle {
    /// Members of a room that have a live connection.
    pub fn connected(&self, room: RoomId) -> Vec<UserId> {
        lock(&self.shared.halls).get(&room).map(|hall| hall.connected()).unwrap_or_default()
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
