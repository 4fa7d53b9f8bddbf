//! What waits for the writer. Bounded: whoever comes when it is full is told so at once.

use crate::codec::Draft;
use crate::{LogError, Record, StoredSnapshot};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use synx_domain::{Envelope, RoomId};
use tokio::sync::oneshot;

/// Memory of others' events that wait for the writer at most, in bytes: what is beyond is read in the store.
const NEWS_BYTES: usize = 4 << 20;

/// Where the outcome of a job goes.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, LogError>>;
/// Where it comes out.
pub(crate) type Answered<T> = oneshot::Receiver<Result<T, LogError>>;

/// Events of one room that are to be appended together.
pub(crate) struct Append {
    pub room: RoomId,
    pub expected_seq: u64,
    pub drafts: Vec<Draft>,
    pub answer: Answer<Vec<Arc<Envelope>>>,
    /// The work that this is a part of.
    pub cause: tracing::Span,
}

/// Something for the writer to do.
pub(crate) enum Job {
    Append(Append),
    Snapshot(StoredSnapshot, Answer<()>),
}

impl Job {
    fn events(&self) -> usize {
        match self {
            Self::Append(append) => append.drafts.len(),
            Self::Snapshot(..) => 1,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Append(append) => append.drafts.iter().map(|draft| draft.data.len()).sum(),
            Self::Snapshot(snapshot, _) => snapshot.data.len(),
        }
    }
}

/// What others have appended to a room.
#[derive(Default)]
pub(crate) struct Appended {
    /// In their order.
    pub records: Vec<Record>,
    /// Whether there are more, in the store.
    pub more: bool,
}

/// What the writer has to do next.
pub(crate) struct Taken {
    pub jobs: Vec<Job>,
    pub news: HashMap<RoomId, Appended>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    news: HashMap<RoomId, Appended>,
    news_bytes: usize,
    events: usize,
    bytes: usize,
    closed: bool,
}

/// The queue between appenders and the writer.
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    filled: Condvar,
    max_events: usize,
    max_bytes: usize,
}

impl Inbox {
    pub(crate) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self { queue: Mutex::default(), filled: Condvar::new(), max_events, max_bytes }
    }

    /// Puts a job at the end.
    pub(crate) fn push(&self, job: Job) -> Result<(), LogError> {
        let (events, bytes) = (job.events(), job.bytes());
        let mut queue = self.lock();
        if queue.closed {
            return Err(LogError::Closed);
        }
        if queue.events + events > self.max_events || queue.bytes + bytes > self.max_bytes {
            return Err(LogError::Overloaded);
        }
        queue.events += events;
        queue.bytes += bytes;
        queue.jobs.push_back(job);
        // The writer sleeps only while there is nothing at all.
        if queue.jobs.len() == 1 {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Notes what others have appended.
    pub(crate) fn tell(&self, records: Vec<Record>) {
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        let Queue { news, news_bytes, .. } = &mut *queue;
        for record in records {
            *news_bytes += size_of::<Record>() + record.data.len();
            let room = news.entry(record.room_id).or_default();
            room.more |= *news_bytes > NEWS_BYTES;
            if !room.more {
                room.records.push(record);
            }
        }
        self.filled.notify_one();
    }

    /// Waits for something to do and takes it: jobs from the front, as many as have no more events and bytes than this together
    /// and one at least, and all news. None once closed and empty.
    pub(crate) fn take(&self, max_events: usize, max_bytes: usize) -> Option<Taken> {
        let queue = self.lock();
        let idle = |queue: &mut Queue| queue.jobs.is_empty() && queue.news.is_empty() && !queue.closed;
        let mut queue = self.filled.wait_while(queue, idle).unwrap_or_else(PoisonError::into_inner);
        let news = std::mem::take(&mut queue.news);
        queue.news_bytes = 0;
        let (mut jobs, mut events, mut bytes) = (Vec::with_capacity(queue.jobs.len()), 0, 0);
        while let Some(job) = queue.jobs.pop_front() {
            let (more_events, more_bytes) = (job.events(), job.bytes());
            if !jobs.is_empty() && (events + more_events > max_events || bytes + more_bytes > max_bytes) {
                queue.jobs.push_front(job);
                break;
            }
            (events, bytes) = (events + more_events, bytes + more_bytes);
            queue.events -= more_events;
            queue.bytes -= more_bytes;
            jobs.push(job);
        }
        (!jobs.is_empty() || !news.is_empty()).then_some(Taken { jobs, news })
    }

    /// Events that wait.
    pub(crate) fn waiting_events(&self) -> usize {
        self.lock().events
    }

    /// Takes nothing in any more; what is in is still worked off.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Drops all that waits, so that nobody waits for ever on a writer that is gone.
    pub(crate) fn abandon(&self) {
        self.close();
        let jobs = std::mem::take(&mut self.lock().jobs);
        drop(jobs);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{chats, room};
    use crate::{EventStore, Log, LogOptions, MemoryStore};

    #[tokio::test]
    async fn what_others_append_is_kept_up_to_a_limit_and_then_only_noted() {
        let store = Arc::new(MemoryStore::new());
        let log = Log::over(Arc::clone(&store) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
        log.append(room(1), 0, chats(1)).await.unwrap();
        let record = store.read(room(1), 0, 1, usize::MAX).unwrap().remove(0);
        let inbox = Inbox::new(1, 1);
        let fitting = NEWS_BYTES / (size_of::<Record>() + record.data.len());
        inbox.tell(vec![record.clone(); fitting + 5]);
        let taken = |inbox: &Inbox| inbox.take(1, 1).unwrap().news.remove(&room(1)).unwrap();
        let first = taken(&inbox);
        assert_eq!((first.records.len(), first.more), (fitting, true));
        inbox.tell(vec![record]);
        let next = taken(&inbox);
        assert_eq!((next.records.len(), next.more), (1, false));
    }
}
