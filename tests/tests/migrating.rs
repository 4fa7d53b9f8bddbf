//! A room that goes from a machine to a cluster and back: real NATS servers, the real program.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use synx_cluster::testing::NatsServer;
use synx_system_tests::{Instance, PATIENCE, binary, demo_track, synx};
use tempfile::TempDir;

/// Some pages of what is moved at once.
const MANY: usize = 5000;

/// A machine whose host said so many words, and is gone.
fn hosted(home: &Path, words: usize, more: &[&str]) -> String {
    let mut host = Instance::host(home, more);
    let room = host.next("room_opened")["room_id"].as_str().unwrap().to_owned();
    for word in 0..words {
        host.say(json!({"id": "say", "type": "chat_message", "text": format!("word {word}")}));
    }
    host.must("last", json!({"type": "chat_message", "text": "that was all"}));
    host.must("end", json!({"type": "leave"}));
    assert_eq!(host.exit_code(), 0);
    room
}

fn migrate(direction: &str, home: &Path, room: &str, server: &NatsServer) -> Command {
    let mut command = Command::new(binary("synx"));
    command.args(["migrate", direction, "--room", room, "--data-dir", home.to_str().unwrap()]);
    command.env("SYNX_CLUSTER", server.url()).stdin(Stdio::null());
    command
}

fn moved(direction: &str, home: &Path, room: &str, server: &NatsServer) -> String {
    let output = migrate(direction, home, room, server).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    proof(&output, room)
}

