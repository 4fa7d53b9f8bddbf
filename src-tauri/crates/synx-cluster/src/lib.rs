//! Rooms on several nodes: the event log on NATS JetStream.
//!
//! ```text
//! commit ─► one message a room ─► stream (fsync, replicas) ─► every node's copy (SQLite) ─► reads
//!            expected sequence      one order for all
//! ```
//! The stream is the log: what it has acknowledged is durable, and its order is the order everywhere. Each node keeps a copy
//! of it in SQLite, from which everything is read. The copy can be thrown away; it is fetched again.
//!
//! **Invariant:** a node's copy holds what the stream holds, up to some message, and nothing else.

#![warn(missing_docs)]

mod backplane;
mod bucket;
mod check;
mod clock;
mod condition;
mod connection;
mod error;
mod format;
mod leftovers;
mod message;
mod node_id;
mod objects;
mod options;
mod publish;
mod replica;
mod session;
mod snapshots;
mod store;
mod stream;
#[cfg(feature = "testing")]
pub mod testing;

pub use backplane::{Backplane, Heard, Listening};
pub use check::{MIN_SERVER, ServerFault};
pub use clock::{ClockView, ClusterClock};
pub use error::ClusterError;
pub use node_id::NodeId;
pub use objects::{Objects, Pieces};
pub use options::{ClusterName, ClusterOptions};
pub use store::JetStreamStore;
