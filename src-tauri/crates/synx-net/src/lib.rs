//! The wire: protocol, server, client, invites, discovery and file transfer.
//!
//! Must never let a wire type into the log nor a domain type onto the wire unconverted, nor trust a byte that came from
//! the network.

#![warn(missing_docs)]

mod audio_store;
mod client;
mod discovery;
pub mod disk;
mod error;
mod identity;
mod keyring;
mod link;
mod server;
mod tls;
mod token;
mod transport;
pub mod wire;
mod write_gate;

pub use audio_store::{AudioStore, PartialFile};
pub use client::{ClientConfig, ClientEvent, ClockLink, ClockReading, RoomClient, SILENCE, takes_peers};
pub use discovery::{Announcement, Browser, LanChange, LanNotice, LanRoom};
pub use error::NetError;
pub use identity::{Identity, user_id_of};
pub use keyring::{Kept, Keyring, KeyringError};
pub use link::{InviteLink, is_address};
pub use server::{
    CommandFailure, Limits, RoomBackend, RoomInstant, RoomSource, Server, ServerConfig, ServerHandle,
    Unavailable, byte_range,
};
pub use tls::{TlsIdentity, TlsPem};
pub use token::{HostKey, Session, TokenError};
pub use transport::{ByteStream, Dial, Listen};
pub use write_gate::{WriteGate, Writing};
