//! Servers and peers over the loopback: what the protocol promises, seen from outside.
//!
//! Only the room is made for these tests (`room.rs`). Absence is shown by something that comes later, not by a pause.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod audio;
mod guest;
mod house;
mod http;
mod jwt;
mod peer;
mod proxy;
mod room;

mod catching_up;
mod clock;
mod commands;
mod downloads;
mod ends;
mod history;
mod hostile;
mod invites;
mod joining;
mod limits;
mod members;
mod other_rooms;
mod proofs;
mod reconnect;
mod session;
mod stalled;
mod tokens;
mod uploads;

use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what must come.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it did not come")
}

/// Waits until it is so.
async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let watched = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, watched).await.unwrap_or_else(|_| panic!("never so: {what}"));
}
