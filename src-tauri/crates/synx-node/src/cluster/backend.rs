//! A room of a cluster as this node's server sees it: the room, and what goes on in it on other nodes.

use crate::cluster::house::ClusterHouse;
use crate::cluster::{knocks, lead, passing, seats};
use crate::room::abandoned;
use crate::room::backend::HostBackend;
use crate::room::hosted::HostedRoom;
use crate::room::lead::SyncBoard;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use synx_domain::{CommandEnvelope, ContentHash, Envelope, Role, Room, RoomId, UserId, UserProfile};
use synx_net::wire::{Knocker, ServerMessage, SyncReport};
use synx_net::{CommandFailure, RoomBackend, RoomInstant, Unavailable};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A room that is open on this node.
pub struct ClusterBackend {
    room: RoomId,
    here: HostBackend,
    /// What the peers of this node report.
    local: Arc<SyncBoard>,
    house: Arc<ClusterHouse>,
    /// Who knocks at any node.
    knockers: watch::Receiver<Vec<Knocker>>,
    _tasks: JoinSet<()>,
}

impl ClusterBackend {
    /// Opens the server's side of a room, and takes part in what the nodes do for it.
    pub fn open(house: &Arc<ClusterHouse>, room: &Arc<HostedRoom>) -> Self {
        let local = Arc::new(SyncBoard::default());
        let mut tasks = JoinSet::new();
        let (all, knockers) = watch::channel(Vec::new());
        tasks.spawn(knocks::share(Arc::clone(room), Arc::clone(house), all));
        tasks.spawn(lead::lead(Arc::clone(room), Arc::clone(house)));
        tasks.spawn(passing::hear(Arc::clone(room), Arc::clone(house)));
        tasks.spawn(passing::report(Arc::clone(room), Arc::clone(&local), Arc::clone(house)));
        tasks.spawn(seats::answer(room.id(), Arc::clone(house)));
        tasks.spawn(seats::keep(Arc::clone(room), Arc::clone(house)));
        tasks.spawn(seats::dismiss(Arc::clone(room), Arc::clone(house)));
        tasks.spawn(abandoned::give_up(Arc::clone(room), Arc::downgrade(house)));
        tasks.spawn(abandoned::remove_given_up(Arc::clone(room), house.shelf.audio().clone()));
        let here = HostBackend::new(house, room);
        Self { room: room.id(), here, local, house: Arc::clone(house), knockers, _tasks: tasks }
    }
}

impl RoomBackend for ClusterBackend {
    fn room_id(&self) -> RoomId {
        self.room
    }

    fn execute(&self, command: CommandEnvelope) -> BoxFuture<'_, Result<u64, CommandFailure>> {
        self.here.execute(command)
    }

    fn look(&self, look: &mut dyn FnMut(&Room)) {
        self.here.look(look);
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.here.heads()
    }

    fn read(&self, after_seq: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<Envelope>>, Unavailable>> {
        self.here.read(after_seq, limit)
    }

    fn now(&self) -> RoomInstant {
        self.here.now()
    }

    fn knock(&self, user: UserId, profile: UserProfile, role: Role) -> BoxFuture<'static, bool> {
        self.here.knock(user, profile, role)
    }

    fn knockers(&self) -> watch::Receiver<Vec<Knocker>> {
        self.knockers.clone()
    }

    fn answer_knock(&self, user: UserId, let_in: bool) -> bool {
        let knocks = self.knockers.borrow().iter().any(|knocker| knocker.user == user);
        // At this node or another.
        if knocks && !self.here.answer_knock(user, let_in) {
            tokio::spawn(knocks::answer(Arc::clone(&self.house), self.room, user, let_in));
        }
        knocks
    }

    fn bring(&self, hash: ContentHash) -> BoxFuture<'_, bool> {
        self.here.bring(hash)
    }

    fn sync_report(&self, user: UserId, report: SyncReport) {
        self.local.put(user, report.clone());
        self.here.sync_report(user, report);
    }

    fn upload_finished(&self, user: UserId, hash: ContentHash, file_name: String) -> BoxFuture<'static, ()> {
        self.here.upload_finished(user, hash, file_name)
    }

    fn upload_failed(
        &self,
        user: UserId,
        hash: ContentHash,
        file_name: String,
        why: Unavailable,
    ) -> BoxFuture<'static, ()> {
        self.here.upload_failed(user, hash, file_name, why)
    }

    fn passed(&self, message: ServerMessage) {
        let (house, room) = (Arc::clone(&self.house), self.room);
        tokio::spawn(async move { passing::pass(&house, room, &message).await });
    }

    fn is_elsewhere(&self, user: UserId) -> BoxFuture<'static, bool> {
        let (house, room) = (Arc::clone(&self.house), self.room);
        Box::pin(async move { seats::is_elsewhere(&house, room, user).await })
    }
}
