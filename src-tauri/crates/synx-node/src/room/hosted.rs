//! A room that lives on this machine: takes commands in, and shows the room as far as it is on disk.
//!
//! Must never do the work of its one writer, which decides and appends: while one batch is being written the next one gathers here,
//! so many senders share one fsync.

#[cfg(test)]
mod tests;
mod turns;
mod writer;

use crate::error::NodeError;
use crate::room::coming::Coming;
use crate::room::knocks::Knocks;
use crate::room::lead::SyncBoard;
use crate::room::time::RoomTime;
use std::sync::{Arc, PoisonError, RwLock};
use synx_domain::{Command, CommandEnvelope, CommandId, Rejection, Room, RoomId, UserId};
use synx_log::Log;
use synx_net::RoomInstant;
use tokio::sync::{mpsc, oneshot, watch};
use turns::Turns;
use uuid::Uuid;
use writer::{SeenCommands, Writer};

/// Commands that may wait for their turn; more are refused, so that senders feel the load instead of memory.
const WAITING_COMMANDS: usize = 4096;
/// Commands that share one write at most.
const BATCH_COMMANDS: usize = 512;

/// What is stored and not answered when this process dies is sent again to its successor, which must know it.
const _: () = assert!(Room::COMMANDS_KEPT >= WAITING_COMMANDS + 2 * BATCH_COMMANDS);

/// Why a command has no answer from the room.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The room said no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Too many commands are waiting.
    #[error("the room is overloaded: try again in a moment")]
    Overloaded,
    /// The log does not say that it has it. In a log of several nodes it may still come: the same id is done once.
    #[error("it is not confirmed: {0}")]
    Log(Arc<synx_log::LogError>),
    /// The room is closing.
    #[error("the room is closing")]
    Closing,
}

impl From<ExecuteError> for NodeError {
    fn from(error: ExecuteError) -> Self {
        let message = error.to_string();
        match error {
            ExecuteError::Rejected(rejection) => Self::Rejected(rejection),
            ExecuteError::Overloaded => Self::Refused { code: "overloaded".to_owned(), message },
            ExecuteError::Log(error) => Self::NotConfirmed(error),
            ExecuteError::Closing => Self::Closing,
        }
    }
}

type Answer = oneshot::Sender<Result<u64, ExecuteError>>;

struct Job {
    command: CommandEnvelope,
    answer: Answer,
    cause: tracing::Span,
}

/// Handle to a room of this machine. Cheap to share; the room ends when the last handle is gone.
pub struct HostedRoom {
    id: RoomId,
    time: RoomTime,
    log: Log,
    jobs: mpsc::Sender<Job>,
    /// The room as far as it is on disk.
    durable: Arc<RwLock<Room>>,
    changes: watch::Receiver<u64>,
    board: Arc<SyncBoard>,
    knocks: Arc<Knocks>,
    coming: Coming,
}

impl HostedRoom {
    /// Opens a room of this machine from its log (a new room: from an empty one).
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn open(log: Log, id: RoomId) -> Result<Self, NodeError> {
        Self::open_at(log, id, RoomTime::own()).await
    }

    /// Opens a room that goes by this clock.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn open_at(log: Log, id: RoomId, time: RoomTime) -> Result<Self, NodeError> {
        let room = log.fold(id, None).await?;
        let board = Arc::new(SyncBoard::default());
        let durable = Arc::new(RwLock::new(room.clone()));
        let (jobs, waiting) = mpsc::channel(WAITING_COMMANDS);
        let (head, changes) = watch::channel(room.seq);
        let writer = Writer {
            id,
            time: time.clone(),
            log: log.clone(),
            seen: SeenCommands::of(&room),
            snapshot_seq: room.seq,
            working: room,
            durable: Arc::clone(&durable),
            head,
            board: Arc::clone(&board),
            turns: Turns::new(),
        };
        tokio::spawn(writer.run(waiting));
        Ok(Self {
            id,
            time,
            log,
            jobs,
            durable,
            changes,
            board,
            knocks: Arc::default(),
            coming: Coming::default(),
        })
    }

    /// The room's id.
    pub fn id(&self) -> RoomId {
        self.id
    }

    /// Room time now.
    pub fn now(&self) -> RoomInstant {
        self.time.now()
    }

    /// The log it is in.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The seq that is on disk, as it grows.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// Who waits to be let in.
    pub fn knocks(&self) -> &Arc<Knocks> {
        &self.knocks
    }

    /// How far files are that peers send here.
    pub fn coming(&self) -> &Coming {
        &self.coming
    }

    /// What the peers measured last.
    pub fn board(&self) -> &SyncBoard {
        &self.board
    }

    /// Looks at the room as far as it is on disk. `look` must be short: the writer waits for it.
    pub fn with<T>(&self, look: impl FnOnce(&Room) -> T) -> T {
        look(&self.durable.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Carries out a command under an id that the caller keeps over retries. Answers with the seq of its last event once
    /// that is on disk.
    ///
    /// # Errors
    /// As [`ExecuteError`] has them; but for [`ExecuteError::Log`] nothing changed.
    pub async fn execute(&self, command: CommandEnvelope) -> Result<u64, ExecuteError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { command, answer, cause: tracing::Span::current() }).map_err(|error| {
            match error {
                mpsc::error::TrySendError::Full(_) => ExecuteError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => ExecuteError::Closing,
            }
        })?;
        answered.await.unwrap_or(Err(ExecuteError::Closing))
    }

    /// Carries out a command of this process, under an id of its own.
    ///
    /// # Errors
    /// As [`HostedRoom::execute`].
    pub async fn execute_as(&self, actor: UserId, command: Command) -> Result<u64, ExecuteError> {
        self.execute(CommandEnvelope { id: CommandId::from_uuid(Uuid::now_v7()), actor, command }).await
    }
}
