//! A peer that takes nothing costs nobody anything.

use crate::audio::{Sender, noise};
use crate::eventually;
use crate::house::House;
use crate::http::Answer;
use crate::peer::{Peer, join_room};
use std::time::Duration;
use synx_net::Identity;
use synx_net::wire::ServerMessage;

/// As long as a message may be, in the largest characters there are: 16 kB.
const WORDS: usize = 4000;
/// 20 MB, more than the loopback keeps for somebody who does not read.
const MESSAGES: usize = 1300;

/// Events that a client keeps for its program.
const WAITING: usize = 1024;

async fn house(stalled: Duration) -> House {
    House::with(|plan| {
        plan.limits.stalled = stalled;
        // So that it is not this that cuts anybody off.
        plan.limits.ping_every = Duration::from_secs(600);
    })
    .await
}

fn a_lot_happens(house: &House, messages: usize) -> u64 {
    let words = "🎵".repeat(WORDS);
    for _ in 0..messages {
        house.room.host_says(&words);
    }
    house.room.seq()
}

#[tokio::test]
async fn others_get_everything_while_a_peer_takes_nothing() {
    let house = house(Duration::from_secs(600)).await;
    let (stalled, mut ben) = (Identity::generate().user_id(), house.guest("Ben").await);
    let _socket = Peer::join(&house, stalled).await;
    let seq = a_lot_happens(&house, MESSAGES);
    ben.until_seq(seq).await;
    assert_eq!(ben.breaks, 0);
    assert!(house.is_connected(stalled), "and nobody waits for the other to be cut off");
}

#[tokio::test]
async fn who_takes_nothing_is_cut_off() {
    // Long enough for who takes everything on a machine that is busy with other tests.
    let house = house(Duration::from_secs(5)).await;
    let (stalled, mut ben) = (Identity::generate().user_id(), house.guest("Ben").await);
    let _socket = Peer::join(&house, stalled).await;
    let seq = a_lot_happens(&house, MESSAGES);
    let cut_off = eventually("it is cut off", async || !house.is_connected(stalled));
    tokio::join!(cut_off, ben.until_seq(seq));
    assert_eq!(ben.breaks, 0, "nobody else is");
    assert!(house.room.is_in(stalled), "they may come back");
    assert!(house.is_connected(ben.user));
    // What could not be said then is said now, once, to them and to nobody else.
    let told = async |user| {
        let (_peer, welcome) = Peer::knock(&house, join_room(house.room.id(), &house.token(user))).await;
        let ServerMessage::RoomJoined { cut_off, .. } = welcome else { panic!("{welcome:?}") };
        cut_off.map(|why| why.code)
    };
    assert_eq!(told(Identity::generate().user_id()).await, None);
    assert_eq!(told(stalled).await.as_deref(), Some("stalled"));
    assert_eq!(told(stalled).await, None);
}

#[tokio::test]
async fn who_was_cut_off_comes_back_and_gets_the_rest() {
    let house = house(Duration::from_millis(300)).await;
    let mut ben = house.guest("Ben").await;
    // His program does not read: once enough events wait the client takes no more.
    let seq = a_lot_happens(&house, MESSAGES + WAITING);
    eventually("it is cut off", async || !house.is_connected(ben.user)).await;
    ben.until_seq(seq).await;
    assert_eq!(ben.log.len(), MESSAGES + WAITING, "one by one, none twice");
    assert!(ben.breaks > 0);
    assert!(ben.cut_off.iter().all(|code| code == "stalled") && !ben.cut_off.is_empty(), "{:?}", ben.cut_off);
    assert_eq!(ben.room, house.room.with(Clone::clone));
}

#[tokio::test]
async fn a_download_that_nobody_takes_is_cut_off() {
    let house = House::with(|plan| {
        plan.limits.stalled = Duration::from_millis(300);
        plan.limits.connections = 1;
    })
    .await;
    let ben = Sender::of(&house);
    let hash = ben.shares(&noise("song", 20 << 20)).await;
    // The one connection may still be the upload's.
    let download = loop {
        let stream = ben.get(hash).begin(house.at()).await;
        if Answer::has_begun(&stream).await {
            break stream;
        }
    };
    eventually("the one connection is free again", async || {
        Answer::has_begun(&ben.head(hash).begin(house.at()).await).await
    })
    .await;
    drop(download);
}
