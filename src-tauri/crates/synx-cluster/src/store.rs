//! The cluster's log as a store: appends go to the stream, everything else is asked of this node's copy, but for snapshots that it
//! lacks.
//!
//! The stream's client runs on a thread of its own, so that the log's writer may block on it from anywhere.

use crate::condition::Condition;
use crate::message::Message;
use crate::session::{Answer, Ask, Listener, Session};
use crate::snapshots::Snapshots;
use crate::{ClusterError, ClusterOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use synx_domain::{EventId, RoomId};
use synx_log::{
    Access, Archived, AuditFilter, EventStore, LogError, News, Old, Record, Scanned, SqliteStore, StoreHead,
    StoredSnapshot,
};
use tokio::sync::mpsc;

/// Events, and bytes of their payloads, in one commit at most: it is one message.
const COMMIT_EVENTS: usize = 2048;
const COMMIT_BYTES: usize = 1 << 20;
/// A fold of more events than these, some 20 ms, is not begun before other nodes' snapshots were looked at.
const FOLD_EVENTS: u64 = 10_000;

/// Keeps records in a NATS JetStream stream, and a copy of it here.
pub struct JetStreamStore {
    copy: Arc<SqliteStore>,
    listener: Listener,
    condition: Arc<Condition>,
    snapshots: Snapshots,
    /// None once the store is closed.
    session: Mutex<Option<Running>>,
}

struct Running {
    asks: mpsc::UnboundedSender<(Ask, Answer)>,
    thread: JoinHandle<()>,
}

impl JetStreamStore {
    /// Connects to the cluster and brings this node's copy up to the present; makes the stream if there is none and this node
    /// knows of no events in it. Blocks until then.
    ///
    /// # Errors
    /// When no server is reached, it is not safe, the stream is lost or unfit, or the copy is in use, damaged or of another log.
    pub fn open(options: ClusterOptions) -> Result<Self, ClusterError> {
        options.validate()?;
        let copy = Arc::new(SqliteStore::open(&options.copy, Access::Copy)?);
        let (asks, waiting) = mpsc::unbounded_channel();
        let (opened, open) = std::sync::mpsc::sync_channel(1);
        let (listener, condition) = (Listener::default(), Arc::new(Condition::new()));
        let run = {
            let (copy, listener, condition) =
                (Arc::clone(&copy), Arc::clone(&listener), Arc::clone(&condition));
            move || run(Session::open(&options, copy, listener, condition), waiting, &opened)
        };
        let thread = std::thread::Builder::new().name("cluster-log".to_owned()).spawn(run);
        let thread = thread.map_err(|error| no_thread(&error))?;
        let snapshots = open.recv().unwrap_or(Err(ClusterError::Copy(LogError::Closed)))?;
        let session = Mutex::new(Some(Running { asks, thread }));
        Ok(Self { copy, listener, condition, snapshots, session })
    }

    /// Whether a snapshot is one of this very history: another's would hide those beside it.
    fn has(&self, snapshot: &StoredSnapshot) -> Result<bool, LogError> {
        let StoredSnapshot { room_id, seq, data, digest } = snapshot;
        let record = self.copy.read(*room_id, seq.saturating_sub(1), 1, 1)?.pop();
        Ok(record.is_some_and(|record| *digest == StoredSnapshot::digest_over(record.hash, data)))
    }

    fn ask(&self, ask: Ask) -> Result<(), LogError> {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let running = session.as_ref().ok_or(LogError::Closed)?;
        running.asks.send((ask, answer)).map_err(|_| LogError::Closed)?;
        drop(session);
        answered.recv().unwrap_or(Err(LogError::Closed))
    }
}

fn run(
    opening: impl Future<Output = Result<(Session, Snapshots), ClusterError>>,
    asked: mpsc::UnboundedReceiver<(Ask, Answer)>,
    opened: &std::sync::mpsc::SyncSender<Result<Snapshots, ClusterError>>,
) {
    let tell = |outcome| drop(opened.send(outcome));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tell(Err(no_thread(&error))),
    };
    runtime.block_on(async {
        match opening.await {
            Ok((session, snapshots)) => {
                tell(Ok(snapshots));
                session.run(asked).await;
            }
            Err(error) => tell(Err(error)),
        }
    });
}

fn no_thread(error: &std::io::Error) -> ClusterError {
    ClusterError::Copy(LogError::Io { what: "start the cluster's thread", detail: error.to_string() })
}

impl EventStore for JetStreamStore {
    fn head(&self) -> Result<StoreHead, LogError> {
        self.copy.head()
    }

    fn contains(&self, event_id: EventId) -> Result<bool, LogError> {
        self.copy.contains(event_id)
    }

    fn follow(&self, tell: News) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(tell);
    }

    fn ready(&self) -> Result<(), LogError> {
        self.condition.ready()
    }

    fn commit_events(&self) -> usize {
        COMMIT_EVENTS
    }

    fn commit_bytes(&self) -> usize {
        COMMIT_BYTES
    }

    fn commit(&self, records: &[Record]) -> Result<(), LogError> {
        Message::of(records)?.map_or(Ok(()), |message| self.ask(Ask::Commit(message)))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn reach_end(&self, _room: RoomId) -> Result<(), LogError> {
        self.ask(Ask::ReachEnd)
    }

    fn read(
        &self,
        room: RoomId,
        after_seq: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.copy.read(room, after_seq, limit, max_bytes)
    }

    fn scan(&self, after_log_seq: u64, limit: usize) -> Result<Vec<Scanned>, LogError> {
        self.copy.scan(after_log_seq, limit)
    }

    /// In the copy alone: the stream keeps all.
    fn archive(&self, room: RoomId, old: Old) -> Result<u64, LogError> {
        self.copy.archive(room, old)
    }

    fn scan_archive(&self, room: RoomId, after_seq: u64) -> Result<Option<Archived>, LogError> {
        self.copy.scan_archive(room, after_seq)
    }

    fn audit(&self, filter: &AuditFilter) -> Result<Vec<Record>, LogError> {
        self.copy.audit(filter)
    }

    fn latest(&self, room: RoomId, name: &str) -> Result<Option<Record>, LogError> {
        self.copy.latest(room, name)
    }

    fn save_snapshot(&self, snapshot: &StoredSnapshot, keep: usize) -> Result<(), LogError> {
        self.copy.save_snapshot(snapshot, keep)?;
        self.snapshots.put(snapshot.clone());
        Ok(())
    }

    fn snapshot(&self, room: RoomId, at_or_before: u64) -> Result<Option<StoredSnapshot>, LogError> {
        let here = self.copy.snapshot(room, at_or_before)?;
        let begin = here.as_ref().map_or(0, |snapshot| snapshot.seq);
        if at_or_before.saturating_sub(begin) <= FOLD_EVENTS {
            return Ok(here);
        }
        for theirs in self.snapshots.get(room, at_or_before) {
            if theirs.seq > begin && self.has(&theirs)? {
                return Ok(Some(theirs));
            }
        }
        Ok(here)
    }

    fn check(&self) -> Result<(), LogError> {
        self.copy.check()
    }

    fn backup(&self, to: &Path) -> Result<(), LogError> {
        self.copy.backup(to)
    }

    fn close(&self) {
        let running = self.session.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { asks, thread }) = running {
            drop(asks);
            if thread.join().is_err() {
                tracing::error!("the cluster's thread had ended in a panic");
            }
        }
        self.copy.close();
    }
}

impl Drop for JetStreamStore {
    fn drop(&mut self) {
        self.close();
    }
}
