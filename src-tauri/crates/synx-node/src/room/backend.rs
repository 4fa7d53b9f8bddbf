//! What the server asks of a hosted room, and what becomes of a file that a peer has uploaded.

#[cfg(test)]
mod tests;

use crate::error::{NodeError, for_people};
use crate::library::{Analyses, summary};
use crate::node::Inner;
use crate::room::abandoned::Upload;
use crate::room::hosted::{ExecuteError, HostedRoom};
use futures_util::future::BoxFuture;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;
use synx_domain::{
    Command, CommandEnvelope, ContentHash, Envelope, Role, Room, RoomId, TrackState, UserId, UserProfile,
};
use synx_log::LogError;
use synx_net::wire::{Knocker, ServerMessage, SyncReport};
use synx_net::{AudioStore, CommandFailure, RoomBackend, RoomInstant, Unavailable};
use tokio::sync::watch;

/// How soon a log that took nothing is tried again.
const TELL_AGAIN: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(5) };

/// What a hosted room needs of the instance around it.
pub(crate) trait House: Send + Sync {
    /// Where shared audio is.
    fn audio(&self) -> &AudioStore;

    /// Where an audio is on this machine.
    fn locate(&self, hash: ContentHash) -> Option<PathBuf>;

    /// Who looks into files and analyses them.
    fn analyses(&self) -> &Analyses;

    /// Puts audio of this machine where others find it that serve the same rooms.
    fn publish(&self, _hash: ContentHash) -> BoxFuture<'_, Result<(), NodeError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Brings audio here that others have; whether it is here then.
    fn fetch(&self, _hash: ContentHash) -> BoxFuture<'_, Result<bool, NodeError>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    /// How far an upload to a room is, here and wherever else its bytes may come.
    fn upload(&self, room: RoomId, hash: ContentHash) -> BoxFuture<'_, Upload> {
        Box::pin(std::future::ready(Upload::here(self.audio(), room, hash)))
    }

    /// How long others have to do what any of them could do for a room, before it is done here.
    fn turn(&self, _room: RoomId) -> Duration {
        Duration::ZERO
    }

    /// Audio has come to this machine, whole and verified.
    fn arrived(self: Arc<Self>, hash: ContentHash);

    /// Somebody knocks at a room's door, or does not any more.
    fn knocked(&self);
}

impl House for Inner {
    fn audio(&self) -> &AudioStore {
        &self.audio
    }

    fn locate(&self, hash: ContentHash) -> Option<PathBuf> {
        Self::locate(self, hash)
    }

    fn analyses(&self) -> &Analyses {
        self.library.analyses()
    }

    fn arrived(self: Arc<Self>, hash: ContentHash) {
        self.audio_arrived(hash);
    }

    fn knocked(&self) {
        self.tell_room_changed();
    }
}

/// A hosted room as the server sees it.
pub struct HostBackend {
    house: Option<Weak<dyn House>>,
    room: Arc<HostedRoom>,
}

impl HostBackend {
    /// A room with no instance around it, as it is measured and simulated: files that come are kept and not looked into.
    pub fn alone(room: &Arc<HostedRoom>) -> Self {
        Self { house: None, room: Arc::clone(room) }
    }

    /// The server's side of `room`.
    pub(crate) fn new<H: House + 'static>(house: &Arc<H>, room: &Arc<HostedRoom>) -> Self {
        let house: Weak<H> = Arc::downgrade(house);
        Self { house: Some(house), room: Arc::clone(room) }
    }

    fn house(&self) -> Option<Arc<dyn House>> {
        self.house.as_ref()?.upgrade()
    }
}

impl RoomBackend for HostBackend {
    fn room_id(&self) -> RoomId {
        self.room.id()
    }

