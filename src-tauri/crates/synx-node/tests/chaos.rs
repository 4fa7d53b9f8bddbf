//! A room over a bad network, under seeds: connections break, fall silent, crawl or find no host, peers and the host go down
//! in the midst of it. The misfortunes are a proxy's in front of the real server, and the seed alone decides which they are.
//!
//! What must hold in the end: the same log and the same state everywhere, every acknowledged command in the log exactly
//! once, none twice, and nobody waits for ever.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use futures_util::future::join_all;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synx_domain::{
    Command, PlaybackControl, Role, Room, RoomEvent, RoomId, RoomSettings, StorageLimits, UserId,
    UserProfile, Visibility,
};
use synx_log::{Log, LogOptions};
use synx_net::{
    AudioStore, ClientConfig, ClientEvent, HostKey, Identity, Invite, InviteLink, Limits, RoomClient, Server,
    ServerConfig,
};
use synx_node::{HostBackend, HostedRoom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

const SEEDS: u64 = 4;
const PEERS: usize = 3;
const COMMANDS: usize = 40;
/// Deaths of the host.
const DEATHS: usize = 2;
/// Connections that something may happen to; later ones are left in peace, so that it ends.
const UNLUCKY: usize = 18;
/// Nothing here takes a tenth of this, unless somebody waits for ever.
const FOR_EVER: Duration = Duration::from_secs(120);

/// Numbers that look random and are the same in each run (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// What becomes of one connection, once it has carried some bytes from the host.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Peace,
    Refused,
    /// Breaks off in the midst of a frame.
    Breaks {
        after: u64,
    },
    /// A partition: it stays, and nothing passes.
    FallsSilent {
        after: u64,
    },
    /// Carries a few bytes at a time.
    Crawls,
}

impl Fate {
    fn of(chance: &mut Chance) -> Self {
        // Joining takes about 3000 bytes: before, in the midst of it, and after.
        let after = 500 + chance.below(12_000);
        match chance.below(6) {
            0 => Self::Refused,
            1 | 2 => Self::Breaks { after },
            3 => Self::FallsSilent { after: after + 6000 },
            4 => Self::Crawls,
            _ => Self::Peace,
        }
    }
}

/// Between peers and the host, wherever that is now.
async fn proxy(listener: TcpListener, host: watch::Receiver<SocketAddr>, mut chance: Chance) {
    let mut taken = 0;
    while let Ok((peer, _)) = listener.accept().await {
        taken += 1;
        let fate = if taken > UNLUCKY { Fate::Peace } else { Fate::of(&mut chance) };
        let host = *host.borrow();
        tokio::spawn(async move {
            if let (Fate::Breaks { .. } | Fate::FallsSilent { .. } | Fate::Crawls | Fate::Peace, Ok(host)) =
                (fate, TcpStream::connect(host).await)
            {
                carry(peer, host, fate).await;
            }
        });
    }
}

async fn carry(peer: TcpStream, host: TcpStream, fate: Fate) {
    let ((mut from_peer, mut to_peer), (mut from_host, mut to_host)) = (peer.into_split(), host.into_split());
    let up = async { drop(tokio::io::copy(&mut from_peer, &mut to_host).await) };
    let down = async {
        let (mut carried, mut buffer) = (0, vec![0; if matches!(fate, Fate::Crawls) { 64 } else { 4096 }]);
        while let Ok(length) = from_host.read(&mut buffer).await
            && length > 0
        {
            carried += length as u64;
            match fate {
                Fate::Breaks { after } if carried > after => return,
                // Until one of the two gives up.
                Fate::FallsSilent { after } if carried > after => continue,
                _ if to_peer.write_all(&buffer[..length]).await.is_err() => return,
                _ => {}
            }
        }
    };
    // A connection that ends on one side ends on both.
    tokio::select! { () = up => {}, () = down => {} }
}

/// The host's machine: what is on its disk outlives the host.
struct Machine {
    folder: tempfile::TempDir,
    key: Arc<HostKey>,
    room: RoomId,
    owner: UserId,
}

