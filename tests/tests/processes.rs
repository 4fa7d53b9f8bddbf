//! A room of real processes: three peers, chat, sharing, playing together, late join, deaths and returns.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use synx_system_tests::{Instance, demo_track, synx};
use tempfile::TempDir;

/// Peers that follow the same clock and play to a paced null output on one busy machine: what is asked of them here is to
/// be together, not how exactly; that is measured by `cargo xtask bench sync`.
const TOGETHER_US: f64 = 5_000.0;

struct Room {
    folder: TempDir,
    host: Instance,
    link: String,
}

impl Room {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut host = Instance::host(&folder.path().join("host"), &[]);
        let link = host.next("room_opened")["link"].as_str().unwrap().to_owned();
        Self { folder, host, link }
    }

    fn data_dir(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn join(&self, name: &str) -> Instance {
        let mut peer = Instance::join(&self.link, name, &self.data_dir(name), &[]);
        peer.next("room_joined");
        peer
    }

    /// Opens the room again, whose host is no more.
    fn reopen(&mut self) {
        let opened = self.host.said.iter().find(|line| line["type"] == "room_opened").unwrap();
        let (listen, room_id) = (format!("127.0.0.1:{}", opened["port"]), opened["room_id"].clone());
        let args =
            ["host", "--json", "--listen", &listen, "--room", room_id.as_str().unwrap(), "--as", "Ana"];
        self.host = Instance::start("host again", &self.data_dir("host"), &args);
        assert_eq!(self.host.next("room_opened")["room_id"], room_id);
    }

    fn share_demo_track(&mut self) -> Value {
        share(&mut self.host, &demo_track("tide-line.mp3"))
    }
}

fn share(by: &mut Instance, path: &Path) -> Value {
    by.must("share", json!({"type": "share_file", "path": path}));
    by.next("file_shared")
}

/// Waits until an instance says that it plays, in time.
fn plays_in_time(peer: &mut Instance) -> Value {
    peer.wait_for("a sync line while playing", |line| {
        line["type"] == "sync"
            && line["state"] == "playing"
            && line["error_us"].as_f64().is_some_and(|error| error.abs() < TOGETHER_US)
    })
}

#[test]
fn three_people_talk_share_and_listen_together() {
    let mut room = Room::open();
    let (mut ben, mut cy) = (room.join("Ben"), room.join("Cy"));
    room.host
        .wait_for("Cy at the host", |line| line["type"] == "user_joined" && line["profile"]["name"] == "Cy");

    ben.must("hello", json!({"type": "chat_message", "text": "hello"}));
    for instance in [&mut room.host, &mut cy] {
        assert_eq!(instance.next("chat_message")["text"], "hello");
    }

    let shared = share(&mut ben, &demo_track("paper-lantern.flac"));
    let analysis = room.host.next("audio_analysis_complete");
    assert_eq!(analysis["hash"], shared["track"]["hash"]);
    assert!(analysis["analysis"]["bpm"].as_f64().is_some(), "{analysis}");

    room.host.must("play", json!({"type": "playback_play"}));
    for peer in [&mut ben, &mut cy] {
        plays_in_time(peer);
    }

    room.host.must("seek", json!({"type": "playback_seek", "position_s": 10.0}));
    for peer in [&mut ben, &mut cy] {
        peer.wait_for("the seek", |line| line["type"] == "playback_sync" && line["cause"] == "seek");
        let sync = plays_in_time(peer);
        assert!(sync["position_s"].as_f64().unwrap() >= 9.0, "{sync}");
    }

    let mut late = room.join("Dee");
    plays_in_time(&mut late);

    room.host.must("pause", json!({"type": "playback_pause"}));
    late.wait_for("the pause", |line| line["type"] == "playback_sync" && line["cause"] == "pause");
}

