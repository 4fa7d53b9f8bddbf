//! This node's copy of the log, which follows the stream message by message.
//!
//! A message that does not continue its room, or is none, is passed over: every node passes over the same ones, and none of
//! ours makes one. Must never hold anything that is not in the stream before its place.

use crate::message::{Message, unpack};
use crate::stream::Stored;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use synx_domain::RoomId;
use synx_log::{ChainHash, EventStore, LogError, Record, SqliteStore};

/// A copy and how far it is.
pub(crate) struct Replica {
    copy: Arc<SqliteStore>,
    /// The place in the stream up to which the copy holds everything.
    applied: u64,
    log_seq: u64,
    heads: HashMap<RoomId, Head>,
}

struct Head {
    seq: u64,
    hash: ChainHash,
    /// The place of the room's last message in the stream, once it is known.
    message: Option<u64>,
}

impl Replica {
    /// A copy, as far as it has come.
    pub(crate) fn new(copy: Arc<SqliteStore>) -> Result<Self, LogError> {
        let applied = copy.followed()?;
        let head = copy.head()?;
        let heads = head.rooms.iter();
        let heads = heads.map(|room| (room.room_id, Head { seq: room.seq, hash: room.hash, message: None }));
        let heads = heads.collect();
        Ok(Self { copy, applied, log_seq: head.log_seq, heads })
    }

    /// The place in the stream up to which everything is here.
    pub(crate) fn applied(&self) -> u64 {
        self.applied
    }

    /// The place of a room's last message, if it is known.
    pub(crate) fn last_message_of(&self, room: RoomId) -> Option<u64> {
        match self.heads.get(&room) {
            Some(head) => head.message,
            // All rooms of the stream are here, so it has none of this one; or one that was passed over.
            None => Some(0),
        }
    }

    /// Learns the place of a room's last message.
    pub(crate) fn set_last_message(&mut self, room: RoomId, message: u64) {
        let none = Head { seq: 0, hash: ChainHash::START, message: None };
        self.heads.entry(room).or_insert(none).message = Some(message);
    }

    /// Refuses records whose place or id is taken, or which do not continue the chain, as far as is known here.
    pub(crate) fn admit<'a>(&self, records: impl Iterator<Item = &'a Record>) -> Result<(), LogError> {
        let (mut heads, mut ids) = (HashMap::new(), HashSet::new());
        for record in records {
            let room = record.room_id;
            let known = || self.heads.get(&room).map_or((0, ChainHash::START), |head| (head.seq, head.hash));
            let (seq, hash) = heads.entry(room).or_insert_with(known);
            if seq.checked_add(1) != Some(record.seq) || record.chained_to(*hash) != record.hash {
                let expected = record.seq.saturating_sub(1);
                return Err(LogError::Conflict { room, expected, actual: *seq });
            }
            (*seq, *hash) = (record.seq, record.hash);
            if !ids.insert(record.event_id) || self.copy.contains(record.event_id)? {
                return Err(LogError::DuplicateEvent { event_id: record.event_id });
            }
        }
        Ok(())
    }

    /// Whether a message of ours is here.
    pub(crate) fn has(&self, message: &Message) -> Result<bool, LogError> {
        message.last().map_or(Ok(true), |last| holds(&self.copy, last))
    }

    /// Takes the message that follows in the stream: the room that has more events by it.
    pub(crate) fn follow(&mut self, stored: &Stored) -> Result<Option<RoomId>, LogError> {
        debug_assert_eq!(stored.seq, self.applied + 1, "messages are taken in their order");
        let unpacked = match stored.room {
            Some(room) => unpack(room, &stored.payload),
            None => Err("its subject is no room's".to_owned()),
        };
        match unpacked {
            Ok(records) => {
                self.take(stored.seq, records)?;
                Ok(stored.room)
            }
            Err(detail) => {
                self.pass_over(stored.seq, stored.room, &detail);
                Ok(None)
            }
        }
    }

    /// Takes the records of the message that follows in the stream.
    pub(crate) fn take(&mut self, seq: u64, mut records: Vec<Record>) -> Result<(), LogError> {
        let (Some(room), Some(last)) = (records.first().map(|first| first.room_id), records.last()) else {
            return Ok(());
        };
        let head = Head { seq: last.seq, hash: last.hash, message: Some(seq) };
        match self.admit(records.iter()) {
            Ok(()) => {}
            Err(refused @ (LogError::Conflict { .. } | LogError::DuplicateEvent { .. })) => {
                self.pass_over(seq, Some(room), &refused.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        for (log_seq, record) in (self.log_seq + 1..).zip(&mut records) {
            record.log_seq = log_seq;
        }
        self.copy.follow(&records, seq)?;
        self.log_seq += records.len() as u64;
        self.heads.insert(room, head);
        self.applied = seq;
        Ok(())
    }

    fn pass_over(&mut self, seq: u64, room: Option<RoomId>, detail: &str) {
        tracing::error!(seq, detail, "a message of the log's stream is none of a node and is passed over");
        if let Some(room) = room {
            self.set_last_message(room, seq);
        }
        self.applied = seq;
    }
}

/// Whether the copy has this very record at its place, and so, by its hash, all before it.
fn holds(copy: &SqliteStore, record: &Record) -> Result<bool, LogError> {
    let Some(before) = record.seq.checked_sub(1) else { return Ok(false) };
    let here = copy.read(record.room_id, before, 1, 1)?.pop();
    Ok(here.is_some_and(|here| {
        (here.seq, here.event_id, here.hash) == (record.seq, record.event_id, record.hash)
    }))
}
