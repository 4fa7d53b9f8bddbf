//! Looking through history: who did what, when.

use crate::Record;
use synx_domain::{RoomId, UserId};

/// What to list. The default lists the first [`AuditFilter::DEFAULT_LIMIT`] events of all rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this room.
    pub room: Option<RoomId>,
    /// Only events of this name.
    pub name: Option<String>,
    /// Only what this person caused.
    pub actor: Option<UserId>,
    /// Only what occurred at or after this, milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// Only what occurred before this, milliseconds since 1970 UTC.
    pub until_ms: Option<i64>,
    /// Only what comes after this place in the whole log ([`Record::log_seq`]), to page on.
    pub after_seq: u64,
    /// At most so many entries.
    pub limit: usize,
}

impl AuditFilter {
    /// Entries on one page.
    pub const DEFAULT_LIMIT: usize = 1000;

    /// Whether a record is one of those asked for.
    pub fn passes(&self, record: &Record) -> bool {
        self.room.is_none_or(|room| room == record.room_id)
            && self.name.as_ref().is_none_or(|name| *name == record.name)
            && self.actor.is_none_or(|actor| actor == record.actor)
            && self.since_ms.is_none_or(|since| record.occurred_at_ms >= since)
            && self.until_ms.is_none_or(|until| record.occurred_at_ms < until)
            && record.log_seq > self.after_seq
    }
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self {
            room: None,
            name: None,
            actor: None,
            since_ms: None,
            until_ms: None,
            after_seq: 0,
            limit: Self::DEFAULT_LIMIT,
        }
    }
}

/// One event as it is stored; also one that this program cannot interpret.
pub type AuditEntry = Record;
