//! A place in a room's log that moves on as its owner reads.

use crate::tail::Followed;
use crate::{Log, LogError};
use std::sync::Arc;
use synx_domain::{Envelope, RoomId};

/// Events that one step takes at most.
const STEP_EVENTS: usize = 512;

/// Reads a room's log in order from a place on, waiting at its end. Costs a place, however far it lags.
pub struct Cursor {
    log: Log,
    room: RoomId,
    seq: u64,
    followed: Followed,
}

impl Cursor {
    pub(crate) fn new(log: Log, room: RoomId, seq: u64, followed: Followed) -> Self {
        Self { log, room, seq, followed }
    }

    /// The last event that was read.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The next events, at least one, in order, each exactly once. Waits at the end of the log. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// [`LogError::Closed`] when the log is closed; else when the store cannot be read. The cursor stays where it is.
    pub async fn next(&mut self) -> Result<Vec<Arc<Envelope>>, LogError> {
        while *self.followed.heads.borrow_and_update() <= self.seq {
            self.followed.heads.changed().await.map_err(|_| LogError::Closed)?;
        }
        let mut events = self.followed.ring.after(self.seq, STEP_EVENTS);
        if events.is_empty() {
            events = self.log.read(self.room, self.seq, STEP_EVENTS).await?;
        }
        let last = events.last().map(|envelope| envelope.seq);
        self.seq = last.ok_or_else(|| LogError::Corrupt {
            detail: format!("event {} of room {} is missing", self.seq + 1, self.room),
        })?;
        Ok(events)
    }
}
