//! The one task that appends to the stream and keeps the copy behind it.
//!
//! Must never tell that records are stored before they are in the stream and in the copy, nor that they are not as long as
//! they might be.

use crate::condition::Condition;
use crate::message::{Message, pack};
use crate::publish::{NotStored, publish};
use crate::replica::Replica;
use crate::stream::{LogStream, Stored};
use crate::{ClusterError, ClusterOptions, check, connection};
use async_nats::Subscriber;
use futures_util::StreamExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synx_domain::RoomId;
use synx_log::{EventStore, LogError, News, Record, Scanned, SqliteStore};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

/// How long news of the stream that were lost on the way go unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pause before a commit is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// What is asked of the session.
pub(crate) enum Ask {
    /// Store records.
    Commit(Vec<Record>),
    /// Bring the copy to where a room ends now.
    ReachEnd(RoomId),
}

/// Where the outcome is told.
pub(crate) type Answer = std::sync::mpsc::SyncSender<Result<(), LogError>>;

/// Whom to tell in which room others have appended, once there is somebody.
pub(crate) type Listener = Arc<Mutex<Option<News>>>;

/// A node's part in the cluster's log.
pub(crate) struct Session {
    listener: Listener,
    stream: LogStream,
    replica: Replica,
    live: Subscriber,
    condition: Arc<Condition>,
    commit_timeout: Duration,
}

impl Session {
    /// Connects, checks that the servers are safe, and brings the copy up to the present.
    pub(crate) async fn open(
        options: &ClusterOptions,
        copy: Arc<SqliteStore>,
        listener: Listener,
        condition: Arc<Condition>,
    ) -> Result<Self, ClusterError> {
        let client = connection::connect(options).await?;
        check::check(&client, options.replicas, options.accept_unsafe).await?;
        let events_here = copy.head()?.log_seq;
        let stream = LogStream::open(client, options, events_here).await?;
        let live = stream.live().await?;
        examine(&stream, &copy, options).await?;
        let mut session = Self {
            listener,
            replica: Replica::new(copy)?,
            stream,
            live,
            condition,
            commit_timeout: options.commit_timeout,
        };
        session.catch_up().await?;
        Ok(session)
    }

