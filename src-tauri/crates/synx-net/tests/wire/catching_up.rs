//! What a peer that was away is told.

use crate::guest::Guest;
use crate::house::House;
use crate::peer::{Peer, join_room};
use crate::proxy::{Mode, Proxy};
use serde_json::json;
use synx_net::ClientEvent;
use synx_net::wire::ServerMessage;

const NEAR: u64 = 5;

async fn house() -> House {
    House::with(|plan| plan.limits.catch_up_events = NEAR).await
}

/// Somebody for whom this many events happen while they are away; they have come back.
async fn away_for(house: &House, events: u64) -> (Guest, u64) {
    let proxy = Proxy::to(house.at()).await;
    let mut config = house.config("Ben");
    config.addresses = Some(vec![proxy.address()]);
    let mut ben = Guest::join(config).await.unwrap();
    proxy.set(Mode::Cut);
    ben.until(|event| matches!(event, ClientEvent::Reconnecting { .. })).await;
    for _ in 0..events {
        house.room.host_says("meanwhile");
    }
    proxy.set(Mode::Open);
    ben.until_reconnected().await;
    let seq = house.room.host_says("welcome back");
    ben.until_seq(seq).await;
    assert_eq!(ben.room, house.room.with(Clone::clone));
    (ben, seq)
}

#[tokio::test]
async fn who_is_a_little_behind_is_told_the_events() {
    let house = house().await;
    let (ben, seq) = away_for(&house, NEAR).await;
    assert_eq!(ben.log.len() as u64, NEAR + 1);
    assert_eq!(ben.log.last().unwrap().seq, seq);
}

#[tokio::test]
async fn who_is_far_behind_is_told_the_state() {
    let house = house().await;
    let (ben, seq) = away_for(&house, NEAR + 1).await;
    assert_eq!(ben.log.len(), 1, "only what came after the state");
    assert_eq!(ben.log[0].seq, seq);
}

/// A member who says which events they have: the seq of the state that they are told, if any, and of the events.
async fn told(house: &House, last_seq: Option<u64>) -> (Option<u64>, Vec<u64>) {
    let mut first = join_room(house.room.id(), &house.token(house.member()));
    first["last_seq"] = json!(last_seq);
    let (mut peer, welcome) = Peer::knock(house, first).await;
    let ServerMessage::RoomJoined { snapshot, head_seq, .. } = welcome else { panic!("{welcome:?}") };
    assert_eq!(head_seq, house.room.seq());
    let end = house.room.host_says("end");
    let mut seqs = Vec::new();
    while seqs.last() != Some(&end) {
        if let Some(ServerMessage::Event(event)) = peer.hear().await {
            seqs.push(event.header.seq);
        }
    }
    (snapshot.map(|snapshot| snapshot.room.seq), seqs)
}

#[tokio::test]
async fn who_knows_nothing_is_told_the_state() {
    let house = house().await;
    let seq = house.room.seq();
    assert_eq!(told(&house, None).await, (Some(seq + 1), vec![seq + 2]));
}

#[tokio::test]
async fn who_asks_from_the_beginning_is_told_the_whole_log() {
    let house = House::open().await;
    for _ in 0..3 {
        house.room.host_says("hi");
    }
    assert_eq!(told(&house, Some(0)).await, (None, (1..=6).collect()));
}

#[tokio::test]
async fn who_has_all_but_the_last_is_told_the_last() {
    let house = House::open().await;
    let seq = house.room.host_says("hi");
    assert_eq!(told(&house, Some(seq)).await, (None, vec![seq + 1, seq + 2]));
}

/// A host may have lost its log, or another room's number came along.
#[tokio::test]
async fn who_claims_more_than_there_is_is_told_the_state() {
    let house = House::open().await;
    for ahead in [2, u64::MAX / 2] {
        let now = house.room.seq();
        assert_eq!(told(&house, Some(now + ahead)).await, (Some(now + 1), vec![now + 2]));
    }
}

/// The server's ring holds the last events only, and only those since the room was opened.
#[tokio::test]
async fn a_long_log_is_told_without_a_gap() {
    let house = House::open().await;
    let mut early = house.guest("Ben").await;
    for _ in 0..9000 {
        house.room.host_says("hi");
    }
    let (state, seqs) = told(&house, Some(0)).await;
    assert_eq!(state, None);
    assert!(seqs.iter().copied().eq(1..=house.room.seq()));
    early.until_seq(house.room.seq()).await;
    assert_eq!(early.room, house.room.with(Clone::clone));
}
