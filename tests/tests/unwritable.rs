//! Data folders that cannot be written, whole or in part: each ends in a reason, and what is in them can be read.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use synx_system_tests::{Instance, demo_track, mounts, synx_under};
use tempfile::TempDir;

/// A data folder with a room in it, in which something was said.
struct Home {
    _folder: TempDir,
    path: PathBuf,
    room: String,
}

const SAID: &str = "what was said before";

impl Home {
    /// None where no folder can be made that cannot be written.
    fn with_a_room() -> Option<Self> {
        if let Some(reason) = mounts::unavailable() {
            println!("skipped: no folder can be kept from being written here ({reason})");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        let mut host = Instance::host(&path, &[]);
        let room = host.next("room_opened")["room_id"].as_str().unwrap().to_owned();
        host.must("say", json!({"type": "chat_message", "text": SAID}));
        host.must("end", json!({"type": "leave"}));
        assert_eq!(host.exit_code(), 0);
        Some(Self { _folder: folder, path, room })
    }

    fn host(&self, under: &[String]) -> Instance {
        let args = ["host", "--json", "--listen", "127.0.0.1:0", "--room", &self.room];
        Instance::start_under(under, "host", &self.path, &args)
    }

    /// What `synx log` finds in the folder.
    fn is_read(&self, under: &[String]) {
        for (command, holds) in [("show", SAID), ("export", SAID), ("verify", "sound")] {
            let mut args = vec!["log", command, "--data-dir", self.path.to_str().unwrap()];
            if command != "show" {
                args.extend(["--room", &self.room]);
            }
            let output = synx_under(under, &args);
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success() && said.contains(holds), "log {command}: {said}");
        }
    }
}

