//! What is still asked of an instance that is closed changes nothing in its folder: that may be another's by now.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use synx_node::bridge::Request;
use synx_node::{Node, NodeConfig};

/// All files of a folder with what is in them, but for what SQLite notes of those who read.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(content(&path));
        } else if !path.to_str().unwrap().ends_with("-shm") {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_closed_writes_nothing_more() {
    let (folder, music) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = async || {
        let data_dir = folder.path().to_owned();
        let config = NodeConfig { data_dir, device: Some("null".to_owned()), keyring: false };
        Node::open(config).await.unwrap()
    };
    let track = music.path().join("tide-line.mp3");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo/tide-line.mp3");
    std::fs::copy(demo, &track).unwrap();
    let node = open().await;
    // Whoever drives it may hold it still, and so may a task that was begun.
    let held = node.clone();
    node.close().await;
    let before = content(folder.path());
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    for late in [
        Request::SetVolume { volume: 0.3, muted: true },
        Request::SetNetwork { port: Some(4711), seen: false },
        Request::AddToLibrary { paths: vec![path(music.path())], play: false },
        Request::OpenFiles { paths: vec![path(&track)], play: false },
        Request::CreatePlaylist { name: "Late".to_owned(), tracks: Vec::new() },
        Request::Doctor,
    ] {
        let asked = format!("{late:?}");
        let answer = held.call(late).await;
        let after = content(folder.path());
        let changed: Vec<_> = after.keys().filter(|path| before.get(*path) != after.get(*path)).collect();
        assert!(changed.is_empty(), "{asked} ({answer:?}) changed {changed:?}");
    }
    open().await.close().await;
}
