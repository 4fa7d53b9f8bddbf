//! The person's key in a real keyring: that of GNOME, in a session of its own that ends with the test.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;
use synx_node::{Node, NodeConfig};

/// Opens a profile as the desktop app does; who it is.
async fn who(folder: &Path, keyring: bool) -> Result<String, String> {
    let config = NodeConfig { data_dir: folder.to_owned(), device: Some("null".to_owned()), keyring };
    let node = Node::open(config).await.map_err(|error| error.code().to_owned())?;
    let user = node.profile().await.user;
    node.close().await;
    Ok(user)
}

/// Runs this test's inner half in a new session; with a keyring that is unlocked, or with a locked one.
fn in_session(folder: &Path, what: &str, keyring: &str) {
    let inner =
        format!("{keyring}; exec {:?} --exact inner --ignored --nocapture", std::env::current_exe().unwrap());
    let done = Command::new("dbus-run-session")
        .args(["--", "sh", "-c", &inner])
        .env("XDG_DATA_HOME", folder.join("xdg"))
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("SYNX_TEST_KEYRING", what)
        .env("SYNX_TEST_FOLDER", folder)
        .env_remove("DISPLAY")
        .status()
        .expect("dbus-run-session runs: cargo xtask setup installs it, and gnome-keyring");
    assert!(done.success(), "{what}");
}

const UNLOCKED: &str = "printf secret | gnome-keyring-daemon --unlock --components=secrets > /dev/null";
const LOCKED: &str = "gnome-keyring-daemon --start --components=secrets > /dev/null";

#[test]
fn a_key_moves_into_the_keyring_of_the_session() {
    let folder = tempfile::tempdir().unwrap();
    for inner in ["xdg", "run"] {
        std::fs::create_dir(folder.path().join(inner)).unwrap();
    }
    in_session(folder.path(), "no keyring", "true");
    in_session(folder.path(), "moves", UNLOCKED);
    // A session later, as after logging in again.
    in_session(folder.path(), "stays", UNLOCKED);
    in_session(folder.path(), "locked", LOCKED);
    in_session(folder.path(), "no keyring any more", "true");
    in_session(folder.path(), "there again", UNLOCKED);
}

#[tokio::test]
#[ignore = "the inner half of the test above"]
async fn inner() {
    let Ok(folder) = std::env::var("SYNX_TEST_FOLDER") else { return };
    let (profile, known) = (Path::new(&folder).join("profile"), Path::new(&folder).join("who"));
    let file = || std::fs::read_to_string(profile.join("identity.key")).unwrap();
    let known_user = || std::fs::read_to_string(&known).unwrap();
    match std::env::var("SYNX_TEST_KEYRING").unwrap().as_str() {
        "no keyring" => {
            std::fs::write(&known, who(&profile, true).await.unwrap()).unwrap();
            assert_eq!(file().trim().len(), 64, "it stays in its file");
        }
        "moves" => {
            assert_eq!(who(&profile, false).await.unwrap(), known_user(), "and stays if it is not to move");
            assert_eq!(who(&profile, true).await.unwrap(), known_user());
            assert_eq!(file().trim().len(), 64, "until the keyring has proved itself");
        }
        "stays" => {
            assert_eq!(who(&profile, true).await.unwrap(), known_user());
            assert_eq!(file(), format!("keyring {}\n", known_user()));
            assert_eq!(who(&profile, false).await.unwrap(), known_user());
        }
        "there again" => assert_eq!(who(&profile, false).await.unwrap(), known_user()),
        _ => {
            assert_eq!(who(&profile, true).await, Err("key_in_keyring".to_owned()));
            assert_eq!(file(), format!("keyring {}\n", known_user()));
        }
    }
}
