//! Hosting: a room of this machine with its server, its invites and its announcement on the network.

use crate::error::NodeError;
use crate::node::Inner;
use crate::room::backend::HostBackend;
use crate::room::feed::Feed;
use crate::room::hosted::HostedRoom;
use crate::room::invites::{self, Door, FirstInvite, NewInvite, invite_link};
use crate::room::reach::Reach;
use crate::room::{abandoned, archive};
use crate::settings::Offer;
use futures_util::future::join_all;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{
    Command, InviteId, InviteTerms, LeaveReason, Rejection, Role, Room, RoomId, RoomSettings, UserId,
    Visibility,
};
use synx_log::{Log, LogError};
use synx_net::wire::{ServerMessage, SyncReport};
use synx_net::{Announcement, HostKey, LanNotice, Server, ServerConfig, TlsIdentity};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Port of rooms where none is asked for: the one of the last room, else a free one.
const ANY_PORT: u16 = 0;
/// After a restart, members that were in the room have this long to come back before they count as gone.
const RETURN_GRACE: Duration = Duration::from_secs(15);

/// How to open a room.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Settings of a new room; none opens `room` again.
    pub settings: Option<RoomSettings>,
    /// The room.
    pub room: RoomId,
    /// Where to listen; none is every address, on the port that was used last.
    pub listen: Option<SocketAddr>,
    /// Whether the server has a certificate of its own.
    pub tls: bool,
    /// The address of a proxy with an ordinary certificate that leads here, `https://name`.
    pub public_address: Option<String>,
}

/// A room that is open on this machine. [`Hosting::end`] closes it.
pub struct Hosting {
    room: Arc<HostedRoom>,
    me: UserId,
    server: Server,
    host_key: Arc<HostKey>,
    fingerprint: Option<[u8; 32]>,
    reach: Reach,
    first_invite: Arc<FirstInvite>,
    feed: Arc<Feed>,
    _tasks: JoinSet<()>,
}

