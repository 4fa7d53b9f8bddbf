//! Keeps one room connection alive: sends orders, hands on events, reconnects with back-off and catches up.

use crate::NetError;
use crate::client::dial::Dialler;
use crate::client::requests::{self, Pass, lost};
use crate::client::session::{self, Socket};
use crate::client::{ClientConfig, ClientEvent};
use crate::wire::{ClientMessage, PROTOCOL_VERSION, Request, ServerMessage};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synx_domain::CommandId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{self, Message};

/// First wait before a reconnect; it doubles up to [`RETRY_MAX`], each time shortened by chance, so that the peers of a host
/// that came back do not all knock at once.
const RETRY_MIN: Duration = Duration::from_millis(150);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// A connection that lived longer than this was good: after it the waits begin small again. One that breaks sooner, each
/// time, is tried less and less often.
const HOLDS: Duration = Duration::from_secs(5);

/// What the peer's program wants of the connection.
pub(crate) enum Order {
    /// A command that must be answered.
    Command { message: ClientMessage, id: CommandId, answer: oneshot::Sender<Result<u64, NetError>> },
    /// Something that may get lost.
    Say(ClientMessage),
}

/// A command that has no answer yet.
struct Unanswered {
    message: ClientMessage,
    answer: oneshot::Sender<Result<u64, NetError>>,
}

/// Why a connection ended.
enum End {
    /// It may come back.
    Broken(NetError),
    /// It may not: code and reason.
    Final(String, String),
    /// Nobody is interested any more.
    Dropped,
}

pub(crate) struct LinkLoop {
    config: ClientConfig,
    dialler: Arc<Dialler>,
    pass: Arc<Mutex<Pass>>,
    orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<ClientEvent>,
    /// In the order of their ids, which is the order in which they were made.
    unanswered: BTreeMap<CommandId, Unanswered>,
    last_seq: Option<u64>,
    /// Tries since a connection last held.
    attempts: u32,
}

/// A connection that was let in, with the host's welcome.
pub(crate) struct Connected {
    socket: Socket,
    welcome: ServerMessage,
}

/// What is on its way into a connection.
struct Outbox {
    sink: SplitSink<Socket, Message>,
    waiting: VecDeque<String>,
    /// Whether the socket holds something that it has not written yet.
    unflushed: bool,
}

impl Outbox {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.unflushed
    }

    /// Writes all that waits. May be dropped and called again: it goes on where it was.
    async fn send(&mut self) -> Result<(), tungstenite::Error> {
        while !self.waiting.is_empty() {
            poll_fn(|context| self.sink.poll_ready_unpin(context)).await?;
            if let Some(text) = self.waiting.pop_front() {
                self.unflushed = true;
                self.sink.start_send_unpin(Message::text(text))?;
            }
        }
        self.sink.flush().await?;
        self.unflushed = false;
        Ok(())
    }
}

impl LinkLoop {
    pub fn new(
        config: ClientConfig,
        dialler: Arc<Dialler>,
        pass: Arc<Mutex<Pass>>,
        orders: mpsc::Receiver<Order>,
        events: mpsc::Sender<ClientEvent>,
    ) -> Self {
        Self {
            config,
            dialler,
            pass,
            orders,
            events,
            unanswered: BTreeMap::new(),
            last_seq: None,
            attempts: 0,
        }
    }

    /// Proves who one is, connects and enters the room.
    pub async fn connect(&mut self) -> Result<Connected, NetError> {
        let link = &self.config.link;
        let admission = requests::admission(
            &self.dialler,
            link.room,
            &self.config.identity,
            link.fingerprint,
            link.invite.clone(),
        )
        .await?;
        let Pass { token, proof } = self.keep_token(admission.token);
        let join = ClientMessage::JoinRoom {
            protocol: PROTOCOL_VERSION,
            room: link.room,
            token,
            proof: Some(proof),
            profile: self.config.profile.clone(),
            last_seq: self.last_seq,
        };
        let mut socket = session::upgrade(self.dialler.dial().await?, "/ws", None).await?;
        let welcome = session::enter(&mut socket, &join, &*self.config.waiting).await?;
        Ok(Connected { socket, welcome })
    }

