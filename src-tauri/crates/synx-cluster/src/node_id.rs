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
        // It hardly moves the top bits by the last bytes, and the top bits decide. So they are mixed as hashes are that end
        // in multiplications; the factor is that of PCG's 128 bits (O'Neill 2014).
        const FACTOR: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
        let bytes = self.0.as_bytes().iter().chain(thing);
        let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
        let mixed = (0..2).fold(hash, |hash, _| (hash ^ (hash >> 64)).wrapping_mul(FACTOR));
        (mixed ^ (mixed >> 64)).to_be_bytes()
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