impl Hosting {
    /// Opens the room and its server.
    ///
    /// # Errors
    /// When the log cannot be read or written, or the port is taken.
    pub async fn open(inner: &Arc<Inner>, opening: Opening) -> Result<Self, NodeError> {
        // First what may fail by this machine: then no room is made that never opens.
        let (host_key, tls) = keys(inner, opening.tls)?;
        let (listener, listening) = listen(inner, &opening)?;
        let config = server_config(inner, &opening, listening, tls.clone(), &host_key)?;
        let reach = Reach::new(listening, opening.tls, opening.public_address.clone());
        let addresses = reach.addresses();
        let offer = Offer { port: listening.port(), addresses: addresses.clone(), tls: opening.tls };
        inner.settings().change(|values| values.offer = Some(offer))?;
        let room = Arc::new(HostedRoom::open(inner.log.clone(), opening.room).await?);
        let me = inner.me();
        enter(inner, &room, opening.settings.clone()).await?;
        let fingerprint = tls.as_ref().map(TlsIdentity::fingerprint);
        let feed = Arc::new(Feed::default());
        let server = Server::over(config, listener)?;
        server.add_room(Arc::new(HostBackend::new(inner, &room)));
        let first_invite = Arc::new(FirstInvite::of(&room, me).await?);
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&first_invite).follow(Arc::clone(&room), me, inner.room_changed()));
        tasks.spawn(abandoned::give_up(Arc::clone(&room), Arc::downgrade(inner)));
        tasks.spawn(abandoned::remove_given_up(Arc::clone(&room), inner.audio.clone()));
        tasks.spawn(abandoned::sweep(inner.audio.clone()));
        tasks.spawn(archive::keep_small(Arc::clone(&room)));
        tasks.spawn(feed_from_log(Arc::clone(&room), Arc::clone(&feed)));
        tasks.spawn(dismiss_the_gone(Arc::clone(&room), server.handle()));
        tasks.spawn(announce(Arc::clone(&room), inner.lan.seen(), listening.port(), fingerprint));
        tasks.spawn(reach.clone().follow(addresses, moved(inner)));
        Ok(Self { room, me, server, host_key, fingerprint, reach, first_invite, feed, _tasks: tasks })
    }

    /// The room.
    pub fn room(&self) -> &Arc<HostedRoom> {
        &self.room
    }

    /// Oneself: the host.
    pub fn me(&self) -> UserId {
        self.me
    }

    /// All messages of the room from now on.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// The link for listeners, with its invite.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn link(&self) -> Result<(InviteId, String), NodeError> {
        let terms = self.first_invite.terms();
        Ok((terms.id, self.link_by(&terms)?))
    }

    /// The link with an invite that the room knows of.
    ///
    /// # Errors
    /// [`Rejection::NoSuchInvite`], or when it cannot be signed.
    pub fn link_of(&self, invite: InviteId) -> Result<String, NodeError> {
        let known = self.room.with(|room| room.invites.get(&invite).map(|invite| invite.terms));
        self.link_by(&known.ok_or(Rejection::NoSuchInvite)?)
    }

    fn link_by(&self, terms: &InviteTerms) -> Result<String, NodeError> {
        let door = Door { addresses: self.addresses(), fingerprint: self.fingerprint };
        self.room.with(|room| invite_link(&self.host_key, room, door, terms))
    }

    /// Where the server listens.
    pub fn port(&self) -> u16 {
        self.server.local_addr().port()
    }

    /// Where others reach the room now.
    pub fn addresses(&self) -> Vec<String> {
        self.reach.addresses()
    }

    /// Where others on other machines do.
    pub fn addresses_elsewhere(&self) -> Vec<String> {
        self.reach.addresses_elsewhere()
    }

    /// A new invite, with its link.
    ///
    /// # Errors
    /// The room's refusal, or when the invite cannot be written or signed.
    pub async fn invite(&self, new: NewInvite) -> Result<(InviteId, String), NodeError> {
        let terms = invites::create(&self.room, self.me, new).await?;
        Ok((terms.id, self.link_by(&terms)?))
    }

    /// Takes an invite back, by its id or its link.
    ///
    /// # Errors
    /// As [`invites::revoke`].
    pub async fn revoke(&self, id_or_link: &str) -> Result<(), NodeError> {
        invites::revoke(&self.room, self.me, &self.host_key, id_or_link).await
    }

    /// Takes in the host's own report.
    pub fn report(&self, report: SyncReport) {
        self.room.board().put(self.me, report);
    }

    /// Tells everybody all reports.
    pub fn tell_reports(&self) {
        let message = ServerMessage::sync_reports(self.room.board().recent());
        self.server.broadcast(self.room.id(), &message);
    }

    /// Stops serving the room and leaves it open: everybody is told to come back, after a restart or on another node.
    pub async fn drain(&self, patience: Duration) {
        self.server.drain(patience).await;
    }

    /// Closes the room: everybody is told, the music stands, and all have left. Who opens it again finds it so.
    ///
    /// # Errors
    /// When that could not be written.
    pub async fn end(&self) -> Result<(), NodeError> {
        // First, so that each is told of the room's end, not of the own leaving.
        self.server.remove_room(self.room.id(), "the host closed the room").await;
        let paused = self.room.execute_as(self.me, Command::Pause).await;
        let present: Vec<UserId> = self.room.with(|room| room.present_users().collect());
        let leave = |user| self.room.execute_as(user, Command::Leave { reason: LeaveReason::Left });
        let left = join_all(present.into_iter().map(leave)).await;
        self.server.stop().await;
        left.into_iter().chain([paused]).try_for_each(|left| left.map(drop)).map_err(NodeError::from)
    }
}

