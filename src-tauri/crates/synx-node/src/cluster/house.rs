//! The rooms of a cluster as one node has them: opened when somebody comes to them.

use crate::cluster::backend::ClusterBackend;
use crate::cluster::roster::Roster;
use crate::cluster::shelf::Shelf;
use crate::cluster::uploads;
use crate::error::NodeError;
use crate::library::Analyses;
use crate::person::is_person;
use crate::room::abandoned::Upload;
use crate::room::backend::House;
use crate::room::hosted::HostedRoom;
use crate::room::time::RoomTime;
use futures_util::future::BoxFuture;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use synx_cluster::{Backplane, ClusterClock, Listening, NodeId};
use synx_domain::{ContentHash, RoomId, UserId};
use synx_log::Log;
use synx_net::wire::ServerMessage;
use synx_net::{AudioStore, RoomBackend, RoomSource, ServerHandle, Unavailable};
use tokio::sync::Semaphore;

/// What the rooms of this node have in common.
pub struct ClusterHouse {
    pub log: Log,
    pub shelf: Shelf,
    pub analyses: Analyses,
    pub me: NodeId,
    pub clock: Arc<ClusterClock>,
    pub roster: Arc<Roster>,
    pub backplane: Backplane,
    /// There once it listens.
    pub server: OnceLock<ServerHandle>,
}

impl ClusterHouse {
    /// Members of a room who are connected to this node.
    pub fn connected(&self, room: RoomId) -> Vec<UserId> {
        self.server.get().map(|server| server.connected(room)).unwrap_or_default()
    }

    /// Hears what other nodes tell and ask there, from when that is possible.
    pub async fn listen(&self, subject: &str) -> Listening {
        loop {
            match self.backplane.listen(subject).await {
                Ok(listening) => return listening,
                Err(error) => tracing::warn!(%error, subject, "other nodes are not heard: trying again"),
            }
            tokio::time::sleep(LISTEN_PAUSE).await;
        }
    }

    /// Tells the peers of a room here something that is not history.
    pub fn broadcast(&self, room: RoomId, message: &ServerMessage) {
        if let Some(server) = self.server.get() {
            server.broadcast(room, message);
        }
    }
}

impl House for ClusterHouse {
    fn audio(&self) -> &AudioStore {
        self.shelf.audio()
    }

    fn locate(&self, hash: ContentHash) -> Option<PathBuf> {
        self.shelf.audio().path(hash)
    }

    fn analyses(&self) -> &Analyses {
        &self.analyses
    }

    fn publish(&self, hash: ContentHash) -> BoxFuture<'_, Result<(), NodeError>> {
        Box::pin(self.shelf.publish(hash))
    }

    fn fetch(&self, hash: ContentHash) -> BoxFuture<'_, Result<bool, NodeError>> {
        Box::pin(self.shelf.fetch(hash))
    }

    fn upload(&self, room: RoomId, hash: ContentHash) -> BoxFuture<'_, Upload> {
        Box::pin(uploads::look(self, room, hash))
    }

    fn turn(&self, room: RoomId) -> Duration {
        TURN * self.roster.turn(room.as_bytes()).min(TURNS)
    }

    fn arrived(self: Arc<Self>, _: ContentHash) {}

    // Nobody sits at this machine: the host is told as a peer.
    fn knocked(&self) {}
}

/// How much later each node does something than the one before it in turn, where nobody waits for it: enough for the other to be
/// heard of.
const TURN: Duration = Duration::from_secs(3);
/// Turns at most: what comes later would come after a room that nobody uses is closed again.
const TURNS: u32 = 10;
/// Pause before it is tried again to hear other nodes.
const LISTEN_PAUSE: Duration = Duration::from_secs(1);

/// Rooms that are not known here and are asked for at once: strangers can name any, and each is a question to the servers.
const UNKNOWN_AT_ONCE: usize = 4;

/// Opens rooms for the server.
pub struct Rooms {
    house: Arc<ClusterHouse>,
    unknown: Semaphore,
}

impl Rooms {
    pub fn of(house: &Arc<ClusterHouse>) -> Self {
        Self { house: Arc::clone(house), unknown: Semaphore::new(UNKNOWN_AT_ONCE) }
    }
}

impl RoomSource for Rooms {
    fn open(&self, room: RoomId) -> BoxFuture<'_, Result<Option<Arc<dyn RoomBackend>>, Unavailable>> {
        Box::pin(async move {
            self.open_room(room).await.map_err(|error| {
                tracing::warn!(%room, %error, "a room cannot be opened");
                Unavailable {
                    code: error.code().to_owned(),
                    message: "this node cannot open the room now: try again in a moment".to_owned(),
                }
            })
        })
    }
}

impl Rooms {
    async fn open_room(&self, id: RoomId) -> Result<Option<Arc<dyn RoomBackend>>, NodeError> {
        let house = &self.house;
        if is_person(id) {
            return Ok(None);
        }
        if house.log.head(id)? == 0 {
            // Another node may have made it just now.
            let _one_of_few = self.unknown.acquire().await.map_err(|_| NodeError::Closing)?;
            house.log.reach_end(id).await?;
            if house.log.head(id)? == 0 {
                return Ok(None);
            }
        }
        let time = RoomTime::Shared(Arc::clone(&house.clock) as _);
        let room = Arc::new(HostedRoom::open_at(house.log.clone(), id, time).await?);
        Ok(Some(Arc::new(ClusterBackend::open(house, &room))))
    }
}
