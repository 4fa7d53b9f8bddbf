//! A room in memory: the domain's fold over a list of envelopes, written by one writer that can be held.

use crate::house::profile;
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use synx_domain::{
    Command, CommandEnvelope, CommandId, ContentHash, Envelope, EpochId, EventId, Moment, Rejection, Role,
    Room, RoomId, RoomSettings, TrackMeta, TrackState, UserId, UserProfile,
};
use synx_net::wire::{Knocker, SyncReport};
use synx_net::{CommandFailure, RoomBackend, RoomInstant, Unavailable};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

/// A handle to a room. All handles are the same room.
#[derive(Clone)]
pub struct TestRoom {
    inner: Arc<Inner>,
}

struct Inner {
    id: RoomId,
    host: UserId,
    epoch: EpochId,
    opened: Instant,
    state: Mutex<State>,
    head: watch::Sender<u64>,
    knockers: watch::Sender<Vec<Knocker>>,
}

#[derive(Default)]
struct State {
    room: Room,
    log: Vec<Arc<Envelope>>,
    /// Taken, but not carried out while the writer is held.
    waiting: VecDeque<(CommandEnvelope, oneshot::Sender<Result<u64, Rejection>>)>,
    held: bool,
    reports: Vec<(UserId, SyncReport)>,
    knocks: BTreeMap<UserId, oneshot::Sender<bool>>,
}

pub fn command_id() -> CommandId {
    CommandId::from_uuid(Uuid::now_v7())
}

impl TestRoom {
    pub fn create(host: UserId, settings: RoomSettings) -> Self {
        let room = Self {
            inner: Arc::new(Inner {
                id: RoomId::from_uuid(Uuid::now_v7()),
                host,
                epoch: EpochId::from_uuid(Uuid::now_v7()),
                opened: Instant::now(),
                state: Mutex::default(),
                head: watch::Sender::new(0),
                knockers: watch::Sender::default(),
            }),
        };
        room.host_does(Command::CreateRoom { profile: profile("Ada"), settings });
        room
    }

    pub fn id(&self) -> RoomId {
        self.inner.id
    }

    /// Somebody does something that is allowed.
    fn does(&self, actor: UserId, command: Command) -> u64 {
        let command = CommandEnvelope { id: command_id(), actor, command };
        let seq = self.inner.carry_out(&mut self.inner.state.lock().unwrap(), &command);
        seq.expect("this is allowed")
    }

    pub fn host_does(&self, command: Command) -> u64 {
        self.does(self.inner.host, command)
    }

    pub fn host_removes(&self, user: UserId) -> u64 {
        self.host_does(Command::RemoveMember { user, may_return: false })
    }

    /// Makes somebody a member, without any connection.
    pub fn lets_in(&self, user: UserId, name: &str) -> u64 {
        self.does(user, Command::Join { profile: profile(name), role: Role::Dj, invite: None })
    }

    pub fn host_says(&self, text: &str) -> u64 {
        self.host_does(Command::PostChatMessage { text: text.to_owned() })
    }

    /// Somebody says that they will send this.
    pub fn announce(&self, user: UserId, hash: ContentHash, size_bytes: u64) -> u64 {
        self.does(user, Command::StartUpload { hash, file_name: "song.flac".to_owned(), size_bytes })
    }

    pub fn is_shared(&self, hash: ContentHash) -> bool {
        self.with(|room| room.playable(hash).is_some())
    }

    /// A look at the state.
    pub fn with<T>(&self, look: impl FnOnce(&Room) -> T) -> T {
        look(&self.inner.state.lock().unwrap().room)
    }

    pub fn seq(&self) -> u64 {
        self.with(|room| room.seq)
    }

    pub fn log(&self) -> Vec<Arc<Envelope>> {
        self.inner.state.lock().unwrap().log.clone()
    }

    pub fn is_in(&self, user: UserId) -> bool {
        self.with(|room| room.present(user).is_some())
    }

    /// How often these words were said.
    pub fn times_said(&self, words: &str) -> usize {
        self.with(|room| room.chat.iter().filter(|message| message.text == words).count())
    }

    pub fn reports(&self) -> Vec<(UserId, SyncReport)> {
        self.inner.state.lock().unwrap().reports.clone()
    }

    /// Commands wait from now on, as for a slow disk.
    pub fn hold(&self) {
        self.inner.state.lock().unwrap().held = true;
    }

    pub fn waiting(&self) -> usize {
        self.inner.state.lock().unwrap().waiting.len()
    }

    /// The writer goes on.
    pub fn release(&self) {
        self.inner.state.lock().unwrap().held = false;
        self.inner.work();
    }
}

impl Inner {
    fn work(&self) {
        let mut state = self.state.lock().unwrap();
        while !state.held {
            let Some((command, answer)) = state.waiting.pop_front() else { return };
            let outcome = self.carry_out(&mut state, &command);
            // Who asked may be gone.
            drop(answer.send(outcome));
        }
    }

