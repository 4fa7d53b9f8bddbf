//! Limits of a log. The defaults suit a machine at home.

use crate::{Access, Upcasters};

/// How a log is opened and what it may take.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// For appending or for looking only.
    pub access: Access,
    /// Events that may wait for the writer.
    pub queue_events: usize,
    /// Bytes of payload that may wait for the writer.
    pub queue_bytes: usize,
    /// Events in one append.
    pub append_events: usize,
    /// Bytes of payload in one append. Whatever is stored can be read, so this also bounds what one event costs a reader.
    pub append_bytes: usize,
    /// Recent events that a room keeps in memory for those who follow it.
    pub ring_events: usize,
    /// Bytes of payload that these may have.
    pub ring_bytes: usize,
    /// Reads that run at the same time; further ones wait.
    pub readers: usize,
    /// Snapshots that are kept of each room.
    pub snapshots_kept: usize,
    /// How old payloads are read.
    pub upcasters: Upcasters,
}

impl LogOptions {
    /// For looking only: also beside a running instance.
    pub fn read_only() -> Self {
        Self { access: Access::ReadOnly, ..Self::default() }
    }
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            access: Access::ReadWrite,
            queue_events: 65_536,
            queue_bytes: 64 << 20,
            append_events: 4096,
            append_bytes: 4 << 20,
            ring_events: 2048,
            ring_bytes: 1 << 20,
            readers: 4,
            snapshots_kept: 4,
            upcasters: Upcasters::current(),
        }
    }
}
