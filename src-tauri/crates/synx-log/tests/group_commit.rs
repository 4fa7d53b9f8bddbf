//! What gathers while one commit is synced becomes the next, and a commit that fails is told to all who are in it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use synx_domain::{EventId, RoomId};
use synx_log::testing::{chat, chats, room};
use synx_log::{
    AuditFilter, EventStore, Log, LogError, LogOptions, MemoryStore, Record, Scanned, StoreHead,
    StoredSnapshot,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a commit does when the test lets it go on.
enum Then {
    Store,
    Fail,
    Panic,
}

fn full() -> LogError {
    LogError::DiskFull { detail: "nothing goes in any more".to_owned() }
}

/// A disk whose syncs end when the test says so, and as it says.
struct Disk {
    memory: MemoryStore,
    /// Tells how many events each commit has, when it begins.
    begun: UnboundedSender<usize>,
    then: Mutex<mpsc::Receiver<Then>>,
}

impl EventStore for Disk {
    fn commit(&self, records: &[Record]) -> Result<(), LogError> {
        self.begun.send(records.len()).unwrap();
        match self.then.lock().unwrap().recv().unwrap() {
            Then::Store => self.memory.commit(records),
            Then::Fail => Err(full()),
            Then::Panic => panic!("the disk is on fire"),
        }
    }

    fn head(&self) -> Result<StoreHead, LogError> {
        self.memory.head()
    }

    fn contains(&self, event_id: EventId) -> Result<bool, LogError> {
        self.memory.contains(event_id)
    }

    fn read(&self, room: RoomId, after: u64, limit: usize, bytes: usize) -> Result<Vec<Record>, LogError> {
        self.memory.read(room, after, limit, bytes)
    }

    fn scan(&self, after: u64, limit: usize) -> Result<Vec<Scanned>, LogError> {
        self.memory.scan(after, limit)
    }

    fn audit(&self, filter: &AuditFilter) -> Result<Vec<Record>, LogError> {
        self.memory.audit(filter)
    }

    fn latest(&self, room: RoomId, name: &str) -> Result<Option<Record>, LogError> {
        self.memory.latest(room, name)
    }

    fn save_snapshot(&self, snapshot: &StoredSnapshot, keep: usize) -> Result<(), LogError> {
        self.memory.save_snapshot(snapshot, keep)
    }

    fn snapshot(&self, room: RoomId, at_or_before: u64) -> Result<Option<StoredSnapshot>, LogError> {
        self.memory.snapshot(room, at_or_before)
    }

    fn check(&self) -> Result<(), LogError> {
        self.memory.check()
    }

    fn backup(&self, to: &Path) -> Result<(), LogError> {
        self.memory.backup(to)
    }

    fn close(&self) {
        self.memory.close();
    }
}

struct Rig {
    log: Log,
    begun: UnboundedReceiver<usize>,
    then: mpsc::Sender<Then>,
}

type Append = Pin<Box<dyn Future<Output = Result<u64, LogError>>>>;

impl Rig {
    fn new() -> Self {
        let ((begun_sender, begun), (then, then_receiver)) = (unbounded_channel(), mpsc::channel());
        let disk = Disk { memory: MemoryStore::new(), begun: begun_sender, then: Mutex::new(then_receiver) };
        let log = Log::over(Arc::new(disk), LogOptions::default()).unwrap();
        Self { log, begun, then }
    }

    /// An append of one event that has been handed over but not answered.
    async fn begin(&self, room: RoomId, expected: u64) -> Append {
        let log = self.log.clone();
        let mut append: Append = Box::pin(async move {
            let appended = log.append(room, expected, vec![chat("hello")]).await?;
            Ok(appended.last().map_or(0, |envelope| envelope.seq))
        });
        let pending = poll_fn(|context| Poll::Ready(append.as_mut().poll(context).is_pending())).await;
        assert!(pending);
        append
    }

    async fn begin_all(&self, expected: u64) -> Vec<Append> {
        let mut appends = Vec::new();
        for number in 2..22 {
            appends.push(self.begin(room(number), expected).await);
        }
        appends
    }
}

#[tokio::test]
async fn what_waits_for_one_sync_shares_the_next() {
    let mut rig = Rig::new();
    let first = rig.begin(room(1), 0).await;
    assert_eq!(rig.begun.recv().await, Some(1));
    let mut others = rig.begin_all(0).await;
    others.push(rig.begin(room(1), 1).await);
    // Nothing is seen before it is durable.
    assert_eq!(rig.log.head(room(1)), Ok(0));
    rig.then.send(Then::Store).unwrap();
    assert_eq!(first.await, Ok(1));
    assert_eq!(rig.begun.recv().await, Some(21));
    assert_eq!(rig.log.head(room(1)), Ok(1));
    rig.then.send(Then::Store).unwrap();
    for other in others {
        other.await.unwrap();
    }
    assert_eq!(rig.log.head(room(1)), Ok(2));
}

#[tokio::test]
async fn a_failed_commit_is_told_to_all_and_leaves_nothing() {
    let mut rig = Rig::new();
    let first = rig.begin(room(1), 0).await;
    rig.begun.recv().await;
    let others = rig.begin_all(0).await;
    rig.then.send(Then::Store).unwrap();
    rig.then.send(Then::Fail).unwrap();
    assert_eq!(first.await, Ok(1));
    for other in others {
        assert_eq!(other.await, Err(full()));
    }
    assert_eq!(rig.log.head(room(2)), Ok(0));
    let again = rig.begin_all(0).await;
    (0..20).for_each(|_| rig.then.send(Then::Store).unwrap());
    for append in again {
        assert_eq!(append.await, Ok(1));
    }
    assert_eq!(rig.log.read(room(2), 0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_waits_for_a_writer_that_is_gone() {
    let mut rig = Rig::new();
    let first = rig.begin(room(1), 0).await;
    rig.begun.recv().await;
    let others = rig.begin_all(0).await;
    let mut cursor = rig.log.subscribe(room(1), 0);
    rig.then.send(Then::Panic).unwrap();
    for append in others.into_iter().chain([first]) {
        assert_eq!(append.await, Err(LogError::Closed));
    }
    assert_eq!(cursor.next().await, Err(LogError::Closed));
    assert_eq!(rig.log.append(room(1), 0, chats(1)).await, Err(LogError::Closed));
}
