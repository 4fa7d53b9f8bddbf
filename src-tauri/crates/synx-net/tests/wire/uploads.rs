//! Files on their way to the host.

use crate::audio::{Sender, hash_of, noise};
use crate::eventually;
use crate::guest::Guest;
use crate::house::House;
use crate::http::Answer;
use crate::proxy::Proxy;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use synx_domain::{Command, ContentHash, Room, RoomEvent, TrackState};
use synx_net::ClientEvent;
use synx_net::wire::ServerMessage;
use tokio::io::AsyncWriteExt;

const MIB: usize = 1 << 20;

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn kept(house: &House, hash: ContentHash) -> Option<Vec<u8>> {
    house.audio.path(hash).map(|path| std::fs::read(path).unwrap())
}

/// Somebody behind a link that breaks, and the link.
async fn behind_a_proxy(house: &House) -> (Guest, Proxy) {
    let proxy = Proxy::to(house.at()).await;
    let mut config = house.config("Ben");
    config.addresses = Some(vec![proxy.address()]);
    (Guest::join(config).await.unwrap(), proxy)
}

#[tokio::test]
async fn an_upload_is_shared_under_its_senders_name_and_all_are_told() {
    let house = House::with(|plan| plan.tls = true).await;
    let (ben, mut cleo) = (house.guest("Ben").await, house.guest("Cleo").await);
    let bytes = noise("song", 3 * MIB);
    let hash = hash_of(&bytes);
    let sent = Arc::<AtomicU64>::default();
    let count = Arc::clone(&sent);
    let file = house.file("song.flac", &bytes);
    ben.client.upload(&file, hash, move |bytes| count.store(bytes, Ordering::SeqCst)).await.unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), bytes.len() as u64);
    let progress = cleo.until(|event| matches!(event, ClientEvent::Transient(_))).await;
    let ClientEvent::Transient(progress) = progress else { panic!("{progress:?}") };
    let ServerMessage::UploadProgress { user, size_bytes, .. } = *progress else { panic!("{progress:?}") };
    assert_eq!((user, size_bytes), (ben.user, bytes.len() as u64));
    let shared = |event: &RoomEvent| matches!(event, RoomEvent::FileShared { track } if track.hash == hash);
    cleo.until(|event| matches!(event, ClientEvent::Event(envelope) if shared(&envelope.event))).await;
    assert_eq!(cleo.log.last().unwrap().actor, ben.user);
    assert_eq!(cleo.room.playable(hash).unwrap().file_name, "song.flac");
    assert_eq!(kept(&house, hash), Some(bytes));
}

#[tokio::test]
async fn an_upload_that_breaks_goes_on_where_it_was() {
    let house = House::open().await;
    let (ben, proxy) = behind_a_proxy(&house).await;
    let bytes = noise("song", 4 * MIB);
    let hash = hash_of(&bytes);
    proxy.break_after(2 * MIB as u64, 1);
    ben.client.upload(&house.file("song.flac", &bytes), hash, |_| {}).await.unwrap();
    assert_eq!(proxy.breaks_left(), 0);
    let carried = proxy.carried();
    assert!(carried < 6 * MIB as u64, "{carried} bytes: not once more from the beginning");
    assert_eq!(kept(&house, hash), Some(bytes));
}

#[tokio::test]
async fn an_upload_that_the_host_cannot_keep_is_over_for_all_and_may_be_tried_again() {
    let house = House::open().await;
    let (ben, mut cleo) = (house.guest("Ben").await, house.guest("Cleo").await);
    let bytes = noise("song", MIB);
    let hash = hash_of(&bytes);
    let file = house.file("song.flac", &bytes);
    // No folder can be made where a file lies.
    let folder = house.folder().join("host").join(&hash.to_string()[..2]);
    std::fs::write(&folder, "in the way").unwrap();
    let refused = ben.client.upload(&file, hash, |_| {}).await.unwrap_err();
    assert_eq!(refused.code(), "host_disk");
    let failed =
        |event: &RoomEvent| matches!(event, RoomEvent::ProcessingFailed { code, .. } if code == "host_disk");
    cleo.until(|event| matches!(event, ClientEvent::Event(envelope) if failed(&envelope.event))).await;
    std::fs::remove_file(&folder).unwrap();
    ben.client.upload(&file, hash, |_| {}).await.unwrap();
    assert_eq!(kept(&house, hash), Some(bytes));
}

