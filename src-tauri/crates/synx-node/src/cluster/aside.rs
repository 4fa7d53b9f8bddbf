//! A node that is cut off from the others sends its peers to them.
//!
//! Must never send anybody away when no other node takes them: where all are cut off, the NATS servers are down, and peers are best
//! off where they are.

use crate::cluster::house::ClusterHouse;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use synx_net::ServerHandle;
use tokio::time::MissedTickBehavior;

/// A node that has not heard itself for so long is cut off: two of its notices are missing.
pub const CUT_OFF: Duration = Duration::from_millis(1300);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Steps aside while this node is cut off, until it is dropped.
pub async fn step_aside(house: Arc<ClusterHouse>, server: ServerHandle, fingerprint: Option<[u8; 32]>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut others, mut sent_away) = (Vec::new(), false);
    loop {
        looks.tick().await;
        let cut_off = house.roster.silence() > CUT_OFF;
        server.set_open(!cut_off);
        if !cut_off {
            (others, sent_away) = (house.roster.others(), false);
        } else if !sent_away {
            let taken =
                join_all(others.iter().map(|address| synx_net::takes_peers(address, fingerprint))).await;
            sent_away = taken.contains(&true) && house.roster.silence() > CUT_OFF;
            if sent_away {
                tracing::warn!("this node is cut off: its peers are sent to others");
                server.send_away("this node is cut off from the others: you are served by another one");
            }
        }
    }
}
