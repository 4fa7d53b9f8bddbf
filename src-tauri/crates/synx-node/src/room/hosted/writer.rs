//! The one task that appends to a room: decides what has gathered, writes it, answers it and shows it.
//!
//! Must never answer, or let anybody see, what is not on disk. Where other nodes append to the same room, what they did is taken
//! in first, and what was decided without it is decided again.

use super::turns::Turns;
use super::{BATCH_COMMANDS, ExecuteError, Job};
use crate::room::lead::SyncBoard;
use crate::room::time::RoomTime;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use synx_domain::{
    CommandEnvelope, CommandId, Envelope, EventId, Moment, NewEvent, Rejection, Room, RoomId, RoomSnapshot,
};
use synx_log::{Log, LogError};
use synx_net::RoomInstant;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// After so many events a snapshot is kept, so that opening a room again replays no more than that: some 10 ms.
pub(super) const SNAPSHOT_EVERY_EVENTS: u64 = if cfg!(test) { 50 } else { 10_000 };
/// How long a batch is decided again because another node was faster. Each time that one got on, and they take turns, so this is far
/// beyond what happens.
const DECIDED_AGAIN_FOR: Duration = Duration::from_secs(10);
/// Events of other nodes that are read at once.
const PAGE_EVENTS: usize = 512;
/// Pause before a log that cannot be read is tried again.
const READ_PAUSE: Duration = Duration::from_millis(250);

/// A command and what the room says of it, as long as nobody else has changed the room meanwhile.
struct Decided {
    job: Job,
    verdict: Result<u64, Rejection>,
}

/// Commands that the room may remember, so that most need not be looked for among a thousand: one that is not in here was
/// not carried out lately. One that is may have been.
pub(super) struct SeenCommands(HashSet<CommandId>);

impl SeenCommands {
    const KEPT: usize = 4 * Room::COMMANDS_KEPT;

    pub fn of(room: &Room) -> Self {
        Self(room.recent_commands.iter().map(|applied| applied.id).collect())
    }

    fn is_new(&mut self, id: CommandId, room: &Room) -> bool {
        if self.0.len() >= Self::KEPT {
            *self = Self::of(room);
        }
        self.0.insert(id)
    }
}

/// The only one here who appends to the room's log.
pub(super) struct Writer {
    pub id: RoomId,
    pub time: RoomTime,
    pub log: Log,
    /// Runs ahead of the disk by the batch that is being written.
    pub working: Room,
    pub seen: SeenCommands,
    /// The event after which a snapshot was kept last, or there is no need for one yet.
    pub snapshot_seq: u64,
    pub durable: Arc<RwLock<Room>>,
    pub head: watch::Sender<u64>,
    pub board: Arc<SyncBoard>,
    pub turns: Turns,
}

