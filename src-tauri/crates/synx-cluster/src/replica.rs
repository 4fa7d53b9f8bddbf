//! This node's copy of the log, which follows the stream message by message. Where many are there at once, they are written at once.
//!
//! **The rule of order:** a message counts if all of it continues its rooms as they are after the messages before it, and else
//! none of it does. As every node applies it to the same messages in the same order, all come to the same log, whoever sent
//! what. Must never hold anything that is not in the stream before its place.

use crate::message::{Message, Topic};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use synx_domain::{EventId, RoomId};
use synx_log::{ChainHash, EventStore, LogError, Record, SqliteStore};

/// A copy and how far it is.
pub(crate) struct Replica {
    copy: Arc<SqliteStore>,
    /// The place in the stream up to which the copy holds everything.
    applied: u64,
    log_seq: u64,
    /// A greater id is certainly new.
    greatest_event_id: Option<EventId>,
    heads: HashMap<RoomId, Head>,
    /// Records that count and are not in the copy yet, and their ids.
    waiting: Vec<Record>,
    waiting_ids: HashSet<EventId>,
}

struct Head {
    seq: u64,
    hash: ChainHash,
    /// The place of the last message in the stream that is about this room alone, once it is known.
    message: Option<u64>,
}

const NO_EVENT: Head = Head { seq: 0, hash: ChainHash::START, message: Some(0) };

impl Replica {
    /// A copy, as far as it has come.
    pub(crate) fn new(copy: Arc<SqliteStore>) -> Result<Self, LogError> {
        let applied = copy.followed()?;
        let head = copy.head()?;
        let heads = head.rooms.iter();
        let heads = heads.map(|room| (room.room_id, Head { seq: room.seq, hash: room.hash, message: None }));
        let heads = heads.collect();
        let (log_seq, greatest_event_id) = (head.log_seq, head.greatest_event_id);
        let (waiting, waiting_ids) = (Vec::new(), HashSet::new());
        Ok(Self { copy, applied, log_seq, greatest_event_id, heads, waiting, waiting_ids })
    }

    /// The place in the stream up to which everything was taken.
    pub(crate) fn applied(&self) -> u64 {
        self.applied
    }

    /// The place of the last message about this room alone, if it is known.
    pub(crate) fn last_message(&self, topic: Topic) -> Option<u64> {
        match topic {
            // All messages are here, and none was about this room.
            Topic::Room(room) => self.heads.get(&room).map_or(Some(0), |head| head.message),
            Topic::Rooms => None,
        }
    }

