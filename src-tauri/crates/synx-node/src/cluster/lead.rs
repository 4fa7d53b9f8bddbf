//! What a room of a cluster does by itself: tracks end, waiting ends, and the music is carried over where a new epoch has begun.
//! Whichever node has the room open may announce it; they take turns, and once one did the others have nothing to do.
//!
//! Must never announce what the room does not decide by its own state.

use crate::cluster::house::ClusterHouse;
use crate::error::NodeError;
use crate::room::hosted::HostedRoom;
use crate::room::hosting::after_restart;
use crate::room::upcoming::Upcoming;
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{Command, UserId};
use tokio::time::Instant;

/// How much later than the node before it in turn a node announces something: an append takes some ms, and from its end a
/// track is announced early enough for four turns.
const TURN: Duration = Duration::from_millis(120);
/// Pause before something that could not be announced is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Leads a room until it is dropped.
pub async fn lead(room: Arc<HostedRoom>, house: Arc<ClusterHouse>) {
    let mut changes = room.changes();
    let mut files = room.board().news();
    let mut ripe: Option<(Due, Instant)> = None;
    loop {
        let epoch = room.now().epoch;
        let mut clock = house.clock.view();
        let other_epoch = async {
            drop(clock.wait_for(|view| view.known.is_some_and(|(known, _)| known != epoch)).await);
        };
        let next = next(&room);
        // From when on it could be done at once: counted once, whatever else happens in the room.
        ripe = match (&next, ripe) {
            (Some((Duration::ZERO, due)), Some((before, since))) if *due == before => Some((before, since)),
            (Some((Duration::ZERO, due)), _) => Some((*due, Instant::now())),
            _ => None,
        };
        let since = ripe.as_ref().map_or_else(Instant::now, |(_, since)| *since);
        let turn = TURN * house.roster.turn(room.id().as_bytes()).min(5);
        let at = next.as_ref().map(|(wait, _)| since + *wait + turn);
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            changed = files.changed() => if changed.is_err() { return },
            () = other_epoch => {}
            () = tokio::time::sleep_until(at.unwrap_or_else(Instant::now)), if at.is_some() => {
                if let Err(error) = announce(&room, &house).await {
                    tracing::warn!(%error, room = %room.id(), "what happens next could not be announced");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}

/// What is due: a revision of the transport says which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Resume(u64),
    Upcoming(Upcoming),
}

/// What comes next, and in how long at the earliest.
fn next(room: &HostedRoom) -> Option<(Duration, Due)> {
    let now = room.now();
    let (stale, upcoming) = room.with(|room| {
        let stale = room.transport.as_ref().filter(|transport| transport.epoch != now.epoch);
        (stale.map(|transport| transport.revision), Upcoming::of(room))
    });
    if let Some(revision) = stale {
        return Some((Duration::ZERO, Due::Resume(revision)));
    }
    let upcoming = upcoming?;
    Some((command(room, upcoming).0, Due::Upcoming(upcoming)))
}

fn command(room: &HostedRoom, upcoming: Upcoming) -> (Duration, Command) {
    let present: Option<Vec<UserId>> =
        room.with(|room| room.waits_for_all().then(|| room.present_users().collect()));
    let held_until = |track| room.board().held_until(track, present.as_ref()?);
    upcoming.due(room.now().us, held_until)
}

/// Announces what is due, if it still is.
async fn announce(room: &HostedRoom, house: &ClusterHouse) -> Result<(), NodeError> {
    let command = match next(room) {
        Some((Duration::ZERO, Due::Resume(_))) => after_restart(&house.log, room, |_| true).await?,
        Some((Duration::ZERO, Due::Upcoming(upcoming))) => command(room, upcoming).1,
        _ => return Ok(()),
    };
    let Some(host) = room.with(|room| room.host) else { return Ok(()) };
    room.execute_as(host, command).await?;
    Ok(())
}