/// One life of the host.
struct Host {
    log: Log,
    room: Arc<HostedRoom>,
    server: Server,
}

impl Machine {
    async fn start(&self) -> Host {
        let log = Log::open(&self.folder.path().join("log.db"), LogOptions::default()).unwrap();
        let room = Arc::new(HostedRoom::open(log.clone(), self.room).await.unwrap());
        if room.with(|room| room.settings.is_none()) {
            let settings = RoomSettings {
                name: "Storm".to_owned(),
                visibility: Visibility::Private,
                max_participants: 20,
                genres: Vec::new(),
                playback_control: PlaybackControl::Djs,
                storage: StorageLimits::default(),
            };
            room.execute_as(self.owner, Command::CreateRoom { profile: named("Host"), settings })
                .await
                .unwrap();
        }
        let limits =
            Limits { ping_every: Duration::from_millis(200), return_grace: FOR_EVER, ..Limits::default() };
        let (listen, audio) = (SocketAddr::from(([127, 0, 0, 1], 0)), audio_in(self.folder.path()));
        let config = ServerConfig::new(listen, None, Arc::clone(&self.key), audio);
        let server = Server::start(ServerConfig { limits, ..config }).await.unwrap();
        server.add_room(Arc::new(HostBackend::alone(&room)));
        Host { log, room, server }
    }

    fn link(&self, proxy: SocketAddr) -> InviteLink {
        let invite = Invite { room: self.room, role: Role::Listener, expires_in: FOR_EVER };
        InviteLink {
            room: self.room,
            name: "Storm".to_owned(),
            addresses: vec![proxy.to_string()],
            fingerprint: None,
            invite: Some(self.key.sign_invite(&invite).unwrap()),
        }
    }
}

impl Host {
    /// Goes down with no word to anybody; what waits to be written may be written or not.
    fn dies(self) {
        drop(self.server);
        drop(self.room);
        self.log.close();
    }
}

fn named(name: &str) -> UserProfile {
    UserProfile { name: name.to_owned(), ..UserProfile::default() }
}

fn audio_in(folder: &Path) -> AudioStore {
    AudioStore::open(&folder.join("audio")).unwrap()
}

/// What a peer's program has: the fold over all that it was told.
type Mirror = Arc<Mutex<Room>>;

struct Peer {
    name: String,
    config: ClientConfig,
    mirror: Mirror,
}

impl Peer {
    /// Joins, however often that takes.
    async fn join(&self) -> RoomClient {
        loop {
            let Ok((client, mut events)) = RoomClient::join(self.config.clone()).await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let mirror = Arc::clone(&self.mirror);
            tokio::spawn(async move {
                while let Some(event) = events.recv().await {
                    let mut room = mirror.lock().unwrap();
                    match event {
                        ClientEvent::Joined { snapshot } => *room = snapshot.room.clone(),
                        ClientEvent::Event(envelope) => {
                            assert_eq!(envelope.seq, room.seq + 1, "each event once, in order");
                            room.apply(&envelope);
                        }
                        ClientEvent::Ended { code, reason } => panic!("{code}: {reason}"),
                        _ => {}
                    }
                }
            });
            return client;
        }
    }

    /// Says its sentences, three at a time, and goes down once on the way; what was acknowledged, with its seq.
    async fn talk(&self, dies_at: usize) -> (RoomClient, Vec<(String, u64)>) {
        let (mut client, mut acknowledged) = (self.join().await, Vec::new());
        for at in (0..COMMANDS).step_by(3) {
            let said = (at..at + 3).map(|number| {
                let text = format!("{}-{number}.", self.name);
                let client = &client;
                async move {
                    let command = Command::PostChatMessage { text: text.clone() };
                    (text, client.execute(command).await.expect("it is only the network that is bad"))
                }
            });
            if at / 3 == dies_at {
                // In the midst of its commands: they may have been carried out or not.
                drop(tokio::time::timeout(Duration::from_millis(2), join_all(said)).await);
                client = self.join().await;
            } else {
                acknowledged.extend(join_all(said).await);
            }
        }
        (client, acknowledged)
    }
}

