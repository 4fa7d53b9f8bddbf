//! Clock probes: a WebSocket that carries nothing else, stamped beside the socket.

use crate::server::Shop;
use crate::server::admission::member;
use crate::server::bucket::Bucket;
use crate::server::hall::Hall;
use crate::server::listen::Seat;
use crate::server::refusal::Refusal;
use axum::Extension;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{EpochId, RoomId, UserId};

/// A probe is a few dozen bytes.
const PROBE_BYTES: usize = 1024;
/// A peer sends five probes a second, and a burst of some tens to begin with; what asks for much more is no clock.
const PROBES_PER_S: f64 = 50.0;
const PROBES_AT_ONCE: f64 = 200.0;
/// A peer probes every few seconds at least.
const SILENCE: Duration = Duration::from_secs(60);

/// What goes to and fro. An enum, as the type of a lone struct would not be checked.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ClockMessage {
    Probe {
        /// The peer's time when it sent this, in microseconds.
        t1_us: i64,
    },
    ProbeAnswer {
        t1_us: i64,
        /// Room time when the probe came in.
        t2_us: i64,
        /// Room time when this went out.
        t3_us: i64,
        epoch: EpochId,
    },
}

pub(crate) async fn upgrade(
    State(shop): Shop,
    Path(room): Path<RoomId>,
    Extension(seat): Extension<Seat>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    let (hall, user) = member(&shop, room, (seat.address, &headers)).await?;
    let upgrade = upgrade
        .max_message_size(PROBE_BYTES)
        .max_frame_size(PROBE_BYTES)
        .read_buffer_size(PROBE_BYTES)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(async move |socket| {
        tokio::select! {
            () = serve(socket, hall, user) => {}
            () = shop.draining() => {}
        }
        drop(seat);
    }))
}

async fn serve(mut socket: WebSocket, hall: Arc<Hall>, user: UserId) {
    let mut ending = hall.endings();
    let mut bucket = Bucket::full(PROBES_PER_S, PROBES_AT_ONCE);
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            _ = ending.wait_for(Option::is_some) => return,
            () = tokio::time::sleep(SILENCE) => return,
        };
        let came = hall.backend.now();
        let Some(Ok(message)) = message else { return };
        let allowed = bucket.take();
        let Message::Text(text) = message else {
            // Pings count as well.
            if allowed { continue } else { return }
        };
        let Ok(ClockMessage::Probe { t1_us }) = serde_json::from_str(&text) else { return };
        let goes = hall.backend.now();
        if goes.epoch != came.epoch {
            continue;
        }
        let answer = ClockMessage::ProbeAnswer { t1_us, t2_us: came.us, t3_us: goes.us, epoch: goes.epoch };
        let answer = serde_json::to_string(&answer).unwrap_or_default();
        let answered = socket.send(Message::Text(answer.into())).await.is_ok();
        // Who was removed, or left for good, learns no more.
        if !answered || !allowed || !hall.is_member(user) {
            return;
        }
    }
}