    /// Refuses records whose place or id is taken, or which do not continue the chain, as far as is known here.
    pub(crate) fn admit(&self, records: &[Record]) -> Result<(), LogError> {
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
            if !ids.insert(record.event_id) || self.contains(record.event_id)? {
                return Err(LogError::DuplicateEvent { event_id: record.event_id });
            }
        }
        Ok(())
    }

    fn contains(&self, id: EventId) -> Result<bool, LogError> {
        if self.greatest_event_id.is_none_or(|greatest| id > greatest) {
            Ok(false)
        } else {
            Ok(self.waiting_ids.contains(&id) || self.copy.contains(id)?)
        }
    }

    /// Whether a message of ours is here: all of it, if its last record is.
    pub(crate) fn has(&self, message: &Message) -> Result<bool, LogError> {
        message.records.last().map_or(Ok(true), |last| holds(&self.copy, last))
    }

    /// Takes the records of the message that follows in the stream, if it counts. They are in the copy once they are written.
    pub(crate) fn take(&mut self, seq: u64, topic: Topic, mut records: Vec<Record>) -> Result<(), LogError> {
        if self.counts(seq, topic, &records)? {
            self.number(&mut records);
            self.advance(seq, topic, &records);
            self.waiting_ids.extend(records.iter().map(|record| record.event_id));
            self.waiting.append(&mut records);
        }
        Ok(())
    }

    /// Writes what was taken, all of it or nothing, and hands it out. Where that fails this is again as far as the copy is.
    pub(crate) fn write(&mut self) -> Result<Vec<Record>, LogError> {
        if self.waiting.is_empty() {
            return Ok(Vec::new());
        }
        if let Err(error) = self.copy.follow(&self.waiting, self.applied) {
            *self = Self::new(Arc::clone(&self.copy))?;
            return Err(error);
        }
        self.waiting_ids.clear();
        Ok(std::mem::take(&mut self.waiting))
    }

    /// Whether the message that follows in the stream counts. If it does not, this goes on behind it.
    pub(crate) fn counts(&mut self, seq: u64, topic: Topic, records: &[Record]) -> Result<bool, LogError> {
        match self.admit(records) {
            Ok(()) => Ok(true),
            Err(refused @ (LogError::Conflict { .. } | LogError::DuplicateEvent { .. })) => {
                tracing::debug!(seq, %refused, "a message came after one that it did not know of");
                self.pass_over(seq, Some(topic));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Stores the records of the message that follows in the stream, which were admitted behind the one before it.
    pub(crate) fn store(&mut self, seq: u64, topic: Topic, records: &mut [Record]) -> Result<(), LogError> {
        debug_assert!(self.waiting.is_empty(), "what is before it is written before it");
        self.number(records);
        self.copy.follow(records, seq)?;
        self.advance(seq, topic, records);
        Ok(())
    }

    /// Gives records their places in the whole log.
    fn number(&self, records: &mut [Record]) {
        for (log_seq, record) in (self.log_seq + 1..).zip(records) {
            record.log_seq = log_seq;
        }
    }

    fn advance(&mut self, seq: u64, topic: Topic, records: &[Record]) {
        for record in records {
            let head = self.heads.entry(record.room_id).or_insert(NO_EVENT);
            (head.seq, head.hash) = (record.seq, record.hash);
            self.greatest_event_id = self.greatest_event_id.max(Some(record.event_id));
        }
        self.log_seq += records.len() as u64;
        self.pass_over(seq, Some(topic));
    }

    /// Goes on behind a message.
    pub(crate) fn pass_over(&mut self, seq: u64, topic: Option<Topic>) {
        if let Some(Topic::Room(room)) = topic {
            self.heads.entry(room).or_insert(NO_EVENT).message = Some(seq);
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

#[cfg(test)]
mod tests {
    use super::*;
    use synx_log::testing::{chats, room};
    use synx_log::{Access, Log, LogOptions, MemoryStore};

    /// The first event of a room that nothing else is known of.
    async fn first_of(room: RoomId) -> Record {
        let store = Arc::new(MemoryStore::new());
        let log = Log::over(Arc::clone(&store) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
        log.append(room, 0, chats(1)).await.unwrap();
        store.read(room, 0, 1, usize::MAX).unwrap().remove(0)
    }

    #[tokio::test]
    async fn messages_that_are_written_at_once_count_as_if_they_were_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let copy = Arc::new(SqliteStore::open(&folder.path().join("copy.db"), Access::Copy).unwrap());
        let mut replica = Replica::new(Arc::clone(&copy)).unwrap();
        let (one, rival) = (first_of(room(1)).await, first_of(room(1)).await);
        let mut doubled = Record { event_id: one.event_id, ..first_of(room(2)).await };
        doubled.hash = doubled.chained_to(ChainHash::START);
        let other = first_of(room(2)).await;
        for (seq, record) in (1..).zip([&one, &rival, &doubled, &other]) {
            replica.take(seq, Topic::Room(record.room_id), vec![record.clone()]).unwrap();
        }
        assert_eq!((replica.applied(), copy.head().unwrap().log_seq), (4, 0));
        let other = Record { log_seq: 2, ..other };
        assert_eq!(replica.write().unwrap(), [one.clone(), other.clone()]);
        assert_eq!((copy.followed().unwrap(), copy.head().unwrap().log_seq), (4, 2));
        assert_eq!(copy.read(room(1), 0, 9, usize::MAX).unwrap(), [one]);
        assert_eq!(copy.read(room(2), 0, 9, usize::MAX).unwrap(), [other]);
        assert_eq!(replica.write().unwrap(), []);
    }
}