async fn storm(seed: u64) {
    let mut chance = Chance(seed);
    let machine = Machine {
        folder: tempfile::tempdir().unwrap(),
        key: Arc::new(HostKey::from_secret(&[7; 32]).unwrap()),
        room: RoomId::from_uuid(Uuid::from_u128(u128::from(seed) + 1)),
        owner: Identity::generate().user_id(),
    };
    let mut host = machine.start().await;
    let (leads_to, at) = watch::channel(host.server.local_addr());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = machine.link(listener.local_addr().unwrap());
    let network = tokio::spawn(proxy(listener, at, Chance(seed ^ 0xff)));
    let peer = |number: usize| Peer {
        name: format!("peer{number}"),
        config: ClientConfig {
            addresses: None,
            identity: Arc::new(Identity::generate()),
            profile: named(&format!("Peer {number}")),
            audio: audio_in(machine.folder.path()),
            link: link.clone(),
            silence: Duration::from_secs(1),
        },
        mirror: Mirror::default(),
    };
    let peers: Vec<Peer> = (0..PEERS).map(peer).collect();
    let deaths: Vec<usize> = peers.iter().map(|_| chance.below(COMMANDS as u64 / 3) as usize).collect();
    let talking = join_all(peers.iter().zip(deaths).map(|(peer, dies_at)| peer.talk(dies_at)));
    tokio::pin!(talking);
    let mut lives = 0;
    let said = loop {
        // The host dies when the log has come so far.
        let so_far = (lives as u64 + 1) * (10 + chance.below(25));
        let mut heads = host.room.changes();
        tokio::select! {
            said = &mut talking => break said,
            _ = heads.wait_for(|head| *head >= so_far), if lives < DEATHS => {}
        }
        drop(heads);
        lives += 1;
        host.dies();
        host = machine.start().await;
        leads_to.send_replace(host.server.local_addr());
    };
    let acknowledged: Vec<(String, u64)> = said.iter().flat_map(|(_, said)| said.clone()).collect();
    let there = host.room.with(Clone::clone);
    for peer in &peers {
        // Equal to the last detail: all that `apply` makes of the log.
        while *peer.mirror.lock().unwrap() != host.room.with(Clone::clone) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(there.seq >= acknowledged.len() as u64);
    each_exactly_once(&host.log, machine.room, &acknowledged).await;
    assert_eq!(host.log.fold(machine.room, None).await.unwrap(), host.room.with(Clone::clone));
    network.abort();
}

async fn each_exactly_once(log: &Log, room: RoomId, acknowledged: &[(String, u64)]) {
    let mut places: HashMap<String, u64> = HashMap::new();
    let mut seq = 0;
    while let Some(page) = Some(log.read(room, seq, 1000).await.unwrap()).filter(|page| !page.is_empty()) {
        for envelope in page {
            assert_eq!(envelope.seq, seq + 1);
            seq = envelope.seq;
            if let RoomEvent::ChatMessagePosted { text } = &envelope.event {
                assert_eq!(places.insert(text.clone(), seq), None, "{text} is there twice");
            }
        }
    }
    for (text, seq) in acknowledged {
        assert_eq!(places.get(text), Some(seq), "{text}");
    }
    assert!(log.verify(Some(room)).await.unwrap().iter().all(|report| report.first_bad.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_network_does_all_have_the_same_room_and_nobody_waits_for_ever() {
    let first: u64 = std::env::var("SYNX_CHAOS_SEED").map_or(1, |seed| seed.parse().unwrap());
    let storms = join_all((first..first + SEEDS).map(|seed| async move {
        let over = tokio::time::timeout(FOR_EVER, storm(seed)).await;
        assert!(over.is_ok(), "with seed {seed} somebody waits for ever");
    }));
    storms.await;
}
