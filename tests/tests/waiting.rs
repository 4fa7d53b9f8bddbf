//! A room that waits for everyone: real processes, one of which lacks the file, or answers no more.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::{Value, json};
use synx_system_tests::line::Line;
use synx_system_tests::{Instance, demo_track};
use tempfile::TempDir;

struct Room {
    folder: TempDir,
    host: Instance,
    ben: Instance,
    line: Line,
}

/// A room that waits, with Ben in it at the end of a line.
fn waiting_room() -> Room {
    let folder = tempfile::tempdir().unwrap();
    let mut host = Instance::host(&folder.path().join("host"), &["--wait-for-all"]);
    let opened = host.next("room_opened");
    let line = Line::to(opened["port"].as_u64().unwrap().try_into().unwrap());
    let more = ["--address", &line.address()];
    let mut ben = Instance::join(opened["link"].as_str().unwrap(), "Ben", &folder.path().join("ben"), &more);
    ben.next("room_joined");
    // Its clock has a connection of its own, which must be there before the line is shut.
    ben.wait_for("room time", |line| line["type"] == "sync" && line["room_time_us"].is_i64());
    Room { folder, host, ben, line }
}

fn share_and_play(host: &mut Instance) {
    host.must("share", json!({"type": "share_file", "path": demo_track("tide-line.mp3")}));
    host.next("file_shared");
    host.must("play", json!({"type": "playback_play"}));
    let asked = host.wait_for("the awaited track", is_sync("play"));
    assert_eq!(
        (&asked["transport"]["awaits"], &asked["transport"]["playing"]),
        (&json!(true), &json!(false))
    );
}

fn is_sync(cause: &str) -> impl Fn(&Value) -> bool + '_ {
    move |line| line["type"] == "playback_sync" && line["cause"] == cause
}

fn awaits(line: &Value) -> bool {
    line["type"] == "sync" && line["state"] == "awaiting"
}

fn plays(line: &Value) -> bool {
    line["type"] == "sync" && line["state"] == "playing" && line["error_us"].is_f64()
}

fn was_released(instance: &mut Instance) -> bool {
    instance.drain().iter().any(is_sync("released"))
}

#[test]
fn the_music_waits_for_who_lacks_the_file_and_starts_for_both() {
    let Room { folder: _folder, mut host, mut ben, line } = waiting_room();
    line.set_open(false);
    share_and_play(&mut host);
    // Longer than a silent peer is waited for: Ben goes on saying what he has.
    for _ in 0..7 {
        host.wait_for("the host waits", awaits);
        ben.wait_for("Ben waits", awaits);
    }
    assert!(!was_released(&mut host) && !was_released(&mut ben));
    line.set_open(true);
    let begun = host.wait_for("the release", is_sync("released"));
    assert_eq!(begun["transport"]["anchor"]["position_us"], 0);
    host.wait_for("the host's music", plays);
    ben.wait_for("Ben's music", plays);
}

#[test]
fn whoever_is_in_control_starts_without_the_rest() {
    let Room { folder: _folder, mut host, ben: _ben, line } = waiting_room();
    line.set_open(false);
    share_and_play(&mut host);
    host.wait_for("the host waits", awaits);
    host.must("without", json!({"type": "playback_play"}));
    host.wait_for("the host's music", plays);
}

#[cfg(unix)]
#[test]
fn a_frozen_peer_is_not_waited_for_for_ever() {
    let Room { folder: _folder, mut host, mut ben, line: _line } = waiting_room();
    ben.freeze(true);
    share_and_play(&mut host);
    host.wait_for("the host waits", awaits);
    host.wait_for("the release", is_sync("released"));
    host.wait_for("the host's music", plays);
    ben.freeze(false);
    ben.wait_for("Ben's music, when he is back", plays);
}
