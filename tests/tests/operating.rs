//! What those who run a host see of it, and how it goes when the system ends it.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::json;
use std::slice;
use std::time::{Duration, Instant};
use synx_cluster::testing::{NatsServer, ServerConfig};
use synx_system_tests::{Instance, PATIENCE, demo_track, http, synx};

/// The value of a count, of all its labels together.
fn count(metrics: &str, name: &str) -> f64 {
    let values = metrics.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        (rest.starts_with(' ') || rest.starts_with('{'))
            .then(|| rest.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
    });
    values.sum()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    // NATS servers take their time to find out that others are gone.
    let end = Instant::now() + PATIENCE * 4;
    while !is_so() {
        assert!(Instant::now() < end, "never so: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_host_shows_how_it_is_to_those_who_run_it_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = Instance::host(&folder.path().join("host"), &["--ops", "0", "--no-tls"]);
    let ops = host.next("ops_ready")["url"].as_str().unwrap().to_owned();
    let page = |path: &str| http::get(&format!("{ops}/{path}")).unwrap();
    let opened = host.next("room_opened");
    until("it is ready", || page("readyz").0 == 200);
    assert_eq!(page("healthz").0, 200);

    let mut ben = Instance::join(opened["link"].as_str().unwrap(), "Ben", &folder.path().join("ben"), &[]);
    ben.next("room_joined");
    for word in 0..10 {
        ben.must(&format!("say{word}"), json!({"type": "chat_message", "text": "hello"}));
    }
    let refused = ben.ask("no", json!({"type": "playback_pause"}));
    assert_eq!(refused["type"], "error", "{refused}");
    for (name, at_least) in [
        ("synx_rooms", 1.0),
        ("synx_peers", 1.0),
        ("synx_connections", 1.0),
        ("synx_log_events_appended_total", 12.0),
        ("synx_log_commit_seconds_count", 1.0),
        ("synx_command_ack_seconds_count", 10.0),
        ("synx_deliveries_total", 10.0),
        ("synx_network_receive_bytes_total", 1000.0),
        ("synx_network_transmit_bytes_total", 1000.0),
        ("synx_refused_total", 1.0),
    ] {
        until(name, || count(&page("metrics").1, name) >= at_least);
    }
    let metrics = page("metrics").1;
    let code = format!("synx_refused_total{{code={}}} 1", refused["code"]);
    assert!(metrics.contains(&code), "{code} in:\n{metrics}");
    for private in ["Ben", "hello", "Test room", opened["room_id"].as_str().unwrap()] {
        assert!(!metrics.contains(private), "{private} in:\n{metrics}");
    }
    // Where the rooms are there is nothing of it.
    for path in ["healthz", "readyz", "metrics"] {
        assert_eq!(http::get(&format!("http://127.0.0.1:{}/{path}", opened["port"])).unwrap().0, 404);
    }
    drop(ben);
    until("nobody is in it", || count(&page("metrics").1, "synx_peers") == 0.0);
}

#[test]
fn a_host_that_the_system_ends_leaves_its_room_open_and_its_peers_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("host");
    let mut host = Instance::host(&home, &[]);
    let opened = host.next("room_opened");
    let (link, room) = (opened["link"].as_str().unwrap(), opened["room_id"].as_str().unwrap());
    let mut ben = Instance::join(link, "Ben", &folder.path().join("ben"), &[]);
    ben.next("room_joined");
    for word in 0..50 {
        ben.say(json!({"id": format!("w{word}"), "type": "chat_message", "text": format!("word {word}")}));
    }
    host.terminate();
    assert_eq!(host.exit_code(), 0);
    let listen = format!("127.0.0.1:{}", opened["port"]);
    let again = ["host", "--json", "--listen", &listen, "--room", room, "--as", "Ana"];
    let mut host = Instance::start("host again", &home, &again);
    host.next("room_opened");
    ben.must("after", json!({"type": "chat_message", "text": "and on"}));
    for word in 0..50 {
        let id = format!("w{word}");
        assert!(ben.said.iter().any(|line| line["id"] == *id && line["type"] == "ok"), "{id}");
    }
    let shown = synx(&["log", "show", "--limit", "1000", "--data-dir", home.to_str().unwrap()]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(!shown.contains("room.user_left"), "{shown}");
    for word in 0..50 {
        assert_eq!(shown.matches(&format!("\"word {word}\"")).count(), 1, "{shown}");
    }
}

/// Nodes of a cluster with one room in it, and the link that names them all.
struct Nodes {
    folder: tempfile::TempDir,
    nodes: Vec<(Instance, String)>,
    addresses: Vec<String>,
    link: String,
}

impl Nodes {
    /// So many, over servers that each keep everything.
    fn start(servers: &[NatsServer], count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let mut host = Instance::host(&home, &["--control", "everyone"]);
        let room = host.next("room_opened")["room_id"].as_str().unwrap().to_owned();
        host.must("end", json!({"type": "leave"}));
        assert_eq!(host.exit_code(), 0);
        let urls = servers.iter().map(NatsServer::url).collect::<Vec<_>>().join(",");
        let (replicas, home) = (servers.len().to_string(), home.to_str().unwrap().to_owned());
        let cluster = ["--cluster", &urls, "--data-dir", &home, "--room", &room];
        let moved = synx(&[&["migrate", "to", "--replicas", &replicas][..], &cluster].concat());
        assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
        let node = |number: usize| {
            let home = folder.path().join(number.to_string());
            let args = ["node", "--cluster", &urls, "--replicas", &replicas, "--listen", "127.0.0.1:0"];
            let args = [&args[..], &["--no-tls", "--ops", "0"]].concat();
            let mut node = Instance::start(&format!("node {number}"), &home, &args);
            let ops = node.next("ops_ready")["url"].as_str().unwrap().to_owned();
            let listen = node.next("node_ready")["listen"].as_str().unwrap().to_owned();
            ((node, ops), listen)
        };
        let (nodes, addresses): (Vec<_>, Vec<String>) = (0..count).map(node).unzip();
        let at = addresses.iter().flat_map(|at| ["--address", at]);
        let invite: Vec<&str> = ["invite", "--no-tls"].into_iter().chain(cluster).chain(at).collect();
        let link = String::from_utf8(synx(&invite).stdout).unwrap().trim().to_owned();
        Self { folder, nodes, addresses, link }
    }

    fn join(&self, name: &str, more: &[&str]) -> Instance {
        let mut peer = Instance::join(&self.link, name, &self.folder.path().join(name), more);
        peer.next("room_joined");
        peer
    }

    fn page(&self, node: usize, path: &str) -> Option<(u16, String)> {
        http::get(&format!("{}/{path}", self.nodes[node].1))
    }

    fn is_ready(&self, node: usize) -> bool {
        self.page(node, "readyz").is_some_and(|(status, _)| status == 200)
    }

    fn counts(&self, node: usize, name: &str) -> f64 {
        count(&self.page(node, "metrics").unwrap().1, name)
    }
}

#[test]
fn a_node_that_ends_sends_its_peers_to_another() {
    let server = NatsServer::start();
    let mut nodes = Nodes::start(slice::from_ref(&server), 2);
    let mut ben = nodes.join("Ben", &[]);
    ben.must("before", json!({"type": "chat_message", "text": "before"}));
    // Addresses are tried in their order: the first node has him.
    assert_eq!((nodes.counts(0, "synx_peers"), nodes.counts(1, "synx_peers")), (1.0, 0.0));
    nodes.nodes[0].0.terminate();
    assert_eq!(nodes.nodes[0].0.exit_code(), 0);
    ben.must("after", json!({"type": "chat_message", "text": "after"}));
    assert_eq!(nodes.counts(1, "synx_peers"), 1.0);
    assert!(!ben.drain().iter().any(|line| line["type"] == "user_left"), "{:?}", ben.said);
}

#[test]
fn a_node_without_its_cluster_is_not_ready_until_it_is_back() {
    let mut server = NatsServer::start();
    let nodes = Nodes::start(slice::from_ref(&server), 1);
    until("it is ready", || nodes.is_ready(0));
    for name in ["synx_cluster_reached", "synx_cluster_servers_current"] {
        assert_eq!(nodes.counts(0, name), 1.0, "{name}");
    }
    server.kill();
    until("it is not ready", || !nodes.is_ready(0));
    let (status, said) = nodes.page(0, "readyz").unwrap();
    // Whichever it notices first: that its log takes nothing, or that it hears nobody.
    let why = said.contains("log_io") || said.contains("cut_off");
    assert!(status == 503 && why, "{status} {said}");
    assert_eq!(nodes.page(0, "healthz").unwrap().0, 200);
    server.restart();
    until("it is ready again", || nodes.is_ready(0));
    assert_eq!(nodes.counts(0, "synx_cluster_reached"), 1.0);
}

#[test]
fn a_node_serves_on_without_one_of_three_nats_servers_and_says_so() {
    let mut servers = NatsServer::system(3, &ServerConfig::default());
    let nodes = Nodes::start(&servers, 1);
    let kept_by = |count: f64| nodes.is_ready(0) && nodes.counts(0, "synx_cluster_servers_current") == count;
    until("all three have everything", || kept_by(3.0));
    let mut ben = nodes.join("Ben", &[]);
    servers[0].kill();
    until("two of three go on", || kept_by(2.0));
    ben.must("two", json!({"type": "chat_message", "text": "two are enough"}));
    // One of three could not tell whether the others have gone on without it.
    servers[1].kill();
    until("it is not ready", || !nodes.is_ready(0));
    servers.iter_mut().take(2).for_each(NatsServer::restart);
    until("all three have everything again", || kept_by(3.0));
    ben.must("three", json!({"type": "chat_message", "text": "all are back"}));
}

#[test]
fn audio_that_one_node_was_given_is_had_from_any() {
    let server = NatsServer::start();
    let nodes = Nodes::start(slice::from_ref(&server), 2);
    let mut ben = nodes.join("Ben", &["--address", &nodes.addresses[0]]);
    let mut cleo = nodes.join("Cleo", &["--address", &nodes.addresses[1]]);
    assert_eq!((nodes.counts(0, "synx_peers"), nodes.counts(1, "synx_peers")), (1.0, 1.0));
    ben.must("share", json!({"type": "share_file", "path": demo_track("tide-line.mp3")}));
    cleo.next("file_shared");
    cleo.must("play", json!({"type": "playback_play"}));
    for peer in [&mut cleo, &mut ben] {
        peer.wait_for("music", |line| line["type"] == "sync" && line["state"] == "playing");
    }
}
