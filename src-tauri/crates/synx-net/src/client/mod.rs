//! A peer's side: joins a room, keeps the connection over breaks, and hands on what the host says in log order.
//!
//! Must never show an event twice, out of order or with one missing: a gap ends the connection, and the next one asks for
//! what follows the last event that is here.

mod clock;
mod dial;
mod history;
mod link_loop;
mod requests;
mod session;
mod transfer;

pub use clock::{ClockLink, ClockReading};

use crate::transport::{Dial, Tcp};
use crate::wire::{ClientMessage, CutOff, ServerMessage, SyncReport};
use crate::{AudioStore, Identity, InviteLink, NetError};
use dial::Dialler;
use link_loop::{LinkLoop, Order};
use requests::Pass;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synx_domain::{Command, CommandId, Envelope, LeaveReason, RoomId, RoomSnapshot, UserId, UserProfile};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use uuid::Uuid;

/// Commands that may wait for the connection.
const ORDERS_WAITING: usize = 256;
/// Events that may wait for the peer's own program.
const EVENTS_WAITING: usize = 1024;

/// A host pings every five seconds: a connection that is silent for longer than this is dead.
pub const SILENCE: Duration = Duration::from_secs(20);

/// How to join.
#[derive(Clone)]
pub struct ClientConfig {
    /// Addresses (`host:port`) in place of those of the link.
    pub addresses: Option<Vec<String>>,
    /// Who joins.
    pub identity: Arc<Identity>,
    /// How they appear.
    pub profile: UserProfile,
    /// Where fetched audio goes.
    pub audio: AudioStore,
    /// Which room, and where.
    pub link: InviteLink,
    /// Told when the host is asked whether one may come in, in words for a person.
    pub waiting: Arc<dyn Fn(&str) + Send + Sync>,
    /// How long a host may be silent before the connection is made anew, [`SILENCE`] as a rule.
    pub silence: Duration,
}

/// What happens to a room connection.
#[derive(Debug, Clone)]
pub enum ClientEvent {
    /// The room's state: at the join, and when what was missed cannot be told one by one.
    Joined {
        /// The state.
        snapshot: Arc<RoomSnapshot>,
    },
    /// The next event of the log.
    Event(Arc<Envelope>),
    /// Something that is not history.
    Transient(Box<ServerMessage>),
    /// The connection broke and is being made anew.
    Reconnecting {
        /// Tries so far.
        attempt: u32,
        /// Why it broke.
        reason: String,
    },
    /// It is there again, and the host says that it had given it up before. Comes after [`ClientEvent::Reconnected`].
    CutOff(CutOff),
    /// It is there again.
    Reconnected,
    /// It will not come back.
    Ended {
        /// Stable code.
        code: String,
        /// Why, for a person.
        reason: String,
    },
}

/// A room connection. Dropping it ends it.
pub struct RoomClient {
    pub(crate) dialler: Arc<Dialler>,
    pub(crate) audio: AudioStore,
    room: RoomId,
    pass: Arc<Mutex<Pass>>,
    orders: mpsc::Sender<Order>,
    task: AbortHandle,
}

impl RoomClient {
    /// Joins; returns once the host has let one in. The first event is [`ClientEvent::Joined`].
    ///
    /// # Errors
    /// When no address answers, the certificate is another one, or the host refuses.
    pub async fn join(config: ClientConfig) -> Result<(Self, mpsc::Receiver<ClientEvent>), NetError> {
        Self::join_over(config, Arc::new(Tcp)).await
    }

    /// Joins over another network than this machine's.
    ///
    /// # Errors
    /// As [`RoomClient::join`].
    pub async fn join_over(
        config: ClientConfig,
        network: Arc<dyn Dial>,
    ) -> Result<(Self, mpsc::Receiver<ClientEvent>), NetError> {
        let dialler = Arc::new(Dialler::new(&config.link, config.addresses.clone(), network)?);
        let (room, audio) = (config.link.room, config.audio.clone());
        let pass = Arc::new(Mutex::new(Pass::default()));
        let (orders, received) = mpsc::channel(ORDERS_WAITING);
        let (events, happened) = mpsc::channel(EVENTS_WAITING);
        let mut link_loop = LinkLoop::new(config, Arc::clone(&dialler), Arc::clone(&pass), received, events);
        let connected = link_loop.connect().await?;
        let task = tokio::spawn(link_loop.run(connected)).abort_handle();
        Ok((Self { dialler, audio, room, pass, orders, task }, happened))
    }

    pub(crate) fn room(&self) -> RoomId {
        self.room
    }

    pub(crate) fn pass(&self) -> Pass {
        self.pass.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the host, over reconnects if need be, under an id that is kept; its answer is the seq of the last event.
    ///
    /// # Errors
    /// The host's refusal, or that the connection has ended.
    pub async fn execute(&self, command: Command) -> Result<u64, NetError> {
        let id = CommandId::from_uuid(Uuid::now_v7());
        let host_only = || NetError::Protocol("a command that only a host may give".to_owned());
        let request = crate::wire::Request::of(command).ok_or_else(host_only)?;
        let (answer, answered) = oneshot::channel();
        let order = Order::Command { message: ClientMessage::Command { id, request }, id, answer };
        self.orders.send(order).await.map_err(|_| NetError::Ended)?;
        answered.await.unwrap_or(Err(NetError::Ended))
    }

    /// Tells the host how well one plays in time. Lost without harm while the connection is.
    pub fn report(&self, report: SyncReport) {
        drop(self.orders.try_send(Order::Say(ClientMessage::SyncReport { report })));
    }

    /// Says, as the room's host, whether somebody who knocks may come in.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn answer_knock(&self, user: UserId, let_in: bool) -> Result<(), NetError> {
        let word = Order::Say(ClientMessage::AnswerKnock { user, let_in });
        self.orders.send(word).await.map_err(|_| NetError::Ended)
    }

    /// A connection for clock probes.
    ///
    /// # Errors
    /// When the host cannot be reached or refuses.
    pub async fn clock_link(&self) -> Result<ClockLink, NetError> {
        ClockLink::connect(&self.dialler, self.room, &self.pass()).await
    }

    /// Tells the host that one leaves. The connection does not come back.
    ///
    /// # Errors
    /// When the host cannot be told in time; it notices by itself then.
    pub async fn leave(&self) -> Result<(), NetError> {
        /// Nobody waits longer for a goodbye.
        const GOODBYE: Duration = Duration::from_secs(2);
        let left = self.execute(Command::Leave { reason: LeaveReason::Left });
        let told = tokio::time::timeout(GOODBYE, left).await;
        self.task.abort();
        told.unwrap_or(Err(NetError::Ended)).map(drop)
    }
}

/// Whether a server with this certificate answers there and takes peers.
pub async fn takes_peers(address: &str, fingerprint: Option<[u8; 32]>) -> bool {
    /// One that takes longer is of no help to who is to go there.
    const ANSWER: Duration = Duration::from_secs(1);
    let link = InviteLink {
        room: RoomId::from_bytes([0; 16]),
        name: String::new(),
        addresses: vec![address.to_owned()],
        fingerprint,
        invite: None,
    };
    let asked = async {
        let dialled = Dialler::new(&link, None, Arc::new(Tcp))?.dial().await?;
        let health = requests::request(http::Method::GET, "/api/v1/health".to_owned(), None);
        requests::send(dialled, health, requests::empty(), None).await
    };
    matches!(tokio::time::timeout(ANSWER, asked).await, Ok(Ok(_)))
}

impl Drop for RoomClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}
