//! Invites and knocking with real processes: a host, those who come, and `synx invite` beside them.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::Path;
use synx_system_tests::{Instance, synx};

/// What `synx invite` prints for this data folder.
fn invite(data_dir: &Path, more: &[&str]) -> String {
    let made = synx(&[&["invite", "--data-dir", data_dir.to_str().unwrap()], more].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn listed(data_dir: &Path) -> Vec<Value> {
    invite(data_dir, &["--list", "--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_invite_for_one_lets_in_one_also_over_a_restart_and_can_be_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("host");
    let mut host = Instance::host(&home, &[]);
    let opened = host.next("room_opened");
    // Made beside a running host, whose log hears of it when it is used.
    let link = invite(&home, &["--uses", "1", "--role", "dj"]);
    let mut ben = Instance::join(&link, "Ben", &folder.path().join("ben"), &[]);
    assert_eq!(ben.next("room_joined")["role"], "dj");
    let mut eve = Instance::join(&link, "Eve", &folder.path().join("eve"), &[]);
    assert_eq!(eve.next("error")["code"], "invite_used_up");
    assert_eq!(eve.exit_code(), 4);
    let used: Vec<Value> = listed(&home).into_iter().filter(|invite| invite["max_uses"] == 1).collect();
    assert_eq!((used.len(), &used[0]["uses"], &used[0]["usable"]), (1, &json!(1), &json!(false)));
    drop(host);

    // Withdrawn while the host is away: the link that it showed opens nothing when it is back, and it shows another.
    let shown = opened["link"].as_str().unwrap();
    invite(&home, &["--revoke", shown]);
    let room = opened["room_id"].as_str().unwrap();
    let mut host = Instance::host(&home, &["--room", room]);
    let again = host.next("room_opened");
    assert_ne!(again["link"], opened["link"]);
    // The port is another after a restart here: its address stands in.
    let at = format!("127.0.0.1:{}", again["port"]);
    let join =
        |link: &str, name: &str| Instance::join(link, name, &folder.path().join(name), &["--address", &at]);
    assert_eq!(join(shown, "Late").next("error")["code"], "invite_revoked");
    assert_eq!(join(&link, "Later").next("error")["code"], "invite_used_up");
    join(again["link"].as_str().unwrap(), "Cleo").next("room_joined");
}

#[test]
fn who_knocks_waits_until_the_host_lets_them_in() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("host");
    let mut host = Instance::host(&home, &[]);
    host.next("room_opened");
    let link = invite(&home, &["--knock"]);
    let mut ben = Instance::join(&link, "Ben", &folder.path().join("ben"), &[]);
    assert!(ben.next("waiting_for_host")["message"].as_str().unwrap().contains("waiting for the host"));
    let knocks = host.next("knocks");
    assert_eq!(knocks["knocks"][0]["name"], "Ben");
    let user = knocks["knocks"][0]["user"].clone();
    host.must("in", json!({"type": "answer_knock", "user": user, "let_in": true}));
    assert_eq!(ben.next("room_joined")["you"], user);
    let answer = host.ask("again", json!({"type": "answer_knock", "user": user, "let_in": true}));
    assert_eq!(answer["code"], "nobody_knocks");
}
