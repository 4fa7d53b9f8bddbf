//! The one task that appends to the stream and keeps the copy behind it.
//!
//! Must never tell that records are stored before they are in the stream and in the copy, nor that they are not as long as
//! they might be.

use crate::condition::Condition;
use crate::message::{Message, Topic};
use crate::publish::{NotStored, publish};
use crate::replica::Replica;
use crate::snapshots::Snapshots;
use crate::stream::{LogStream, Stored, patiently_for};
use crate::{Backplane, ClusterError, ClusterOptions, check, connection};
use async_nats::Subscriber;
use futures_util::StreamExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synx_log::{EventStore, LogError, News, Record, Scanned, SqliteStore};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, timeout, timeout_at};
use uuid::Uuid;

/// How long news of the stream that were lost on the way go unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a message may be on its way that is known to be stored, until it is asked for.
const LIVE_PATIENCE: Duration = Duration::from_millis(20);
/// How long a message may be on its way of which it is known that it is being stored.
const STORING_PATIENCE: Duration = Duration::from_millis(250);
/// Pause before a commit is tried again of which nothing new is known.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// What is asked of the session.
pub(crate) enum Ask {
    /// Store a message.
    Commit(Message),
    /// Bring the copy to where the stream ends now.
    ReachEnd,
}

/// Where the outcome is told.
pub(crate) type Answer = std::sync::mpsc::SyncSender<Result<(), LogError>>;

/// Whom to tell what others have appended, once there is somebody.
pub(crate) type Listener = Arc<Mutex<Option<News>>>;

/// A node's part in the cluster's log.
pub(crate) struct Session {
    listener: Listener,
    stream: LogStream,
    replica: Replica,
    live: Subscriber,
    condition: Arc<Condition>,
    commit_timeout: Duration,
    /// Why it can follow the stream no more, if a later version has taken it over.
    outdated: Option<ClusterError>,
}