    fn execute(&self, command: CommandEnvelope) -> BoxFuture<'_, Result<u64, CommandFailure>> {
        Box::pin(async move { self.room.execute(command).await.map_err(failure) })
    }

    fn look(&self, look: &mut dyn FnMut(&Room)) {
        self.room.with(look);
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.room.changes()
    }

    fn dropped(&self) -> u64 {
        self.room.log().dropped(self.room.id())
    }

    fn read(&self, after_seq: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Envelope>>, Unavailable>> {
        Box::pin(async move {
            let read = self.room.log().read(self.room.id(), after_seq, limit).await;
            read.map_err(|error| {
                if matches!(error, LogError::HistoryDropped { .. }) {
                    return unavailable(
                        error.code(),
                        "the host has dropped the beginning of this room's history",
                    );
                }
                tracing::warn!(%error, "the log cannot be read");
                unavailable(error.code(), "the host cannot read its log now: try again in a moment")
            })
        })
    }

    fn now(&self) -> RoomInstant {
        self.room.now()
    }

    fn knock(&self, user: UserId, profile: UserProfile, role: Role) -> BoxFuture<'static, bool> {
        let house = self.house.clone();
        let told = Box::new(move || {
            if let Some(house) = house.as_ref().and_then(Weak::upgrade) {
                house.knocked();
            }
        });
        Box::pin(self.room.knocks().ask(user, profile, role, told).answered())
    }

    fn knockers(&self) -> watch::Receiver<Vec<Knocker>> {
        self.room.knocks().watch()
    }

    fn answer_knock(&self, user: UserId, let_in: bool) -> bool {
        self.room.knocks().answer(user, let_in)
    }

    fn bring(&self, hash: ContentHash) -> BoxFuture<'_, bool> {
        let house = self.house();
        Box::pin(async move {
            let Some(house) = house else { return false };
            // Goes on though who asked may give up: they come back for it.
            let fetched = tokio::spawn(async move { house.fetch(hash).await });
            let fetched = fetched.await.unwrap_or(Err(NodeError::Closing));
            fetched.unwrap_or_else(|error| {
                tracing::warn!(%hash, %error, "audio cannot be brought here");
                false
            })
        })
    }

    fn sync_report(&self, user: UserId, report: SyncReport) {
        self.room.board().put(user, report);
    }

    fn passed(&self, message: ServerMessage) {
        self.room.coming().take(&message);
    }

    fn upload_finished(&self, user: UserId, hash: ContentHash, file_name: String) -> BoxFuture<'static, ()> {
        let (house, room) = (self.house(), Arc::clone(&self.room));
        Box::pin(async move {
            let Some(house) = house else { return };
            take_in(&house, &room, user, hash, file_name).await;
        })
    }

    fn upload_failed(
        &self,
        user: UserId,
        hash: ContentHash,
        file_name: String,
        Unavailable { code, message }: Unavailable,
    ) -> BoxFuture<'static, ()> {
        let room = Arc::clone(&self.room);
        let reason = format!("{file_name} could not be kept: {message}");
        Box::pin(async move {
            let failed = Command::FailProcessing { hash, file_name, code, reason };
            if let Err(ExecuteError::Log(_)) = room.execute_as(user, failed.clone()).await {
                // Where there is no space for audio there may be none for this either.
                tokio::spawn(tell_later(room, user, hash, failed));
            }
        })
    }
}

/// Tells a room that an upload has failed, once its log takes it; nothing if somebody has brought the audio meanwhile.
async fn tell_later(room: Arc<HostedRoom>, user: UserId, hash: ContentHash, failed: Command) {
    let uploading = |room: &Room| {
        let track = room.tracks.get(&hash);
        track.is_some_and(|track| matches!(track.state, TrackState::Uploading { .. }))
    };
    loop {
        tokio::time::sleep(TELL_AGAIN).await;
        if !room.with(uploading) {
            return;
        }
        match room.execute_as(user, failed.clone()).await {
            Err(ExecuteError::Log(error)) => tracing::debug!(%error, "a failed upload is still listed"),
            _ => return,
        }
    }
}

fn unavailable(code: &str, message: &str) -> Unavailable {
    Unavailable { code: code.to_owned(), message: message.to_owned() }
}

/// What a peer is told. An error of the log may name a folder of this machine, which is nobody's business: it was written to
/// the machine's own record when it happened.
fn failure(error: ExecuteError) -> CommandFailure {
    match error {
        ExecuteError::Rejected(rejection) => CommandFailure::Rejected(rejection),
        ExecuteError::Log(error) => {
            let told =
                "the host cannot say that its log has it: what is sent again under the same id is done once";
            unavailable(error.code(), told).into()
        }
        other => {
            let message = other.to_string();
            unavailable(NodeError::from(other).code(), &message).into()
        }
    }
}

