//! Which node of a cluster, among those that run.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// A running node. A node that starts again is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(Uuid);

impl NodeId {
    /// The id of this run.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    #[cfg(test)]
    pub(crate) const fn numbered(number: u128) -> Self {
        Self(Uuid::from_u128(number))
    }

    /// Where this node stands among those that could do something for a room or another thing: each thing has an order of
    /// its own, so that the work is spread, and a node that comes or goes changes nothing for most.
    pub fn weight(self, thing: &[u8]) -> [u8; 16] {
        // FNV-1a: nobody gains anything by a collision.
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let bytes = self.0.as_bytes().iter().chain(thing);
        bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME)).to_be_bytes()
    }
}

impl Default for NodeId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