#[tokio::test]
async fn an_upload_that_breaks_again_and_again_is_finished_as_long_as_it_moves_on() {
    let house = House::open().await;
    let (ben, proxy) = behind_a_proxy(&house).await;
    let bytes = noise("song", 4 * MIB);
    let hash = hash_of(&bytes);
    proxy.break_after(MIB as u64 / 2, 7);
    let uploaded = ben.client.upload(&house.file("song.flac", &bytes), hash, |_| {}).await;
    assert!(uploaded.is_ok(), "{uploaded:?} with {} breaks to come", proxy.breaks_left());
    assert_eq!(kept(&house, hash), Some(bytes));
}

#[tokio::test]
async fn what_came_before_a_break_is_kept() {
    let house = House::open().await;
    let ben = Sender::of(&house);
    let bytes = noise("song", MIB);
    let hash = ben.announces(&bytes);
    drop(ben.put(hash, 0).beginning(&bytes[..MIB / 2], MIB).begin(house.at()).await);
    let half = MIB as u64 / 2;
    eventually("all that was sent is kept", async || ben.received(hash).await == half).await;
    let mut cleo = house.guest("Cleo").await;
    let told = cleo.until(|event| matches!(event, ClientEvent::Transient(_))).await;
    let ClientEvent::Transient(told) = told else { unreachable!() };
    let progress =
        ServerMessage::UploadProgress { user: ben.user, hash, received_bytes: half, size_bytes: MIB as u64 };
    assert_eq!(*told, progress, "who comes is told how far it is");
    let (from_start, skipping) = (ben.send(hash, 0, &bytes).await, ben.send(hash, MIB / 2 + 1, b"x").await);
    assert_eq!(from_start.refused(), refused(409, "wrong_offset"));
    assert_eq!(skipping.refused(), refused(409, "wrong_offset"));
    let part = ben.send(hash, MIB / 2, &bytes[MIB / 2..MIB - 1]).await;
    let state = json!({"received_bytes": MIB - 1, "size_bytes": MIB, "complete": false});
    assert_eq!((part.status, part.json()), (202, state));
    assert!(!house.room.is_shared(hash) && kept(&house, hash).is_none(), "not before the last byte");
    let rest = ben.send(hash, MIB - 1, &bytes[MIB - 1..]).await;
    assert_eq!((rest.status, &rest.json()["complete"]), (201, &json!(true)));
    assert_eq!(kept(&house, hash), Some(bytes));
}

#[tokio::test]
async fn an_upload_that_pauses_too_long_is_kept_and_answered() {
    let house = House::with(|plan| plan.limits.stalled = Duration::from_millis(300)).await;
    let ben = Sender::of(&house);
    let hash = ben.announces(b"music");
    assert_eq!(ben.put(hash, 0).beginning(b"mus", 5).send(house.at()).await.status, 202);
    assert_eq!(ben.received(hash).await, 3);
}

/// Waits until the room knows why an upload has failed, which may then be tried again.
async fn is_over(house: &House, hash: ContentHash, wanted: &str) {
    let failed = |room: &Room| match &room.tracks.get(&hash)?.state {
        TrackState::Failed { code, .. } => Some(code.clone()),
        _ => None,
    };
    eventually("the room knows that it failed", async || {
        house.room.with(failed).inspect(|code| assert_eq!(code, wanted)).is_some()
    })
    .await;
    assert!(!house.room.is_shared(hash) && kept(house, hash).is_none());
    assert_eq!(house.audio.of_room(house.room.id()).partial_bytes(hash), 0);
}

#[tokio::test]
async fn other_bytes_than_announced_are_dropped_and_end_it_for_all() {
    let house = House::open().await;
    let ben = Sender::of(&house);
    let hash = ben.announces(b"music");
    assert_eq!(ben.send(hash, 0, b"noise").await.refused(), refused(422, "hash_mismatch"));
    is_over(&house, hash, "hash_mismatch").await;
    ben.shares(b"music").await;
}