/// Looks into a file whose bytes are here and verified: shares it under the uploader's name, or says why it cannot be
/// used. Its analysis goes on after that.
pub async fn take_in(
    house: &Arc<dyn House>,
    room: &Arc<HostedRoom>,
    user: UserId,
    hash: ContentHash,
    file_name: String,
) {
    let incoming = Incoming { room: Arc::clone(room), user, hash, file_name };
    match incoming.share(house).await {
        Ok(Some(path)) => {
            let house = Arc::clone(house);
            tokio::spawn(async move {
                let analyzed = incoming.analyze(&house, &path).await;
                incoming.log_trouble(analyzed);
            });
        }
        Ok(None) => {}
        Err(error) => incoming.log_trouble(Err(error)),
    }
}

/// Tells a room that a file which was announced does not come: it could not be kept at `path`.
pub async fn not_taken_in(
    room: &Arc<HostedRoom>,
    user: UserId,
    hash: ContentHash,
    file_name: String,
    (path, error): (&Path, &NodeError),
) {
    let incoming = Incoming { room: Arc::clone(room), user, hash, file_name };
    let told = incoming.fail(path, error).await;
    incoming.log_trouble(told);
}

/// A file on its way into a room.
struct Incoming {
    room: Arc<HostedRoom>,
    user: UserId,
    hash: ContentHash,
    file_name: String,
}

impl Incoming {
    /// Where the file is, if it could be shared.
    async fn share(&self, house: &Arc<dyn House>) -> Result<Option<PathBuf>, NodeError> {
        let Some(path) = house.locate(self.hash) else { return Err(NodeError::NoSuchTrack) };
        let workers = house.analyses().workers();
        match workers.describe(&path, self.hash, self.file_name.clone()).await {
            Ok((track, _)) => {
                if let Err(error) = house.publish(self.hash).await {
                    return self.fail(&path, &error).await.map(|()| None);
                }
                self.room.execute_as(self.user, Command::ShareTrack { track }).await?
            }
            Err(error) => {
                // What is no audio is of no use to any room.
                if error.is_the_files()
                    && let Err(error) = house.audio().of_room(self.room.id()).discard(self.hash)
                {
                    tracing::warn!(%error, "a file that is no audio stays on disk");
                }
                return self.fail(&path, &error.into()).await.map(|()| None);
            }
        };
        Arc::clone(house).arrived(self.hash);
        Ok(Some(path))
    }

    async fn analyze(&self, house: &Arc<dyn House>, path: &Path) -> Result<(), NodeError> {
        match house.analyses().analyze(self.hash, path, Box::new(|_| {})).await {
            Ok(analysis) => {
                let record = Command::RecordAnalysis { hash: self.hash, analysis: summary(&analysis) };
                self.room.execute_as(self.user, record).await?;
                Ok(())
            }
            Err(error) => self.fail(path, &error).await,
        }
    }

    async fn fail(&self, path: &Path, error: &NodeError) -> Result<(), NodeError> {
        let failed = Command::FailProcessing {
            hash: self.hash,
            file_name: self.file_name.clone(),
            code: error.code().to_owned(),
            reason: public_reason(error, path, &self.file_name),
        };
        self.room.execute_as(self.user, failed).await?;
        Ok(())
    }

    fn log_trouble(&self, outcome: Result<(), NodeError>) {
        if let Err(error) = outcome {
            tracing::warn!(hash = %self.hash, %error, "a shared file could not be taken in");
        }
    }
}

/// Why a file cannot be used, for everybody: under the name that its owner gave it, as where the host keeps it is nobody's
/// business.
fn public_reason(error: &NodeError, path: &Path, file_name: &str) -> String {
    let reason = for_people(&error.to_string());
    let kept = path.to_string_lossy();
    if reason.contains(&*kept) {
        return reason.replace(&*kept, file_name);
    }
    if matches!(error, NodeError::Work(error) if error.is_the_files()) {
        return format!("{file_name} could not be used: {reason}");
    }
    format!("{file_name} could not be used: the host has a problem with its own files")
}
