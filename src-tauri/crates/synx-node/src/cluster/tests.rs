//! Nodes of a cluster in one process, over real NATS servers, with real peers.

use super::*;
use synx_cluster::testing::NatsServer;
use synx_domain::{
    CommandId, EventId, NewEvent, PlaybackControl, RoomEvent, RoomSettings, StorageLimits, UserProfile,
    Visibility,
};
use synx_net::{ClientConfig, ClientEvent, Identity, Limits, RoomClient, SILENCE};
use tempfile::TempDir;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Pause between two looks at a condition.
const POLL: Duration = Duration::from_millis(5);
/// How long a loaded machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nobody is in a room until it is closed, here.
const IDLE: Duration = Duration::from_millis(400);

async fn until(mut is_so: impl AsyncFnMut() -> bool, what: &str) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < end, "{what}");
        tokio::time::sleep(POLL).await;
    }
}

/// A NATS server, nodes over it, and a room in their log.
struct Cluster {
    server: NatsServer,
    folder: TempDir,
    room: RoomId,
    host: Arc<Identity>,
}

impl Cluster {
    async fn start() -> Self {
        let (server, folder) = (NatsServer::start(), tempfile::tempdir().unwrap());
        let (room, host) = (RoomId::from_uuid(Uuid::now_v7()), Arc::new(Identity::generate()));
        let store = open_store(server.options(folder.path())).await.unwrap();
        let log = Log::over(Arc::new(store), LogOptions::default()).unwrap();
        let created =
            RoomEvent::RoomCreated { host: host.user_id(), profile: profile("Ana"), settings: settings() };
        let event = NewEvent {
            event_id: EventId::from_uuid(Uuid::now_v7()),
            actor: host.user_id(),
            command_id: Some(CommandId::from_uuid(Uuid::now_v7())),
            occurred_at_ms: 1_800_000_000_000,
            event: created,
        };
        log.append(room, 0, vec![event]).await.unwrap();
        log.close();
        Self { server, folder, room, host }
    }

    async fn node(&self, name: &str) -> ClusterNode {
        ClusterNode::open_within(self.config(name), Limits { idle_room: IDLE, ..Limits::default() })
            .await
            .unwrap()
    }

    fn config(&self, name: &str) -> ClusterConfig {
        ClusterConfig {
            data_dir: self.folder.path().join(name),
            cluster: self.server.options(self.folder.path()),
            listen: ([127, 0, 0, 1], 0).into(),
            tls: true,
            addresses: Vec::new(),
            allowed_hosts: Vec::new(),
        }
    }

    /// Somebody who is in at a node.
    async fn join(
        &self,
        node: &ClusterNode,
        name: &str,
        invite: Option<String>,
    ) -> Result<Peer, synx_net::NetError> {
        self.join_as(node, name, invite, Arc::new(Identity::generate())).await
    }

    async fn join_as(
        &self,
        node: &ClusterNode,
        name: &str,
        invite: Option<String>,
        identity: Arc<Identity>,
    ) -> Result<Peer, synx_net::NetError> {
        let addresses = vec![node.local_addr().to_string()];
        let link = InviteLink {
            room: self.room,
            name: String::new(),
            addresses,
            fingerprint: node.fingerprint(),
            invite,
        };
        let (client, events) = RoomClient::join(ClientConfig {
            link,
            addresses: None,
            identity,
            profile: profile(name),
            audio: AudioStore::open(&self.folder.path().join(Uuid::now_v7().to_string())).unwrap(),
            waiting: Arc::new(|_| {}),
            silence: SILENCE,
        })
        .await?;
        Ok(Peer { client, events })
    }
}

struct Peer {
    client: RoomClient,
    events: mpsc::Receiver<ClientEvent>,
}

fn profile(name: &str) -> UserProfile {
    UserProfile { name: name.to_owned(), ..UserProfile::default() }
}

fn settings() -> RoomSettings {
    RoomSettings {
        name: "A party".to_owned(),
        visibility: Visibility::Public,
        max_participants: 100,
        genres: Vec::new(),
        playback_control: PlaybackControl::Everyone,
        storage: StorageLimits::default(),
        wait_for_all: false,
        archive_after_days: 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_nobody_is_in_is_closed_here_and_opened_again_for_whoever_comes() {
    let cluster = Cluster::start().await;
    let node = cluster.node("a").await;
    let ben = cluster.join(&node, "Ben", None).await.unwrap();
    let holders = Arc::strong_count(&node.house);
    let said = ben.client.execute(synx_domain::Command::PostChatMessage { text: "hello".to_owned() });
    let said = said.await.unwrap();
    tokio::time::sleep(IDLE * 3).await;
    assert!(Arc::strong_count(&node.house) >= holders, "a room that somebody is in stays open");
    ben.client.leave().await.unwrap();
    drop(ben);
    until(async || Arc::strong_count(&node.house) < holders, "the room stays open").await;
    let mut ana = cluster.join_as(&node, "Ana", None, Arc::clone(&cluster.host)).await.unwrap();
    let Some(ClientEvent::Joined { snapshot }) = ana.events.recv().await else { panic!("no room") };
    assert!(snapshot.room.seq > said && snapshot.room.chat.iter().any(|message| message.text == "hello"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_a_node_that_has_closed() {
    let cluster = Cluster::start().await;
    let node = cluster.node("a").await;
    let _ben = cluster.join(&node, "Ben", None).await.unwrap();
    let house = Arc::downgrade(&node.house);
    node.close(Duration::from_secs(1)).await;
    // Though somebody still holds it.
    drop(DataDir::open(&cluster.folder.path().join("a")).unwrap());
    drop(node);
    until(async || house.strong_count() == 0, "something holds the node's house").await;
    cluster.node("a").await;
}
