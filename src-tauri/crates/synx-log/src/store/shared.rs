//! A store in memory that several logs append to, as the nodes of a cluster do: for tests.

use super::{EventStore, MemoryStore, News, Scanned, StoreHead};
use crate::{AuditFilter, LogError, Record, StoredSnapshot};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synx_domain::{EventId, RoomId};

/// One log's way to records that it shares with others.
#[derive(Default)]
pub struct SharedStore {
    shared: Arc<Shared>,
    /// Which of the listeners is this one's own.
    number: usize,
    reads: Arc<AtomicU64>,
    overtake: Option<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Shared {
    records: MemoryStore,
    /// Held while records are stored, so that a place in the whole log is given once.
    listeners: Mutex<Vec<Option<News>>>,
}

impl SharedStore {
    /// An empty store.
    pub fn new() -> Self {
        let store = Self {
            shared: Arc::new(Shared { records: MemoryStore::new(), listeners: Mutex::default() }),
            ..Self::default()
        };
        store.listeners().push(None);
        store
    }

    /// A way to the same records for another log.
    pub fn another(&self) -> Self {
        let mut listeners = self.listeners();
        listeners.push(None);
        Self { shared: Arc::clone(&self.shared), number: listeners.len() - 1, ..Self::default() }
    }

    /// How often this log has read the store, as that goes up.
    pub fn reads(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.reads)
    }

    /// The same, but told of nothing: what others append is found out by a conflict.
    pub fn deaf(self) -> Self {
        Self { number: usize::MAX, ..self }
    }

    /// The same, but others do this before each commit of it.
    pub fn overtaken_by(self, overtake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { overtake: Some(Box::new(overtake)), ..self }
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Option<News>>> {
        self.shared.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventStore for SharedStore {
    fn head(&self) -> Result<StoreHead, LogError> {
        self.shared.records.head()
    }

    fn contains(&self, event_id: EventId) -> Result<bool, LogError> {
        self.shared.records.contains(event_id)
    }

    fn follow(&self, tell: News) {
        if let Some(listener) = self.listeners().get_mut(self.number) {
            *listener = Some(tell);
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn commit(&self, records: &[Record]) -> Result<(), LogError> {
        if let Some(overtake) = &self.overtake {
            overtake();
        }
        let listeners = self.listeners();
        let mut records = records.to_vec();
        for (log_seq, record) in (self.head()?.log_seq + 1..).zip(&mut records) {
            record.log_seq = log_seq;
        }
        self.shared.records.commit(&records)?;
        for tell in listeners.iter().flatten() {
            tell(records.clone());
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
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.shared.records.read(room, after_seq, limit, max_bytes)
    }

    fn scan(&self, after_log_seq: u64, limit: usize) -> Result<Vec<Scanned>, LogError> {
        self.shared.records.scan(after_log_seq, limit)
    }

    fn audit(&self, filter: &AuditFilter) -> Result<Vec<Record>, LogError> {
        self.shared.records.audit(filter)
    }

    fn latest(&self, room: RoomId, name: &str) -> Result<Option<Record>, LogError> {
        self.shared.records.latest(room, name)
    }

    fn save_snapshot(&self, snapshot: &StoredSnapshot, keep: usize) -> Result<(), LogError> {
        self.shared.records.save_snapshot(snapshot, keep)
    }

    fn snapshot(&self, room: RoomId, at_or_before: u64) -> Result<Option<StoredSnapshot>, LogError> {
        self.shared.records.snapshot(room, at_or_before)
    }

    fn check(&self) -> Result<(), LogError> {
        self.shared.records.check()
    }

    fn backup(&self, to: &Path) -> Result<(), LogError> {
        self.shared.records.backup(to)
    }

    /// The others go on.
    fn close(&self) {
        if let Some(listener) = self.listeners().get_mut(self.number) {
            *listener = None;
        }
    }
}