fn refused(direction: &str, home: &Path, room: &str, server: &NatsServer) -> String {
    let output = migrate(direction, home, room, server).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    said(&output)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

/// Number of events and hash at the last, as they were printed for the room.
fn proof(output: &Output, room: &str) -> String {
    let text = said(output);
    let line = text.lines().find(|line| line.starts_with(room)).unwrap_or_else(|| panic!("{text}"));
    line.split_once(": ").unwrap().1.to_owned()
}

/// What the log of a machine proves.
fn verified(home: &Path, room: &str) -> String {
    proof(&synx(&["log", "verify", "--room", room, "--data-dir", home.to_str().unwrap()]), room)
}

fn homes<const N: usize>() -> (TempDir, [PathBuf; N]) {
    let folder = tempfile::tempdir().unwrap();
    let homes = std::array::from_fn(|number| folder.path().join(number.to_string()));
    (folder, homes)
}

#[test]
fn a_room_goes_to_the_cluster_and_on_to_another_machine_as_the_same_room() {
    let (server, (_folder, [first, second])) = (NatsServer::start(), homes());
    let room = hosted(&first, 20, &[]);
    let proof = verified(&first, &room);
    assert_eq!(moved("to", &first, &room, &server), proof);
    assert_eq!(moved("from", &second, &room, &server), proof);
    assert_eq!(verified(&second, &room), proof);

    // It goes on there, and comes back.
    hosted(&second, 3, &["--room", &room]);
    let longer = verified(&second, &room);
    assert_ne!(longer, proof);
    assert_eq!(moved("to", &second, &room, &server), longer);
    assert_eq!(moved("from", &first, &room, &server), longer);
    assert_eq!(verified(&first, &room), longer);
}

/// A room with a track in it, whose host is gone.
fn with_a_track(home: &Path) -> (String, String) {
    let mut host = Instance::host(home, &[]);
    let room = host.next("room_opened")["room_id"].as_str().unwrap().to_owned();
    host.must("share", json!({"type": "share_file", "path": demo_track("tide-line.mp3")}));
    let track = host.next("file_shared")["track"]["hash"].as_str().unwrap().to_owned();
    host.must("end", json!({"type": "leave"}));
    assert_eq!(host.exit_code(), 0);
    (room, track)
}

#[test]
fn a_rooms_audio_goes_with_it() {
    let (server, (_folder, [home, other, third])) = (NatsServer::start(), homes());
    let (room, track) = with_a_track(&home);
    let called =
        |direction, home: &Path, room: &str| said(&migrate(direction, home, room, &server).output().unwrap());
    for (direction, home) in [("to", &home), ("from", &other)] {
        let said = called(direction, home, &room);
        assert!(said.contains("1 files of audio"), "{said}");
    }
    let file = |home: &Path| {
        let path = home.join("audio").join(&track[..2]).join(format!("{track}.bin"));
        std::fs::read(path).unwrap()
    };
    assert_eq!(file(&other), file(&home));
    // One that is nowhere is said to be missing, and the room goes all the same.
    let nowhere = NatsServer::start();
    let (room, _) = with_a_track(&third);
    std::fs::remove_dir_all(third.join("audio")).unwrap();
    let output = migrate("to", &third, &room, &nowhere).output().unwrap();
    assert!(output.status.success() && said(&output).contains("1 could not be found"), "{}", said(&output));
}

#[test]
fn a_move_that_was_cut_short_is_carried_on() {
    let (server, (_folder, [home, other])) = (NatsServer::start(), homes());
    let room = hosted(&home, MANY, &[]);
    let mut begun = migrate("to", &home, &room, &server).stdout(Stdio::null()).spawn().unwrap();
    let wal = home.join("cluster.db-wal");
    let end = Instant::now() + PATIENCE;
    // As soon as the first page has arrived in the copy, and so in the stream.
    while std::fs::metadata(&wal).map_or(0, |meta| meta.len()) < 200_000
        && begun.try_wait().unwrap().is_none()
    {
        assert!(Instant::now() < end, "nothing is moved");
        std::thread::sleep(Duration::from_millis(1));
    }
    begun.kill().unwrap();
    begun.wait().unwrap();
    let proof = verified(&home, &room);
    assert_eq!(moved("to", &home, &room, &server), proof);
    assert_eq!(moved("to", &home, &room, &server), proof);
    assert_eq!(moved("from", &other, &room, &server), proof);
}

#[test]
fn what_is_hosted_or_went_on_elsewhere_is_not_moved() {
    let (server, (_folder, [home, fork])) = (NatsServer::start(), homes());
    let room = hosted(&home, 1, &[]);
    moved("to", &home, &room, &server);
    moved("from", &fork, &room, &server);
    hosted(&fork, 1, &["--room", &room]);
    moved("to", &fork, &room, &server);

    let mut host = Instance::host(&home, &["--room", &room]);
    host.next("room_opened");
    assert!(refused("to", &home, &room, &server).contains("in use by another instance"));
    host.must("say", json!({"type": "chat_message", "text": "in the other history"}));
    drop(host);
    let proof = verified(&fork, &room);
    for direction in ["to", "from"] {
        assert!(refused(direction, &home, &room, &server).contains("from another copy of the room"));
    }
    // The cluster has what it had.
    assert_eq!(moved("to", &fork, &room, &server), proof);
    let nowhere = refused("from", &home, "0192f3b0-0000-7000-8000-000000000000", &server);
    assert!(nowhere.contains("not known"), "{nowhere}");
}

#[test]
fn credentials_are_shown_in_no_log_either() {
    let (server, (_folder, [home])) = (NatsServer::start(), homes());
    let room = hosted(&home, 1, &[]);
    let output = migrate("to", &home, &room, &server).env("SYNX_LOG", "trace").output().unwrap();
    let (said, address) = (said(&output), server.url());
    let password = address.split_once("synx:").unwrap().1.split_once('@').unwrap().0;
    assert!(output.status.success() && said.contains("async_nats") && !said.contains(password), "{said}");
}

#[test]
fn credentials_are_not_shown() {
    let (_folder, [home]) = homes();
    let server = "nats://synx:s3cret@127.0.0.1:1";
    let call = |args: &[&str]| {
        let mut command = Command::new(binary("synx"));
        command.args(args).args(["--data-dir", home.to_str().unwrap()]).env("SYNX_CLUSTER", server);
        command.env("SYNX_LOG", "trace").output().unwrap()
    };
    for (args, code) in [
        (&["migrate", "to", "--help"][..], 0),
        (&["migrate", "to", "--nonsense"], 2),
        (&["migrate", "to", "--replicas", "2"], 1),
        (&["migrate", "to", "--cluster-name", "a.b"], 2),
        (&["migrate", "to"], 5),
        (&["migrate", "to", "--cluster", "nats://s3cret@[", "--room", "x"], 1),
    ] {
        let output = call(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        assert!(!said(&output).contains("s3cret"), "{args:?}: {}", said(&output));
    }
}
