//! The rooms of a cluster as one node has them: opened when somebody comes to them.

use crate::library::Analyses;
use crate::person::is_person;
use crate::room::backend::{HostBackend, House};
use crate::room::hosted::HostedRoom;
use crate::room::time::RoomTime;
use futures_util::future::BoxFuture;
use std::path::PathBuf;
use std::sync::Arc;
use synx_domain::{ContentHash, RoomId};
use synx_log::Log;
use synx_net::{AudioStore, RoomBackend, RoomSource, Unavailable};

/// What the rooms of this node have in common.
pub struct ClusterHouse {
    pub log: Log,
    pub audio: AudioStore,
    pub analyses: Analyses,
    pub time: RoomTime,
}

impl House for ClusterHouse {
    fn audio(&self) -> &AudioStore {
        &self.audio
    }

    fn locate(&self, hash: ContentHash) -> Option<PathBuf> {
        self.audio.path(hash)
    }

    fn analyses(&self) -> &Analyses {
        &self.analyses
    }

    fn arrived(self: Arc<Self>, _: ContentHash) {}

    // Nobody sits at this machine.
    fn knocked(&self) {}
}

/// Opens rooms for the server.
pub struct Rooms(pub Arc<ClusterHouse>);

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
    async fn open_room(&self, id: RoomId) -> Result<Option<Arc<dyn RoomBackend>>, crate::NodeError> {
        let house = &self.0;
        if is_person(id) || house.log.head(id)? == 0 {
            return Ok(None);
        }
        let room = Arc::new(HostedRoom::open_at(house.log.clone(), id, house.time.clone()).await?);
        Ok(Some(Arc::new(HostBackend::new(house, &room))))
    }
}
