//! Files on their way into a room, as both ends see them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synx_node::bridge::{
    AppView, PlaybackControlView, Request, Response, RoomSettingsView, TransferView, VisibilityView,
};
use synx_node::{HostOptions, Node, NodeConfig};

/// So much that it is stopped before it is there, and nothing on the sender's disk.
const SENT_BYTES: u64 = 256 << 20;

async fn open(folder: &Path) -> Node {
    Node::open(NodeConfig { data_dir: folder.to_owned(), device: Some("null".to_owned()), keyring: false })
        .await
        .unwrap()
}

async fn app(node: &Node) -> AppView {
    let Response::App { app } = node.call(Request::GetApp).await.unwrap() else { panic!("no app") };
    *app
}

/// Looks at a node until it shows what is waited for.
async fn once<T>(node: &Node, what: &str, found: impl Fn(AppView) -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = found(app(node).await) {
            return found;
        }
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn room_of_two(ana: &Node, ben: &Node) {
    let settings = RoomSettingsView {
        name: "Friday".to_owned(),
        visibility: VisibilityView::Private,
        max_participants: 8,
        genres: Vec::new(),
        playback_control: PlaybackControlView::Host,
        storage: None,
        wait_for_all: None,
        archive_after_days: None,
    };
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let options = HostOptions { settings, listen, tls: true, public_address: None, room: None };
    ana.host(options).await.unwrap();
    let link = once(ana, "a link", |app| app.room?.link).await;
    ben.call(Request::JoinRoom { link, address: None, leaving: None }).await.unwrap();
}

/// What has come of files that are not complete.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { parts(&path) } else { vec![path] };
    entries.flat_map(below).filter(|path| path.extension().is_some_and(|it| it == "part")).collect()
}

/// Ben begins to send a file, and stops; which one. Ana sees it.
async fn stopped_upload(ana: &Node, ben: &Node, file: &Path) -> String {
    let share = Request::ShareFiles { paths: vec![file.to_str().unwrap().to_owned()] };
    ben.call(share).await.unwrap();
    let begun = |app: AppView| app.transfers.into_iter().find(|transfer| transfer.bytes_done > 0);
    let TransferView { track, user, .. } = once(ben, "bytes on their way", begun).await;
    ben.call(Request::StopTransfer { track: track.clone() }).await.unwrap();
    let is_it = |transfer: &TransferView| transfer.track == track && transfer.user == user;
    let seen = once(ana, "what Ben sends", |app| app.transfers.into_iter().find(is_it)).await;
    assert_eq!((seen.file_name.as_str(), seen.bytes_total), ("long.wav", SENT_BYTES));
    track
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_its_sender_or_the_host_gives_up_is_gone_for_both_with_its_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (ana, ben) = (open(folders[0].path()).await, open(folders[1].path()).await);
    room_of_two(&ana, &ben).await;
    let file = folders[1].path().join("long.wav");
    File::create(&file).unwrap().set_len(SENT_BYTES).unwrap();

    for who in [&ben, &ana] {
        let track = stopped_upload(&ana, &ben, &file).await;
        who.call(Request::GiveUpTransfer { track }).await.unwrap();
        for node in [&ana, &ben] {
            once(node, "nothing on its way", |app| app.transfers.is_empty().then_some(())).await;
        }
        once(&ana, "what came is removed", |_| parts(folders[0].path()).is_empty().then_some(())).await;
    }
    ben.close().await;
    ana.close().await;
}