#[tokio::test]
async fn more_bytes_than_announced_are_dropped_and_end_it_for_all() {
    let house = House::open().await;
    let ben = Sender::of(&house);
    let hash = ben.announces(b"music");
    assert_eq!(ben.send(hash, 0, b"mus").await.status, 202);
    assert_eq!(ben.send(hash, 3, b"ic and more").await.refused(), refused(413, "file_too_large"));
    is_over(&house, hash, "file_too_large").await;
    ben.shares(b"music").await;
}

#[tokio::test]
async fn a_file_larger_than_the_host_takes_is_refused_and_over_for_all() {
    let house = House::with(|plan| plan.limits.upload_bytes = 4).await;
    let ben = Sender::of(&house);
    let hash = ben.announces(b"music");
    assert_eq!(ben.send(hash, 0, b"music").await.refused(), refused(413, "file_too_large"));
    is_over(&house, hash, "file_too_large").await;
    ben.shares(b"song").await;
}

#[tokio::test]
async fn what_another_sends_wrongly_ends_nothing_for_who_announced_it() {
    let house = House::open().await;
    let (ben, eve) = (Sender::of(&house), Sender::of(&house));
    let hash = ben.announces(b"music");
    for (bytes, status, code) in
        [(&b"noise"[..], 422, "hash_mismatch"), (b"music and more", 413, "file_too_large")]
    {
        assert_eq!(eve.send(hash, 0, bytes).await.refused(), refused(status, code));
        assert_eq!(ben.received(hash).await, 0, "nothing of it is kept");
    }
    assert_eq!(ben.send(hash, 0, b"music").await.status, 201);
}

#[tokio::test]
async fn wrong_bytes_of_who_announced_it_after_another_failed_end_it_as_well() {
    let house = House::open().await;
    let (ben, eve) = (Sender::of(&house), Sender::of(&house));
    for sender in [&ben, &eve] {
        let hash = sender.announces(b"music");
        assert_eq!(sender.send(hash, 0, b"noise").await.refused(), refused(422, "hash_mismatch"));
        is_over(&house, hash, "hash_mismatch").await;
    }
    ben.shares(b"music").await;
}

#[tokio::test]
async fn what_nobody_announced_is_not_taken() {
    let house = House::open().await;
    let ben = Sender::of(&house);
    let hash = hash_of(b"music");
    assert_eq!(ben.state(hash).await.refused(), refused(409, "not_announced"));
    assert_eq!(ben.send(hash, 0, b"music").await.refused(), refused(409, "not_announced"));
    assert_eq!((kept(&house, hash), house.audio.of_room(house.room.id()).partial_bytes(hash)), (None, 0));
}

#[tokio::test]
async fn one_upload_of_a_file_at_a_time() {
    let house = House::open().await;
    let (ben, cleo) = (Sender::of(&house), Sender::of(&house));
    let hash = ben.announces(b"music");
    let mut first = ben.put(hash, 0).beginning(b"mus", 5).begin(house.at()).await;
    eventually("it has begun", async || ben.received(hash).await == 3).await;
    for offset in [0, 3] {
        assert_eq!(cleo.send(hash, offset, b"ic").await.refused(), refused(409, "upload_busy"));
    }
    let other = cleo.announces(b"noise");
    assert_eq!(cleo.send(other, 0, b"noise").await.status, 201, "another file may come meanwhile");
    first.write_all(b"ic").await.unwrap();
    assert_eq!(Answer::read(first).await.status, 201);
    assert_eq!(kept(&house, hash), Some(b"music".to_vec()));
}

#[tokio::test]
async fn who_sends_the_last_byte_shares_it() {
    let house = House::open().await;
    let (ben, cleo) = (Sender::of(&house), Sender::of(&house));
    let hash = ben.announces(b"music");
    assert_eq!(ben.send(hash, 0, b"mus").await.status, 202);
    assert_eq!(cleo.send(hash, 3, b"ic").await.status, 201);
    eventually("it is shared", async || house.room.is_shared(hash)).await;
    let log = house.room.log();
    let shared = log.iter().find(|envelope| matches!(envelope.event, RoomEvent::FileShared { .. })).unwrap();
    assert_eq!(shared.actor, cleo.user);
}

