//! Nodes of a cluster in one process, over real NATS servers, with real peers.

use super::*;
use crate::migrate::{Direction, migrate};
use crate::room::hosted::HostedRoom;
use crate::room::time::RoomTime;
use synx_cluster::testing::{NatsServer, until};
use synx_domain::{
    CommandId, ContentHash, EventId, NewEvent, PlaybackControl, RoomEvent, RoomSettings, StorageLimits,
    UserProfile, Visibility,
};
use synx_net::wire::ServerMessage;
use synx_net::{ClientConfig, ClientEvent, HostKey, Identity, Limits, RoomClient, SILENCE};
use tempfile::TempDir;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How long a loaded machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nobody is in a room until it is closed, here.
const IDLE: Duration = Duration::from_millis(400);

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
    let is_open = async || seats::must_be_closed(&node.house.backplane, cluster.room).await.is_err();
    let ben = cluster.join(&node, "Ben", None).await.unwrap();
    let say = |text: &str| synx_domain::Command::PostChatMessage { text: text.to_owned() };
    // Being told that it is open takes longer than it may be idle.
    assert!(is_open().await && is_open().await, "a room that somebody is in stays open");
    let said = ben.client.execute(say("hello")).await.unwrap();
    ben.client.leave().await.unwrap();
    drop(ben);
    until(async || !is_open().await, "the room stays open").await;
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

