//! Rooms that were opened because somebody came to them: closed again when nobody has been in them for a while.
//!
//! Must never close one that anything here still uses: a connection, a knock, a transfer, a member who may come back.

use crate::server::hall::{Hall, lock};
use crate::server::{Phase, Shared};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use synx_domain::RoomId;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often it is looked in the time that a room may be idle.
const LOOKS: u32 = 4;

/// Closes rooms that are idle, until the server is gone.
pub(crate) async fn close_idle(server: Weak<Shared>) {
    let Some(idle) = server.upgrade().map(|shared| shared.config.limits.idle_room) else { return };
    let mut looks = interval((idle / LOOKS).max(Duration::from_millis(1)));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut since: HashMap<RoomId, Instant> = HashMap::new();
    loop {
        looks.tick().await;
        let Some(shared) = server.upgrade() else { return };
        if *shared.phase.borrow() == Phase::Stopped {
            return;
        }
        let now = Instant::now();
        let mut halls = lock(&shared.halls);
        // Who uses a room holds its hall, and gets it while the halls are locked.
        since.retain(|room, _| halls.get(room).is_some_and(is_unused));
        for (room, _) in halls.iter().filter(|(_, hall)| is_unused(hall)) {
            since.entry(*room).or_insert(now);
        }
        let over = since.extract_if(|_, since| now.duration_since(*since) >= idle);
        let closed: Vec<Arc<Hall>> = over.filter_map(|(room, _)| halls.remove(&room)).collect();
        drop(halls);
        for hall in closed {
            tracing::debug!(room = %hall.id(), "nobody is in the room: it is closed here");
        }
    }
}

fn is_unused(hall: &Arc<Hall>) -> bool {
    Arc::strong_count(hall) == 1
}