impl Writer {
    pub async fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        let mut heads = self.log.heads(self.id);
        let mut is_readable = true;
        loop {
            let seq = self.working.seq;
            let others_until = self.turns.others_until();
            tokio::select! {
                // What is decided on an old state is decided for nothing.
                biased;
                () = beyond(&mut heads, seq), if is_readable => if let Err(error) = self.take_in().await {
                    tracing::warn!(%error, room = %self.id, "what other nodes did cannot be read: trying again");
                    is_readable = false;
                },
                // Meanwhile whoever wants to write is told that.
                () = tokio::time::sleep(READ_PAUSE), if !is_readable => is_readable = true,
                () = until(others_until) => self.turns.is_mine(),
                taken = waiting.recv_many(&mut batch, BATCH_COMMANDS), if others_until.is_none() => match taken {
                    0 => return,
                    commands => {
                        let span = tracing::info_span!("room_batch", room = %self.id, commands);
                        for job in &batch {
                            span.follows_from(&job.cause);
                        }
                        self.commit(&mut batch, Some(&mut waiting)).instrument(span).await;
                    }
                },
            }
        }
    }

    /// Decides a batch, and answers it once what follows is on disk. Commands from which nothing follows, as they are refused
    /// above all, must have been decided at the end of the log: where others append too, this node may be behind.
    /// Where it is decided again, what is waiting is taken along.
    async fn commit(&mut self, batch: &mut Vec<Job>, mut waiting: Option<&mut mpsc::Receiver<Job>>) {
        let (started, mut overtaken, mut at_end) = (Instant::now(), false, !self.log.is_shared());
        loop {
            let begun = Instant::now();
            let (before, mut events) = (self.working.seq, Vec::new());
            let decided: Vec<Decided> = batch
                .drain(..)
                .map(|job| Decided { verdict: self.take(&job.command, &mut events), job })
                .collect();
            let mut outcome = match (events.is_empty(), at_end) {
                (true, true) => Ok(()),
                (true, false) => self.must_end_at(before).await,
                (false, _) => {
                    let written = self.log.append(self.id, before, events).await;
                    written.map(|envelopes| {
                        if self.log.is_shared() {
                            self.turns.wrote(Instant::now(), begun.elapsed(), overtaken);
                        }
                        self.publish(&envelopes);
                    })
                }
            };
            if outcome.is_err() {
                self.take_back();
            }
            if matches!(outcome, Err(LogError::Conflict { .. })) && started.elapsed() < DECIDED_AGAIN_FOR {
                match self.follow().await {
                    Ok(()) => {
                        if self.working.seq == before {
                            tokio::time::sleep(READ_PAUSE).await;
                        }
                        (overtaken, at_end) = (true, true);
                        batch.extend(decided.into_iter().map(|decided| decided.job));
                        // Who came meanwhile need not wait for another turn, but may know of more than was read here. As long
                        // as there is time enough left for them.
                        while batch.len() < BATCH_COMMANDS
                            && started.elapsed() < DECIDED_AGAIN_FOR / 2
                            && let Some(Ok(job)) = waiting.as_mut().map(|waiting| waiting.try_recv())
                        {
                            batch.push(job);
                            at_end = false;
                        }
                        continue;
                    }
                    Err(error) => outcome = Err(error),
                }
            }
            return self.answer(decided, outcome).await;
        }
    }

    /// A conflict, if others have appended beyond the place at which something was decided.
    async fn must_end_at(&mut self, seq: u64) -> Result<(), LogError> {
        self.log.reach_end(self.id).await?;
        self.follow().await?;
        let actual = self.working.seq;
        if actual == seq { Ok(()) } else { Err(LogError::Conflict { room: self.id, expected: seq, actual }) }
    }

    async fn answer(&mut self, decided: Vec<Decided>, outcome: Result<(), LogError>) {
        let accepted = decided.iter().filter(|decided| decided.verdict.is_ok()).count();
        match outcome {
            // A sender that is gone needs no answer.
            Ok(()) => decided.into_iter().for_each(|Decided { verdict, job }| {
                drop(job.answer.send(verdict.map_err(ExecuteError::Rejected)));
            }),
            // Together they are more than the log takes at once; each may be none the worse for it.
            Err(LogError::TooLarge { .. }) if accepted > 1 => {
                let mut first: Vec<Job> = decided.into_iter().map(|decided| decided.job).collect();
                let mut second = first.split_off(first.len() / 2);
                // Nobody comes before who is in the second.
                Box::pin(self.commit(&mut first, None)).await;
                Box::pin(self.commit(&mut second, None)).await;
            }
            Err(error) => {
                tracing::error!(%error, room = %self.id, "the log refused a batch");
                let error = Arc::new(error);
                for Decided { job, .. } in decided {
                    drop(job.answer.send(Err(ExecuteError::Log(Arc::clone(&error)))));
                }
            }
        }
    }

    /// Takes in all that other nodes have appended, also what this node's log was not told of yet: it ends with a look at the store.
    async fn follow(&mut self) -> Result<(), LogError> {
        while self.take_in().await? {}
        Ok(())
    }

    /// Takes in what other nodes have appended, a page at a time; whether there was any. Called between batches, when the working
    /// state is what is on disk.
    async fn take_in(&mut self) -> Result<bool, LogError> {
        let events = self.log.read(self.id, self.working.seq, PAGE_EVENTS).await?;
        if events.is_empty() {
            return Ok(false);
        }
        for envelope in &events {
            // Whoever sends the command again may do so here.
            if let Some(id) = envelope.command_id {
                self.seen.is_new(id, &self.working);
            }
            self.working.apply(envelope);
        }
        self.turns.another_wrote();
        self.publish(&events);
        Ok(true)
    }

    /// Decides one command on top of those before it in the batch.
    fn take(&mut self, command: &CommandEnvelope, events: &mut Vec<NewEvent>) -> Result<u64, Rejection> {
        if !self.seen.is_new(command.id, &self.working)
            && let Some(seq) = self.working.applied(command.id)
        {
            return Ok(seq);
        }
        let RoomInstant { epoch, us: room_time_us } = self.time.now();
        let now = Moment {
            epoch,
            room_time_us,
            wall_clock_ms: crate::wall_clock_ms(),
            lead_us: self.board.lead_us(),
        };
        for event in self.working.decide(command, now)? {
            let event = NewEvent {
                event_id: EventId::from_uuid(Uuid::now_v7()),
                actor: command.actor,
                command_id: Some(command.id),
                occurred_at_ms: crate::wall_clock_ms(),
                event,
            };
            let envelope = envelope(self.id, self.working.seq + 1, event);
            self.working.apply(&envelope);
            events.push(of_envelope(envelope));
        }
        Ok(self.working.seq)
    }

    fn publish(&mut self, envelopes: &[Arc<Envelope>]) {
        let mut durable = self.durable.write().unwrap_or_else(PoisonError::into_inner);
        envelopes.iter().for_each(|envelope| durable.apply(envelope));
        self.head.send_replace(durable.seq);
        if durable.seq - self.snapshot_seq < SNAPSHOT_EVERY_EVENTS {
            return;
        }
        self.snapshot_seq = durable.seq;
        let (log, id, snapshot) = (self.log.clone(), self.id, RoomSnapshot::of(&durable));
        tokio::spawn(async move {
            // The next one is tried all the same; meanwhile opening the room takes longer.
            if let Err(error) = log.save_snapshot(id, &snapshot).await {
                tracing::warn!(%error, room = %id, "a snapshot could not be kept");
            }
        });
    }

    /// The batch is not on disk: the working state goes back to what is.
    fn take_back(&mut self) {
        self.working = self.durable.read().unwrap_or_else(PoisonError::into_inner).clone();
    }
}

/// Waits until the log is beyond an event. Never, once it is closed.
async fn beyond(heads: &mut watch::Receiver<u64>, seq: u64) {
    if heads.wait_for(|head| *head > seq).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until then. Never, where there is no such time.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn envelope(room_id: RoomId, seq: u64, event: NewEvent) -> Envelope {
    let NewEvent { event_id, actor, command_id, occurred_at_ms, event } = event;
    Envelope { seq, event_id, room_id, actor, command_id, occurred_at_ms, event }
}

fn of_envelope(envelope: Envelope) -> NewEvent {
    let Envelope { event_id, actor, command_id, occurred_at_ms, event, .. } = envelope;
    NewEvent { event_id, actor, command_id, occurred_at_ms, event }
}