/// Whatever would run on the folder is refused with this code, and a sentence that names the folder or the file in it.
fn all_are_refused(under: impl Fn() -> Vec<String>, home: &Path, code: &str) {
    let link = "synxsphere://join?v=1&room=0192f3b0-0000-7000-8000-000000000000&a=127.0.0.1:1";
    for args in [&["host", "--json", "--listen", "127.0.0.1:0"][..], &["join", link, "--json"], &["node"]] {
        let mut refused = Instance::start_under(&under(), args[0], home, args);
        let error = refused.next("error");
        assert_eq!(error["code"], code, "{args:?}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(home.to_str().unwrap()), "{args:?}: {message}");
        assert!(!message.contains("os error"), "{args:?}: {message}");
        assert_eq!(refused.exit_code(), 1, "{args:?}");
        drop(std::fs::remove_dir_all(mounts::after(home)));
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_data_folder_that_cannot_be_written_is_refused_and_read() {
    let Some(home) = Home::with_a_room() else { return };
    let before = files(&home.path);
    let read_only = mounts::read_only(&home.path);
    all_are_refused(|| read_only.clone(), &home.path, "data_dir_read_only");
    home.is_read(&read_only);
    assert_eq!(files(&home.path), before);
    home.host(&[]).next("room_opened");
}

#[test]
fn the_room_of_a_host_that_was_killed_is_read_where_nothing_can_be_written() {
    let Some(home) = Home::with_a_room() else { return };
    let mut host = home.host(&[]);
    host.next("room_opened");
    host.must("last", json!({"type": "chat_message", "text": "the last words"}));
    host.kill();
    assert!(std::fs::metadata(home.path.join("log.db-wal")).unwrap().len() > 0);
    let read_only = mounts::read_only(&home.path);
    home.is_read(&read_only);
    let shown = synx_under(&read_only, &["log", "show", "--data-dir", home.path.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("the last words"));
    // Where what is needed beside the log's file is not there either, it is said what to do.
    std::fs::remove_file(home.path.join("log.db-shm")).unwrap();
    let refused = synx_under(&read_only, &["log", "show", "--data-dir", home.path.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("log.db") && said.contains("write"), "{said}");
}

#[test]
fn a_folder_on_a_full_disk_is_refused_and_read_and_goes_on_once_there_is_space() {
    let Some(home) = Home::with_a_room() else { return };
    all_are_refused(|| mounts::full(&home.path), &home.path, "disk_full");
    home.is_read(&[]);
    let mut refused = home.host(&mounts::full(&home.path));
    assert_eq!(refused.next("error")["code"], "disk_full");
    refused.exit_code();
    let after = Home { path: mounts::after(&home.path), room: home.room.clone(), ..home };
    after.is_read(&[]);
    let mut host = after.host(&[]);
    host.next("room_opened");
    host.must("say", json!({"type": "chat_message", "text": "and on"}));
}

#[test]
fn a_log_on_a_full_disk_is_read() {
    let Some(home) = Home::with_a_room() else { return };
    for command in ["show", "verify"] {
        let args = ["log", command, "--data-dir", home.path.to_str().unwrap()];
        let output = synx_under(&mounts::full(&home.path), &args);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let holds = if command == "show" { SAID } else { "sound" };
        assert!(output.status.success() && said.contains(holds), "log {command}: {said}");
        std::fs::remove_dir_all(mounts::after(&home.path)).unwrap();
    }
}

#[test]
fn who_starts_for_the_first_time_on_a_full_disk_leaves_nothing_half_made() {
    let Some(home) = Home::with_a_room() else { return };
    let new = home.path.with_file_name("new");
    all_are_refused(|| mounts::full(&new), &new, "disk_full");
    let mut refused = Instance::start_under(&mounts::full(&new), "host", &new, &["host", "--json"]);
    refused.next("error");
    refused.exit_code();
    let left = files(&mounts::after(&new));
    let is_half = |path: &&PathBuf| path.is_file() && !path.ends_with("lock");
    assert_eq!(left.iter().find(is_half), None, "{left:?}");
    Instance::host(&mounts::after(&new), &[]).next("room_opened");
}

#[test]
fn each_file_that_cannot_be_written_is_named() {
    let Some(home) = Home::with_a_room() else { return };
    for (file, code, named) in [
        ("log.db", "log_read_only", "log.db"),
        ("log.db.lock", "log_read_only", "log.db"),
        ("library.db", "library_read_only", "library.db"),
        ("lock", "data_dir_read_only", "home"),
    ] {
        let mut refused = home.host(&mounts::read_only(&home.path.join(file)));
        let error = refused.next("error");
        assert_eq!(error["code"], code, "{file}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(home.path.to_str().unwrap()) && message.contains(named), "{file}: {error}");
        assert_eq!(refused.exit_code(), 1, "{file}");
        home.host(&[]).next("room_opened");
    }
    // What is only read once it is there may be as it is.
    for file in ["identity.key", "host.key", "tls"] {
        home.host(&mounts::read_only(&home.path.join(file))).next("room_opened");
    }
}

#[test]
fn a_file_that_the_host_cannot_take_in_is_said_to_have_failed() {
    let Some(home) = Home::with_a_room() else { return };
    let mut host = home.host(&mounts::read_only(&home.path.join("audio")));
    host.next("room_opened");
    let share = json!({"type": "share_file", "path": demo_track("tide-line.mp3")});
    let refused: Value = host.ask("share", share.clone());
    assert_eq!(refused["code"], "read_only", "{refused}");
    assert_eq!(host.next("processing_failed")["file_name"], "tide-line.mp3");
    host.must("end", json!({"type": "leave"}));
    host.exit_code();
    let mut host = home.host(&[]);
    host.next("room_opened");
    host.must("share", share);
    host.next("file_shared");
}

#[test]
fn an_upload_that_the_host_cannot_keep_is_over_for_all_and_may_be_tried_again() {
    let Some(home) = Home::with_a_room() else { return };
    let share = json!({"type": "share_file", "path": demo_track("tide-line.mp3")});
    let ben_at = home.path.with_file_name("ben");
    let mut host = home.host(&mounts::read_only(&home.path.join("audio")));
    let link = host.next("room_opened")["link"].as_str().unwrap().to_owned();
    let mut ben = Instance::join(&link, "Ben", &ben_at, &[]);
    ben.next("room_joined");
    ben.say(share.clone());
    for told in [&mut host, &mut ben] {
        let failed = told.next("processing_failed");
        assert_eq!(failed["code"], "host_read_only", "{failed}");
        let reason = failed["reason"].as_str().unwrap();
        assert!(
            reason.contains("tide-line.mp3") && !reason.contains(home.path.to_str().unwrap()),
            "{reason}"
        );
    }
    ben.must("end", json!({"type": "leave"}));
    host.must("end", json!({"type": "leave"}));
    assert_eq!((ben.exit_code(), host.exit_code()), (0, 0));
    let mut host = home.host(&[]);
    let link = host.next("room_opened")["link"].as_str().unwrap().to_owned();
    let mut ben = Instance::join(&link, "Ben", &ben_at, &[]);
    ben.next("room_joined");
    ben.must("share", share);
    host.next("file_shared");
}