#[tokio::test]
async fn what_is_shared_already_is_queued_and_not_sent() {
    let house = House::open().await;
    let bytes = noise("song", MIB);
    let hash = Sender::of(&house).shares(&bytes).await;
    let (ben, proxy) = behind_a_proxy(&house).await;
    ben.client.upload(&house.file("song.flac", &bytes), hash, |_| {}).await.unwrap();
    let carried = proxy.carried();
    assert!(carried < MIB as u64 / 2, "{carried} bytes");
    assert_eq!(house.room.with(|room| room.queue.items().len()), 2);
    let again = Sender::of(&house);
    assert_eq!(again.state(hash).await.refused(), refused(409, "already_here"));
    assert_eq!(again.send(hash, 0, &bytes).await.refused(), refused(409, "already_here"));
}

#[tokio::test]
async fn a_file_that_is_not_what_it_was_is_not_shared() {
    let house = House::open().await;
    let ben = house.guest("Ben").await;
    let hash = hash_of(b"as it was");
    let uploaded = ben.client.upload(&house.file("song.flac", b"as it is"), hash, |_| {}).await;
    assert_eq!(uploaded.unwrap_err().code(), "file_changed");
    assert!(!house.room.is_shared(hash));
    let gone = ben.client.upload(&house.folder().join("gone.flac"), hash, |_| {}).await;
    assert_eq!(gone.unwrap_err().code(), "file");
}

#[tokio::test]
async fn a_failed_file_may_be_announced_again() {
    let house = House::open().await;
    let ben = Sender::of(&house);
    let hash = ben.announces(b"music");
    let (file_name, code, reason) = ("song.flac".to_owned(), "media_empty".to_owned(), "no sound".to_owned());
    house.room.host_does(Command::FailProcessing { hash, file_name, code, reason });
    assert_eq!(ben.send(hash, 0, b"music").await.refused(), refused(409, "media_empty"));
    ben.shares(b"music").await;
}

#[tokio::test]
async fn an_upload_that_is_given_up_ends_for_all_while_its_bytes_come() {
    let house = House::open().await;
    let (ben, mut cleo) = (Sender::of(&house), house.guest("Cleo").await);
    let bytes = noise("song", MIB);
    let hash = ben.announces(&bytes);
    let mut stream = ben.put(hash, 0).beginning(&bytes[..MIB / 2], MIB).begin(house.at()).await;
    eventually("half of it is there", async || house.audio.of_room(house.room.id()).partial_bytes(hash) > 0)
        .await;
    cleo.client.execute(Command::GiveUpUpload { hash }).await.unwrap();
    let given_up = |event: &RoomEvent| matches!(event, RoomEvent::ProcessingFailed { code, .. } if code == TrackState::GIVEN_UP);
    cleo.until(|event| matches!(event, ClientEvent::Event(envelope) if given_up(&envelope.event))).await;
    drop(stream.write_all(&bytes[MIB / 2..]).await);
    assert_eq!(Answer::read(stream).await.refused(), refused(409, "upload_given_up"));
    assert!(!house.room.is_shared(hash) && kept(&house, hash).is_none());
    ben.announces(&bytes);
    assert_eq!(ben.state(hash).await.status, 200, "it may come after all");
}

#[tokio::test]
async fn an_upload_ends_with_the_membership_of_who_sends_it() {
    let house = House::open().await;
    let eve = Sender::of(&house);
    let bytes = noise("song", MIB);
    let hash = eve.announces(&bytes);
    let mut stream = eve.put(hash, 0).beginning(&bytes[..MIB / 2], MIB).begin(house.at()).await;
    eventually("half of it is there", async || {
        eve.house.audio.of_room(house.room.id()).partial_bytes(hash) > 0
    })
    .await;
    house.room.host_removes(eve.user);
    drop(stream.write_all(&bytes[MIB / 2..]).await);
    assert_eq!(Answer::read(stream).await.refused(), refused(403, "not_a_member"));
    assert_eq!(kept(&house, hash), None);
    assert!(!house.room.is_shared(hash));
}
