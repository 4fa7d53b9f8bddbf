//! Getting into somebody's room: by its link or from the network's list, with the host asked first if need be.
//!
//! Must never hold anybody up: who leaves, or ends the program, waits for no host.

use crate::bridge::{AtDoorView, NodeEvent, RoomView};
use crate::error::NodeError;
use crate::node::Inner;
use crate::room::joined::JoinedRoom;
use crate::room::stage::Stage;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synx_domain::RoomId;
use synx_net::{ClientConfig, InviteLink};
use tokio::sync::Notify;

/// Characters of a host's words that are shown, and of a name that only the link tells.
const SHOWN_MOST: usize = 300;

/// The join that is under way, if one is: there is one at a time.
#[derive(Default)]
pub struct Joining {
    attempt: Mutex<Option<Attempt>>,
}

struct Attempt {
    room_name: String,
    stop: Arc<Notify>,
    /// Set once the host is asked.
    at_door: Option<AtDoorView>,
}

impl Joining {
    /// The door at which one waits.
    pub fn at_door(&self) -> Option<AtDoorView> {
        self.lock().as_ref()?.at_door.clone()
    }

    /// Ends the join that is under way: it fails with [`NodeError::JoinStopped`].
    /// Whether one was.
    pub fn stop(&self) -> bool {
        let lock = self.lock();
        lock.iter().for_each(|attempt| attempt.stop.notify_one());
        lock.is_some()
    }

    fn begin(&self, room_name: String) -> Arc<Notify> {
        let stop = Arc::<Notify>::default();
        *self.lock() = Some(Attempt { room_name, stop: Arc::clone(&stop), at_door: None });
        stop
    }

    /// The host is asked; what is to be shown now.
    fn asked(&self, message: &str) -> Option<AtDoorView> {
        let mut lock = self.lock();
        let attempt = lock.as_mut()?;
        attempt.at_door = Some(AtDoorView {
            room_name: attempt.room_name.clone(),
            message: message.chars().take(SHOWN_MOST).collect(),
            since_ms: crate::wall_clock_ms(),
        });
        attempt.at_door.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Attempt>> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Joins by link. Who is in another room comes in only if `leaving` it, and leaves it once this one has let them in.
    ///
    /// # Errors
    /// A link that is none, a host that does not answer, or its refusal; [`NodeError::JoinStopped`] when one leaves
    /// meanwhile; [`NodeError::InRoom`] also in the room of the link.
    pub async fn join_room(
        self: &Arc<Self>,
        link: &str,
        address: Option<String>,
        leaving: bool,
    ) -> Result<RoomView, NodeError> {
        let link: InviteLink = link.parse()?;
        let _nobody_enters = self.entering.lock().await;
        if !leaving || self.stage().with(|room| room.id) == Some(link.room) {
            self.needs_no_room()?;
        }
        let stop = self.joining.begin(link.name.chars().take(SHOWN_MOST).collect());
        let config = ClientConfig {
            addresses: address.map(|address| vec![address]),
            identity: Arc::clone(&self.identity),
            profile: self.person.lock().await.profile(),
            audio: self.audio.clone(),
            link: link.clone(),
            waiting: self.asked(),
            silence: synx_net::SILENCE,
        };
        let joined = tokio::select! {
            joined = JoinedRoom::join(config) => joined,
            () = stop.notified() => Err(NodeError::JoinStopped),
        };
        let ended = self.joining.lock().take();
        if ended.is_some_and(|attempt| attempt.at_door.is_some()) {
            self.tell(NodeEvent::AtDoorChanged { at_door: None });
        }
        let stage = Arc::new(Stage::Joined(joined?));
        // Only now: the room where one is may have ended meanwhile, and is shown to have.
        let _one_at_a_time = self.changing_stage.lock().await;
        // First out, so that nothing of the one room is taken for the other's.
        if let Err(error) = self.go_home().await {
            tracing::warn!(%error, "the room before was not left as one should");
        }
        self.look_what_was_missed(&stage);
        self.enter(stage);
        self.entered(false, Some(link.to_string()))
    }

    /// Joins a public room of the local network.
    ///
    /// # Errors
    /// [`NodeError::NoSuchRoom`] when it is not announced any more; else as [`Inner::join_room`].
    pub async fn join_lan_room(self: &Arc<Self>, room: RoomId) -> Result<RoomView, NodeError> {
        let link = self.lan.link(room).ok_or(NodeError::NoSuchRoom)?;
        self.join_room(&link.to_string(), None, false).await
    }

    /// Says that the host is asked whether one may come in.
    fn asked(self: &Arc<Self>) -> Arc<dyn Fn(&str) + Send + Sync> {
        let node = Arc::downgrade(self);
        Arc::new(move |message| {
            let Some(node) = node.upgrade() else { return };
            if let Some(at_door) = node.joining.asked(message) {
                node.tell(NodeEvent::AtDoorChanged { at_door: Some(at_door) });
            }
        })
    }
}
