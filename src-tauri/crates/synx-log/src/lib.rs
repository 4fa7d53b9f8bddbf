//! The append-only event log on disk and in memory, and cursors over it.
//!
//! ```text
//! append ─► inbox ─► writer ─► store (fsync) ─► head, ring ─► cursors
//! ```
//! One thread writes; what gathers while it syncs becomes the next commit. An event is seen by anybody only once it is
//! durable, in the order of its room. Followers are told nothing but "the head is now N" and read from their own place: the
//! log is the queue.
//!
//! Old events of a room may be moved to its archive, packed, where every read still finds them. Who says so in so many words
//! may drop archived ones; a checkpoint stands for them.
//!
//! **Invariant:** nothing else here changes or deletes an event, and nothing waits for a follower.

#![warn(missing_docs)]

mod archive;
mod audit;
mod codec;
mod cursor;
mod error;
mod fold;
mod handler;
mod inbox;
mod jsonl;
mod log;
mod meters;
mod migrate;
mod options;
mod record;
mod restore;
mod segment;
mod store;
mod tail;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod upcast;
mod verify;
mod writer;

pub use audit::{AuditEntry, AuditFilter};
pub use cursor::Cursor;
pub use error::LogError;
pub use handler::{HandlerProgress, HandlerTask};
pub use log::Log;
pub use options::LogOptions;
pub use record::{ChainHash, Checkpoint, Record, RoomHead, StoredSnapshot};
#[cfg(any(test, feature = "testing"))]
pub use store::SharedStore;
pub use store::{Access, Archived, EventStore, MemoryStore, News, Old, Scanned, SqliteStore, StoreHead};
pub use upcast::{Upcast, Upcasters};
pub use verify::{BadLink, ChainFault, ChainReport};
