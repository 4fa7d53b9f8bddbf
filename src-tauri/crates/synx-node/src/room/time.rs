//! What time it is in a room.
//!
//! Must never go by the wall clock.

use std::sync::Arc;
use synx_domain::EpochId;
use synx_net::RoomInstant;
use uuid::Uuid;

/// Where room time comes from.
#[derive(Clone)]
pub enum RoomTime {
    /// This machine's monotonic clock, in an epoch of this run.
    Own(EpochId),
    /// The clock of a cluster, as this node knows it.
    Shared(Arc<dyn SharedTime>),
}

/// A clock that several nodes have in common.
pub trait SharedTime: Send + Sync {
    /// Room time now. Must not wait.
    fn now(&self) -> RoomInstant;
}

impl RoomTime {
    /// A new epoch of this machine's own clock.
    pub fn own() -> Self {
        Self::Own(EpochId::from_uuid(Uuid::now_v7()))
    }

    /// Room time now.
    pub fn now(&self) -> RoomInstant {
        match self {
            Self::Own(epoch) => RoomInstant { epoch: *epoch, us: synx_playback::monotonic_us() },
            Self::Shared(clock) => clock.now(),
        }
    }
}