async fn next_knocks(peer: &mut Peer) -> Vec<String> {
    let next = async {
        loop {
            let Some(event) = peer.events.recv().await else { panic!("the connection has ended") };
            let ClientEvent::Transient(message) = event else { continue };
            if let ServerMessage::Knocks { knocks } = *message {
                return knocks.into_iter().map(|knocker| knocker.profile.name).collect();
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.expect("the host is told who knocks")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_knocks_at_one_node_is_let_in_by_the_host_at_another_and_by_nobody_else() {
    let cluster = Arc::new(Cluster::start().await);
    let (a, b) = (Arc::new(cluster.node("a").await), cluster.node("b").await);
    let options = cluster.server.options(cluster.folder.path());
    let link = cluster_invite(
        &options,
        true,
        InviteOptions {
            room: Some(cluster.room.to_string()),
            role: crate::bridge::RoleView::Listener,
            expires_in: Duration::from_secs(600),
            max_uses: None,
            knock: true,
            addresses: vec![a.local_addr().to_string()],
        },
    );
    let invite = link.await.unwrap().parse::<InviteLink>().unwrap().invite;
    let mut ana = cluster.join_as(&b, "Ana", None, Arc::clone(&cluster.host)).await.unwrap();
    let knock = |name: &'static str| {
        let (cluster, node, invite, who) =
            (Arc::clone(&cluster), Arc::clone(&a), invite.clone(), Arc::new(Identity::generate()));
        let user = who.user_id();
        (user, tokio::spawn(async move { cluster.join_as(&node, name, invite, who).await }))
    };
    let (ben, waiting) = knock("Ben");
    assert_eq!(next_knocks(&mut ana).await, ["Ben"]);
    ana.client.answer_knock(ben, true).await.unwrap();
    let ben = waiting.await.unwrap().expect("the host has let Ben in");
    assert!(next_knocks(&mut ana).await.is_empty());

    let (cleo, waiting) = knock("Cleo");
    assert_eq!(next_knocks(&mut ana).await, ["Cleo"]);
    // Ben is at the very node where Cleo waits, and has no say.
    ben.client.answer_knock(cleo, true).await.unwrap();
    let said = synx_domain::Command::PostChatMessage { text: "come in!".to_owned() };
    ben.client.execute(said).await.unwrap();
    assert!(!waiting.is_finished());
    ana.client.answer_knock(cleo, false).await.unwrap();
    let refused = waiting.await.unwrap().err().expect("the host has not let Cleo in");
    assert!(
        matches!(&refused, synx_net::NetError::Refused { code, .. } if code == "knock_refused"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_given_up_by_any_node_once_nothing_comes_to_any() {
    let cluster = Cluster::start().await;
    let (a, b) = (cluster.node("a").await, cluster.node("b").await);
    until(
        async || a.house.roster.count() == 2 && b.house.roster.count() == 2,
        "the nodes do not hear each other",
    )
    .await;
    let ben = cluster.join(&a, "Ben", None).await.unwrap();
    let hash = ContentHash::from_bytes([7; 32]);
    let announced =
        synx_domain::Command::StartUpload { hash, file_name: "song.flac".to_owned(), size_bytes: 9 };
    let seq = ben.client.execute(announced).await.unwrap();
    ben.client.leave().await.unwrap();
    let part = a.house.shelf.audio().of_room(cluster.room).partial(hash, 4).unwrap();

    b.house.log.reach_end(cluster.room).await.unwrap();
    let time = RoomTime::Shared(Arc::clone(&b.house.clock) as _);
    let room = HostedRoom::open_at(b.house.log.clone(), cluster.room, time).await.unwrap();
    until(async || room.with(|room| room.seq > seq), "what Ben did does not come").await;
    let is_listed =
        || room.with(|room| matches!(room.tracks[&hash].state, synx_domain::TrackState::Uploading { .. }));
    let mut waiting = abandoned::Waiting::default();
    // Ben is gone and no byte is here, but at the other node some came a moment ago.
    abandoned::look(&room, &*b.house, &mut waiting).await;
    assert!(is_listed());
    part.set_modified(std::time::SystemTime::now() - Duration::from_secs(2 * 86_400)).unwrap();
    abandoned::look(&room, &*b.house, &mut waiting).await;
    assert!(!is_listed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_waits_for_who_is_at_a_node_that_was_cut_off() {
    let cluster = Cluster::start().await;
    let b = cluster.node("b").await;
    until(async || b.house.roster.count() == 1, "the node does not hear itself").await;
    let time = RoomTime::Shared(Arc::clone(&b.house.clock) as _);
    let room = HostedRoom::open_at(b.house.log.clone(), cluster.room, time).await.unwrap();
    // What Ben did at another node, which nobody hears any more; the nodes that are left have written him off.
    let ben = Identity::generate().user_id();
    let hash = ContentHash::from_bytes([7; 32]);
    let announced =
        synx_domain::Command::StartUpload { hash, file_name: "song.flac".to_owned(), size_bytes: 9 };
    let come = synx_domain::Command::Join {
        profile: profile("Ben"),
        role: synx_domain::Role::Listener,
        invite: None,
    };
    let leave = |reason| synx_domain::Command::Leave { reason };
    let lost = leave(synx_domain::LeaveReason::ConnectionLost);
    for command in [come.clone(), announced, lost] {
        room.execute_as(ben, command).await.unwrap();
    }
    let is_listed =
        || room.with(|room| matches!(room.tracks[&hash].state, synx_domain::TrackState::Uploading { .. }));
    let mut waiting = abandoned::Waiting::default();
    abandoned::look(&room, &*b.house, &mut waiting).await;
    assert!(is_listed(), "Ben may come back and go on");
    for command in [come, leave(synx_domain::LeaveReason::Left)] {
        room.execute_as(ben, command).await.unwrap();
    }
    abandoned::look(&room, &*b.house, &mut waiting).await;
    assert!(!is_listed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_not_taken_from_a_node_that_does_not_answer() {
    let cluster = Cluster::start().await;
    let (home, room) = (cluster.folder.path().join("home"), cluster.room.to_string());
    let take = || migrate(&home, cluster.server.options(&home), Some(&room), Direction::FromCluster);
    // A node that has the room open, and is stopped or overloaded.
    let backplane = Backplane::connect(&cluster.server.options(&home)).await.unwrap();
    let silent = backplane.listen(&format!("seats.{}", cluster.room)).await.unwrap();
    let error = take().await.unwrap_err();
    assert_eq!(error.code(), "node_silent", "{error}");
    drop(silent);
    let mut moved = None;
    until(
        async || {
            match take().await {
                Ok(done) => moved = Some(done),
                Err(error) => assert_eq!(error.code(), "node_silent", "{error}"),
            }
            moved.is_some()
        },
        "the servers do not see that the node is gone",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_taken_from_the_cluster_only_when_no_node_has_it_open_and_its_old_invites_say_why_not() {
    let cluster = Cluster::start().await;
    let node = cluster.node("a").await;
    let machine = HostKey::from_secret(&[5; 32]).unwrap();
    let terms = NewInvite {
        role: synx_domain::Role::Listener,
        expires_in: Duration::from_secs(600),
        max_uses: None,
        knock: false,
    }
    .terms();
    let invite = machine.sign_invite(cluster.room, &terms).unwrap();
    let refused = cluster.join(&node, "Eve", Some(invite)).await.err().expect("another key has signed this");
    assert!(
        matches!(&refused, synx_net::NetError::Refused { code, message } if code == "invite_forged" && message.contains("moved")),
        "{refused}"
    );

    let ana = cluster.join_as(&node, "Ana", None, Arc::clone(&cluster.host)).await.unwrap();
    let create = synx_domain::Command::CreateInvite { invite: terms };
    ana.client.execute(create).await.unwrap();
    let (home, room) = (cluster.folder.path().join("home"), cluster.room.to_string());
    let take = || migrate(&home, cluster.server.options(&home), Some(&room), Direction::FromCluster);
    let error = take().await.unwrap_err();
    assert!(matches!(error, NodeError::RoomServed { nodes: 1, people: 1, .. }), "{error}");
    ana.client.leave().await.unwrap();
    let mut moved = None;
    until(
        async || {
            match take().await {
                Ok(done) => moved = Some(done),
                Err(error) => assert_eq!(error.code(), "room_served", "{error}"),
            }
            moved.is_some()
        },
        "the room is not closed",
    )
    .await;
    assert_eq!(moved.unwrap().invites_left_behind, 1);
}
