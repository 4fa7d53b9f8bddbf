//! A node of a cluster: serves any of the cluster's rooms to whoever comes with a link, beside others that do the same.
//!
//! Must never hold anything of a room that the other nodes would need: that is in the log.

mod aside;
mod backend;
mod house;
mod keys;
mod knocks;
mod lead;
mod passing;
mod roster;
pub(crate) mod seats;
pub(crate) mod shelf;
#[cfg(test)]
mod tests;
mod uploads;

use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::invites::InviteOptions;
use crate::library::Analyses;
use crate::network::addresses;
use crate::ops::NotReady;
use crate::room::abandoned;
use crate::room::invites::NewInvite;
use crate::room::time::SharedTime;
use aside::CUT_OFF;
use house::{ClusterHouse, Rooms};
use keys::ClusterKeys;
use roster::Roster;
use shelf::Shelf;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use synx_cluster::{
    Backplane, ClockView, ClusterClock, ClusterError, ClusterOptions, JetStreamStore, NodeId, Objects,
};
use synx_domain::RoomId;
use synx_log::{Log, LogError, LogOptions};
use synx_net::{AudioStore, InviteLink, Limits, RoomInstant, Server, ServerConfig, TlsIdentity};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How to start a node.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// Folder for everything that it keeps.
    pub data_dir: PathBuf,
    /// The cluster. Where its copy lies is the data folder's to say.
    pub cluster: ClusterOptions,
    /// Where peers are served.
    pub listen: SocketAddr,
    /// Whether the server encrypts; not behind a proxy that does.
    pub tls: bool,
    /// Where peers and other nodes reach it: `host:port`, or `https://name` of a proxy; this machine's own without any.
    pub addresses: Vec<String>,
    /// Names besides IP addresses under which requests may come: of a proxy, or a load balancer.
    pub allowed_hosts: Vec<String>,
}

/// A running node. [`ClusterNode::close`] ends it.
pub struct ClusterNode {
    house: Arc<ClusterHouse>,
    server: Server,
    fingerprint: Option<[u8; 32]>,
    _tasks: JoinSet<()>,
    data: DataDir,
}

impl ClusterNode {
    /// Connects to the cluster, brings this node's copy of the log up to the present, and serves.
    ///
    /// # Errors
    /// When the data folder or the port is in use, or the cluster cannot be reached or trusted.
    pub async fn open(config: ClusterConfig) -> Result<Self, NodeError> {
        Self::open_within(config, Limits::default()).await
    }

