//! Clock probes on a connection of their own.

use crate::NetError;
use crate::client::dial::Dialler;
use crate::client::requests::{Pass, lost};
use crate::client::session::{Socket, upgrade};
use crate::server::ClockMessage;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use synx_domain::{EpochId, RoomId};
use tokio_tungstenite::tungstenite::Message;

/// A probe that takes longer says nothing of the clock.
const ANSWER: Duration = Duration::from_secs(3);

/// Four times of one probe, in microseconds: t1 and t4 by the caller's clock, t2 and t3 in room time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Sent here.
    pub t1_us: i64,
    /// Received at the host.
    pub t2_us: i64,
    /// Sent at the host.
    pub t3_us: i64,
    /// Received here.
    pub t4_us: i64,
    /// The host run whose room time t2 and t3 are.
    pub epoch: EpochId,
}

/// A connection that carries probes alone.
pub struct ClockLink {
    socket: Socket,
}

impl ClockLink {
    pub(crate) async fn connect(dialler: &Dialler, room: RoomId, pass: &Pass) -> Result<Self, NetError> {
        let path = format!("/api/v1/rooms/{room}/clock");
        Ok(Self { socket: upgrade(dialler.dial().await?, &path, Some(pass)).await? })
    }

    /// Sends one probe and waits for its answer. After an error the link is of no more use.
    ///
    /// # Errors
    /// When the connection ends or the answer takes too long.
    pub async fn probe(&mut self, local_now_us: fn() -> i64) -> Result<ClockReading, NetError> {
        let late = || lost("a clock probe was not answered");
        tokio::time::timeout(ANSWER, self.exchange(local_now_us)).await.map_err(|_| late())?
    }

    async fn exchange(&mut self, local_now_us: fn() -> i64) -> Result<ClockReading, NetError> {
        let t1_us = local_now_us();
        let text = serde_json::to_string(&ClockMessage::Probe { t1_us }).map_err(lost)?;
        self.socket.send(Message::text(text)).await.map_err(lost)?;
        loop {
            let message = self.socket.next().await;
            let t4_us = local_now_us();
            match message.ok_or_else(|| lost("the host closed the clock connection"))?.map_err(lost)? {
                Message::Text(text) => {
                    let answer = serde_json::from_str(&text);
                    match answer.map_err(|error| NetError::Protocol(error.to_string()))? {
                        ClockMessage::ProbeAnswer { t1_us: asked_us, t2_us, t3_us, epoch }
                            if asked_us == t1_us =>
                        {
                            return Ok(ClockReading { t1_us, t2_us, t3_us, t4_us, epoch });
                        }
                        // Of a probe that was given up.
                        _ => {}
                    }
                }
                Message::Close(_) => return Err(lost("the host closed the clock connection")),
                _ => {}
            }
        }
    }
}
