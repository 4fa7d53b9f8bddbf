//! Rooms of one host share its disk and nothing else.

use crate::audio::{Sender, noise};
use crate::guest::Guest;
use crate::house::House;
use crate::peer::{Peer, join_room};
use crate::room::TestRoom;
use synx_domain::{Command, ContentHash};
use synx_net::Identity;

/// Somebody in another room than the house's first.
async fn guest_in(house: &House, room: &TestRoom) -> Guest {
    let mut config = house.config("Eve");
    config.link = house.link(room);
    Guest::join(config).await.unwrap()
}

async fn fetched(guest: &Guest, hash: ContentHash) -> Result<Vec<u8>, String> {
    let fetched = crate::soon(guest.client.fetch((hash, u64::MAX), |_| {})).await;
    fetched.map_err(|error| error.code().to_owned())?;
    Ok(std::fs::read(guest.audio.path(hash).unwrap()).unwrap())
}

#[tokio::test]
async fn audio_of_another_room_is_given_out_only_to_who_brings_it() {
    let house = House::open().await;
    let other = house.add_room();
    let bytes = noise("secret", 1 << 20);
    let hash = Sender::of(&house).shares(&bytes).await;
    let eve = guest_in(&house, &other).await;
    let not_found = Err("not_found".to_owned());
    assert_eq!(fetched(&eve, hash).await, not_found);

    // Its hash opens no door, announced or not.
    let (file_name, size_bytes) = ("song.flac".to_owned(), bytes.len() as u64);
    eve.client.execute(Command::StartUpload { hash, file_name, size_bytes }).await.unwrap();
    assert_eq!(fetched(&eve, hash).await, not_found);
    let wrong = eve.client.upload(&house.file("wrong.flac", &noise("guess", 1 << 20)), hash, |_| {}).await;
    assert_eq!(wrong.unwrap_err().code(), "file_changed");
    assert_eq!(fetched(&eve, hash).await, not_found);
    assert!(!other.is_shared(hash));

    // What she tried does no harm to those whose it is.
    let ben = house.guest("Ben").await;
    assert_eq!(fetched(&ben, hash).await.as_ref(), Ok(&bytes));

    eve.client.upload(&house.file("song.flac", &bytes), hash, |_| {}).await.unwrap();
    assert_eq!(fetched(&eve, hash).await, Ok(bytes));
    assert!(other.is_shared(hash));
}

#[tokio::test]
async fn bytes_that_another_room_is_still_waiting_for_need_all_be_brought() {
    let house = House::open().await;
    let other = house.add_room();
    let ben = Sender::of(&house);
    let bytes = noise("secret", 64 * 1024);
    let (hash, last) = (ben.announces(&bytes), bytes.len() - 1);
    assert_eq!(ben.send(hash, 0, &bytes[..last]).await.status, 202);

    let eve = Identity::generate().user_id();
    other.lets_in(eve, "Eve");
    other.announce(eve, hash, bytes.len() as u64);
    let token = house.token_for(&other, eve);
    let path = |part| format!("/api/v1/rooms/{}/{part}/{hash}", other.id());
    let state = crate::http::Ask::get(path("uploads")).bearer(&token).send(house.at()).await;
    assert_eq!(state.json()["received_bytes"], 0, "of this room's upload nothing has come");
    let put = crate::http::Ask::new("PUT", path("audio")).bearer(&token).header("Upload-Offset", last);
    let answer = put.body(&bytes[last..]).send(house.at()).await;
    assert_eq!(answer.refused(), (409, "wrong_offset".to_owned()), "one byte is not the file");
    assert!(!other.is_shared(hash));
}

#[tokio::test]
async fn events_stay_in_their_room() {
    let house = House::open().await;
    let other = house.add_room();
    let (mut ben, mut eve) = (house.guest("Ben").await, guest_in(&house, &other).await);
    ben.say("here").await.unwrap();
    eve.say("there").await.unwrap();
    ben.until_seq(house.room.seq()).await;
    eve.until_seq(other.seq()).await;
    assert_eq!(ben.room, house.room.with(Clone::clone));
    assert_eq!(eve.room, other.with(Clone::clone));
    assert!(!ben.room.members.contains_key(&eve.user));
}

#[tokio::test]
async fn a_token_opens_its_own_room_only() {
    let house = House::open().await;
    let other = house.add_room();
    let user = house.member();
    other.lets_in(user, "Ben");
    let join = join_room(other.id(), &house.token(user));
    assert_eq!(Peer::refusal(&house, join).await, "token_other_room");
}

#[tokio::test]
async fn closing_one_room_leaves_the_others_open() {
    let house = House::open().await;
    let other = house.add_room();
    let (ben, mut eve) = (house.guest("Ben").await, guest_in(&house, &other).await);
    house.server.remove_room(other.id(), "over").await;
    assert_eq!(eve.until_ended().await, "room_closed");
    assert!(ben.say("still here").await.is_ok());
}
