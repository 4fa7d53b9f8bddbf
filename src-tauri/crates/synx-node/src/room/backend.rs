//! What the server asks of a hosted room, and what becomes of a file that a peer has uploaded.

use crate::error::NodeError;
use crate::library::{describe, summary};
use crate::node::Inner;
use crate::room::hosted::{ExecuteError, HostedRoom};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Weak};
use synx_domain::{Command, CommandEnvelope, ContentHash, Envelope, EpochId, RoomId, RoomSnapshot, UserId};
use synx_net::wire::SyncReport;
use synx_net::{CommandFailure, RoomBackend, Unavailable};
use tokio::sync::watch;

/// A hosted room as the server sees it.
pub struct HostBackend {
    node: Weak<Inner>,
    room: Arc<HostedRoom>,
}

impl HostBackend {
    /// The server's side of `room`.
    pub fn new(node: &Arc<Inner>, room: &Arc<HostedRoom>) -> Self {
        Self { node: Arc::downgrade(node), room: Arc::clone(room) }
    }
}

impl RoomBackend for HostBackend {
    fn room_id(&self) -> RoomId {
        self.room.id()
    }

    fn execute(&self, command: CommandEnvelope) -> BoxFuture<'_, Result<u64, CommandFailure>> {
        Box::pin(async move { self.room.execute(command).await.map_err(failure) })
    }

    fn snapshot(&self) -> Arc<RoomSnapshot> {
        Arc::new(self.room.with(RoomSnapshot::of))
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.room.changes()
    }

    fn read(&self, after_seq: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Envelope>>, Unavailable>> {
        Box::pin(async move {
            let read = self.room.log().read(self.room.id(), after_seq, limit).await;
            read.map_err(|error| Unavailable { code: error.code().to_owned(), message: error.to_string() })
        })
    }

    fn epoch(&self) -> EpochId {
        self.room.epoch()
    }

    fn room_time_us(&self) -> i64 {
        self.room.room_time_us()
    }

    fn sync_report(&self, user: UserId, report: SyncReport) {
        self.room.board().put(user, report);
    }

    fn upload_finished(&self, user: UserId, hash: ContentHash, file_name: String) {
        let Some(node) = self.node.upgrade() else { return };
        let room = Arc::clone(&self.room);
        tokio::spawn(async move {
            if let Err(error) = take_in(&node, &room, user, hash, file_name).await {
                tracing::warn!(%hash, %error, "a shared file could not be taken in");
            }
        });
    }
}

fn failure(error: ExecuteError) -> CommandFailure {
    match error {
        ExecuteError::Rejected(rejection) => CommandFailure::Rejected(rejection),
        other => {
            let message = other.to_string();
            CommandFailure::Unavailable(Unavailable {
                code: NodeError::from(other).code().to_owned(),
                message,
            })
        }
    }
}

/// Looks into a file whose bytes are here and verified: shares it under the uploader's name and has it analysed, or says
/// why it cannot be used.
///
/// # Errors
/// When the room could not be told.
pub async fn take_in(
    node: &Arc<Inner>,
    room: &Arc<HostedRoom>,
    user: UserId,
    hash: ContentHash,
    file_name: String,
) -> Result<(), NodeError> {
    let Some(path) = node.locate(hash) else { return Err(NodeError::NoSuchTrack) };
    let (probed, name) = (path.clone(), file_name.clone());
    let described = tokio::task::spawn_blocking(move || describe(&probed, hash, name)).await;
    match described.map_err(|_| NodeError::Closing)? {
        Ok(track) => room.execute_as(user, Command::ShareTrack { track }).await?,
        Err(error) => return fail(room, user, hash, file_name, &error).await,
    };
    node.audio_arrived(hash);
    match node.library.analyses().analyze(hash, &path, Box::new(|_| {})).await {
        Ok(analysis) => {
            let analysis = summary(&analysis);
            room.execute_as(user, Command::RecordAnalysis { hash, analysis }).await?;
            Ok(())
        }
        Err(error) => fail(room, user, hash, file_name, &error).await,
    }
}

async fn fail(
    room: &HostedRoom,
    user: UserId,
    hash: ContentHash,
    file_name: String,
    error: &NodeError,
) -> Result<(), NodeError> {
    let (code, reason) = (error.code().to_owned(), error.to_string());
    room.execute_as(user, Command::FailProcessing { hash, file_name, code, reason }).await?;
    Ok(())
}
