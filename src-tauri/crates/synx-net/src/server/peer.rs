//! One peer's WebSocket: its commands in, its cursor through the log out.
//!
//! Must never buffer events for a peer: it holds a cursor, and frames that are ready are fed and flushed together.

mod hearing;

use crate::server::bucket::Bucket;
use crate::server::door::Door;
use crate::server::ending::{Ending, drained, over, unreadable};
use crate::server::files;
use crate::server::hall::Hall;
use crate::server::meters::{self, Counted};
use crate::server::socket::{Socket, at_once, ready_frame};
use crate::server::{CommandFailure, Phase, Shared, until};
use crate::wire::{CutOff, PROTOCOL_VERSION, ServerMessage};
use crate::{Limits, Session};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{Command, CommandEnvelope, CommandId, RoomSnapshot, UserProfile};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::{self, Message};
use uuid::Uuid;

/// Commands of one peer that may wait for their answers; after that its socket is read no further.
const UNANSWERED: usize = 64;

/// How long the page that is being written when a connection ends may take.
const LAST_WORDS: Duration = Duration::from_millis(500);

type Answer = BoxFuture<'static, ServerMessage>;
type Heard = Result<Message, tungstenite::Error>;

pub(super) fn refusal(id: Option<CommandId>, failure: &CommandFailure) -> ServerMessage {
    ServerMessage::error(id, failure.code(), failure.to_string())
}

/// A peer that is in. Dropping it gives the seat back.
pub(super) struct Peer {
    shop: Arc<Shared>,
    hall: Arc<Hall>,
    session: Session,
    news: watch::Receiver<u64>,
    passing: broadcast::Receiver<Bytes>,
    door: Door,
    closed: watch::Receiver<Option<Ending>>,
    phase: watch::Receiver<Phase>,
    end: watch::Receiver<Option<Ending>>,
    cursor: u64,
    /// Whether the log says already, or need not say, that this person is gone.
    left: bool,
    bucket: Bucket,
    _counted: Counted,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let (hall, user) = (Arc::clone(&self.hall), self.session.user);
        // Who is sent elsewhere has not left.
        let closing = self.closed.borrow().is_some() || *self.phase.borrow() != Phase::Serving;
        if !hall.stand_up(user) || self.left || closing {
            return;
        }
        let grace = self.shop.config.limits.return_grace;
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            let closed = hall.endings().borrow().is_some();
            let gone = !closed && !hall.is_connected(user) && hall.is_member(user);
            if gone && !hall.backend.is_elsewhere(user).await {
                hall.lost(user).await;
            }
        });
    }
}

/// What one turn of a peer's loop has to say.
type Outbox = Vec<Bytes>;

impl Peer {
    /// A peer whose member may still have to be let into the room; none if the house has no seat left.
    pub fn seat(shop: &Arc<Shared>, hall: Arc<Hall>, session: Session) -> Option<Self> {
        let limits = &shop.config.limits;
        Some(Self {
            shop: Arc::clone(shop),
            news: hall.listen(),
            passing: hall.passing(),
            door: Door::of(&hall, session.user),
            closed: hall.endings(),
            phase: shop.phase.subscribe(),
            end: hall.sit(session.user, limits)?,
            session,
            cursor: 0,
            left: false,
            bucket: Bucket::full(limits.messages_per_s, limits.message_burst),
            _counted: Counted::one(&shop.meters.peers),
            hall,
        })
    }

    /// Lets the member into the room. That is asked also of a room that shows them in it: their leaving may be about to be
    /// written, and what is asked comes after it; else only what is new of their profile is written.
    pub async fn enter(&mut self, profile: UserProfile) -> Result<(), CommandFailure> {
        let actor = self.session.user;
        // Who was not let in need not be said to have left.
        self.left = !self.hall.is_member(actor);
        let Session { role, invite, .. } = self.session;
        let command = Command::Join { profile, role, invite };
        let id = CommandId::from_uuid(Uuid::now_v7());
        self.hall.backend.execute(CommandEnvelope { id, actor, command }).await?;
        self.left = false;
        Ok(())
    }