    fn keep_token(&self, token: String) -> Pass {
        let pass = Pass::of(&self.config.identity, token);
        self.pass.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&pass);
        pass
    }

    /// Lives until the room ends or nobody listens.
    pub async fn run(mut self, mut connected: Connected) {
        loop {
            match self.live(connected).await {
                End::Dropped => return,
                End::Final(code, reason) => return self.end(code, reason).await,
                End::Broken(error) => match self.reconnect(error).await {
                    Ok(again) => connected = again,
                    Err(End::Final(code, reason)) => return self.end(code, reason).await,
                    Err(_) => return,
                },
            }
        }
    }

    async fn end(self, code: String, reason: String) {
        for (_, unanswered) in self.unanswered {
            let refused = NetError::Refused { code: code.clone(), message: reason.clone() };
            drop(unanswered.answer.send(Err(refused)));
        }
        drop(self.events.send(ClientEvent::Ended { code, reason }).await);
    }

    async fn reconnect(&mut self, error: NetError) -> Result<Connected, End> {
        let mut reason = error.to_string();
        loop {
            self.attempts = self.attempts.saturating_add(1);
            let attempt = self.attempts;
            let event = ClientEvent::Reconnecting { attempt, reason };
            self.events.send(event).await.map_err(|_| End::Dropped)?;
            let longest = (RETRY_MIN * 2_u32.saturating_pow(attempt - 1)).min(RETRY_MAX);
            tokio::time::sleep(longest.mul_f64(0.5 + 0.5 * rand::random::<f64>())).await;
            match self.connect().await {
                Ok(connected) => {
                    self.events.send(ClientEvent::Reconnected).await.map_err(|_| End::Dropped)?;
                    return Ok(connected);
                }
                Err(NetError::Refused { code, message }) if is_final(&code) => {
                    return Err(End::Final(code, message));
                }
                Err(
                    error @ (NetError::Protocol(_)
                    | NetError::OtherProtocol { .. }
                    | NetError::WrongCertificate { .. }),
                ) => {
                    return Err(End::Final(error.code().to_owned(), error.to_string()));
                }
                Err(error) => reason = error.to_string(),
            }
        }
    }

    async fn live(&mut self, connected: Connected) -> End {
        let Connected { socket, welcome } = connected;
        if let Err(end) = self.take(welcome).await {
            return end;
        }
        let (sink, mut stream) = socket.split();
        let mut outbox = Outbox { sink, waiting: VecDeque::new(), unflushed: false };
        outbox.waiting.extend(self.unanswered.values().map(|unanswered| unanswered.message.encode()));
        let began = Instant::now();
        let mut heard = began;
        loop {
            if began.elapsed() > HOLDS {
                self.attempts = 0;
            }
            tokio::select! {
                message = session::next(&mut stream) => {
                    heard = Instant::now();
                    let taken = match message {
                        Ok(Some(message)) => self.take(message).await,
                        Ok(None) => Ok(()),
                        Err(error @ NetError::Protocol(_)) => {
                            Err(End::Final(error.code().to_owned(), error.to_string()))
                        }
                        Err(error) => Err(End::Broken(error)),
                    };
                    if let Err(end) = taken {
                        return end;
                    }
                }
                order = self.orders.recv(), if outbox.is_empty() => {
                    let Some(order) = order else { return End::Dropped };
                    let text = self.accept(order);
                    outbox.waiting.push_back(text);
                }
                // A connection that takes nothing must not keep this side from listening, nor from noticing.
                sent = outbox.send(), if !outbox.is_empty() => {
                    if let Err(error) = sent {
                        return End::Broken(lost(error));
                    }
                }
                () = tokio::time::sleep_until(heard + self.config.silence) => {
                    return End::Broken(lost("the host has gone silent"));
                }
            }
        }
    }

    fn accept(&mut self, order: Order) -> String {
        match order {
            Order::Say(message) => message.encode(),
            Order::Command { message, id, answer } => {
                let text = message.encode();
                self.unanswered.insert(id, Unanswered { message, answer });
                text
            }
        }
    }

    /// Takes in one message of the host.
    async fn take(&mut self, message: ServerMessage) -> Result<(), End> {
        let event = match message {
            ServerMessage::RoomJoined { snapshot, cut_off, .. } => {
                if let Some(why) = cut_off {
                    self.hand_on(ClientEvent::CutOff(why)).await?;
                }
                let Some(snapshot) = snapshot else { return Ok(()) };
                self.last_seq = Some(snapshot.room.seq);
                ClientEvent::Joined { snapshot }
            }
            ServerMessage::Event(event) => {
                let envelope = event.into_envelope(self.config.link.room);
                match self.last_seq {
                    Some(last) if envelope.seq <= last => return Ok(()),
                    Some(last) if envelope.seq > last + 1 => {
                        return Err(End::Broken(lost(format!("event {} came after {last}", envelope.seq))));
                    }
                    _ => self.last_seq = Some(envelope.seq),
                }
                ClientEvent::Event(Arc::new(envelope))
            }
            ServerMessage::Ok { id, seq } => return self.answer(id, Ok(seq)),
            ServerMessage::Error { id: Some(id), code, message } => {
                return self.answer(id, Err(NetError::Refused { code, message }));
            }
            // Of a message that needs no answer: the host says `bye` when it means the connection.
            ServerMessage::Error { id: None, code, message } => {
                tracing::warn!(code, message, "the host refused a message");
                return Ok(());
            }
            ServerMessage::Token { token } => {
                self.keep_token(token);
                return Ok(());
            }
            ServerMessage::Bye { reconnect: true, reason, .. } => return Err(End::Broken(lost(reason))),
            ServerMessage::Bye { code, reason, .. } => return Err(End::Final(code, reason)),
            transient => ClientEvent::Transient(Box::new(transient)),
        };
        self.hand_on(event).await
    }

    async fn hand_on(&self, event: ClientEvent) -> Result<(), End> {
        self.events.send(event).await.map_err(|_| End::Dropped)
    }

    fn answer(&mut self, id: CommandId, outcome: Result<u64, NetError>) -> Result<(), End> {
        if let Some(unanswered) = self.unanswered.remove(&id) {
            let updated = match &unanswered.message {
                ClientMessage::Command { request: Request::UpdateProfile { profile }, .. } => Some(profile),
                _ => None,
            };
            // A later join must not bring the old one back.
            if let (Some(profile), Ok(_)) = (updated, &outcome) {
                self.config.profile = profile.clone();
            }
            // Who asked may have stopped waiting.
            drop(unanswered.answer.send(outcome));
        }
        Ok(())
    }
}

/// Whether trying again is of no use, however often: what nobody but a person can change. What a later host may say
/// besides is worth another try.
fn is_final(code: &str) -> bool {
    matches!(
        code,
        "removed"
            | "sent_out"
            | "room_closed"
            | "room_full"
            | "not_allowed"
            | "invite_expired"
            | "invite_forged"
            | "invite_other_room"
            | "invite_missing"
            | "invite_revoked"
            | "invite_used_up"
            | "knock_refused"
            | "knock_unanswered"
            | "protocol_version"
            | "invalid"
            | "malformed"
            | "unknown_type"
            | "not_a_message"
            | "bad_frame"
            | "host_not_allowed"
            | "origin_not_allowed"
    )
}
