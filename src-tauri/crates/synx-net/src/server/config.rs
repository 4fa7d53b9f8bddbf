//! How a server runs, and the limits that keep strangers from using it up.

use crate::server::backend::RoomSource;
use crate::{AudioStore, HostKey, TlsIdentity};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How to start a server.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The certificate; none for plain connections behind a reverse proxy.
    pub tls: Option<TlsIdentity>,
    /// Signs session tokens, and signed the invites.
    pub host_key: Arc<HostKey>,
    /// Where audio is.
    pub audio: AudioStore,
    /// Limits.
    pub limits: Limits,
    /// Names besides IP addresses, `localhost` and `*.local` under which requests may come (against DNS rebinding).
    pub allowed_hosts: Vec<String>,
    /// Web origins that may connect; none by default, as native peers send no `Origin`.
    pub allowed_origins: Vec<String>,
    /// Addresses that many may share: no limit by address holds for them. This machine's own (programs on it, and a proxy)
    /// unless it says otherwise.
    pub shared_addresses: Vec<IpAddr>,
    /// Where rooms come from that are not open; none where only those that were added exist.
    pub rooms: Option<Arc<dyn RoomSource>>,
    /// What challenges are sealed with, where several servers are one: a peer may answer to another than asked it. By chance
    /// without it.
    pub challenge_key: Option<[u8; 32]>,
}

impl ServerConfig {
    /// A server with default limits.
    pub fn new(
        listen: SocketAddr,
        tls: Option<TlsIdentity>,
        host_key: Arc<HostKey>,
        audio: AudioStore,
    ) -> Self {
        let limits = Limits::default();
        let shared_addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let (allowed_hosts, allowed_origins) = (Vec::new(), Vec::new());
        Self {
            listen,
            tls,
            host_key,
            audio,
            limits,
            allowed_hosts,
            allowed_origins,
            shared_addresses,
            rooms: None,
            challenge_key: None,
        }
    }
}

/// Limits of a server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From a TCP connection to a complete TLS handshake and request head, and from `/ws` to `join_room`.
    pub handshake: Duration,
    /// TCP connections at once, whatever they do.
    pub connections: usize,
    /// TCP connections at once from one address.
    pub connections_per_address: usize,
    /// Refused proofs, invites and tokens that one address may bring at once; one more every two seconds.
    pub refused_per_address: f64,
    /// Joined WebSocket connections per room.
    pub peers_per_room: usize,
    /// Joined WebSocket connections of one member: their devices, and those that have not been found dead yet.
    pub connections_per_member: usize,
    /// Longest message of a peer, in bytes.
    pub message_bytes: usize,
    /// Messages a second that a connection may send for long.
    pub messages_per_s: f64,
    /// Messages that it may send at once.
    pub message_burst: f64,
    /// Largest upload, in bytes.
    pub upload_bytes: u64,
    /// How often an idle connection is pinged; after three times as long without any sign it is dead.
    pub ping_every: Duration,
    /// A connection that takes no byte of what is sent to it for this long is cut off.
    pub stalled: Duration,
    /// How long a member whose connection died may take to come back before it has left.
    pub return_grace: Duration,
    /// How long somebody who knocks waits for the host.
    pub knock: Duration,
    /// People of a room who may wait for the host at once.
    pub knocks_per_room: usize,
    /// How long nobody is in a room that was opened because somebody came, until it is closed again.
    pub idle_room: Duration,
    /// How long a session token is good for; it is renewed at half of that over the live connection.
    pub session: Duration,
    /// Events that a peer may be behind and still get one by one; further behind it gets the room's state.
    pub catch_up_events: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            connections: 4096,
            connections_per_address: 256,
            refused_per_address: 30.0,
            peers_per_room: 1100,
            connections_per_member: 16,
            message_bytes: 64 * 1024,
            messages_per_s: 200.0,
            message_burst: 400.0,
            upload_bytes: 2 << 30,
            ping_every: Duration::from_secs(5),
            stalled: Duration::from_secs(10),
            return_grace: Duration::from_secs(10),
            knock: Duration::from_secs(120),
            knocks_per_room: 32,
            idle_room: Duration::from_secs(60),
            session: Duration::from_secs(600),
            catch_up_events: 10_000,
        }
    }
}
