//! Files on their way into a room, as both ends see them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synx_node::bridge::{
    AppView, NodeEvent, PlaybackControlView, Request, Response, RoomSettingsView, TransferView,
    VisibilityView,
};
use synx_node::{HostOptions, Node, NodeConfig};
use tempfile::{TempDir, tempdir};

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

/// Ana hosts a room, and Ben is in it.
async fn room_of_two(folders: &[TempDir; 2]) -> (Node, Node) {
    let (ana, ben) = (open(folders[0].path()).await, open(folders[1].path()).await);
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
    joins(&ben, &ana).await;
    (ana, ben)
}

async fn joins(guest: &Node, host: &Node) {
    let link = once(host, "a link", |app| app.room?.link).await;
    guest.call(Request::JoinRoom { link, address: None, leaving: None }).await.unwrap();
}

/// What has come of files that are not complete.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { parts(&path) } else { vec![path] };
    entries.flat_map(below).filter(|path| path.extension().is_some_and(|it| it == "part")).collect()
}

async fn shares(node: &Node, file: &Path) {
    node.call(Request::ShareFiles { paths: vec![file.to_str().unwrap().to_owned()] }).await.unwrap();
}

/// The file that a node sends, once bytes of it are on their way.
async fn sends(node: &Node) -> TransferView {
    let moves = |transfer: &TransferView| !transfer.stopped && transfer.bytes_done > 0;
    once(node, "bytes on their way", |app| app.transfers.into_iter().find(moves)).await
}

/// Ben begins to send a file, and stops; which one. Ana sees it.
async fn stopped_upload(ana: &Node, ben: &Node, file: &Path) -> String {
    shares(ben, file).await;
    let TransferView { track, user, .. } = sends(ben).await;
    ben.call(Request::StopTransfer { track: track.clone() }).await.unwrap();
    let is_it = |transfer: &TransferView| transfer.track == track && transfer.user == user;
    let seen = once(ana, "what Ben sends", |app| app.transfers.into_iter().find(is_it)).await;
    assert_eq!((seen.file_name.as_str(), seen.bytes_total), ("long.wav", SENT_BYTES));
    track
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_its_sender_or_the_host_gives_up_is_gone_for_both_with_its_bytes() {
    let folders = [tempdir().unwrap(), tempdir().unwrap()];
    let (ana, ben) = room_of_two(&folders).await;
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

/// What a node had half sent, which is listed as stopped.
async fn left_half_sent(node: &Node) -> TransferView {
    let waits = |transfer: &TransferView| transfer.stopped && transfer.bytes_done > 0;
    let only = |app: AppView| app.transfers.into_iter().next().filter(waits);
    once(node, "what was left half sent", only).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_left_half_sent_is_listed_when_one_comes_back_and_goes_on_or_is_given_up() {
    let folders = [tempdir().unwrap(), tempdir().unwrap()];
    let (ana, ben) = room_of_two(&folders).await;
    let file = folders[1].path().join("long.wav");
    File::create(&file).unwrap().set_len(SENT_BYTES).unwrap();
    shares(&ben, &file).await;
    let sent = sends(&ana).await;
    ben.call(Request::LeaveRoom).await.unwrap();
    joins(&ben, &ana).await;
    let left = left_half_sent(&ben).await;
    assert_eq!(
        (&left.track, &left.user, &left.file_name, left.bytes_total),
        (&sent.track, &sent.user, &"long.wav".to_owned(), SENT_BYTES)
    );

    let not_at_hand = ben.call(Request::ResumeTransfer { track: left.track.clone() }).await.unwrap_err();
    assert_eq!(not_at_hand.code, "no_such_track");
    let mut told = ben.subscribe();
    shares(&ben, &file).await;
    loop {
        let NodeEvent::TransfersChanged { transfers } = told.recv().await.unwrap() else { continue };
        let [upload] = transfers.try_into().unwrap();
        assert!(upload.bytes_done >= left.bytes_done, "from the beginning: {upload:?}, of {left:?}");
        if upload.bytes_done > left.bytes_done {
            assert!(!upload.stopped);
            break;
        }
    }

    ben.call(Request::LeaveRoom).await.unwrap();
    joins(&ben, &ana).await;
    let TransferView { track, .. } = left_half_sent(&ben).await;
    ben.call(Request::GiveUpTransfer { track }).await.unwrap();
    for node in [&ana, &ben] {
        once(node, "nothing on its way", |app| app.transfers.is_empty().then_some(())).await;
    }
    once(&ana, "what came is removed", |_| parts(folders[0].path()).is_empty().then_some(())).await;
    ben.close().await;
    ana.close().await;
}

/// A file with so much silence in it, of which nothing is on the disk.
fn silence(path: &Path, bytes: u64) {
    let data = u32::try_from(bytes).unwrap();
    let (format, rate_hz) = (1_u16, 48_000_u32);
    let mut file = File::create(path).unwrap();
    let mut write = |bytes: &[u8]| file.write_all(bytes).unwrap();
    write(b"RIFF");
    write(&(data + 36).to_le_bytes());
    write(b"WAVEfmt \x10\0\0\0");
    write(&format.to_le_bytes());
    write(&2_u16.to_le_bytes());
    write(&rate_hz.to_le_bytes());
    write(&(rate_hz * 4).to_le_bytes());
    write(&[4, 0, 16, 0]);
    write(b"data");
    write(&data.to_le_bytes());
    file.set_len(44 + bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_had_half_sent_goes_on_from_the_library_after_the_app_was_closed() {
    let folders = [tempdir().unwrap(), tempdir().unwrap()];
    let (ana, ben) = room_of_two(&folders).await;
    let file = folders[1].path().join("long.wav");
    silence(&file, SENT_BYTES);
    let paths = vec![file.to_str().unwrap().to_owned()];
    ben.call(Request::OpenFiles { paths, play: false }).await.unwrap();
    shares(&ben, &file).await;
    sends(&ana).await;
    ben.close().await;

    let ben = open(folders[1].path()).await;
    joins(&ben, &ana).await;
    let TransferView { track, .. } = left_half_sent(&ben).await;
    ben.call(Request::ResumeTransfer { track: track.clone() }).await.unwrap();
    assert_eq!(sends(&ben).await.track, track);
    ben.close().await;
    ana.close().await;
}
