//! Who knocks at any node of a room is asked about at every node where its host may be, and the answer goes to where they wait.
//!
//! Must never let anybody in by itself: a node that nobody answers lets nobody in.

use crate::cluster::house::ClusterHouse;
use crate::room::hosted::HostedRoom;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use synx_cluster::NodeId;
use synx_domain::{RoomId, UserId};
use synx_net::wire::Knocker;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

/// How often a node says again who knocks at it: what was said may have been lost.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// Whoever has not been named for so long does not knock any more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3);

/// What nodes tell each other of a room's door.
#[derive(Serialize, Deserialize)]
enum Word {
    /// All who knock at this node.
    Knocking { at: NodeId, who: Vec<Knocker> },
    /// What the host says about one of them.
    Answered { user: UserId, let_in: bool },
}

fn subject(room: RoomId) -> String {
    format!("knocks.{room}")
}

async fn tell(house: &ClusterHouse, room: RoomId, word: &Word) {
    let Ok(payload) = serde_json::to_vec(word) else { return };
    if let Err(error) = house.backplane.tell(&subject(room), payload).await {
        tracing::warn!(%error, %room, "other nodes do not hear of who knocks");
    }
}

/// Hands the host's word to whichever node they knock at.
pub async fn answer(house: Arc<ClusterHouse>, room: RoomId, user: UserId, let_in: bool) {
    tell(&house, room, &Word::Answered { user, let_in }).await;
}

/// Tells other nodes who knocks here, and `all` who knocks anywhere, until it is dropped.
pub async fn share(room: Arc<HostedRoom>, house: Arc<ClusterHouse>, all: watch::Sender<Vec<Knocker>>) {
    let id = room.id();
    let mut heard = house.listen(&subject(id)).await;
    let mut here = room.knocks().watch();
    let mut elsewhere = Elsewhere::default();
    let mut ticks = tokio::time::interval(SAY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let said = tokio::select! {
            said = heard.next() => match said {
                Some(said) => serde_json::from_slice(&said.payload).ok(),
                None => return,
            },
            changed = here.changed() => {
                if changed.is_err() {
                    return;
                }
                let who = here.borrow_and_update().clone();
                tell(&house, id, &Word::Knocking { at: house.me, who }).await;
                None
            }
            _ = ticks.tick() => {
                let who = here.borrow().clone();
                if !who.is_empty() {
                    tell(&house, id, &Word::Knocking { at: house.me, who }).await;
                }
                None
            }
        };
        match said {
            Some(Word::Knocking { at, who }) if at != house.me => elsewhere.hear(at, who, Instant::now()),
            Some(Word::Answered { user, let_in }) => drop(room.knocks().answer(user, let_in)),
            _ => {}
        }
        let now = elsewhere.with(&here.borrow(), Instant::now());
        all.send_if_modified(|all| {
            let changed = *all != now;
            *all = now;
            changed
        });
    }
}

/// Who knocks at other nodes, as they said last.
#[derive(Default)]
struct Elsewhere(HashMap<NodeId, (Instant, Vec<Knocker>)>);

impl Elsewhere {
    fn hear(&mut self, at: NodeId, who: Vec<Knocker>, now: Instant) {
        self.0.insert(at, (now, who));
    }

    /// Everybody, oldest first, and each once: somebody may have gone from one node to another.
    fn with(&mut self, here: &[Knocker], now: Instant) -> Vec<Knocker> {
        self.0.retain(|_, (at, who)| now.duration_since(*at) < FORGOTTEN_AFTER && !who.is_empty());
        let mut all = here.to_vec();
        for knocker in self.0.values().flat_map(|(_, who)| who) {
            if all.iter().all(|known| known.user != knocker.user) {
                all.push(knocker.clone());
            }
        }
        all.sort_by_key(|knocker| (knocker.since_ms, knocker.user));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_domain::{Role, UserProfile};

    fn knocker(user: u8, since_ms: i64) -> Knocker {
        let (user, profile) = (UserId::from_bytes([user; 16]), UserProfile::default());
        Knocker { user, profile, role: Role::Listener, since_ms }
    }

    #[test]
    fn who_knocks_elsewhere_is_known_as_long_as_that_node_says_so() {
        let (mut elsewhere, one, other, now) =
            (Elsewhere::default(), NodeId::new(), NodeId::new(), Instant::now());
        elsewhere.hear(one, vec![knocker(1, 10), knocker(2, 20)], now);
        elsewhere.hear(other, vec![knocker(2, 25), knocker(3, 5)], now);
        let users = |all: Vec<Knocker>| all.iter().map(|knocker| knocker.since_ms).collect::<Vec<_>>();
        assert_eq!(users(elsewhere.with(&[knocker(2, 15)], now)), [5, 10, 15]);
        elsewhere.hear(other, Vec::new(), now);
        assert_eq!(users(elsewhere.with(&[], now)), [10, 20]);
        assert!(elsewhere.with(&[], now + FORGOTTEN_AFTER).is_empty());
    }
}
