//! A store that forgets everything at its end: for tests, and for rooms that leave no trace.

use super::{EventStore, Scanned, StoreHead};
use crate::{AuditFilter, LogError, Record, RoomHead, StoredSnapshot};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use synx_domain::{EventId, RoomId};

/// Keeps records in memory.
#[derive(Default)]
pub struct MemoryStore {
    rows: RwLock<Option<Rows>>,
}

#[derive(Default)]
struct Rows {
    /// The record with `log_seq` n is at n - 1.
    all: Vec<Record>,
    /// For each room, where in `all` its records are.
    rooms: BTreeMap<RoomId, Vec<usize>>,
    ids: HashSet<EventId>,
    snapshots: BTreeMap<RoomId, BTreeMap<u64, StoredSnapshot>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { rows: RwLock::new(Some(Rows::default())) }
    }

    fn read_lock(&self) -> RwLockReadGuard<'_, Option<Rows>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, Option<Rows>> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, look: impl FnOnce(&Rows) -> T) -> Result<T, LogError> {
        self.read_lock().as_ref().map(look).ok_or(LogError::Closed)
    }
}

impl Rows {
    fn of_room(&self, room: RoomId) -> &[usize] {
        self.rooms.get(&room).map_or(&[], Vec::as_slice)
    }

    fn last_of(&self, room: RoomId) -> Option<&Record> {
        self.of_room(room).last().and_then(|index| self.all.get(*index))
    }

    fn head(&self) -> StoreHead {
        let heads = self.rooms.keys().filter_map(|room| self.last_of(*room)).map(RoomHead::at);
        let rooms: Vec<_> = heads.collect();
        StoreHead {
            recorded: rooms.clone(),
            rooms,
            log_seq: self.all.len() as u64,
            greatest_event_id: self.ids.iter().max().copied(),
            segments: 0,
            dropped: Vec::new(),
        }
    }

    /// Refuses what a unique index would refuse, before anything is changed.
    fn admit(&self, records: &[Record]) -> Result<(), LogError> {
        let mut heads = BTreeMap::new();
        let mut ids = HashSet::new();
        for record in records {
            let room = record.room_id;
            let head = heads.entry(room).or_insert_with(|| self.of_room(room).len() as u64);
            if record.seq <= *head {
                return Err(LogError::Conflict {
                    room,
                    expected: record.seq.saturating_sub(1),
                    actual: *head,
                });
            }
            *head = record.seq;
            if self.ids.contains(&record.event_id) || !ids.insert(record.event_id) {
                return Err(LogError::DuplicateEvent { event_id: record.event_id });
            }
        }
        Ok(())
    }
}

impl EventStore for MemoryStore {
    fn head(&self) -> Result<StoreHead, LogError> {
        self.with(Rows::head)
    }

    fn contains(&self, event_id: EventId) -> Result<bool, LogError> {
        self.with(|rows| rows.ids.contains(&event_id))
    }

    fn commit(&self, records: &[Record]) -> Result<(), LogError> {
        let mut guard = self.write_lock();
        let rows = guard.as_mut().ok_or(LogError::Closed)?;
        rows.admit(records)?;
        for record in records {
            rows.rooms.entry(record.room_id).or_default().push(rows.all.len());
            rows.ids.insert(record.event_id);
            rows.all.push(record.clone());
        }
        Ok(())
    }

    fn read(
        &self,
        room: RoomId,
        after_seq: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.with(|rows| {
            let indexes = rows.of_room(room).iter().skip(usize::try_from(after_seq).unwrap_or(usize::MAX));
            let mut bytes = 0;
            let within = |record: &&Record| {
                let full = bytes >= max_bytes;
                bytes += record.data.len();
                !full
            };
            indexes.filter_map(|index| rows.all.get(*index)).take(limit).take_while(within).cloned().collect()
        })
    }

    fn scan(&self, after_log_seq: u64, limit: usize) -> Result<Vec<Scanned>, LogError> {
        let skipped = usize::try_from(after_log_seq).unwrap_or(usize::MAX);
        self.with(|rows| rows.all.iter().skip(skipped).take(limit).cloned().map(Scanned::Row).collect())
    }

    fn audit(&self, filter: &AuditFilter) -> Result<Vec<Record>, LogError> {
        self.with(|rows| {
            rows.all.iter().filter(|record| filter.passes(record)).take(filter.limit).cloned().collect()
        })
    }

    fn latest(&self, room: RoomId, name: &str) -> Result<Option<Record>, LogError> {
        let is_it = |record: &&Record| record.room_id == room && record.name == name;
        self.with(|rows| rows.all.iter().rev().find(is_it).cloned())
    }

    fn save_snapshot(&self, snapshot: &StoredSnapshot, keep: usize) -> Result<(), LogError> {
        let mut guard = self.write_lock();
        let rows = guard.as_mut().ok_or(LogError::Closed)?;
        let kept = rows.snapshots.entry(snapshot.room_id).or_default();
        kept.insert(snapshot.seq, snapshot.clone());
        while kept.len() > keep {
            kept.pop_first();
        }
        Ok(())
    }

    fn snapshot(&self, room: RoomId, at_or_before: u64) -> Result<Option<StoredSnapshot>, LogError> {
        self.with(|rows| {
            let latest = rows.snapshots.get(&room)?.range(..=at_or_before).next_back()?;
            Some(latest.1.clone())
        })
    }

    fn check(&self) -> Result<(), LogError> {
        self.with(|_| ())
    }

    fn backup(&self, _to: &Path) -> Result<(), LogError> {
        Err(LogError::Io { what: "back itself up", detail: "it is kept in memory alone".to_owned() })
    }

    fn close(&self) {
        *self.write_lock() = None;
    }
}
