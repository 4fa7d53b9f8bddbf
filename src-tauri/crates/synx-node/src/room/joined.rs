//! A room that lives elsewhere: the same fold as at the host, fed over the wire.
//!
//! Must never decide: what somebody may do is the host's answer.

use crate::bridge::RoomConnection;
use crate::error::NodeError;
use crate::room::clock::{self, RoomClock};
use crate::room::coming::Coming;
use crate::room::feed::Feed;
use std::sync::{Arc, PoisonError, RwLock};
use synx_domain::{Command, Room, UserId};
use synx_net::wire::{CutOff, Knocker, ServerMessage, SyncReport};
use synx_net::{ClientConfig, ClientEvent, RoomClient};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How the connection to the host is.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Connected or reconnecting.
    pub state: RoomConnection,
    /// Why it reconnects.
    pub problem: Option<String>,
    /// Why the host gave the connection up before this one: code and sentence.
    pub cut_off: Option<(String, String)>,
    /// Set when it will not come back: code and sentence.
    pub ended: Option<(String, String)>,
}

/// A peer's side of a room. Dropping it ends the connection and its tasks.
pub struct JoinedRoom {
    client: Arc<RoomClient>,
    room: Arc<RwLock<Room>>,
    changes: watch::Receiver<u64>,
    connection: watch::Receiver<Connection>,
    clock: watch::Receiver<RoomClock>,
    feed: Arc<Feed>,
    reports: watch::Receiver<Vec<(UserId, SyncReport)>>,
    knockers: watch::Receiver<Vec<Knocker>>,
    coming: Coming,
    _tasks: JoinSet<()>,
}

impl JoinedRoom {
    /// Joins, and returns once the room's present state is here.
    ///
    /// # Errors
    /// When no address answers, or the host refuses.
    pub async fn join(config: ClientConfig) -> Result<Self, NodeError> {
        let (client, events) = RoomClient::join(config).await?;
        let client = Arc::new(client);
        let room = Arc::new(RwLock::new(Room::default()));
        let feed = Arc::new(Feed::default());
        let (reports_in, reports) = watch::channel(Vec::new());
        let coming = Coming::default();
        let (knockers_in, knockers) = watch::channel(Vec::new());
        let (changes_in, mut changes) = watch::channel(0);
        let connected =
            Connection { state: RoomConnection::Connected, problem: None, cut_off: None, ended: None };
        let (connection_in, connection) = watch::channel(connected);
        let (clock_in, clock) = watch::channel(RoomClock::default());
        let mut tasks = JoinSet::new();
        let follower = Follower {
            room: Arc::clone(&room),
            changes: changes_in,
            connection: connection_in,
            feed: Arc::clone(&feed),
            reports: reports_in,
            knockers: knockers_in,
            coming: coming.clone(),
        };
        tasks.spawn(follower.run(events));
        tasks.spawn(clock::follow(Arc::clone(&client), clock_in));
        // The first message is the snapshot; the follower ends, and with it `changes`, if it does not come.
        changes.changed().await.map_err(|_| NodeError::Closing)?;
        Ok(Self { client, room, changes, connection, clock, feed, reports, knockers, coming, _tasks: tasks })
    }

    /// The connection, for transfers.
    pub fn client(&self) -> &Arc<RoomClient> {
        &self.client
    }

