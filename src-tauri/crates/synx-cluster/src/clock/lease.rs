//! Who owns the cluster's clock: whoever renews the one record of it, each time over the revision written before.
//!
//! Pure: instants are arguments, by this node's monotonic clock. Must never take the clock from an owner that renews in time,
//! nor believe itself the owner for longer than others wait.

use crate::NodeId;
use serde::{Deserialize, Serialize};
use synx_domain::EpochId;

/// How often the owner renews its lease.
const RENEW_EVERY_US: i64 = 250_000;
/// An owner that could not renew for so long gives up, by its own clock, counted from before its last renewal was sent.
const GIVE_UP_US: i64 = 800_000;
/// Others take over when they heard of no renewal for so long. Longer than that by more than clocks differ: two owners at
/// once would do no harm, as both go on with the same time, but peers would follow whichever answers.
const LOST_US: i64 = 1_000_000;
/// So much longer a node waits that does not know the time yet: with it room time would begin anew, with the others it goes on.
/// Two attempts of theirs fit into it, and what is lost is still replaced within 2 s.
const KNOWERS_FIRST_US: i64 = 500_000;
/// Pause before a record that could not be read or written is tried again.
const RETRY_US: i64 = 100_000;
/// So many writes in a row without an answer, and the record is looked for anew: its bucket may be gone.
const UNKNOWN_MOST: u32 = 5;

/// The record: whose monotonic clock is the cluster's time, and since when it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub node: NodeId,
    pub epoch: EpochId,
}

/// What a lease wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Read the record.
    Look,
    /// Renew it over this revision.
    Renew { over: u64 },
    /// Write oneself into it: over this revision, or as the first.
    Take { over: Option<u64> },
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is the record now, with this revision.
    Stored(u64),
    /// Somebody else had written before.
    Overtaken,
    /// No answer came: it may have happened.
    Unknown,
}

/// The record as it was seen last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    revision: u64,
    record: Record,
    /// When this revision was first seen.
    at_us: i64,
}

/// One node's view of the lease.
#[derive(Debug)]
pub(crate) struct Lease {
    me: NodeId,
    seen: Option<Seen>,
    /// Whether the record has been looked for, so that none seen means none there.
    looked: bool,
    /// Until when this node is the owner.
    mine_until_us: Option<i64>,
    /// When the write or look that is under way was sent.
    asked_us: Option<i64>,
    /// When the next one is due.
    due_us: i64,
    /// Writes in a row of which nothing was heard.
    unknown: u32,
}

impl Lease {
    pub(crate) fn new(me: NodeId, now_us: i64) -> Self {
        Self {
            me,
            seen: None,
            looked: false,
            mine_until_us: None,
            asked_us: None,
            due_us: now_us,
            unknown: 0,
        }
    }

    /// Whether this node owns the clock.
    pub(crate) fn is_mine(&self, now_us: i64) -> bool {
        self.mine_until_us.is_some_and(|until_us| now_us < until_us)
    }

    /// The record as it was seen last.
    pub(crate) fn record(&self) -> Option<Record> {
        self.seen.map(|seen| seen.record)
    }

    /// When [`Lease::wish`] is to be asked again at the latest.
    pub(crate) fn next_us(&self) -> i64 {
        if self.asked_us.is_some() { i64::MAX } else { self.due_us }
    }

    /// What is to be done now, if anything is. Whoever asks does it, and tells the outcome. `goes_on`: whether the time that
    /// the record counts goes on with this node as its owner.
    pub(crate) fn wish(&mut self, now_us: i64, goes_on: bool) -> Option<Wish> {
        if self.asked_us.is_some() || now_us < self.due_us {
            return None;
        }
        if !self.is_mine(now_us) {
            self.mine_until_us = None;
        }
        let lost_us = if goes_on { LOST_US } else { LOST_US + KNOWERS_FIRST_US };
        let wish = match self.seen {
            None if self.looked => Wish::Take { over: None },
            None => Wish::Look,
            // Also where it lapsed, and nobody took it.
            Some(seen) if seen.record.node == self.me => Wish::Renew { over: seen.revision },
            Some(seen) if now_us - seen.at_us >= lost_us => Wish::Take { over: Some(seen.revision) },
            Some(seen) => {
                self.due_us = seen.at_us + lost_us;
                return None;
            }
        };
        self.asked_us = Some(now_us);
        Some(wish)
    }

    /// A look has found the record, or none, or no answer.
    pub(crate) fn looked(&mut self, now_us: i64, found: Result<Option<(u64, Record)>, ()>) {
        self.asked_us = None;
        self.due_us = now_us + RETRY_US;
        if let Ok(found) = found {
            self.looked = true;
            found.into_iter().for_each(|(revision, record)| self.saw(now_us, revision, record));
        }
    }

    /// The record was told of.
    pub(crate) fn saw(&mut self, now_us: i64, revision: u64, record: Record) {
        // What comes late says nothing new; a stream that was made anew counts from one again and is found by looking.
        if self.seen.is_some_and(|seen| revision <= seen.revision) {
            return;
        }
        self.seen = Some(Seen { revision, record, at_us: now_us });
        if record.node != self.me {
            self.mine_until_us = None;
            self.due_us = now_us + LOST_US;
        }
    }

    /// A write of `record` has ended.
    pub(crate) fn wrote(&mut self, now_us: i64, record: Record, outcome: Written) {
        let Some(sent_us) = self.asked_us.take() else { return };
        match outcome {
            Written::Stored(revision) => {
                self.saw(now_us, revision, record);
                self.unknown = 0;
                // Told of a later owner meanwhile, it stays nobody's.
                if self.record() == Some(record) {
                    self.mine_until_us = Some(sent_us + GIVE_UP_US);
                    self.due_us = sent_us + RENEW_EVERY_US;
                }
            }
            // By an earlier write of this node whose answer was lost, or by somebody else: the record says.
            Written::Overtaken => {
                (self.seen, self.looked) = (None, false);
                self.due_us = now_us;
            }
            Written::Unknown => {
                self.unknown += 1;
                if self.unknown >= UNKNOWN_MOST {
                    (self.seen, self.looked, self.unknown) = (None, false, 0);
                }
                self.due_us = now_us + RETRY_US;
            }
        }
    }
}