/// What invites are signed with, and what the server encrypts with: made when they are not there.
fn keys(inner: &Inner, tls: bool) -> Result<(Arc<HostKey>, Option<TlsIdentity>), NodeError> {
    let _writing = inner.data.gate().enter().map_err(|_| NodeError::Closing)?;
    let host_key = HostKey::load_or_create(&inner.paths().host_key())?;
    let tls = tls.then(|| TlsIdentity::load_or_create(&inner.paths().tls())).transpose()?;
    Ok((Arc::new(host_key), tls))
}

/// Creates the room, or comes back into it and takes the music along.
async fn enter(inner: &Inner, room: &HostedRoom, settings: Option<RoomSettings>) -> Result<(), NodeError> {
    let (me, profile) = (inner.me(), inner.person.lock().await.profile());
    match settings {
        Some(settings) => room.execute_as(me, Command::CreateRoom { profile, settings }).await?,
        None => {
            // Before the coming back is an event itself.
            let resume = after_restart(&inner.log, room, |user| user != me).await?;
            room.execute_as(me, Command::Join { profile, role: Role::Host, invite: None }).await?;
            room.execute_as(me, resume).await?
        }
    };
    Ok(())
}

/// What a host does that starts again: the music went on for those of `hearers` who were in the room. Only a restart is
/// measured by the wall clock: no monotonic one lasts longer.
pub async fn after_restart(
    log: &Log,
    room: &HostedRoom,
    hearers: impl Fn(UserId) -> bool,
) -> Result<Command, NodeError> {
    let (seq, heard) = room.with(|room| (room.seq, room.present_users().any(hearers)));
    let last = match log.read(room.id(), seq.saturating_sub(1), 1).await {
        Err(LogError::HistoryDropped { .. }) => Vec::new(),
        read => read?,
    };
    let now_ms = crate::wall_clock_ms();
    let last_ms = last.first().map_or(now_ms, |last| last.occurred_at_ms);
    let synced = log.latest(room.id(), "audio.playback_synced").await?;
    let synced_ms = synced.map_or(now_ms, |synced| synced.occurred_at_ms);
    let since_us = |at_ms: i64| at_ms.saturating_sub(synced_ms).max(0).saturating_mul(1000);
    Ok(Command::ResumeAfterRestart { heard_us: heard.then(|| since_us(now_ms)), known_us: since_us(last_ms) })
}

/// Opens the port: who comes there waits until the room is served.
fn listen(inner: &Inner, opening: &Opening) -> Result<(TcpListener, SocketAddr), NodeError> {
    let (chosen, last_port) = {
        let settings = inner.settings();
        let offer = settings.values().offer.as_ref();
        (settings.values().port, offer.map_or(ANY_PORT, |offer| offer.port))
    };
    let any = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
    // A port that somebody chose is let through a firewall or a router: another would be of no use.
    match opening.listen.or(chosen.map(any)) {
        Some(listen) => Ok(Server::bind(listen)?),
        // The last port may have been taken meanwhile: then links of old are void, and the room opens all the same.
        None => match Server::bind(any(last_port)) {
            Err(error) if last_port != ANY_PORT => {
                tracing::warn!(%error, last_port, "the port of the last room is taken: using another");
                Ok(Server::bind(any(ANY_PORT))?)
            }
            bound => Ok(bound?),
        },
    }
}

fn server_config(
    inner: &Inner,
    opening: &Opening,
    listening: SocketAddr,
    tls: Option<TlsIdentity>,
    host_key: &Arc<HostKey>,
) -> Result<ServerConfig, NodeError> {
    let proxy = opening.public_address.as_deref().map(proxy_name).transpose()?;
    let config = ServerConfig::new(listening, tls, Arc::clone(host_key), inner.audio.clone());
    Ok(ServerConfig { allowed_hosts: proxy.into_iter().collect(), ..config })
}