    /// Looks at the room as far as it is known here.
    pub fn with<T>(&self, look: impl FnOnce(&Room) -> T) -> T {
        look(&self.room.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The seq that is known here, as it grows.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// How the connection is, as it changes.
    pub fn connection(&self) -> watch::Receiver<Connection> {
        self.connection.clone()
    }

    /// Room time as it is known here.
    pub fn clock(&self) -> watch::Receiver<RoomClock> {
        self.clock.clone()
    }

    /// All messages of the room from now on.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// How well everybody plays in time, as the host told last.
    pub fn reports(&self) -> watch::Receiver<Vec<(UserId, SyncReport)>> {
        self.reports.clone()
    }

    /// Who waits to be let in; nobody is told but the host, who may be a peer of a cluster like any other.
    pub fn knockers(&self) -> watch::Receiver<Vec<Knocker>> {
        self.knockers.clone()
    }

    /// How far files are that others send.
    pub fn coming(&self) -> &Coming {
        &self.coming
    }

    /// Says, as the host, whether somebody who knocks may come in.
    ///
    /// # Errors
    /// [`NodeError::NobodyKnocks`], or that the room has ended.
    pub async fn answer_knock(&self, user: UserId, let_in: bool) -> Result<(), NodeError> {
        if !self.knockers.borrow().iter().any(|knocker| knocker.user == user) {
            return Err(NodeError::NobodyKnocks);
        }
        Ok(self.client.answer_knock(user, let_in).await?)
    }

    /// Tells the host that one leaves, and ends the connection.
    ///
    /// # Errors
    /// When the host could not be told; it notices by itself then.
    pub async fn leave(&self) -> Result<(), NodeError> {
        Ok(self.client.leave().await?)
    }

    /// Asks the host, over reconnects if need be, and waits for its answer.
    ///
    /// # Errors
    /// The host's refusal, or that the room has ended.
    pub async fn execute(&self, command: Command) -> Result<u64, NodeError> {
        Ok(self.client.execute(command).await?)
    }
}

/// Takes in what the host says.
struct Follower {
    room: Arc<RwLock<Room>>,
    changes: watch::Sender<u64>,
    connection: watch::Sender<Connection>,
    feed: Arc<Feed>,
    reports: watch::Sender<Vec<(UserId, SyncReport)>>,
    knockers: watch::Sender<Vec<Knocker>>,
    coming: Coming,
}

impl Follower {
    async fn run(self, mut events: mpsc::Receiver<ClientEvent>) {
        while let Some(event) = events.recv().await {
            self.take(event);
        }
    }

    fn take(&self, event: ClientEvent) {
        match event {
            ClientEvent::Joined { snapshot } => match Arc::unwrap_or_clone(snapshot).into_room() {
                Ok(room) => self.change(|known| *known = room),
                Err(error) => self.connected(|connection| {
                    connection.ended = Some(("snapshot_version".to_owned(), error.to_string()));
                }),
            },
            ClientEvent::Event(envelope) => {
                self.change(|room| room.apply(&envelope));
                self.feed.send(&ServerMessage::from(&*envelope));
            }
            ClientEvent::Transient(message) => {
                match &*message {
                    ServerMessage::SyncReports { reports } => {
                        drop(self.reports.send_replace(reports.clone()))
                    }
                    ServerMessage::Knocks { knocks } => drop(self.knockers.send_replace(knocks.clone())),
                    other => self.coming.take(other),
                }
                self.feed.send(&message);
            }
            ClientEvent::Reconnecting { reason, .. } => {
                // Whoever still knocks is named again.
                self.knockers.send_replace(Vec::new());
                self.connected(|connection| {
                    connection.state = RoomConnection::Reconnecting;
                    connection.cut_off = None;
                    connection.problem = Some(reason);
                });
            }
            ClientEvent::CutOff(CutOff { code, reason }) => {
                tracing::warn!(code, reason, "the host had cut the connection off");
                self.connected(|connection| connection.cut_off = Some((code, reason)));
            }
            ClientEvent::Reconnected => self.connected(|connection| {
                connection.state = RoomConnection::Connected;
                connection.problem = None;
            }),
            ClientEvent::Ended { code, reason } => {
                self.connected(|connection| connection.ended = Some((code, reason)));
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Room)) {
        let mut room = self.room.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut room);
        self.changes.send_replace(room.seq);
    }

    fn connected(&self, change: impl FnOnce(&mut Connection)) {
        self.connection.send_modify(change);
    }
}
