//! The log as the rest of the program holds it.

use crate::codec::{self, Draft};
use crate::cursor::Cursor;
use crate::inbox::{Answered, Append, Inbox, Job};
use crate::meters::Meters;
use crate::tail::{RingLimits, Tails};
use crate::verify::{ChainReport, Verification};
use crate::writer::{self, Desk};
use crate::{AuditEntry, AuditFilter, EventStore, LogError, LogOptions, MemoryStore, RoomHead, SqliteStore};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use synx_domain::{Envelope, NewEvent, RoomId};
use tokio::sync::{Semaphore, oneshot, watch};

/// Payload that one read returns at most, give or take one event.
const READ_BYTES: usize = 4 << 20;
/// Events that one read returns at most, whatever is asked for.
const READ_EVENTS: usize = 4096;

/// An open log. Clones are the same log; it closes with [`Log::close`] or with the last clone.
///
/// Reading needs a Tokio runtime around it; nothing blocks its threads.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    desk: Arc<Desk>,
    options: LogOptions,
    readers: Arc<Semaphore>,
    /// The last of the events that were dropped, of rooms of which some were.
    dropped: RwLock<HashMap<RoomId, u64>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Log {
    /// Opens the log in this SQLite file. To append, the file is made when it is missing; its folder must be there.
    ///
    /// # Errors
    /// When the file is in use, damaged, of a later schema, something else than a log, or out of reach.
    pub fn open(path: &Path, options: LogOptions) -> Result<Self, LogError> {
        Self::over(Arc::new(SqliteStore::open(path, options.access)?), options)
    }

    /// An empty log that ends with the process.
    ///
    /// # Panics
    /// When the system has no thread left.
    pub fn in_memory() -> Self {
        match Self::over(Arc::new(MemoryStore::new()), LogOptions::default()) {
            Ok(log) => log,
            Err(error) => panic!("an empty log in memory could not be opened: {error}"),
        }
    }

    /// Opens the log that is in this store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn over(store: Arc<dyn EventStore>, options: LogOptions) -> Result<Self, LogError> {
        let inbox = Arc::new(Inbox::new(options.queue_events, options.queue_bytes));
        // First, so that nothing that is appended meanwhile goes unheard.
        let told = Arc::clone(&inbox);
        store.follow(Box::new(move |records| told.tell(records)));
        let head = store.head()?;
        let dropped = RwLock::new(head.dropped.iter().copied().collect());
        let limits = RingLimits { events: options.ring_events, bytes: options.ring_bytes };
        let desk = Arc::new(Desk {
            store,
            inbox,
            tails: Tails::new(head.rooms.clone(), limits),
            snapshots_kept: options.snapshots_kept,
            upcasters: options.upcasters.clone(),
            meters: Meters::new(),
        });
        let run = {
            let desk = Arc::clone(&desk);
            move || writer::run(&desk, head)
        };
        let writer = std::thread::Builder::new().name("log-writer".to_owned()).spawn(run);
        let writer = writer
            .map_err(|error| LogError::Io { what: "start its writer thread", detail: error.to_string() })?;
        let readers = Arc::new(Semaphore::new(options.readers.max(1)));
        let writer = Mutex::new(Some(writer));
        Ok(Self { inner: Arc::new(Inner { desk, options, readers, dropped, writer }) })
    }

    /// Where each room's log ends, ordered by room. The log of a person is among them.
    ///
    /// # Errors
    /// [`LogError::Closed`].
    pub fn rooms(&self) -> Result<Vec<RoomHead>, LogError> {
        self.inner.desk.tails.heads()
    }

    /// The room's last durable event; 0 if there is none.
    ///
    /// # Errors
    /// [`LogError::Closed`].
    pub fn head(&self, room: RoomId) -> Result<u64, LogError> {
        Ok(self.inner.desk.tails.head(room)?.map_or(0, |head| head.seq))
    }

    /// Whether events would be appended now, as far as is known without trying.
    ///
    /// # Errors
    /// Why not: what the last commit failed by, if that was a moment ago, or what the store says.
    pub fn ready(&self) -> Result<(), LogError> {
        match self.inner.desk.meters.trouble() {
            Some(trouble) => Err(trouble),
            None => self.inner.desk.store.ready(),
        }
    }

    /// Appends events behind event `expected_seq` of the room, all or none of them, and resolves once they are durable.
    ///
    /// Appends are carried out in the order in which they were first polled, so one may follow another without waiting for
    /// it. An append whose future is dropped may happen all the same.
    ///
    /// # Errors
    /// [`LogError::Conflict`] when the room's head is another, [`LogError::DuplicateEvent`] when an event's id is in the
    /// log, [`LogError::Overloaded`] at once when too much is waiting; else what the disk says. Nothing was appended then.
    pub async fn append(
        &self,
        room: RoomId,
        expected_seq: u64,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<Envelope>>, LogError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let drafts = events.into_iter().map(Draft::of).collect::<Result<Vec<_>, _>>()?;
        self.submit(room, expected_seq, drafts)?.await.unwrap_or(Err(LogError::Closed))
    }

    /// The room's events after `after_seq` in order: at most `limit`, fewer when they are large. Empty only at the end.
    ///
    /// # Errors
    /// When the store cannot be read, or holds an event that this program does not know.
    pub async fn read(
        &self,
        room: RoomId,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Envelope>>, LogError> {
        // Who follows closely, as a room's server does, costs the disk nothing.
        let recent = self.inner.desk.tails.recent(room, after_seq, limit.min(READ_EVENTS))?;
        if !recent.is_empty() {
            return Ok(recent);
        }
        let through = self.dropped(room);
        if after_seq < through {
            return Err(LogError::HistoryDropped { room, through });
        }
        let upcasters = self.inner.options.upcasters.clone();
        self.with_store(move |store| {
            let records = store.read(room, after_seq, limit.min(READ_EVENTS), READ_BYTES)?;
            records.iter().map(|record| codec::envelope(&upcasters, record).map(Arc::new)).collect()
        })
        .await
    }

    /// Whether others append to this log too, so that what is known here may be behind.
    pub fn is_shared(&self) -> bool {
        self.inner.desk.store.is_shared()
    }

    /// Resolves once everything can be read here that anybody was told is in this room before this call.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn reach_end(&self, room: RoomId) -> Result<(), LogError> {
        if self.is_shared() { self.with_store(move |store| store.reach_end(room)).await } else { Ok(()) }
    }

    /// The bus: "the room's head is now N". Nothing is buffered; the receiver ends when the log is closed.
    pub fn heads(&self, room: RoomId) -> watch::Receiver<u64> {
        self.inner.desk.tails.follow(room).heads
    }

    /// A place in the room's log from which to read on, now and as events come.
    pub fn subscribe(&self, room: RoomId, after_seq: u64) -> Cursor {
        Cursor::new(self.clone(), room, after_seq, self.inner.desk.tails.follow(room))
    }

    /// The events that pass the filter, in log order, as they are stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, LogError> {
        self.with_store(move |store| store.audit(&filter)).await
    }

    /// The room's last event of this name, as it is stored; none where it never happened or was dropped.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn latest(&self, room: RoomId, name: &'static str) -> Result<Option<AuditEntry>, LogError> {
        self.with_store(move |store| store.latest(room, name)).await
    }

    /// Follows the running hash of one room, or of all, from the first event to the last: a report for each room. For all
    /// rooms it also checks the file below the events.
    ///
    /// # Errors
    /// When the store cannot be read at all, or every chain is sound and the file below is not.
    pub async fn verify(&self, room: Option<RoomId>) -> Result<Vec<ChainReport>, LogError> {
        loop {
            if let Some(reports) = self.try_verify(room).await? {
                return Ok(reports);
            }
        }
    }

    async fn try_verify(&self, room: Option<RoomId>) -> Result<Option<Vec<ChainReport>>, LogError> {
        let mut verification = self.with_store(move |store| Verification::begin(store, room)).await?;
        loop {
            // Page by page, so that a long check holds up neither other readers nor the WAL.
            let (at, done) = self
                .with_store(move |store| {
                    let done = verification.step(store)?;
                    Ok((verification, done))
                })
                .await?;
            if done {
                return self.with_store(move |store| at.end(store)).await;
            }
            verification = at;
        }
    }

    /// Writes a consistent copy of the whole log to a new file, while the log goes on. The copy is opened like any log.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the log is in memory.
    pub async fn backup(&self, to: &Path) -> Result<(), LogError> {
        let to = to.to_owned();
        self.with_store(move |store| store.backup(&to)).await
    }

    /// Stores what waits, then lets go of the file. Everything else that holds this log gets [`LogError::Closed`].
    pub fn close(self) {
        self.inner.close();
    }

    /// The last of the room's events that were dropped; 0 where none were.
    pub fn dropped(&self, room: RoomId) -> u64 {
        let dropped = self.inner.dropped.read().unwrap_or_else(PoisonError::into_inner);
        dropped.get(&room).copied().unwrap_or_default()
    }

    pub(crate) fn was_dropped(&self, room: RoomId, through: u64) {
        self.inner.dropped.write().unwrap_or_else(PoisonError::into_inner).insert(room, through);
    }

    pub(crate) fn options(&self) -> &LogOptions {
        &self.inner.options
    }

    /// Puts events before the writer.
    pub(crate) fn submit(
        &self,
        room: RoomId,
        expected_seq: u64,
        drafts: Vec<Draft>,
    ) -> Result<Answered<Vec<Arc<Envelope>>>, LogError> {
        let LogOptions { append_events, append_bytes, .. } = self.inner.options;
        let bytes = drafts.iter().map(|draft| draft.data.len()).sum();
        for (size, limit, unit) in [(drafts.len(), append_events, "events"), (bytes, append_bytes, "bytes")] {
            if size > limit {
                return Err(LogError::TooLarge { size, limit, unit });
            }
        }
        let (answer, answered) = oneshot::channel();
        self.push(Job::Append(Append {
            room,
            expected_seq,
            drafts,
            answer,
            cause: tracing::Span::current(),
        }))?;
        Ok(answered)
    }

    pub(crate) fn push(&self, job: Job) -> Result<(), LogError> {
        self.inner.desk.inbox.push(job)
    }

    /// Asks the store, away from the runtime's threads, a bounded number at a time.
    pub(crate) async fn with_store<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn EventStore) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let permit = Arc::clone(&self.inner.readers).acquire_owned().await.map_err(|_| LogError::Closed)?;
        let store = Arc::clone(&self.inner.desk.store);
        let asked = tokio::task::spawn_blocking(move || {
            let answer = ask(store.as_ref());
            drop(permit);
            answer
        });
        asked
            .await
            .unwrap_or_else(|error| Err(LogError::Io { what: "finish a read", detail: error.to_string() }))
    }
}

impl Inner {
    fn close(&self) {
        self.desk.inbox.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the log's writer had ended in a panic");
        }
        self.desk.store.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
