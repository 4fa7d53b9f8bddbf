//! From one stage to the next: alone, in a room, alone again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synx_node::bridge::{PlaybackControlView, Request, RoomSettingsView, RoomTrackState, VisibilityView};
use synx_node::{HostOptions, Node, NodeConfig};

fn demo_track() -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo/tide-line.mp3");
    path.to_str().unwrap().to_owned()
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn open(folder: &Path) -> Node {
    Node::open(NodeConfig { data_dir: folder.to_owned(), device: Some("null".to_owned()), keyring: false })
        .await
        .unwrap()
}

async fn host(node: &Node) {
    let settings = RoomSettingsView {
        name: "Friday".to_owned(),
        visibility: VisibilityView::Private,
        max_participants: 8,
        genres: Vec::new(),
        playback_control: PlaybackControlView::Djs,
        storage: None,
        wait_for_all: None,
        archive_after_days: None,
    };
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let options = HostOptions { settings, listen, tls: true, public_address: None, room: None };
    node.host(options).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_music_of_a_room_stops_when_it_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    host(&node).await;
    node.call(Request::ShareFiles { paths: vec![demo_track()] }).await.unwrap();
    let is_ready = |node: &Node| {
        node.room().is_some_and(|room| room.tracks.iter().any(|track| track.state == RoomTrackState::Ready))
    };
    eventually("the track is there", || is_ready(&node)).await;
    node.call(Request::Play { track: None }).await.unwrap();
    eventually("it plays", || node.measure().state == "playing").await;
    node.call(Request::LeaveRoom).await.unwrap();
    eventually("it is silent", || node.measure().state == "idle").await;
    node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_begins_in_silence_whatever_was_played_before() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    node.call(Request::OpenFiles { paths: vec![demo_track()], play: true }).await.unwrap();
    eventually("it plays", || node.measure().state == "playing").await;
    host(&node).await;
    eventually("it is silent", || node.measure().state == "idle").await;
    node.close().await;
}