#[test]
fn who_was_killed_comes_back_and_misses_nothing() {
    let mut room = Room::open();
    room.share_demo_track();
    let mut ben = room.join("Ben");
    ben.kill();
    room.host.must("while-away", json!({"type": "chat_message", "text": "while you were away"}));
    let mut ben = Instance::join(&room.link, "Ben", &room.data_dir("Ben"), &[]);
    let joined = ben.next("room_joined");
    assert!(joined.to_string().contains("while you were away"), "{joined}");
    room.host.must("play", json!({"type": "playback_play"}));
    plays_in_time(&mut ben);
}

#[test]
fn a_host_that_is_killed_loses_nothing_that_it_confirmed() {
    let mut room = Room::open();
    room.share_demo_track();
    let mut ben = room.join("Ben");
    for number in 0..20 {
        ben.must(&format!("m{number}"), json!({"type": "chat_message", "text": format!("message {number}")}));
    }
    room.host.must("play", json!({"type": "playback_play"}));
    plays_in_time(&mut ben);
    room.host.kill();
    room.reopen();
    ben.wait_for("the music of the new run", |line| {
        line["type"] == "playback_sync" && line["cause"] == "host_restarted"
    });
    ben.drain();
    plays_in_time(&mut ben);
    ben.must("after", json!({"type": "chat_message", "text": "still here"}));
    room.host.wait_for("the message", |line| line["type"] == "chat_message" && line["text"] == "still here");

    room.host.kill();
    let data_dir = room.data_dir("host");
    let shown = synx(&["log", "show", "--json", "--limit", "1000", "--data-dir", data_dir.to_str().unwrap()]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    for number in 0..20 {
        assert_eq!(
            shown.matches(&format!("\"message {number}\"")).count(),
            1,
            "message {number} in\n{shown}"
        );
    }
}

#[test]
fn the_music_of_a_room_stands_where_it_stood_when_the_room_is_opened_again() {
    let mut room = Room::open();
    room.share_demo_track();
    let play_on = |host: &mut Instance| {
        let position = |line: &Value| line["position_s"].as_f64().filter(|_| line["state"] == "playing");
        let from = position(&host.wait_for("the music", |line| position(line).is_some()));
        position(&host.wait_for("more of it", |line| position(line) > from.map(|from| from + 1.0))).unwrap()
    };
    let stands = |host: &mut Instance| {
        let sync = host.wait_for("a position", |line| line["type"] == "sync" && line["position_s"].is_f64());
        assert_eq!(sync["state"], "paused", "{sync}");
        sync["position_s"].as_f64().unwrap()
    };
    room.host.must("play", json!({"type": "playback_play"}));
    let heard_s = play_on(&mut room.host);
    room.host.must("leave", json!({"type": "leave"}));
    assert_eq!(room.host.exit_code(), 0);
    room.reopen();
    let closed_at_s = stands(&mut room.host);
    assert!((heard_s..heard_s + 5.0).contains(&closed_at_s), "{heard_s} {closed_at_s}");

    // Nobody but the host heard it when the host died.
    room.host.must("play", json!({"type": "playback_play"}));
    let heard_s = play_on(&mut room.host);
    room.host.must("last", json!({"type": "chat_message", "text": "the last that is known"}));
    room.host.kill();
    room.reopen();
    let died_at_s = stands(&mut room.host);
    assert!((heard_s - 0.5..heard_s + 5.0).contains(&died_at_s), "{heard_s} {died_at_s}");
}

#[test]
fn a_host_whose_port_is_taken_leaves_no_room_behind() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let args = ["host", "--json", "--listen", &listen, "--as", "Ana", "--name", "Friday"];
    let mut refused = Instance::start("host", folder.path(), &args);
    assert_eq!(refused.next("error")["code"], "listen");
    assert_eq!(refused.exit_code(), 1);
    let shown = synx(&["log", "show", "--data-dir", folder.path().to_str().unwrap()]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("user.created") && !shown.contains("room.created"), "{shown}");
    drop(taken);
    Instance::start("host", folder.path(), &args).next("room_opened");
}

