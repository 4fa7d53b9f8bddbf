//! What those who run a host see of it, and how it goes when the system ends it.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::json;
use std::time::{Duration, Instant};
use synx_system_tests::{Instance, PATIENCE, http, synx};

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
    let end = Instant::now() + PATIENCE;
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
