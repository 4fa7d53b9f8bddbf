//! Making a room's log smaller with the real program: archived events are still found by everything, dropped ones are gone, and
//! the proof goes on.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::json;
use std::path::Path;
use std::process::Output;
use synx_system_tests::{Instance, synx};

/// More than one segment of the archive holds.
const WORDS: usize = 1500;
/// Events in a full segment.
const SEGMENT: u64 = 1024;

fn log(home: &Path, args: &[&str]) -> Output {
    synx(&[&["log"], args, &["--data-dir", home.to_str().unwrap()]].concat())
}

fn done(home: &Path, args: &[&str]) -> String {
    let output = log(home, args);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command says that is not done.
fn refused(home: &Path, args: &[&str]) -> String {
    let output = log(home, args);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The hash at the room's last event, which proves all before it.
fn head(home: &Path, room: &str) -> String {
    let verified = done(home, &["verify", "--room", room]);
    assert!(verified.contains("sound"), "{verified}");
    verified.trim().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn a_log_is_made_smaller_in_two_steps_and_stays_proven() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("host");
    let mut host = Instance::host(&home, &[]);
    let room = host.next("room_opened")["room_id"].as_str().unwrap().to_owned();
    for word in 0..WORDS {
        host.say(json!({"id": "say", "type": "chat_message", "text": format!("word {word}.")}));
    }
    host.must("last", json!({"type": "chat_message", "text": "that was all"}));
    let said = refused(&home, &["archive", "--keep-events", "10"]);
    assert!(said.contains("in use"), "{said}");
    host.must("end", json!({"type": "leave"}));
    assert_eq!(host.exit_code(), 0);
    let (before, whole) = (head(&home, &room), done(&home, &["export"]));

    assert_eq!(done(&home, &["archive", "--older-than", "1"]), "0 events are in the archive now\n");
    let moved = done(&home, &["archive", "--keep-events", "10"]);
    let events = whole.lines().count();
    assert_eq!(moved, format!("{} events are in the archive now\n", events - 10));
    assert_eq!(done(&home, &["export"]), whole);
    assert_eq!(head(&home, &room), before);
    assert!(done(&home, &["show", "--limit", "10000"]).contains("\"word 7.\""));

    let through = SEGMENT.to_string();
    assert!(refused(&home, &["drop", "--through", &through]).contains("--for-good"));
    assert_eq!(done(&home, &["export"]), whole);
    assert!(done(&home, &["drop", "--through", "1000", "--for-good"]).contains("nothing was dropped"));
    let dropped = done(&home, &["drop", "--through", &through, "--for-good"]);
    assert_eq!(dropped, format!("dropped up to event {SEGMENT}\n"));
    assert_eq!(head(&home, &room), before);
    let shown = done(&home, &["show", "--limit", "10000"]);
    assert!(!shown.contains("\"word 7.\"") && shown.contains("that was all"));
    assert!(refused(&home, &["replay", "--to", "7"]).contains("dropped"));

    // The room goes on, for those who come as well.
    let mut host = Instance::host(&home, &["--room", &room]);
    let link = host.next("room_opened")["link"].as_str().unwrap().to_owned();
    let mut ben = Instance::join(&link, "Ben", &folder.path().join("ben"), &[]);
    ben.next("room_joined");
    ben.must("hi", json!({"type": "chat_message", "text": "still here?"}));
    host.must("end", json!({"type": "leave"}));
    host.exit_code();
    assert_ne!(head(&home, &room), before);
}
