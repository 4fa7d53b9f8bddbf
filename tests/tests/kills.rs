//! A host that is killed again and again while its peers talk: nothing that was confirmed is lost, nothing is there twice.
//! `cargo xtask bench server kill --rounds 200` does so for longer and measures how soon the host is back.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::json;
use std::collections::BTreeSet;
use synx_system_tests::{Instance, synx};

const KILLS: usize = 10;
/// Messages of each peer in each life of the host; they are all on their way when it dies.
const MESSAGES: usize = 12;

/// Sends messages without waiting for answers; their ids, which are their texts as well.
fn talk(peer: &mut Instance, name: &str, life: usize) -> BTreeSet<String> {
    let ids: BTreeSet<String> = (0..MESSAGES).map(|number| format!("{name}-{life}-{number}.")).collect();
    ids.iter().for_each(|id| peer.say(json!({"type": "chat_message", "text": id, "id": id})));
    ids
}

/// Takes answers until none is missing.
fn hear_all(peer: &mut Instance, mut missing: BTreeSet<String>) {
    while !missing.is_empty() {
        let answer = peer.wait_for("an answer", |line| {
            line["id"].as_str().is_some_and(|id| missing.contains(id))
                && (line["type"] == "ok" || line["type"] == "error")
        });
        assert_eq!(answer["type"], "ok", "{answer}");
        missing.remove(answer["id"].as_str().unwrap());
    }
}

#[test]
fn a_host_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("host");
    let mut host = Instance::host(&data_dir, &[]);
    let opened = host.next("room_opened");
    let (link, room) = (opened["link"].as_str().unwrap(), opened["room_id"].as_str().unwrap());
    let listen = format!("127.0.0.1:{}", opened["port"]);
    let mut peers: Vec<(&str, Instance)> = ["Ben", "Cy"]
        .map(|name| (name, Instance::join(link, name, &folder.path().join(name), &[])))
        .into_iter()
        .collect();
    peers.iter_mut().for_each(|(_, peer)| drop(peer.next("room_joined")));

    let mut said = BTreeSet::new();
    for life in 0..KILLS {
        let asked: Vec<_> = peers.iter_mut().map(|(name, peer)| talk(peer, name, life)).collect();
        // In the midst of it: the first is answered or about to be.
        if life % 2 == 0 {
            host.next("chat_message");
        }
        host.kill();
        host = Instance::start(
            "host again",
            &data_dir,
            &["host", "--json", "--listen", &listen, "--room", room, "--as", "Ana"],
        );
        host.next("room_opened");
        for ((_, peer), asked) in peers.iter_mut().zip(asked) {
            hear_all(peer, asked.clone());
            said.extend(asked);
        }
    }
    host.kill();

    let data_dir = data_dir.to_str().unwrap();
    assert!(synx(&["log", "verify", "--data-dir", data_dir]).status.success());
    let exported = String::from_utf8(synx(&["log", "export", "--data-dir", data_dir]).stdout).unwrap();
    for text in &said {
        assert_eq!(exported.matches(&format!("\"{text}\"")).count(), 1, "{text}");
    }
    assert_eq!(said.len(), KILLS * MESSAGES * peers.len());
}

#[test]
fn a_room_moves_by_backup_and_by_export() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut host = Instance::host(&folder.path().join("host"), &[]);
    host.next("room_opened");
    host.must("hello", json!({"type": "chat_message", "text": "before the backup"}));
    let backup = synx(&["log", "backup", &path("rooms.db"), "--data-dir", &path("host")]);
    assert!(backup.status.success(), "{backup:?}");
    host.must("later", json!({"type": "chat_message", "text": "after the backup"}));
    let running = synx(&["log", "restore", &path("rooms.db"), "--data-dir", &path("host")]);
    assert!(!running.status.success(), "the host is running");

    let restored = synx(&["log", "restore", &path("rooms.db"), "--data-dir", &path("other")]);
    assert!(restored.status.success(), "{restored:?}");
    let exported = |name: &str| synx(&["log", "export", "--data-dir", &path(name)]).stdout;
    let other = String::from_utf8(exported("other")).unwrap();
    assert!(other.contains("before the backup") && !other.contains("after the backup"));

    // What the copy has not yet comes by the export of the one that went on.
    std::fs::write(path("room.jsonl"), exported("host")).unwrap();
    let imported = synx(&["log", "import", &path("room.jsonl"), "--data-dir", &path("other")]);
    assert_eq!(String::from_utf8_lossy(&imported.stdout), "1 new events\n", "{imported:?}");
    assert_eq!(exported("other"), exported("host"));

    let altered =
        String::from_utf8(exported("host")).unwrap().replace("after the backup", "after the bakcup");
    std::fs::write(path("altered.jsonl"), altered).unwrap();
    let refused = synx(&["log", "import", &path("altered.jsonl"), "--data-dir", &path("third")]);
    assert!(!refused.status.success(), "a history that does not follow");
}