/// This machine is in other networks than before: windows show another link, and links made outside of it are right.
fn moved(inner: &Arc<Inner>) -> impl Fn(Vec<String>) + Send + 'static {
    let node = Arc::downgrade(inner);
    move |addresses| {
        let Some(node) = node.upgrade() else { return };
        tracing::info!(?addresses, "the room is reached elsewhere now");
        let kept = node.settings().change(|values| {
            if let Some(offer) = &mut values.offer {
                offer.addresses = addresses;
            }
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "links made outside of this program name the addresses of before");
        }
        node.tell_room_changed();
    }
}

/// The name under which a proxy's requests come.
fn proxy_name(address: &str) -> Result<String, NodeError> {
    let authority = address.strip_prefix("https://").filter(|_| synx_net::is_address(address));
    let authority = authority.ok_or_else(|| synx_net::NetError::BadAddress(address.to_owned()))?;
    Ok(authority.split(':').next().unwrap_or_default().to_owned())
}

async fn feed_from_log(room: Arc<HostedRoom>, feed: Arc<Feed>) {
    let mut cursor = room.log().subscribe(room.id(), room.with(|room| room.seq));
    loop {
        match cursor.next().await {
            Ok(envelopes) => {
                envelopes.iter().for_each(|envelope| feed.send(&ServerMessage::from(&**envelope)))
            }
            Err(error) => return tracing::warn!(%error, "the room's feed has ended"),
        }
    }
}

/// Keeps what the network is told in step with the room: nothing while it is private, or this machine is not to be seen.
async fn announce(
    room: Arc<HostedRoom>,
    mut seen: watch::Receiver<bool>,
    port: u16,
    fingerprint: Option<[u8; 32]>,
) {
    let mut changes = room.changes();
    let mut said: Option<(Announcement, LanNotice)> = None;
    loop {
        let notice = room.with(notice).filter(|_| *seen.borrow_and_update());
        said = match (said, notice) {
            (Some((announcement, old)), Some(notice)) if old == notice => Some((announcement, old)),
            (Some((announcement, _)), Some(notice)) => {
                warn_unannounced(announcement.update(&notice)).map(|()| (announcement, notice))
            }
            (None, Some(notice)) => {
                let started = Announcement::start(room.id(), port, fingerprint, &notice);
                warn_unannounced(started).map(|announcement| (announcement, notice))
            }
            (_, None) => None,
        };
        let goes_on = tokio::select! {
            changed = changes.changed() => changed.is_ok(),
            changed = seen.changed() => changed.is_ok(),
        };
        if !goes_on {
            return;
        }
    }
}

fn warn_unannounced<T>(outcome: Result<T, synx_net::NetError>) -> Option<T> {
    outcome.map_err(|error| tracing::warn!(%error, "the room is not announced on the network")).ok()
}

/// What a public room says of itself.
fn notice(room: &Room) -> Option<LanNotice> {
    let settings = room.settings.as_ref().filter(|settings| settings.visibility == Visibility::Public)?;
    let host = room.host.and_then(|host| room.members.get(&host));
    Some(LanNotice {
        name: settings.name.clone(),
        host_name: host.map_or_else(String::new, |host| host.profile.name.clone()),
        participants: room.present_count() as u32,
        genres: settings.genres.clone(),
    })
}

/// Who was in the room when the host went down and does not come back has left.
async fn dismiss_the_gone(room: Arc<HostedRoom>, server: synx_net::ServerHandle) {
    tokio::time::sleep(RETURN_GRACE).await;
    let connected = server.connected(room.id());
    let host = room.with(|room| room.host);
    let present: Vec<UserId> = room.with(|room| room.present_users().collect());
    for user in present.into_iter().filter(|user| Some(*user) != host && !connected.contains(user)) {
        let leave = Command::Leave { reason: LeaveReason::ConnectionLost };
        if let Err(error) = room.execute_as(user, leave).await {
            tracing::warn!(%error, %user, "a member that is gone stays listed");
        }
    }
}