impl Session {
    /// Connects, checks that the servers are safe, and brings the copy up to the present. The snapshots go by the same connection.
    pub(crate) async fn open(
        options: &ClusterOptions,
        copy: Arc<SqliteStore>,
        listener: Listener,
        condition: Arc<Condition>,
    ) -> Result<(Self, Snapshots), ClusterError> {
        let client = connection::connect(options).await?;
        let events_here = copy.head()?.log_seq;
        let find = || async {
            let servers = check::check(&client, options.replicas, options.accept_unsafe).await?;
            LogStream::open(client.clone(), options, servers, events_here).await
        };
        // Servers that have just started do not know of each other yet.
        let stream =
            patiently_for(options.servers_timeout, find, ClusterError::is_for_want_of_servers).await?;
        let snapshots = Snapshots::open(&Backplane::over(client, options)).await?;
        let live = stream.live().await?;
        examine(&stream, &copy, options).await?;
        let mut session = Self {
            listener,
            replica: Replica::new(copy)?,
            stream,
            live,
            condition,
            commit_timeout: options.commit_timeout,
            outdated: None,
        };
        session.catch_up().await?;
        Ok((session, snapshots))
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
                        Ask::Commit(message) => self.commit(message).await,
                        Ask::ReachEnd => self.reach_end().await.map_err(LogError::from),
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

    async fn commit(&mut self, mut message: Message) -> Result<(), LogError> {
        let deadline = Instant::now() + self.commit_timeout;
        self.replica.admit(&message.records)?;
        // So that the server refuses what would be passed over; where it does so wrongly, it need not.
        let mut expected = self.replica.last_message(message.topic);
        let insists_until = Instant::now() + self.commit_timeout / 2;
        loop {
            if let Some(outdated) = &self.outdated {
                return Err(outdated.clone().into());
            }
            let (known, insisted) = (self.replica.applied(), expected.take());
            let reason = match self.attempt(&mut message, insisted).await {
                Ok(()) => return Ok(()),
                Err(reason) => reason,
            };
            self.condition.not_stored(&reason);
            // What happened is seen in the stream alone: the answer to an earlier attempt may have been lost.
            let caught_up = match reason {
                NotStored::PassedOver => Ok(()),
                NotStored::Behind(place) => self.follow_to(place).await,
                NotStored::Contended => self.hear_of(message.topic).await,
                NotStored::Known | NotStored::Otherwise(_) => self.catch_up().await,
            };
            if let Err(ClusterError::Copy(error)) = caught_up {
                return Err(error);
            }
            if self.replica.has(&message)? {
                return Ok(());
            }
            if caught_up.is_ok() {
                self.replica.admit(&message.records)?;
                if matches!(reason, NotStored::Known | NotStored::PassedOver) {
                    // The server knows it, but it does not count where it lies, if it does.
                    message.id = Uuid::now_v7();
                }
            }
            if Instant::now() >= deadline {
                let detail = match reason {
                    NotStored::Otherwise(detail) => detail,
                    _ => "the servers do not answer".to_owned(),
                };
                return Err(LogError::Io { what: "store events in the cluster", detail });
            }
            if reason.is_refusal() && self.replica.applied() > known {
                // It was behind what has come meanwhile.
                expected = self.replica.last_message(message.topic);
            } else {
                if matches!(reason, NotStored::Contended) && Instant::now() < insists_until {
                    expected = insisted;
                }
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }

    /// Stores a message and takes it into the copy, or tells why that is not known to have happened.
    async fn attempt(&mut self, message: &mut Message, expected: Option<u64>) -> Result<(), NotStored> {
        let otherwise = |error: &dyn std::fmt::Display| NotStored::Otherwise(error.to_string());
        let admitted_behind = self.replica.applied();
        let seq = publish(&self.stream, message, expected).await?;
        let before = seq.saturating_sub(1);
        self.follow_to(before).await.map_err(|error| otherwise(&error))?;
        let taken = match self.replica.applied() {
            applied if applied == before && applied == admitted_behind => {
                self.replica.store(seq, message.topic, &mut message.records).map(|()| true)
            }
            applied if applied == before => {
                self.replica.counts(seq, message.topic, &message.records).and_then(|counts| match counts {
                    true => self.replica.store(seq, message.topic, &mut message.records).map(|()| true),
                    false => Ok(false),
                })
            }
            _ => self.replica.has(message),
        };
        match taken {
            Ok(true) => Ok(()),
            Ok(false) => Err(NotStored::PassedOver),
            Err(error) => Err(otherwise(&error)),
        }
    }

    /// Brings the copy to where the stream is known to have come. What was stored is told on the way, mostly before its sender is
    /// answered, so it need not be asked for.
    async fn follow_to(&mut self, end: u64) -> Result<(), ClusterError> {
        while self.replica.applied() < end {
            let Ok(Some(message)) = timeout(LIVE_PATIENCE, self.live.next()).await else {
                return self.catch_up_to(end).await;
            };
            if let Some(stored) = self.stream.heard(&message) {
                self.hear(&stored).await?;
            }
        }
        Ok(())
    }

    /// Waits for the message with this subject that is being stored. When it does not come the stream is looked at.
    async fn hear_of(&mut self, topic: Topic) -> Result<(), ClusterError> {
        let last = self.replica.last_message(topic);
        let end = Instant::now() + STORING_PATIENCE;
        while self.replica.last_message(topic) == last {
            let Ok(Some(message)) = timeout_at(end, self.live.next()).await else {
                return self.catch_up().await;
            };
            if let Some(stored) = self.stream.heard(&message) {
                self.hear(&stored).await?;
            }
        }
        Ok(())
    }

    async fn hear(&mut self, stored: &Stored) -> Result<(), ClusterError> {
        let applied = self.replica.applied();
        if stored.seq == applied + 1 {
            self.follow(stored).await?;
        } else if stored.seq > applied {
            self.catch_up_to(stored.seq).await?;
        }
        Ok(())
    }

    /// Takes the message that follows in the stream into the copy, if it counts.
    async fn follow(&mut self, stored: &Stored) -> Result<(), ClusterError> {
        self.take(stored).await?;
        self.write()
    }

    /// Takes the message that follows in the stream, if it counts. It is in the copy once it is written.
    async fn take(&mut self, stored: &Stored) -> Result<(), ClusterError> {
        debug_assert_eq!(stored.seq, self.replica.applied() + 1, "messages are taken in their order");
        if let Some(outdated) = &self.outdated {
            return Err(outdated.clone());
        }
        let (topic, records) = match stored.unpacked() {
            Ok(unpacked) => unpacked,
            Err(detail) => return self.pass_over(stored, &detail).await,
        };
        Ok(self.replica.take(stored.seq, topic, records)?)
    }

    /// Writes what was taken, and tells of it.
    fn write(&mut self) -> Result<(), ClusterError> {
        let records = self.replica.write()?;
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tell) = listener.as_ref().filter(|_| !records.is_empty()) {
            tell(records);
        }
        Ok(())
    }

    /// Goes on behind a message that is none of a node, unless it is one of a later version.
    async fn pass_over(&mut self, stored: &Stored, detail: &str) -> Result<(), ClusterError> {
        self.end().await?;
        let seq = stored.seq;
        tracing::error!(seq, detail, "a message of the log's stream is none of a node and is passed over");
        self.replica.pass_over(seq, stored.topic);
        Ok(())
    }

    /// Where the stream ends. Once it is seen that a later version has taken it over, this node leaves it alone.
    async fn end(&mut self) -> Result<u64, ClusterError> {
        let state = self.stream.state().await;
        match &state {
            Ok(state) => self.condition.kept_by(state.servers, state.replicas),
            Err(outdated @ ClusterError::NewerFormat { .. }) => self.outdated = Some(outdated.clone()),
            Err(_) => {}
        }
        Ok(state?.end)
    }

    /// The stream's leader is asked, not a replica: what was acknowledged is there.
    async fn reach_end(&mut self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + self.commit_timeout;
        loop {
            let reached = self.catch_up().await;
            if reached.is_ok() || self.outdated.is_some() || Instant::now() >= deadline {
                return reached;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn catch_up(&mut self) -> Result<(), ClusterError> {
        let caught_up = match self.end().await {
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
            let mut taken = Ok(());
            for stored in &messages {
                taken = self.take(stored).await;
                if taken.is_err() {
                    break;
                }
            }
            // What came before a message that cannot be taken is written all the same.
            self.write()?;
            taken?;
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
    let there = if place == 0 || place > stream.state().await?.end {
        None
    } else {
        last_record(&stream.get(place).await?)
    };
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
    stored.unpacked().ok()?.1.pop()
}
