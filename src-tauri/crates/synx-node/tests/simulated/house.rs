//! The host: the product's server, room and log, on a disk that outlives them and takes its time.

use crate::Dice;
use crate::net::{Net, host_address};
use futures_util::future::{BoxFuture, join_all};
use std::path::Path;
use std::sync::{Arc, Mutex};
use synx_domain::{
    Command, CommandEnvelope, CommandId, ContentHash, Envelope, PlaybackControl, Role, Room, RoomId,
    RoomSettings, UserId, UserProfile, Visibility,
};
use synx_log::{
    AuditFilter, EventStore, Log, LogError, LogOptions, MemoryStore, Record, Scanned, StoreHead,
    StoredSnapshot,
};
use synx_net::wire::{Knocker, SyncReport};
use synx_net::{
    AudioStore, CommandFailure, HostKey, RoomBackend, RoomInstant, Server, ServerConfig, Unavailable,
};
use synx_node::{HostBackend, HostedRoom};
use synx_testkit::events;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::sleep;
use uuid::Uuid;

/// Tracks that are in the room from the start.
pub const TRACKS: u8 = 3;

pub struct House {
    pub room: RoomId,
    pub host: UserId,
    net: Arc<Net>,
    disk: Arc<MemoryStore>,
    pub audio: AudioStore,
    dice: Dice,
    running: Mutex<Option<Running>>,
}

/// One run of the host's process.
struct Running {
    _server: Server,
    room: Arc<HostedRoom>,
    desk: Arc<Desk>,
    mount: Arc<Mount>,
    writer: AbortHandle,
}

impl House {
    pub async fn build(net: &Arc<Net>, folder: &Path, dice: Dice) -> Self {
        let house = Self {
            room: events::ROOM,
            host: events::ADA,
            net: Arc::clone(net),
            disk: Arc::new(MemoryStore::new()),
            audio: AudioStore::open(folder).unwrap(),
            dice,
            running: Mutex::default(),
        };
        house.start().await;
        let settings = RoomSettings {
            visibility: Visibility::Public,
            playback_control: PlaybackControl::Everyone,
            max_participants: 100,
            ..events::settings()
        };
        house.does(Command::CreateRoom { profile: events::profile("Ada"), settings }).await.unwrap();
        for n in 0..TRACKS {
            house.does(Command::ShareTrack { track: events::track(n) }).await.unwrap();
        }
        house
    }

    /// The process starts, from what is on disk.
    pub async fn start(&self) {
        let mount = Arc::new(Mount { disk: Arc::clone(&self.disk), gone: Mutex::new(false) });
        let log = Log::over(Arc::clone(&mount) as Arc<dyn EventStore>, LogOptions::default()).unwrap();
        let room = Arc::new(HostedRoom::open(log, self.room).await.unwrap());
        let (desk, commands) = mpsc::unbounded_channel();
        let backend = Arc::new(HostBackend::alone(&room));
        let writer = tokio::spawn(write(Arc::clone(&backend), commands, self.dice.fork())).abort_handle();
        let desk = Arc::new(Desk { backend, commands: desk });
        let key = Arc::new(HostKey::from_secret(&[7; 32]).unwrap());
        let mut config = ServerConfig::new(host_address(), None, key, self.audio.clone());
        if self.dice.once_in(2) {
            // Who comes back gets the room's state instead of what was missed.
            config.limits.catch_up_events = 5;
        }
        let server = Server::over(config, self.net.listen()).unwrap();
        server.add_room(Arc::clone(&desk) as Arc<dyn RoomBackend>);
        *self.running.lock().unwrap() = Some(Running { _server: server, room, desk, mount, writer });
    }

    pub fn is_running(&self) -> bool {
        self.running.lock().unwrap().is_some()
    }

    /// The process ends between two of its instructions, alone or with the machine under it.
    pub fn crash(&self, with_machine: bool) {
        let running = self.running.lock().unwrap().take();
        let Some(Running { mount, writer, .. }) = running else { return };
        // Whatever else of it still runs reaches neither the disk nor anybody.
        *mount.gone.lock().unwrap() = true;
        writer.abort();
        if with_machine {
            self.net.host_lost_power();
        } else {
            self.net.host_ended();
        }
    }

    /// The host's own person does something; none while the process is down, or if it ends before the answer.
    pub async fn does(&self, command: Command) -> Option<u64> {
        let desk = self.running.lock().unwrap().as_ref().map(|running| Arc::clone(&running.desk))?;
        let id = CommandId::from_uuid(Uuid::now_v7());
        let envelope = CommandEnvelope { id, actor: self.host, command };
        desk.ask(envelope).await.map(|outcome| outcome.expect("the host may do this"))
    }

    /// The room as it runs.
    pub fn room(&self) -> Arc<HostedRoom> {
        Arc::clone(&self.running.lock().unwrap().as_ref().expect("the host runs").room)
    }
}

/// The disk under one run of the process.
struct Mount {
    disk: Arc<MemoryStore>,
    gone: Mutex<bool>,
}