#[test]
fn who_is_left_when_the_host_goes_home_is_told_and_ends_in_peace() {
    let mut room = Room::open();
    let mut ben = room.join("Ben");
    room.host.must("leave", json!({"type": "leave"}));
    assert_eq!(ben.next("error")["code"], "room_closed");
    assert_eq!((ben.exit_code(), room.host.exit_code()), (0, 0));
}

#[test]
fn a_flipped_byte_in_the_log_is_found() {
    let mut room = Room::open();
    room.host.must("chat", json!({"type": "chat_message", "text": "an honest sentence"}));
    room.host.must("leave", json!({"type": "leave"}));
    assert_eq!(room.host.exit_code(), 0);
    let data_dir = room.data_dir("host");
    let verify = || synx(&["log", "verify", "--data-dir", data_dir.to_str().unwrap()]);
    assert!(verify().status.success());

    let file = data_dir.join("log.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes
        .windows(18)
        .position(|window| window == b"an honest sentence")
        .expect("the sentence is in the file");
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let found = verify();
    assert_eq!(found.status.code(), Some(6), "{}", String::from_utf8_lossy(&found.stdout));
}

#[test]
fn a_file_that_is_no_audio_ends_in_a_reason() {
    let mut room = Room::open();
    let mut ben = room.join("Ben");
    let path = room.folder.path().join("letter.mp3");
    std::fs::write(&path, "Dear Ana, this is no music.".repeat(100)).unwrap();
    ben.say(json!({"type": "share_file", "path": path, "id": "letter"}));
    let failed = room.host.next("processing_failed");
    assert_eq!(failed["file_name"], "letter.mp3");
    assert!(!failed["reason"].as_str().unwrap().is_empty());
}

#[test]
fn what_a_listener_may_not_do_is_refused_with_a_reason() {
    let mut room = Room::open();
    room.share_demo_track();
    let mut ben = room.join("Ben");
    let refused = ben.ask("play", json!({"type": "playback_play"}));
    assert_eq!(refused["code"], "not_allowed", "{refused}");
    let unknown = ben.ask("dance", json!({"type": "dance"}));
    assert!(unknown["message"].as_str().unwrap().contains("dance"), "{unknown}");
}

#[test]
fn an_invite_that_was_tampered_with_opens_no_door() {
    let room = Room::open();
    let other = Room::open();
    let invite_of =
        |link: &str| link.split(['&', '?']).find_map(|part| part.strip_prefix("i=")).unwrap().to_owned();
    let borrowed = room.link.replace(&invite_of(&room.link), &invite_of(&other.link));
    let forged = {
        let invite = invite_of(&room.link);
        let mut letters: Vec<char> = invite.chars().collect();
        let middle = letters.len() / 2;
        letters[middle] = if letters[middle] == 'A' { 'B' } else { 'A' };
        room.link.replace(&invite, &letters.into_iter().collect::<String>())
    };
    for (name, link) in [("borrowed", borrowed), ("forged", forged)] {
        let mut stranger = Instance::join(&link, "Mallory", &room.data_dir(name), &[]);
        let error = stranger.next("error");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
        assert_eq!(stranger.exit_code(), 4, "{name}: {error}");
    }
}

#[test]
fn an_expired_invite_says_so() {
    let mut room = Room::open();
    let data_dir = room.data_dir("host");
    let made = synx(&["invite", "--expires", "1s", "--data-dir", data_dir.to_str().unwrap()]);
    let link = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    // The host's own seconds pass: a sync line comes once a second.
    for _ in 0..3 {
        room.host.next("sync");
    }
    let mut late = Instance::join(&link, "Late", &room.data_dir("late"), &[]);
    assert_eq!(late.next("error")["code"], "invite_expired");
    assert_eq!(late.exit_code(), 4);
}