    async fn open_within(config: ClusterConfig, limits: Limits) -> Result<Self, NodeError> {
        let data = DataDir::open(&config.data_dir)?;
        let paths = data.paths();
        let options = ClusterOptions { copy: paths.cluster_copy(), ..config.cluster };
        let store = open_store(options.clone()).await?;
        let log = Log::over(Arc::new(store), LogOptions::default())?;
        let backplane = Backplane::connect(&options).await?;
        let keys = ClusterKeys::of(&backplane).await?;
        let audio = AudioStore::open(&paths.audio())?.behind(data.gate());
        let analyses = Analyses::new(paths.analysis(), 1).behind(data.gate());
        let me = NodeId::new();
        let clock = Arc::new(ClusterClock::start(options, me, synx_playback::monotonic_us).await?);
        // A node that does not know what time it is can serve nobody.
        clock.until_known().await;
        let roster = Arc::new(Roster::new(me));
        let house = Arc::new(ClusterHouse {
            log,
            shelf: Shelf::new(audio.clone(), Objects::open(&backplane).await?),
            analyses,
            me,
            clock,
            roster: Arc::clone(&roster),
            backplane: backplane.clone(),
            server: OnceLock::new(),
        });
        let tls = config.tls.then_some(keys.tls);
        let fingerprint = tls.as_ref().map(TlsIdentity::fingerprint);
        let server = ServerConfig {
            allowed_hosts: config.allowed_hosts,
            rooms: Some(Arc::new(Rooms::of(&house))),
            challenge_key: Some(keys.challenge_key),
            limits,
            ..ServerConfig::new(config.listen, tls, keys.host_key, audio)
        };
        let server = Server::start(server).await?;
        house.server.get_or_init(|| server.handle());
        let own = || addresses(server.local_addr()).iter().map(SocketAddr::to_string).collect();
        let served_at = if config.addresses.is_empty() { own() } else { config.addresses };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Err(error) = roster.run(backplane, served_at).await {
                tracing::error!(%error, "this node does not hear of the others");
            }
        });
        // Before it hears itself it would take itself for cut off, and send away whoever comes.
        drop(tokio::time::timeout(CUT_OFF, house.roster.changes().wait_for(|count| *count > 0)).await);
        tasks.spawn(uploads::answer(Arc::clone(&house)));
        tasks.spawn(abandoned::sweep(house.shelf.audio().clone()));
        let tidied = Arc::clone(&house);
        tasks.spawn(async move { tidied.shelf.keep_tidy().await });
        tasks.spawn(aside::step_aside(Arc::clone(&house), server.handle(), fingerprint));
        Ok(Self { house, server, fingerprint, _tasks: tasks, data })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// SHA-256 of the certificate that every node shows; none without TLS.
    pub fn fingerprint(&self) -> Option<[u8; 32]> {
        self.fingerprint
    }

    /// Whether it takes work.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<(), NotReady> {
        let cut_off = || NotReady {
            code: "cut_off",
            message: "this node does not hear the others: look at its way to the NATS servers".to_owned(),
        };
        if self.house.roster.silence() > CUT_OFF { Err(cut_off()) } else { Ok(self.house.log.ready()?) }
    }

    /// The cluster's clock, as it is known here.
    pub fn clock(&self) -> watch::Receiver<ClockView> {
        self.house.clock.view()
    }

    /// Answers what was asked, tells the peers to come back, to another node, and lets go of everything. What has not ended
    /// after `patience` is cut off.
    pub async fn close(&self, patience: Duration) {
        self.server.drain(patience).await;
        self.house.analyses.cancel();
        self.house.log.clone().close();
        self.data.release();
    }
}

impl SharedTime for ClusterClock {
    fn now(&self) -> RoomInstant {
        let (epoch, us) = self.time();
        RoomInstant { epoch, us }
    }
}

/// Opening waits for servers and reads the stream: not on a thread of the runtime.
pub(crate) async fn open_store(options: ClusterOptions) -> Result<JetStreamStore, NodeError> {
    let opened = tokio::task::spawn_blocking(move || JetStreamStore::open(options)).await;
    Ok(opened.unwrap_or(Err(ClusterError::Copy(LogError::Closed)))?)
}

/// A link to a room of the cluster, signed with the cluster's key. The room hears of the invite when somebody comes in by it.
///
/// # Errors
/// When the cluster cannot be reached, or the invite cannot be.
pub async fn cluster_invite(
    cluster: &ClusterOptions,
    tls: bool,
    options: InviteOptions,
) -> Result<String, NodeError> {
    let InviteOptions { room, role, expires_in, max_uses, knock, addresses } = options;
    let bad = |what, problem| Err(NodeError::BadValue { what, problem });
    let Some(room) = room else { return bad("the room", "must be named with --room") };
    let room: RoomId = room.parse()?;
    let backplane = Backplane::connect(cluster).await?;
    let addresses = if addresses.is_empty() { roster::addresses(&backplane).await? } else { addresses };
    if addresses.is_empty() {
        return bad("the addresses of nodes", "must be named with --address: no node runs");
    }
    let keys = ClusterKeys::of(&backplane).await?;
    let terms = NewInvite { role: role.into(), expires_in, max_uses, knock }.terms();
    let invite = Some(keys.host_key.sign_invite(room, &terms)?);
    let fingerprint = tls.then(|| keys.tls.fingerprint());
    Ok(InviteLink { room, name: String::new(), addresses, fingerprint, invite }.to_string())
}
