//! What the server needs from the instance that owns a room.

use crate::wire::{Knocker, ServerMessage, SyncReport};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use synx_domain::{
    CommandEnvelope, ContentHash, Envelope, EpochId, Rejection, Role, Room, RoomId, UserId, UserProfile,
};
use tokio::sync::watch;

/// The room cannot answer now; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unavailable {
    /// Stable code.
    pub code: String,
    /// Why, for a person.
    pub message: String,
}

/// Why a command has no seq.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandFailure {
    /// The room said no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The room could not be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl CommandFailure {
    /// Stable code for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Unavailable(unavailable) => &unavailable.code,
        }
    }
}

/// An instant of room time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomInstant {
    /// The epoch that it counts in.
    pub epoch: EpochId,
    /// Microseconds of room time.
    pub us: i64,
}

/// Rooms that are opened when somebody comes to them.
pub trait RoomSource: Send + Sync + 'static {
    /// Opens a room; none if there is no such room. May be asked twice at once about the same one: one answer is dropped.
    fn open(&self, room: RoomId) -> BoxFuture<'_, Result<Option<Arc<dyn RoomBackend>>, Unavailable>>;
}

/// A room as its server sees it.
pub trait RoomBackend: Send + Sync + 'static {
    /// Which room.
    fn room_id(&self) -> RoomId;

    /// Executes a command, once per id; the seq of its last event. Commands take effect in the order in which the
    /// returned futures are first polled.
    fn execute(&self, command: CommandEnvelope) -> BoxFuture<'_, Result<u64, CommandFailure>>;

    /// Shows the present state. The room's writer waits meanwhile: look, and copy what is needed.
    fn look(&self, look: &mut dyn FnMut(&Room));

    /// The last seq, as it grows.
    fn heads(&self) -> watch::Receiver<u64>;

    /// At most `limit` events after one, in log order.
    fn read(&self, after_seq: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Envelope>>, Unavailable>>;

    /// The last of the events that are not kept any more; none is read at or before it.
    fn dropped(&self) -> u64 {
        0
    }

    /// Room time now. Called beside the socket: must not wait.
    fn now(&self) -> RoomInstant;

    /// Somebody new asks to be let in by an invite that wants the host's word; whether they are. Dropping this takes the
    /// knock back.
    fn knock(&self, user: UserId, profile: UserProfile, role: Role) -> BoxFuture<'static, bool>;

    /// Who waits for the host's word, as that changes.
    fn knockers(&self) -> watch::Receiver<Vec<Knocker>>;

    /// The host's word about somebody; false if they do not wait for it.
    fn answer_knock(&self, user: UserId, let_in: bool) -> bool;

    /// Brings audio of the room to this machine that another one has; whether it is here then.
    fn bring(&self, _hash: ContentHash) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(false))
    }

    /// A peer said how well it plays in time.
    fn sync_report(&self, user: UserId, report: SyncReport);

    /// Something that is not history was said to the peers here: others may serve the same room.
    fn passed(&self, _message: ServerMessage) {}

    /// Whether somebody whose connections here are gone has one to another server of this room.
    fn is_elsewhere(&self, _user: UserId) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(false))
    }

    /// Announced bytes are in the audio store, verified. Done when the room knows what became of them.
    fn upload_finished(&self, user: UserId, hash: ContentHash, file_name: String) -> BoxFuture<'static, ()>;

    /// Announced bytes cannot be kept here. Done when the room knows why, or cannot be told now either.
    fn upload_failed(
        &self,
        user: UserId,
        hash: ContentHash,
        file_name: String,
        why: Unavailable,
    ) -> BoxFuture<'static, ()>;
}

impl dyn RoomBackend {
    /// What a look at the present state finds.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Room) -> T) -> Option<T> {
        let (mut look, mut found) = (Some(look), None);
        self.look(&mut |room| found = look.take().map(|look| look(room)));
        found
    }
}
