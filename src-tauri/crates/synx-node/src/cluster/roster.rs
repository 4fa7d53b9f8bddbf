//! Which nodes run now: each says so twice a second, and one that has not for a while is gone.
//!
//! Must never be what an event or a right depends on: nodes may see it differently. It spreads work, and says when to look.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use synx_cluster::{Backplane, ClusterError, NodeId};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How often a node says that it is there.
const SAY_EVERY: Duration = Duration::from_millis(500);
/// A node of which nothing was heard for so long is gone.
const GONE_AFTER: Duration = Duration::from_secs(2);
/// How long somebody listens who wants to hear of all.
const HEARD_ALL: Duration = Duration::from_millis(1200);
/// Where nodes say it.
const SUBJECT: &str = "nodes";

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Notice {
    node: NodeId,
    /// Where its peers are served.
    addresses: Vec<String>,
}

/// The nodes that were heard lately, this one among them.
pub struct Roster {
    me: NodeId,
    heard: Mutex<HashMap<NodeId, (Instant, Vec<String>)>>,
    /// Rises when a node has come or gone.
    changes: watch::Sender<u64>,
}

impl Roster {
    pub fn new(me: NodeId) -> Self {
        Self { me, heard: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Rises when a node has come or gone.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// How many others stand before this node in whatever any of them could do about a thing.
    pub fn turn(&self, thing: &[u8]) -> u32 {
        let mine = self.me.weight(thing);
        let before = self.lock().keys().filter(|node| node.weight(thing) < mine).count();
        u32::try_from(before).unwrap_or(u32::MAX)
    }

    /// For how long this node has not heard itself, and so is cut off from the others.
    pub fn silence(&self) -> Duration {
        self.lock().get(&self.me).map_or(GONE_AFTER, |(at, _)| at.elapsed())
    }

    /// Where the peers of the other nodes are served.
    pub fn others(&self) -> Vec<String> {
        let heard = self.lock();
        let others = heard.iter().filter(|(node, _)| **node != self.me);
        others.flat_map(|(_, (_, addresses))| addresses.clone()).collect()
    }

    /// How many nodes run, this one among them.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Says that this node is there, and listens to the others, until it is dropped.
    pub async fn run(
        self: Arc<Self>,
        backplane: Backplane,
        addresses: Vec<String>,
    ) -> Result<(), ClusterError> {
        let mut heard = backplane.listen(SUBJECT).await?;
        let notice = serde_json::to_vec(&Notice { node: self.me, addresses }).unwrap_or_default();
        let mut ticks = tokio::time::interval(SAY_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(said) = heard.next() => {
                    if let Ok(notice) = serde_json::from_slice(&said.payload) {
                        self.hear(notice, Instant::now());
                    }
                }
                _ = ticks.tick() => {
                    self.forget(Instant::now());
                    // What is lost is said again.
                    drop(backplane.tell(SUBJECT, notice.clone()).await);
                }
            }
        }
    }

    fn hear(&self, notice: Notice, now: Instant) {
        let Notice { node, addresses } = notice;
        if self.lock().insert(node, (now, addresses)).is_none() {
            tracing::info!(%node, "a node is here");
            self.changes.send_modify(|count| *count += 1);
        }
    }

    fn forget(&self, now: Instant) {
        let gone = |at: &Instant| now.saturating_duration_since(*at) > GONE_AFTER;
        let mut heard = self.lock();
        let before = heard.len();
        heard.retain(|node, (at, _)| {
            let gone = gone(at);
            if gone {
                tracing::warn!(%node, "a node is gone");
            }
            !gone
        });
        if heard.len() != before {
            drop(heard);
            self.changes.send_modify(|count| *count += 1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, (Instant, Vec<String>)>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the peers of all nodes that run are served.
pub async fn addresses(backplane: &Backplane) -> Result<Vec<String>, ClusterError> {
    let mut heard = backplane.listen(SUBJECT).await?;
    let mut nodes = BTreeMap::new();
    let end = tokio::time::Instant::now() + HEARD_ALL;
    while let Ok(Some(said)) = tokio::time::timeout_at(end, heard.next()).await {
        if let Ok(Notice { node, addresses }) = serde_json::from_slice(&said.payload) {
            nodes.insert(node, addresses);
        }
    }
    Ok(nodes.into_values().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(node: NodeId) -> Notice {
        Notice { node, addresses: vec![node.to_string()] }
    }

    #[test]
    fn work_goes_to_one_node_and_to_another_when_that_is_gone() {
        let ids = [NodeId::new(), NodeId::new(), NodeId::new()];
        let start = Instant::now();
        let rosters = ids.map(|me| {
            let roster = Roster::new(me);
            ids.iter().for_each(|node| roster.hear(notice(*node), start));
            roster
        });
        let turns = |thing: &[u8]| {
            let mut turns: Vec<_> = rosters.iter().map(|roster| roster.turn(thing)).collect();
            turns.sort_unstable();
            turns
        };
        for thing in 0..100_u64 {
            assert_eq!(turns(&thing.to_be_bytes()), [0, 1, 2]);
        }
        // The work is spread.
        let firsts = rosters
            .each_ref()
            .map(|roster| (0..300_u64).filter(|thing| roster.turn(&thing.to_be_bytes()) == 0).count());
        assert!(firsts.iter().all(|count| *count > 50), "{firsts:?}");
        assert_eq!(rosters[0].others().len(), 2);
        let later = start + GONE_AFTER * 2;
        let changes = rosters[0].changes();
        rosters[0].hear(notice(ids[0]), later);
        rosters[0].forget(later);
        assert!(changes.has_changed().unwrap());
        assert_eq!((rosters[0].count(), rosters[0].turn(b"any")), (1, 0));
    }
}