    /// Runs until nobody can append any more.
    pub(crate) async fn run(mut self, mut asked: mpsc::UnboundedReceiver<(Ask, Answer)>) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let followed = tokio::select! {
                asked = asked.recv() => {
                    let Some((ask, answer)) = asked else { break };
                    let outcome = match ask {
                        Ask::Commit(records) => self.commit(&records).await,
                        Ask::ReachEnd(room) => self.reach_end(room).await.map_err(LogError::from),
                    };
                    // Whoever asked may be gone; then nobody needs to know.
                    drop(answer.send(outcome));
                    continue;
                }
                Some(message) = self.live.next() => match self.stream.heard(&message) {
                    Some(stored) => self.hear(&stored).await,
                    None => Ok(()),
                },
                _ = look.tick() => self.catch_up().await,
            };
            if let Err(error) = followed {
                tracing::warn!(%error, "this node's copy of the log is behind");
            }
        }
    }

    async fn commit(&mut self, records: &[Record]) -> Result<(), LogError> {
        let deadline = Instant::now() + self.commit_timeout;
        self.replica.admit(records.iter())?;
        let mut messages = pack(records)?;
        loop {
            let reason = match self.attempt(&messages).await {
                Ok(()) => return Ok(()),
                Err(reason) => reason,
            };
            self.condition.retried();
            // What happened is seen in the stream alone: the answer to an earlier attempt may have been lost.
            let caught_up = self.catch_up().await;
            if let Err(ClusterError::Copy(error)) = caught_up {
                return Err(error);
            }
            let mut missing = Vec::new();
            for message in messages {
                if !self.replica.has(&message)? {
                    missing.push(message);
                }
            }
            messages = missing;
            let Some(first) = messages.first().and_then(Message::first) else { return Ok(()) };
            if caught_up.is_ok() {
                self.replica.admit(messages.iter().flat_map(|message| &message.records))?;
                if reason == NotStored::Known {
                    return Err(LogError::DuplicateEvent { event_id: first.event_id });
                }
            }
            if Instant::now() >= deadline {
                let detail = match reason {
                    NotStored::Otherwise(detail) => detail,
                    NotStored::Known => "the servers do not answer".to_owned(),
                };
                return Err(LogError::Io { what: "store events in the cluster", detail });
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Stores messages and takes them into the copy, or tells why that is not known to have happened.
    async fn attempt(&mut self, messages: &[Message]) -> Result<(), NotStored> {
        let otherwise = |error: &dyn std::fmt::Display| NotStored::Otherwise(error.to_string());
        for message in messages {
            if self.replica.last_message_of(message.room).is_none() {
                let end = self.stream.end_of(message.room).await.map_err(|error| otherwise(&error))?;
                self.replica.set_last_message(message.room, end);
            }
        }
        let replica = &self.replica;
        let expected = |room| replica.last_message_of(room).unwrap_or(0);
        let last = publish(&self.stream, messages, expected).await?;
        let first = (last + 1).saturating_sub(messages.len() as u64);
        if first == self.replica.applied() + 1 {
            for (seq, message) in (first..).zip(messages) {
                self.replica.take(seq, message.records.clone()).map_err(|error| otherwise(&error))?;
            }
        } else {
            self.catch_up_to(last).await.map_err(|error| otherwise(&error))?;
        }
        for message in messages {
            if !self.replica.has(message).map_err(|error| otherwise(&error))? {
                return Err(NotStored::Known);
            }
        }
        Ok(())
    }

    async fn hear(&mut self, stored: &Stored) -> Result<(), ClusterError> {
        let applied = self.replica.applied();
        if stored.seq == applied + 1 {
            self.follow(stored)?;
        } else if stored.seq > applied {
            self.catch_up_to(stored.seq).await?;
        }
        Ok(())
    }

    fn follow(&mut self, stored: &Stored) -> Result<(), LogError> {
        let room: Option<RoomId> = self.replica.follow(stored)?;
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(room), Some(tell)) = (room, listener.as_ref()) {
            tell(room);
        }
        Ok(())
    }

    /// The stream's leader is asked, not a replica: what was acknowledged is there.
    async fn reach_end(&mut self, room: RoomId) -> Result<(), ClusterError> {
        let deadline = Instant::now() + self.commit_timeout;
        loop {
            let reached = match self.stream.end_of(room).await {
                Ok(end) => self.catch_up_to(end).await,
                Err(error) => Err(error),
            };
            if reached.is_ok() || Instant::now() >= deadline {
                return reached;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn catch_up(&mut self) -> Result<(), ClusterError> {
        let caught_up = match self.stream.end().await {
            Ok(end) => {
                self.condition.behind(end.saturating_sub(self.replica.applied()));
                self.catch_up_to(end).await
            }
            Err(error) => Err(error),
        };
        self.condition.looked(&caught_up);
        caught_up
    }

    async fn catch_up_to(&mut self, end: u64) -> Result<(), ClusterError> {
        let mut patience = 0;
        while self.replica.applied() < end {
            let messages = self.stream.fetch(self.replica.applied()).await?;
            if messages.is_empty() {
                // Another replica may have answered, which is a moment behind.
                patience += 1;
                if patience > 20 {
                    return Err(ClusterError::server(
                        "read the stream",
                        &format!("its end {end} is not there"),
                    ));
                }
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            for stored in messages {
                self.follow(&stored)?;
            }
        }
        Ok(())
    }
}

/// Refuses a copy that is none of this stream: where it says that it is, the stream has its newest event.
async fn examine(
    stream: &LogStream,
    copy: &SqliteStore,
    options: &ClusterOptions,
) -> Result<(), ClusterError> {
    let (place, head) = (copy.followed()?, copy.head()?);
    if (place, head.log_seq) == (0, 0) {
        return Ok(());
    }
    let newest = copy.scan(head.log_seq.saturating_sub(1), 1)?.pop();
    let there =
        if place == 0 || place > stream.end().await? { None } else { last_record(&stream.get(place).await?) };
    match (there, newest) {
        (Some(there), Some(Scanned::Row(newest)))
            if (there.event_id, there.hash) == (newest.event_id, newest.hash) =>
        {
            Ok(())
        }
        _ => Err(ClusterError::ForeignCopy { stream: stream.name().to_owned(), copy: options.copy.clone() }),
    }
}

fn last_record(stored: &Stored) -> Option<Record> {
    crate::message::unpack(stored.room?, &stored.payload).ok()?.pop()
}