    /// What the peer is told first: the room's state, or that what it missed follows.
    pub fn welcome(&mut self, last_seq: Option<u64>) -> Option<ServerMessage> {
        let snapshot = self.hall.backend.with(RoomSnapshot::of)?;
        let head_seq = snapshot.room.seq;
        let near = |seq: &u64| {
            let lag = head_seq.checked_sub(*seq).filter(|_| *seq >= self.hall.backend.dropped());
            lag.is_some_and(|lag| lag <= self.shop.config.limits.catch_up_events)
        };
        let resumed = last_seq.filter(near);
        self.cursor = resumed.unwrap_or(head_seq);
        let member = snapshot.room.present(self.session.user);
        let now = self.hall.backend.now();
        Some(ServerMessage::RoomJoined {
            protocol: PROTOCOL_VERSION,
            you: self.session.user,
            role: member.map_or(self.session.role, |member| member.role),
            snapshot: resumed.is_none().then(|| Arc::new(snapshot)),
            head_seq,
            epoch: now.epoch,
            room_time_us: now.us,
            cut_off: self.hall.was_cut_off(self.session.user),
        })
    }

    /// Serves until the connection ends; what the peer is told then.
    pub async fn run(&mut self, socket: &mut Socket) -> Option<Ending> {
        let Limits { ping_every, session, .. } = self.shop.config.limits;
        let every = |period| {
            let mut ticks = interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let (mut pings, mut renewals) = (every(ping_every), every(session / 2));
        let mut answers: FuturesUnordered<Answer> = FuturesUnordered::new();
        let mut heard = Instant::now();
        let mut draining = false;
        // First how far uploads are, and what happened between the snapshot and now.
        let under_way = files::under_way(&self.shop, &self.hall).iter().map(spoken).collect();
        if let Err(ending) = self.write(socket, under_way).await {
            return ending;
        }
        loop {
            let (mut out, mut ended) = (Outbox::new(), None);
            tokio::select! {
                changed = self.news.changed() => changed.ok()?,
                passing = self.passing.recv() => out.extend(passing),
                knocks = self.door.news() => out.push(spoken(&knocks)),
                Some(answer) = answers.next(), if !answers.is_empty() => out.push(spoken(&answer)),
                message = socket.next(), if answers.len() < UNANSWERED && !draining => {
                    heard = Instant::now();
                    ended = self.take_all(message, socket, &mut answers, &mut out).await.err();
                }
                _ = pings.tick() => {
                    if heard.elapsed() > ping_every * 3 {
                        self.cuts_off("silent", format!("nothing was heard of you for {} s", heard.elapsed().as_secs()));
                        return None;
                    }
                    socket.ping().await.ok()?;
                }
                _ = renewals.tick() => out.extend(self.renewed()),
                () = until(&mut self.phase, Phase::Draining), if !draining => draining = true,
                ending = over(&mut self.closed, &mut self.end) => {
                    if let Some(ending) = self.takes_to_heart(ending) {
                        return Some(ending);
                    }
                }
            }
            while let Ok(passing) = self.passing.try_recv() {
                out.push(passing);
            }
            // What can be said together takes one call to the system.
            while let Some(Some(answer)) = at_once(&mut answers).await {
                out.push(spoken(&answer));
            }
            // Whoever is gone is told nothing more.
            if ended == Some(None) {
                return None;
            }
            if let Err(ending) = self.write(socket, out).await {
                return ending;
            }
            if let Some(ending) = ended {
                return ending;
            }
            if draining && answers.is_empty() {
                return Some(drained());
            }
            if self.left {
                return Some(Ending {
                    code: "left",
                    reason: "you left the room".to_owned(),
                    reconnect: false,
                });
            }
        }
    }

    /// Feeds what there is to say and all events up to the head, and flushes once per page. How long a peer may take no
    /// byte is the connection's business.
    pub async fn write(&mut self, socket: &mut Socket, out: Outbox) -> Result<(), Option<Ending>> {
        socket.feed(out);
        if self.hall.is_behind_ring(self.cursor) {
            // What is to be read from the disk is not waited for.
            self.write_page(socket).await?;
        }
        loop {
            // What comes from here on wakes this peer again.
            self.news.mark_unchanged();
            let frames = self.hall.frames_after(self.cursor).await;
            let reached = frames.as_ref().ok().and_then(|frames| frames.last()).map(|last| last.seq);
            if let Ok(frames) = &frames {
                self.shop.meters.deliveries.increment(frames.len() as u64);
                socket.feed(frames.iter().map(|frame| frame.bytes.clone()));
            }
            self.write_page(socket).await?;
            frames.map_err(unreadable)?;
            match reached {
                Some(seq) => self.cursor = seq,
                None => return Ok(()),
            }
        }
    }

    async fn write_page(&mut self, socket: &mut Socket) -> Result<(), Option<Ending>> {
        let page = socket.flush();
        tokio::pin!(page);
        // Whoever takes little at a time must not put off the end by that.
        loop {
            let ending = tokio::select! {
                written = &mut page => return written.map_err(|error| self.broken(&error)),
                ending = over(&mut self.closed, &mut self.end) => ending,
            };
            if let Some(ending) = self.takes_to_heart(ending) {
                // What is being said is said to its end, to who listens: it may be the answer to their leaving.
                drop(timeout(LAST_WORDS, page).await);
                return Err(Some(ending));
            }
        }
    }

    /// The connection is gone. Where it was the host that gave it up, the person is told when they come back.
    fn broken(&self, error: &tungstenite::Error) -> Option<Ending> {
        if matches!(error, tungstenite::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut) {
            let patience = self.shop.config.limits.stalled.as_secs_f32();
            self.cuts_off(
                "stalled",
                format!("your connection took nothing of what was sent for {patience} s"),
            );
        }
        None
    }

    fn cuts_off(&self, code: &str, reason: String) {
        tracing::info!(user = %self.session.user, code, "a connection is cut off");
        self.hall.cuts_off(self.session.user, CutOff { code: code.to_owned(), reason });
    }

    /// An end, unless it is that of somebody who has come back meanwhile.
    fn takes_to_heart(&mut self, ending: Ending) -> Option<Ending> {
        let closed = self.closed.borrow().is_some();
        let is_in = !closed && self.hall.is_member(self.session.user);
        self.left = self.left || !is_in;
        (!is_in).then_some(ending)
    }

    fn renewed(&self) -> Option<Bytes> {
        // What the invite gave is in the room's record by now.
        let session = Session { invite: None, ..self.session };
        let token = self.shop.config.host_key.sign_session(&session, self.shop.config.limits.session).ok()?;
        Some(ready_frame(&ServerMessage::Token { token }))
    }

    /// Says goodbye, where there is something to say.
    pub async fn farewell(&self, socket: &mut Socket, ending: Option<Ending>) {
        if let Some(Ending { code, reason, reconnect }) = ending {
            meters::ended(code);
            let bye = ServerMessage::Bye { code: code.to_owned(), reason, reconnect };
            // A peer that takes nothing is not waited for long: its socket closes when this ends.
            drop(timeout(LAST_WORDS, say_last(socket, &bye)).await);
        }
    }
}

/// What is said to this peer alone, as a frame.
fn spoken(message: &ServerMessage) -> Bytes {
    meters::said(message);
    ready_frame(message)
}

pub(super) async fn say_last(socket: &mut Socket, message: &ServerMessage) {
    socket.feed([ready_frame(message)]);
    // Who is gone needs no goodbye.
    drop(socket.close().await);
}
