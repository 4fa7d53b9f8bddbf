//! What a room allows, what follows from it, and that its log alone says what it is.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod commands;
mod invariants;
mod invites;
mod limits;
mod looping;
mod membership;
mod playback;
mod queue;
mod replay;
mod serialised;
mod sharing;
mod waiting;

use synx_domain::{Command, RoomEvent, UserId};
use synx_testkit::events::RoomLog;

/// Given a log, when somebody asks for something: the events that would follow, or the rejection's code.
fn ask(log: &RoomLog, actor: UserId, command: Command) -> Result<Vec<RoomEvent>, &'static str> {
    log.clone().send(actor, command).map_err(|rejection| rejection.code())
}

/// Accepted, and nothing changes: it is so already.
const NOTHING: Result<Vec<RoomEvent>, &'static str> = Ok(vec![]);
