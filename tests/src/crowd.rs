//! Peers by the hundred in one process: each a person with a key and a connection, who hears everything and may talk.

use crate::PATIENCE;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};
use synx_domain::{Command, EpochId, EventId, RoomEvent, SyncCause, UserProfile};
use synx_net::{AudioStore, ClientConfig, ClientEvent, Identity, InviteLink, NetError, RoomClient};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Pause between two looks at a condition.
const POLL: Duration = Duration::from_millis(5);

/// Everybody, and what each has heard.
pub struct Crowd {
    /// The peers, in the order in which they came.
    pub peers: Vec<Peer>,
    audio: AudioStore,
    _folder: TempDir,
}

/// One of them.
pub struct Peer {
    client: Arc<RoomClient>,
    heard: Arc<Mutex<Heard>>,
}

/// What a peer has heard.
#[derive(Default)]
pub struct Heard {
    /// Events by their place, from the one after the peer's first state on.
    pub events: BTreeMap<u64, EventId>,
    /// Changes of what plays: why, and in which epoch.
    pub syncs: Vec<(SyncCause, EpochId)>,
    /// The last event that is known, one by one or as a state.
    pub head: u64,
    /// Whether the connection is gone just now.
    pub away: bool,
    /// When the connection came back, each time.
    pub returns: Vec<Instant>,
    /// Why it ended for good.
    pub ended: Option<String>,
}

impl Default for Crowd {
    fn default() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { peers: Vec::new(), audio: AudioStore::open(folder.path()).unwrap(), _folder: folder }
    }
}

impl Crowd {
    /// Somebody comes in by a link.
    pub async fn join(&mut self, link: InviteLink) {
        self.try_join(link).await.expect("the room is open to all");
    }

    /// Somebody tries a link until it leads in.
    pub async fn join_patiently(&mut self, link: InviteLink) {
        let end = Instant::now() + PATIENCE;
        while let Err(error) = self.try_join(link.clone()).await {
            assert!(Instant::now() < end, "{error}");
            tokio::time::sleep(POLL).await;
        }
    }

    async fn try_join(&mut self, link: InviteLink) -> Result<(), NetError> {
        self.join_as(link, Arc::new(Identity::generate())).await
    }

    /// Somebody in particular comes in by a link.
    ///
    /// # Errors
    /// When it does not lead in.
    pub async fn join_as(&mut self, link: InviteLink, identity: Arc<Identity>) -> Result<(), NetError> {
        let name = format!("Peer {}", self.peers.len());
        let config = ClientConfig {
            addresses: None,
            identity,
            profile: UserProfile { name, ..UserProfile::default() },
            audio: self.audio.clone(),
            link,
            waiting: Arc::new(|_| {}),
            silence: synx_net::SILENCE,
        };
        let (client, events) = RoomClient::join(config).await?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        tokio::spawn(listen(events, Arc::clone(&heard)));
        self.peers.push(Peer { client: Arc::new(client), heard });
        Ok(())
    }

    /// Waits until all have heard everything up to an event.
    pub async fn until_all_are_at(&self, seq: u64) {
        let behind = || self.peers.iter().filter(|peer| peer.heard().head < seq).count();
        until(|| behind() == 0, || format!("{} peers have not heard event {seq}", behind())).await;
    }

    /// Waits until nobody is away.
    pub async fn until_all_are_back(&self) {
        let away = || self.peers.iter().filter(|peer| peer.heard().away).count();
        until(|| away() == 0, || format!("{} peers are away", away())).await;
    }

    /// Asserts that what everybody heard is one order without gaps, and tells what all heard together.
    pub fn one_order(&self) -> BTreeMap<u64, EventId> {
        let mut all: BTreeMap<u64, EventId> = BTreeMap::new();
        for (number, peer) in self.peers.iter().enumerate() {
            let heard = peer.heard();
            assert_eq!(heard.ended, None, "peer {number}");
            let places: Vec<u64> = heard.events.keys().copied().collect();
            assert!(places.windows(2).all(|pair| pair[0] + 1 == pair[1]), "peer {number} missed something");
            for (seq, event) in &heard.events {
                assert_eq!(all.entry(*seq).or_insert(*event), event, "peer {number} at {seq}");
            }
        }
        all
    }
}

impl Peer {
    /// What this peer has heard.
    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }

    /// What room time counts in at this peer's node, and how far it is ahead of this machine's clock there: at least and at most, in
    /// microseconds. Of several probes the tightest bounds.
    pub async fn clock(&self) -> (EpochId, i64, i64) {
        let mut link = self.client.clock_link().await.expect("the node answers probes");
        let (mut least, mut most, mut epoch) = (i64::MIN, i64::MAX, None);
        for _ in 0..20 {
            let reading = link.probe(now_us).await.expect("the node answers probes");
            least = least.max(reading.t3_us - reading.t4_us);
            most = most.min(reading.t2_us - reading.t1_us);
            assert_eq!(*epoch.get_or_insert(reading.epoch), reading.epoch);
        }
        (epoch.expect("there were probes"), least, most)
    }

    /// This peer's connection.
    pub fn client(&self) -> &Arc<RoomClient> {
        &self.client
    }

    /// Says numbered sentences, one after the other with a pause, until it is told to stop; where each of them stands.
    pub fn talk(&self, name: String, pause: Duration, stop: Arc<AtomicBool>) -> Talk {
        let client = Arc::clone(&self.client);
        tokio::spawn(async move {
            let mut said = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let text = format!("{name}-{}", said.len());
                let posted = client.execute(Command::PostChatMessage { text: text.clone() }).await;
                said.push((text, posted.expect("a sentence is waited for")));
                tokio::time::sleep(pause).await;
            }
            said
        })
    }
}

/// Microseconds since this program first asked, by this machine's monotonic clock.
fn now_us() -> i64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed().as_micros() as i64
}

/// Sentences that were acknowledged, with their places.
pub type Talk = tokio::task::JoinHandle<Vec<(String, u64)>>;

async fn listen(mut events: mpsc::Receiver<ClientEvent>, heard: Arc<Mutex<Heard>>) {
    while let Some(event) = events.recv().await {
        let mut heard = heard.lock().unwrap();
        match event {
            ClientEvent::Joined { snapshot } => {
                heard.head = snapshot.room.seq;
                heard.events.clear();
            }
            ClientEvent::Event(envelope) => {
                heard.head = envelope.seq;
                heard.events.insert(envelope.seq, envelope.event_id);
                if let RoomEvent::PlaybackSynced { transport, cause } = &envelope.event {
                    heard.syncs.push((*cause, transport.epoch));
                }
            }
            ClientEvent::Reconnecting { .. } => heard.away = true,
            ClientEvent::Reconnected => {
                heard.away = false;
                heard.returns.push(Instant::now());
            }
            ClientEvent::Ended { code, .. } => heard.ended = Some(code),
            ClientEvent::Transient(_) | ClientEvent::CutOff(_) => {}
        }
    }
}

/// Waits until something is so; `what` says what is missing if that takes too long.
pub async fn until(so: impl Fn() -> bool, what: impl Fn() -> String) {
    let end = Instant::now() + PATIENCE * 2;
    while !so() {
        assert!(Instant::now() < end, "{}", what());
        tokio::time::sleep(POLL).await;
    }
}