    fn carry_out(&self, state: &mut State, command: &CommandEnvelope) -> Result<u64, Rejection> {
        if let Some(seq) = state.room.applied(command.id) {
            return Ok(seq);
        }
        let now = Moment {
            epoch: self.epoch,
            room_time_us: self.now_us(),
            wall_clock_ms: crate::jwt::now_s() as i64 * 1000,
            lead_us: 200_000,
        };
        for event in state.room.decide(command, now)? {
            let envelope = Arc::new(Envelope {
                seq: state.room.seq + 1,
                event_id: EventId::from_uuid(Uuid::now_v7()),
                room_id: self.id,
                actor: command.actor,
                command_id: Some(command.id),
                occurred_at_ms: 1_767_225_600_000,
                event,
            });
            state.room.apply(&envelope);
            state.log.push(envelope);
        }
        self.head.send_replace(state.room.seq);
        Ok(state.room.seq)
    }

    fn now_us(&self) -> i64 {
        i64::try_from(self.opened.elapsed().as_micros()).unwrap()
    }

    /// What a host finds when it looks into the file.
    fn share(&self, user: UserId, hash: ContentHash, file_name: String) {
        let mut state = self.state.lock().unwrap();
        let Some(TrackState::Uploading { size_bytes, .. }) = state.room.tracks.get(&hash).map(|t| &t.state)
        else {
            panic!("bytes came that nobody announced");
        };
        let track = TrackMeta {
            hash,
            title: file_name.clone(),
            file_name,
            size_bytes: *size_bytes,
            duration_us: 180_000_000,
            sample_rate_hz: 44_100,
            channels: 2,
            artist: None,
            album: None,
        };
        let command =
            CommandEnvelope { id: command_id(), actor: user, command: Command::ShareTrack { track } };
        self.carry_out(&mut state, &command).expect("a host may share");
    }
}

/// Takes a knock back when it is dropped.
struct TakenBack(Arc<Inner>, UserId);

impl Drop for TakenBack {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().knocks.remove(&self.1);
        self.0.knockers.send_modify(|knockers| knockers.retain(|knocker| knocker.user != self.1));
    }
}

impl TestRoom {
    /// Who waits for the host.
    pub fn knocking(&self) -> Vec<UserId> {
        self.inner.state.lock().unwrap().knocks.keys().copied().collect()
    }

    pub fn answers_knock(&self, user: UserId, let_in: bool) {
        let answer = self.inner.state.lock().unwrap().knocks.remove(&user).expect("somebody knocks");
        answer.send(let_in).expect("they still wait");
    }
}

impl RoomBackend for TestRoom {
    fn room_id(&self) -> RoomId {
        self.inner.id
    }

    fn execute(&self, command: CommandEnvelope) -> BoxFuture<'_, Result<u64, CommandFailure>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            self.inner.state.lock().unwrap().waiting.push_back((command, answer));
            self.inner.work();
            let outcome = answered.await.expect("every command is answered");
            // As with a disk the answer is never there at once.
            tokio::task::yield_now().await;
            outcome.map_err(CommandFailure::from)
        })
    }

    fn look(&self, look: &mut dyn FnMut(&Room)) {
        self.with(look);
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.inner.head.subscribe()
    }

    fn read(&self, after_seq: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Envelope>>, Unavailable>> {
        let after = usize::try_from(after_seq).unwrap();
        let events = self.inner.state.lock().unwrap().log.iter().skip(after).take(limit).cloned().collect();
        Box::pin(async move { Ok(events) })
    }

    fn now(&self) -> RoomInstant {
        RoomInstant { epoch: self.inner.epoch, us: self.inner.now_us() }
    }

    fn knockers(&self) -> watch::Receiver<Vec<Knocker>> {
        self.inner.knockers.subscribe()
    }

    fn answer_knock(&self, user: UserId, let_in: bool) -> bool {
        let answer = self.inner.state.lock().unwrap().knocks.remove(&user);
        answer.is_some_and(|answer| answer.send(let_in).is_ok())
    }

    fn knock(&self, user: UserId, profile: UserProfile, role: Role) -> BoxFuture<'static, bool> {
        let (answer, answered) = oneshot::channel();
        self.inner.state.lock().unwrap().knocks.insert(user, answer);
        let knocker = Knocker { user, profile, role, since_ms: 0 };
        self.inner.knockers.send_modify(|knockers| knockers.push(knocker));
        let back = TakenBack(Arc::clone(&self.inner), user);
        Box::pin(async move {
            let _back = back;
            answered.await.unwrap_or(false)
        })
    }

    fn sync_report(&self, user: UserId, report: SyncReport) {
        self.inner.state.lock().unwrap().reports.push((user, report));
    }

    fn upload_finished(&self, user: UserId, hash: ContentHash, file_name: String) -> BoxFuture<'static, ()> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.share(user, hash, file_name) })
    }

    fn upload_failed(
        &self,
        user: UserId,
        hash: ContentHash,
        file_name: String,
        Unavailable { code, message: reason }: Unavailable,
    ) -> BoxFuture<'static, ()> {
        let inner = Arc::clone(&self.inner);
        let command = Command::FailProcessing { hash, file_name, code, reason };
        let command = CommandEnvelope { id: command_id(), actor: user, command };
        Box::pin(async move {
            let mut state = inner.state.lock().unwrap();
            inner.carry_out(&mut state, &command).expect("a host may say so");
        })
    }
}