impl EventStore for Mount {
    fn head(&self) -> Result<StoreHead, LogError> {
        self.disk.head()
    }

    fn contains(&self, event_id: synx_domain::EventId) -> Result<bool, LogError> {
        self.disk.contains(event_id)
    }

    fn commit(&self, records: &[Record]) -> Result<(), LogError> {
        let gone = self.gone.lock().unwrap();
        if *gone {
            return Err(LogError::Closed);
        }
        self.disk.commit(records)
    }

    fn read(
        &self,
        room: RoomId,
        after_seq: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.disk.read(room, after_seq, limit, max_bytes)
    }

    fn scan(&self, after_log_seq: u64, limit: usize) -> Result<Vec<Scanned>, LogError> {
        self.disk.scan(after_log_seq, limit)
    }

    fn audit(&self, filter: &AuditFilter) -> Result<Vec<Record>, LogError> {
        self.disk.audit(filter)
    }

    fn latest(&self, room: RoomId, name: &str) -> Result<Option<Record>, LogError> {
        self.disk.latest(room, name)
    }

    fn save_snapshot(&self, snapshot: &StoredSnapshot, keep: usize) -> Result<(), LogError> {
        self.disk.save_snapshot(snapshot, keep)
    }

    fn snapshot(&self, room: RoomId, at_or_before: u64) -> Result<Option<StoredSnapshot>, LogError> {
        self.disk.snapshot(room, at_or_before)
    }

    fn check(&self) -> Result<(), LogError> {
        self.disk.check()
    }

    fn backup(&self, to: &Path) -> Result<(), LogError> {
        self.disk.backup(to)
    }

    fn close(&self) {}
}

type Outcome = Result<u64, CommandFailure>;
type Waiting = (CommandEnvelope, oneshot::Sender<Outcome>);

/// The room as its server sees it, with the time that writing takes.
struct Desk {
    backend: Arc<HostBackend>,
    commands: mpsc::UnboundedSender<Waiting>,
}

impl Desk {
    /// None if the process ends before there is an answer.
    async fn ask(&self, command: CommandEnvelope) -> Option<Outcome> {
        let (answer, answered) = oneshot::channel();
        self.commands.send((command, answer)).ok()?;
        answered.await.ok()
    }
}

/// Takes commands to the room together, as they gather while the disk works. A crash may come before the disk has them, or
/// when it has and nobody knows yet.
async fn write(room: Arc<HostBackend>, mut commands: mpsc::UnboundedReceiver<Waiting>, dice: Dice) {
    let mut batch = Vec::new();
    while commands.recv_many(&mut batch, 64).await > 0 {
        let range_us = if dice.once_in(50) { 100_000..3_000_000 } else { 300..15_000 };
        sleep(dice.delay(&range_us)).await;
        let (envelopes, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let outcomes =
            while_time_stands(join_all(envelopes.into_iter().map(|each| room.execute(each)))).await;
        sleep(dice.delay(&(0..2_000))).await;
        for (outcome, answer) in outcomes.into_iter().zip(answers) {
            // Who asked may be gone.
            drop(answer.send(outcome));
        }
    }
}

/// The log's writer is a thread, which simulated time does not wait for by itself.
async fn while_time_stands<T>(work: impl Future<Output = T>) -> T {
    let (done, until) = std::sync::mpsc::channel::<()>();
    let held = tokio::task::spawn_blocking(move || until.recv().is_err());
    let outcome = work.await;
    drop(done);
    assert!(held.await.unwrap());
    outcome
}

impl RoomBackend for Desk {
    fn room_id(&self) -> RoomId {
        self.backend.room_id()
    }

    fn execute(&self, command: CommandEnvelope) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            match self.ask(command).await {
                Some(outcome) => outcome,
                // A process that has ended says nothing.
                None => std::future::pending().await,
            }
        })
    }

    fn look(&self, look: &mut dyn FnMut(&Room)) {
        self.backend.look(look);
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.backend.heads()
    }

    fn read(&self, after_seq: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Envelope>>, Unavailable>> {
        self.backend.read(after_seq, limit)
    }

    fn now(&self) -> RoomInstant {
        self.backend.now()
    }

    fn knockers(&self) -> watch::Receiver<Vec<Knocker>> {
        self.backend.knockers()
    }

    fn answer_knock(&self, user: UserId, let_in: bool) -> bool {
        self.backend.answer_knock(user, let_in)
    }

    fn knock(&self, user: UserId, profile: UserProfile, role: Role) -> BoxFuture<'static, bool> {
        self.backend.knock(user, profile, role)
    }

    fn sync_report(&self, user: UserId, report: SyncReport) {
        self.backend.sync_report(user, report);
    }

    fn upload_finished(&self, user: UserId, hash: ContentHash, file_name: String) -> BoxFuture<'static, ()> {
        self.backend.upload_finished(user, hash, file_name)
    }

    fn upload_failed(
        &self,
        user: UserId,
        hash: ContentHash,
        file_name: String,
        why: Unavailable,
    ) -> BoxFuture<'static, ()> {
        self.backend.upload_failed(user, hash, file_name, why)
    }
}
