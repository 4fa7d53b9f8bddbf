//! What a server counts of its work, for whoever watches it from outside (`metrics`). Where nobody does, a count is next to
//! nothing.
//!
//! Must never carry what tells of a person, a room or a file: labels are few and known before.

use crate::wire::ServerMessage;
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const CONNECTIONS: &str = "synx_connections";
const PEERS: &str = "synx_peers";
const ROOMS: &str = "synx_rooms";
const TURNED_AWAY: &str = "synx_connections_turned_away_total";
const DELIVERIES: &str = "synx_deliveries_total";
const BEHIND_RING: &str = "synx_pages_read_behind_ring_total";
const ACK: &str = "synx_command_ack_seconds";
const RECEIVED: &str = "synx_network_receive_bytes_total";
const SENT: &str = "synx_network_transmit_bytes_total";
const REFUSED: &str = "synx_refused_total";
const ENDED: &str = "synx_sessions_ended_total";

/// The counts of all servers of this process.
pub(crate) struct Meters {
    pub connections: Gauge,
    pub peers: Gauge,
    pub rooms: Gauge,
    pub turned_away: Counter,
    pub deliveries: Counter,
    pub behind_ring: Counter,
    ack: Histogram,
    received: Counter,
    sent: Counter,
}

impl Meters {
    pub fn new() -> Self {
        describe_gauge!(CONNECTIONS, "Open TCP connections.");
        describe_gauge!(PEERS, "Peers that are in a room over a connection of theirs.");
        describe_gauge!(ROOMS, "Rooms that are open here.");
        describe_counter!(TURNED_AWAY, "Connections closed at once, as there were too many.");
        describe_counter!(DELIVERIES, "Events written to peers: one event to one peer is one.");
        describe_counter!(
            BEHIND_RING,
            "Pages of events that were read from the log for a peer that is far behind."
        );
        describe_histogram!(
            ACK,
            Unit::Seconds,
            "From reading a command to its acknowledgement, when it is durable."
        );
        describe_counter!(RECEIVED, Unit::Bytes, "Bytes read from connections.");
        describe_counter!(SENT, Unit::Bytes, "Bytes written to connections.");
        describe_counter!(REFUSED, "Commands and requests that were refused, by code.");
        describe_counter!(ENDED, "Connections of peers that were ended from here, by code.");
        Self {
            connections: gauge!(CONNECTIONS),
            peers: gauge!(PEERS),
            rooms: gauge!(ROOMS),
            turned_away: counter!(TURNED_AWAY),
            deliveries: counter!(DELIVERIES),
            behind_ring: counter!(BEHIND_RING),
            ack: histogram!(ACK),
            received: counter!(RECEIVED),
            sent: counter!(SENT),
        }
    }

    pub fn acknowledged(&self, after: Duration) {
        self.ack.record(after.as_secs_f64());
    }

    /// Counts the bytes of a connection.
    pub fn metered<S>(&self, stream: S) -> Metered<S> {
        Metered { stream, received: self.received.clone(), sent: self.sent.clone() }
    }
}

/// Counts a refusal. Codes are the program's own, so there are few.
pub(crate) fn refused(code: &str) {
    counter!(REFUSED, "code" => code.to_owned()).increment(1);
}

/// Counts what is said to a peer, if it is a refusal.
pub(crate) fn said(message: &ServerMessage) {
    if let ServerMessage::Error { code, .. } = message {
        refused(code);
    }
}

/// Counts a connection that was ended from here.
pub(crate) fn ended(code: &'static str) {
    counter!(ENDED, "code" => code).increment(1);
}

/// One more of something, until it is dropped.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub fn one(gauge: &Gauge) -> Self {
        gauge.increment(1);
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// A stream whose bytes are counted.
pub(crate) struct Metered<S> {
    stream: S,
    received: Counter,
    sent: Counter,
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.received.increment((buffer.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.sent.increment(written as u64);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices))?;
        self.sent.increment(written as u64);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
