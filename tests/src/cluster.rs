//! A cluster of real processes: NATS servers, nodes, and a room in it.

use crate::Instance;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use synx_cluster::testing::{NatsServer, ServerConfig};
use synx_cluster::{ClusterOptions, JetStreamStore};
use synx_domain::{
    EventId, NewEvent, PlaybackControl, RoomEvent, RoomId, RoomSettings, StorageLimits, UserId, UserProfile,
    Visibility,
};
use synx_log::{Log, LogOptions};
use synx_net::{Identity, InviteLink};
use tempfile::TempDir;
use uuid::Uuid;

/// NATS servers and nodes, each with a folder of its own.
pub struct Cluster {
    folder: TempDir,
    /// The NATS servers.
    pub servers: Vec<NatsServer>,
    /// The nodes that run.
    pub nodes: Vec<Node>,
}

/// A running node.
pub struct Node {
    /// The process.
    pub process: Instance,
    /// Where its peers are served.
    pub address: String,
    fingerprint: [u8; 32],
}

impl Cluster {
    /// So many NATS servers that are one system, and no node yet.
    pub fn start(servers: usize) -> Self {
        let servers = NatsServer::system(servers, &ServerConfig::default());
        Self { folder: tempfile::tempdir().unwrap(), servers, nodes: Vec::new() }
    }

    /// The servers' addresses, as a node is told them.
    pub fn urls(&self) -> String {
        self.servers.iter().map(NatsServer::url).collect::<Vec<_>>().join(",")
    }

    /// How to open the cluster's log from here.
    pub fn options(&self, copy: &Path) -> ClusterOptions {
        ClusterOptions {
            servers: self.servers.iter().map(NatsServer::url).collect(),
            replicas: self.servers.len(),
            ..self.servers[0].options(copy)
        }
    }

    /// The cluster's log, as somebody finds it who comes new.
    pub fn log(&self) -> (Log, TempDir) {
        let copy = tempfile::tempdir().unwrap();
        let store = JetStreamStore::open(self.options(copy.path())).unwrap();
        (Log::over(Arc::new(store), LogOptions::default()).unwrap(), copy)
    }

    /// Another node on a free port of this address.
    pub fn start_node(&mut self, ip: &str) {
        self.start_node_under(&[], &self.urls(), ip);
    }

    /// The same under another program, with NATS servers as they are reached from there.
    pub fn start_node_under(&mut self, wrapper: &[String], urls: &str, ip: &str) {
        let number = self.nodes.len() + 1;
        let node = self.process(wrapper, number, urls, &format!("{ip}:0"));
        self.nodes.push(Node::of(node));
    }

    /// Kills all nodes, and starts them again where they were.
    pub fn restart_nodes(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.process.kill());
        let addresses: Vec<String> = self.nodes.drain(..).map(|node| node.address).collect();
        let urls = self.urls();
        // All at once: none of them knows what time it was.
        let start = |(number, address): (usize, &String)| self.process(&[], number, &urls, address);
        let started: Vec<Instance> = (1..).zip(&addresses).map(start).collect();
        self.nodes = started.into_iter().map(Node::of).collect();
    }

    fn process(&self, wrapper: &[String], number: usize, urls: &str, listen: &str) -> Instance {
        let data_dir = self.folder.path().join(format!("node-{number}"));
        let replicas = self.servers.len().to_string();
        let args = ["node", "--cluster", urls, "--replicas", &replicas, "--listen", listen];
        Instance::start_under(wrapper, &format!("node {number}"), &data_dir, &args)
    }

    /// A new room, and the person whose it is; nobody is in it.
    pub async fn make_room(&self, visibility: Visibility) -> (RoomId, Arc<Identity>) {
        let room = RoomId::from_uuid(Uuid::now_v7());
        let owner = Arc::new(Identity::generate());
        let host = owner.user_id();
        let settings = RoomSettings {
            name: "A listening party".to_owned(),
            visibility,
            max_participants: 1000,
            genres: Vec::new(),
            playback_control: PlaybackControl::Everyone,
            storage: StorageLimits::default(),
            wait_for_all: false,
            archive_after_days: 0,
        };
        let profile = UserProfile { name: "Ana".to_owned(), ..UserProfile::default() };
        let created = RoomEvent::RoomCreated { host, profile, settings };
        let left = RoomEvent::UserLeft { user: host, reason: synx_domain::LeaveReason::Left };
        self.append(room, host, vec![created, left]).await;
        (room, owner)
    }

    /// Appends what no peer could ask for.
    pub async fn append(&self, room: RoomId, actor: UserId, events: Vec<RoomEvent>) {
        let options = self.options(self.folder.path());
        let store =
            tokio::task::spawn_blocking(move || JetStreamStore::open(options)).await.unwrap().unwrap();
        let log = Log::over(Arc::new(store), LogOptions::default()).unwrap();
        let events = events.into_iter().map(|event| new_event(actor, event)).collect();
        log.append(room, log.head(room).unwrap(), events).await.unwrap();
        log.close();
    }

    /// A link to a public room by all nodes, this one first.
    pub fn link(&self, room: RoomId, first: usize) -> InviteLink {
        let addresses = (0..self.nodes.len()).map(|index| &self.nodes[(first + index) % self.nodes.len()]);
        InviteLink {
            room,
            name: String::new(),
            addresses: addresses.map(|node| node.address.clone()).collect(),
            fingerprint: Some(self.nodes[0].fingerprint),
            invite: None,
        }
    }
}

impl Node {
    fn of(mut process: Instance) -> Self {
        let ready = process.next("node_ready");
        let fingerprint: Vec<u8> = serde_json::from_value(ready["fingerprint"].clone()).unwrap();
        let address = ready["listen"].as_str().unwrap().to_owned();
        Self { process, address, fingerprint: fingerprint.try_into().unwrap() }
    }

    /// Whether the cluster's clock is this node's, by what it said last.
    pub fn owns_clock(&mut self) -> bool {
        let said = self.process.drain();
        let last: Option<&Value> = said.iter().rev().find(|line| line["type"] == "clock");
        last.is_some_and(|line| line["mine"] == true)
    }
}

fn new_event(actor: UserId, event: RoomEvent) -> NewEvent {
    NewEvent {
        event_id: EventId::from_uuid(Uuid::now_v7()),
        actor,
        command_id: None,
        occurred_at_ms: 1_800_000_000_000,
        event,
    }
}
