//! The door as the room's host sees it who is connected like any peer: who knocks, and the host's word.
//!
//! Must never tell anybody else who knocks, nor take anybody else's word.

use crate::server::hall::Hall;
use crate::wire::{Knocker, ServerMessage};
use std::sync::Arc;
use synx_domain::{Rejection, Role, UserId};
use tokio::sync::watch;

/// One peer's view of the door.
pub(super) struct Door {
    hall: Arc<Hall>,
    user: UserId,
    knockers: watch::Receiver<Vec<Knocker>>,
}

impl Door {
    pub fn of(hall: &Arc<Hall>, user: UserId) -> Self {
        let mut knockers = hall.backend.knockers();
        // Whoever knocks already is told too.
        if !knockers.borrow_and_update().is_empty() {
            knockers.mark_changed();
        }
        Self { hall: Arc::clone(hall), user, knockers }
    }

    /// Waits until there is something to tell this peer.
    pub async fn news(&mut self) -> ServerMessage {
        while self.knockers.changed().await.is_ok() {
            let knocks = self.knockers.borrow_and_update().clone();
            if self.is_hosts() {
                return ServerMessage::Knocks { knocks };
            }
        }
        std::future::pending().await
    }

    /// Takes a word about somebody; what is said to it, if anything is wrong.
    pub fn answer(&self, user: UserId, let_in: bool) -> Option<ServerMessage> {
        if !self.is_hosts() {
            let refused = Rejection::NotAllowed { needed: "the host" };
            return Some(ServerMessage::error(None, refused.code(), refused.to_string()));
        }
        let nobody = || ServerMessage::error(None, "nobody_knocks", "they do not wait at the door any more");
        (!self.hall.backend.answer_knock(user, let_in)).then(nobody)
    }

    fn is_hosts(&self) -> bool {
        let role = |user| move |room: &synx_domain::Room| room.present(user).map(|member| member.role);
        self.hall.backend.with(role(self.user)).flatten() == Some(Role::Host)
    }
}
