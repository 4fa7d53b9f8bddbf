//! Clock probes: room time as it is, for members only.

use crate::eventually;
use crate::house::House;
use crate::peer::Peer;
use crate::proxy::{Mode, Proxy};
use crate::soon;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::Instant;
use synx_domain::EpochId;
use synx_net::{ClockLink, ClockReading, RoomBackend};
use tokio_tungstenite::tungstenite::Message;

/// This machine's monotonic time.
fn local_us() -> i64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    i64::try_from(START.elapsed().as_micros()).unwrap()
}

async fn ends(link: &mut ClockLink) -> bool {
    for _ in 0..3 {
        if soon(link.probe(local_us)).await.is_err() {
            return true;
        }
    }
    false
}

/// A clock connection by hand.
async fn raw(house: &House) -> Peer {
    let path = format!("/api/v1/rooms/{}/clock", house.room.id());
    Peer::connect(house.at(), &path, Some(&house.token(house.member()))).await
}

/// The next text; none at the end.
async fn text(peer: &mut Peer) -> Option<Value> {
    match soon(futures_util::StreamExt::next(&mut peer.socket)).await? {
        Ok(Message::Text(text)) => Some(serde_json::from_str(&text).unwrap()),
        _ => None,
    }
}

#[tokio::test]
async fn probes_are_answered_in_room_time() {
    let house = House::with(|plan| plan.tls = true).await;
    let ben = house.guest("Ben").await;
    let mut link = ben.client.clock_link().await.unwrap();
    let (mut last_us, epoch) = (house.room.now().us, house.room.now().epoch);
    for _ in 0..50 {
        let reading = link.probe(local_us).await.unwrap();
        let ClockReading { t1_us, t2_us, t3_us, t4_us, .. } = reading;
        assert!(t1_us <= t4_us && t2_us <= t3_us, "{reading:?}");
        assert!(last_us <= t2_us && t3_us <= house.room.now().us, "{reading:?} after {last_us}");
        assert!(t3_us - t2_us <= t4_us - t1_us, "the host takes no longer than all of it: {reading:?}");
        assert_eq!(reading.epoch, epoch);
        last_us = t3_us;
    }
}

#[tokio::test]
async fn a_probe_is_answered_with_its_own_time_whatever_that_is() {
    let house = House::open().await;
    let mut peer = raw(&house).await;
    for t1_us in [0, -1, i64::MIN, i64::MAX] {
        peer.say(&json!({"type": "probe", "t1_us": t1_us, "more": true})).await;
        let answer = text(&mut peer).await.unwrap();
        assert_eq!((&answer["type"], &answer["t1_us"]), (&json!("probe_answer"), &json!(t1_us)));
        let epoch: EpochId = serde_json::from_value(answer["epoch"].clone()).unwrap();
        assert_eq!(epoch, house.room.now().epoch);
    }
}

#[tokio::test]
async fn the_clock_stops_for_who_was_removed() {
    let house = House::open().await;
    let (ben, cleo) = (house.guest("Ben").await, house.guest("Cleo").await);
    let mut of_ben = ben.client.clock_link().await.unwrap();
    let mut of_cleo = cleo.client.clock_link().await.unwrap();
    of_ben.probe(local_us).await.unwrap();
    house.room.host_removes(ben.user);
    assert!(ends(&mut of_ben).await);
    assert!(!ends(&mut of_cleo).await, "and goes on for others");
    assert!(matches!(ben.client.clock_link().await, Err(error) if error.code() == "not_a_member"));
}

#[tokio::test]
async fn the_clock_stops_with_the_room() {
    let house = House::open().await;
    let mut peer = raw(&house).await;
    peer.say(&json!({"type": "probe", "t1_us": 1})).await;
    assert!(text(&mut peer).await.is_some());
    house.server.remove_room(house.room.id(), "over").await;
    assert_eq!(text(&mut peer).await, None);
}

#[tokio::test]
async fn what_is_no_probe_ends_the_connection() {
    let house = House::open().await;
    let too_long = json!({"type": "probe", "t1_us": 1, "more": "x".repeat(1024)}).to_string();
    for bad in ["", "hi", "{\"type\":\"probe\"}", "{\"type\":\"typing\",\"t1_us\":1}", &too_long] {
        let mut peer = raw(&house).await;
        peer.send(Message::text(bad)).await;
        assert_eq!(text(&mut peer).await, None, "{bad}");
    }
}

#[tokio::test]
async fn a_flood_of_probes_ends_the_connection() {
    let house = House::open().await;
    let mut peer = raw(&house).await;
    let probe = json!({"type": "probe", "t1_us": 1});
    let mut answered = 0;
    for _ in 0..100_000 {
        peer.say(&probe).await;
        if text(&mut peer).await.is_none() {
            break;
        }
        answered += 1;
    }
    assert!((100..10_000).contains(&answered), "{answered} were answered");
}

#[tokio::test]
async fn a_probe_that_is_not_answered_is_an_error() {
    let house = House::open().await;
    let proxy = Proxy::to(house.at()).await;
    let mut config = house.config("Ben");
    config.addresses = Some(vec![proxy.address()]);
    let ben = crate::guest::Guest::join(config).await.unwrap();
    let mut link = ben.client.clock_link().await.unwrap();
    link.probe(local_us).await.unwrap();
    proxy.set(Mode::Cut);
    assert_eq!(link.probe(local_us).await.unwrap_err().code(), "connection_lost");
    proxy.set(Mode::Open);
    eventually("a new one can be made", async || ben.client.clock_link().await.is_ok()).await;
}
