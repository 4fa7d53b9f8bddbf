//! Proof that history is what was written: every row's hash follows from the row and the hash before it.
//!
//! Reads the rows where they lie, not through an index. A chain shows that rows were changed, removed, added or put in
//! another order; whoever rewrites the whole file with all hashes is found out by comparing a head's hash with a peer's.

use crate::{ChainHash, EventStore, LogError, Record, RoomHead, Scanned};
use std::collections::BTreeMap;
use synx_domain::RoomId;

/// Rows that are looked at in one step.
const STEP_ROWS: usize = 2048;

/// What is wrong with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainFault {
    /// It is not there, cannot be read, or stands elsewhere than in its order.
    Missing,
    /// It is not what was written.
    Altered,
    /// Every chain is sound, but before it there is a gap in the whole log: it was moved, or a room is gone without a trace.
    Displaced,
    /// It was never recorded as the end of the room or as before it.
    Unrecorded,
}

/// The first event of a room with which something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadLink {
    /// Its place in the room's log.
    pub seq: u64,
    /// What is wrong.
    pub fault: ChainFault,
}

/// What the check of one room's chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// The room.
    pub room_id: RoomId,
    /// Events that are proven to be as they were written.
    pub events: u64,
    /// The hash at the last of them. Equal hashes on two machines mean equal logs.
    pub hash: ChainHash,
    /// Where the chain breaks, if it does.
    pub first_bad: Option<BadLink>,
}

/// A check on its way.
pub(crate) struct Verification {
    only: Option<RoomId>,
    chains: BTreeMap<RoomId, ChainReport>,
    recorded: BTreeMap<RoomId, RoomHead>,
    log_seq: u64,
    end: u64,
    /// The first event behind a gap in the whole log. It counts only where no chain tells what is missing.
    behind_gap: Option<(RoomId, u64)>,
}

impl Verification {
    pub(crate) fn begin(store: &dyn EventStore, only: Option<RoomId>) -> Result<Self, LogError> {
        let head = store.head()?;
        let wanted = |room: &RoomId| only.is_none_or(|only| only == *room);
        let recorded = head.recorded.into_iter().filter(|head| wanted(&head.room_id));
        let recorded: BTreeMap<_, _> = recorded.map(|head| (head.room_id, head)).collect();
        let chains = recorded.keys().map(|room| (*room, ChainReport::start(*room))).collect();
        Ok(Self { only, chains, recorded, log_seq: 0, end: head.log_seq, behind_gap: None })
    }

    /// Takes the next rows; true when there are no more.
    pub(crate) fn step(&mut self, store: &dyn EventStore) -> Result<bool, LogError> {
        let rows = match store.scan(self.log_seq, STEP_ROWS) {
            // What is before the damage in this step can still be read row by row.
            Err(LogError::Corrupt { .. }) => match store.scan(self.log_seq, 1) {
                Err(LogError::Corrupt { .. }) => return Ok(true),
                rows => rows?,
            },
            rows => rows?,
        };
        for row in &rows {
            if row.log_seq() > self.end {
                return Ok(true);
            }
            self.take(row);
        }
        Ok(rows.is_empty())
    }

    fn take(&mut self, row: &Scanned) {
        let gap = row.log_seq() != self.log_seq + 1;
        self.log_seq = row.log_seq();
        let Scanned::Row(record) = row else { return };
        let room = record.room_id;
        if gap {
            self.behind_gap.get_or_insert((room, record.seq));
        }
        if self.only.is_some_and(|only| only != room) {
            return;
        }
        let chain = self.chains.entry(room).or_insert_with(|| ChainReport::start(room));
        if chain.first_bad.is_none() {
            chain.first_bad = chain.follow(record, self.recorded.get(&room));
        }
    }

    pub(crate) fn end(mut self, store: &dyn EventStore) -> Result<Vec<ChainReport>, LogError> {
        for (room, chain) in &mut self.chains {
            let recorded = self.recorded.get(room).map_or(0, |head| head.seq);
            if chain.first_bad.is_none() && chain.events < recorded {
                chain.first_bad = Some(BadLink { seq: chain.events + 1, fault: ChainFault::Missing });
            }
        }
        if self.only.is_none() && self.chains.values().all(|chain| chain.first_bad.is_none()) {
            match self.behind_gap.and_then(|(room, seq)| Some((self.chains.get_mut(&room)?, seq))) {
                Some((chain, seq)) => chain.first_bad = Some(BadLink { seq, fault: ChainFault::Displaced }),
                None => store.check()?,
            }
        }
        Ok(self.chains.into_values().collect())
    }
}

impl ChainReport {
    fn start(room_id: RoomId) -> Self {
        Self { room_id, events: 0, hash: ChainHash::START, first_bad: None }
    }

    /// Goes one event further, or tells why not.
    fn follow(&mut self, record: &Record, recorded: Option<&RoomHead>) -> Option<BadLink> {
        let seq = self.events + 1;
        let bad = |fault| Some(BadLink { seq, fault });
        if record.seq != seq {
            return bad(ChainFault::Missing);
        }
        if record.chained_to(self.hash) != record.hash {
            return bad(ChainFault::Altered);
        }
        match recorded {
            Some(head) if seq < head.seq => {}
            Some(head) if *head == RoomHead::at(record) => {}
            Some(head) if seq == head.seq => return bad(ChainFault::Altered),
            _ => return bad(ChainFault::Unrecorded),
        }
        self.events = seq;
        self.hash = record.hash;
        None
    }
}
