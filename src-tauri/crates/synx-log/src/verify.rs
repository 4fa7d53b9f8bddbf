//! Proof that history is what was written: every row's hash follows from the row and the hash before it.
//!
//! Reads the rows where they lie, not through an index. A chain shows that rows were changed, removed, added or put in
//! another order; whoever rewrites the whole file with all hashes is found out by comparing a head's hash with a peer's.

use crate::store::Archived;
use crate::{ChainHash, Checkpoint, EventStore, LogError, Record, RoomHead, Scanned, StoredSnapshot};
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
    /// Events that are proven to be as they were written, with those that were dropped since.
    pub events: u64,
    /// The hash at the last of them. Equal hashes on two machines mean equal logs.
    pub hash: ChainHash,
    /// Where the chain breaks, if it does.
    pub first_bad: Option<BadLink>,
}

/// A check on its way: first through the archive, then through the rows.
pub(crate) struct Verification {
    only: Option<RoomId>,
    chains: BTreeMap<RoomId, ChainReport>,
    recorded: BTreeMap<RoomId, RoomHead>,
    /// The segment that was looked at last, while there are more.
    archive: Option<(RoomId, u64)>,
    segments: u64,
    /// Events that were dropped on purpose, and those that are there, over all rooms.
    dropped: u64,
    seen: u64,
    archived: Places,
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
        let mut chains: BTreeMap<_, _> =
            recorded.keys().map(|room| (*room, ChainReport::start(*room))).collect();
        for (room, _) in head.dropped.iter().filter(|(room, _)| wanted(room)) {
            if let Some(checkpoint) = store.checkpoint(*room)? {
                chains.insert(*room, ChainReport::after(&checkpoint));
            }
        }
        Ok(Self {
            only,
            chains,
            recorded,
            archive: Some((only.unwrap_or(RoomId::from_bytes([0; 16])), 0)),
            segments: head.segments,
            dropped: head.dropped.iter().fold(0, |sum: u64, (_, seq)| sum.saturating_add(*seq)),
            seen: 0,
            archived: Places::default(),
            log_seq: 0,
            end: head.log_seq,
            behind_gap: None,
        })
    }

    /// Takes the next segment or rows; true when there are no more.
    pub(crate) fn step(&mut self, store: &dyn EventStore) -> Result<bool, LogError> {
        let Some((room, after)) = self.archive else { return self.step_rows(store) };
        let segment = store.scan_archive(room, after)?;
        let segment = segment.filter(|segment| self.only.is_none_or(|only| only == segment.room_id));
        self.archive = segment.as_ref().map(|segment| (segment.room_id, segment.last));
        match segment {
            Some(segment) => self.take_segment(segment),
            None => self.archived.close(),
        }
        Ok(false)
    }

    fn take_segment(&mut self, Archived { room_id, records, .. }: Archived) {
        match records {
            Ok(records) => records.iter().for_each(|record| {
                self.archived.add(record.log_seq);
                self.seen += 1;
                self.follow(record);
            }),
            // Of an archive that is not what was written, no event is proven.
            Err(_) => {
                let chain = self.chains.entry(room_id).or_insert_with(|| ChainReport::start(room_id));
                let bad = BadLink { seq: chain.events + 1, fault: ChainFault::Altered };
                chain.first_bad.get_or_insert(bad);
            }
        }
    }

    fn step_rows(&mut self, store: &dyn EventStore) -> Result<bool, LogError> {
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
        let gap = !self.archived.have_all_between(self.log_seq, row.log_seq());
        self.log_seq = row.log_seq();
        self.seen += 1;
        let Scanned::Row(record) = row else { return };
        if gap {
            self.behind_gap.get_or_insert((record.room_id, record.seq));
        }
        self.follow(record);
    }

    fn follow(&mut self, record: &Record) {
        let room = record.room_id;
        if self.only.is_some_and(|only| only != room) {
            return;
        }
        let chain = self.chains.entry(room).or_insert_with(|| ChainReport::start(room));
        if chain.first_bad.is_none() {
            chain.first_bad = chain.follow(record, self.recorded.get(&room));
        }
    }

    /// What was found; nothing when events were moved to the archive meanwhile and it has to be looked at again.
    pub(crate) fn end(mut self, store: &dyn EventStore) -> Result<Option<Vec<ChainReport>>, LogError> {
        if store.head()?.segments != self.segments {
            return Ok(None);
        }
        for (room, chain) in &mut self.chains {
            let recorded = self.recorded.get(room).map_or(0, |head| head.seq);
            if chain.first_bad.is_none() && chain.events < recorded {
                chain.first_bad = Some(BadLink { seq: chain.events + 1, fault: ChainFault::Missing });
            }
        }
        // What was dropped leaves gaps as well.
        if self.seen.checked_add(self.dropped) == Some(self.end) {
            self.behind_gap = None;
        }
        if self.only.is_none() && self.chains.values().all(|chain| chain.first_bad.is_none()) {
            match self.behind_gap.and_then(|(room, seq)| Some((self.chains.get_mut(&room)?, seq))) {
                Some((chain, seq)) => chain.first_bad = Some(BadLink { seq, fault: ChainFault::Displaced }),
                None => store.check()?,
            }
        }
        Ok(Some(self.chains.into_values().collect()))
    }
}

/// Places in the whole log, as ranges.
#[derive(Default)]
struct Places(Vec<(u64, u64)>);

impl Places {
    fn add(&mut self, place: u64) {
        match self.0.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(place) => *end = place,
            _ => self.0.push((place, place)),
        }
    }

    /// To be called when all are in.
    fn close(&mut self) {
        self.0.sort_unstable();
        self.0.dedup_by(|next, range| {
            let follows = next.0 <= range.1.saturating_add(1);
            range.1 = if follows { range.1.max(next.1) } else { range.1 };
            follows
        });
    }

    fn have_all_between(&self, after: u64, before: u64) -> bool {
        let Some(first) = after.checked_add(1).filter(|first| *first < before) else { return true };
        let behind = self.0.partition_point(|(begin, _)| *begin <= first);
        behind
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .is_some_and(|(_, end)| end.saturating_add(1) >= before)
    }
}

impl ChainReport {
    fn start(room_id: RoomId) -> Self {
        Self { room_id, events: 0, hash: ChainHash::START, first_bad: None }
    }

    /// What was dropped is taken at the checkpoint's word: that it belongs here shows in the events that follow.
    fn after(checkpoint: &Checkpoint) -> Self {
        let StoredSnapshot { room_id, seq, .. } = checkpoint.state;
        let bad = BadLink { seq, fault: ChainFault::Altered };
        let first_bad = (!checkpoint.is_sound()).then_some(bad);
        Self { room_id, events: seq, hash: checkpoint.hash, first_bad }
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
