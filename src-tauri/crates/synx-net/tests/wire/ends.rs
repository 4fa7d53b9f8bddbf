//! Ends: which are final, and which are waited out.

use crate::guest::Guest;
use crate::house::House;
use crate::proxy::{Mode, Proxy};
use crate::{PATIENCE, eventually};
use axum::{Json, Router};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use synx_net::{ClientEvent, TlsIdentity};
use tokio::net::{TcpListener, TcpStream};

/// Somebody who joins through a link that can be cut.
async fn guest_behind(house: &House, proxy: &Proxy) -> Guest {
    let mut config = house.config("Ben");
    config.addresses = Some(vec![proxy.address()]);
    Guest::join(config).await.unwrap()
}

/// A host of a later version, whose challenge looks otherwise in all but the version; where it listens.
async fn later_host() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let challenge = || async { Json(json!({"protocol": 2, "riddle": "what walks on four legs?"})) };
    tokio::spawn(axum::serve(listener, Router::new().fallback(challenge)).into_future());
    at
}

async fn until_reconnecting(guest: &mut Guest) {
    guest.until(|event| matches!(event, ClientEvent::Reconnecting { .. })).await;
}

#[tokio::test]
async fn a_closed_room_is_final() {
    let house = House::open().await;
    let mut ben = house.guest("Ben").await;
    house.server.remove_room(house.room.id(), "that was it").await;
    let ended = ben.until(|event| matches!(event, ClientEvent::Ended { .. })).await;
    let ClientEvent::Ended { code, reason } = ended else { unreachable!() };
    assert_eq!((code.as_str(), reason.as_str()), ("room_closed", "that was it"));
    assert_eq!(ben.breaks, 0);
    assert_eq!(ben.say("hello?").await.unwrap_err().code(), "ended");
    assert_eq!(house.refusal(house.config("Cleo")).await.code(), "no_such_room");
}

#[tokio::test]
async fn a_removal_is_final_and_said_to_those_who_wait_for_answers() {
    let house = House::open().await;
    let mut ben = house.guest("Ben").await;
    house.room.hold();
    let remove = async {
        eventually("it waits", async || house.room.waiting() == 1).await;
        house.room.host_removes(ben.user);
    };
    let (said, ()) = tokio::join!(ben.say("wait"), remove);
    assert_eq!(said.unwrap_err().code(), "removed");
    assert_eq!(ben.until_ended().await, "removed");
    assert_eq!(ben.breaks, 0);
}

#[tokio::test]
async fn who_was_removed_while_the_connection_was_cut_stays_out() {
    let house = House::open().await;
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy).await;
    proxy.set(Mode::Cut);
    until_reconnecting(&mut ben).await;
    house.room.host_removes(ben.user);
    proxy.set(Mode::Open);
    assert_eq!(ben.until_ended().await, "removed");
}

#[tokio::test]
async fn a_server_that_stops_closes_its_rooms_and_takes_nobody_in() {
    let house = House::open().await;
    let mut ben = house.guest("Ben").await;
    house.server.stop().await;
    assert_eq!(ben.until_ended().await, "room_closed");
    eventually("nobody listens", async || TcpStream::connect(house.at()).await.is_err()).await;
}

#[tokio::test]
async fn a_server_that_drains_answers_what_it_read_and_sends_everybody_elsewhere() {
    let mut house = House::open().await;
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy).await;
    let cleo = house.guest("Cleo").await;
    house.room.hold();
    let old = house.at();
    let drain = async {
        eventually("it waits", async || house.room.waiting() == 1).await;
        let released = async {
            eventually("nobody comes in", async || TcpStream::connect(old).await.is_err()).await;
            assert!(house.is_connected(ben.user));
            house.room.release();
        };
        tokio::join!(house.server.drain(PATIENCE), released).0;
    };
    let (said, ()) = tokio::join!(ben.say("read before the end"), drain);
    said.unwrap();
    assert!(!house.is_connected(ben.user) && !house.is_connected(cleo.user));
    until_reconnecting(&mut ben).await;
    // They have not left, and go on at the next node.
    house.restart(|_| {}).await;
    proxy.lead_to(house.at());
    ben.until_reconnected().await;
    assert!(house.room.is_in(ben.user) && house.room.is_in(cleo.user));
    assert_eq!(house.room.times_said("read before the end"), 1);
    let seq = ben.say("and on").await.unwrap();
    ben.until_seq(seq).await;
}

#[tokio::test]
async fn who_does_not_go_when_a_server_drains_is_cut_off() {
    let house = House::open().await;
    let ben = house.guest("Ben").await;
    house.room.hold();
    let drain = async {
        eventually("it waits", async || house.room.waiting() == 1).await;
        house.server.drain(Duration::from_millis(50)).await;
        eventually("the connection has ended", async || !house.is_connected(ben.user)).await;
        house.room.release();
    };
    let say = tokio::time::timeout(PATIENCE, ben.say("never answered"));
    tokio::select! {
        said = say => panic!("{said:?}"),
        () = drain => {}
    }
}

#[tokio::test]
async fn a_host_that_is_gone_is_waited_for_and_nothing_is_missed() {
    let mut house = House::with(|plan| plan.tls = true).await;
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy).await;
    house.room.host_says("before");
    house.restart(|_| {}).await;
    until_reconnecting(&mut ben).await;
    house.room.host_says("meanwhile");
    until_reconnecting(&mut ben).await;
    proxy.lead_to(house.at());
    ben.until_reconnected().await;
    let seq = house.room.host_says("after");
    ben.until_seq(seq).await;
    assert_eq!((ben.log.len(), ben.room), (3, house.room.with(Clone::clone)));
}

#[tokio::test]
async fn a_host_that_comes_back_with_another_certificate_is_not_trusted() {
    let mut house = House::with(|plan| plan.tls = true).await;
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy).await;
    let other = TlsIdentity::load_or_create(&house.folder().join("other")).unwrap();
    house.restart(|config| config.tls = Some(other)).await;
    proxy.lead_to(house.at());
    assert_eq!(ben.until_ended().await, "wrong_certificate");
}

#[tokio::test]
async fn a_client_that_is_dropped_is_gone() {
    let house = House::open().await;
    let ben = house.guest("Ben").await;
    let user = ben.user;
    assert!(house.is_connected(user));
    drop(ben);
    eventually("the host has noticed", async || !house.is_connected(user)).await;
}

#[tokio::test]
async fn a_host_of_another_version_is_final_at_the_door_and_after_a_break() {
    let (house, later) = (House::open().await, later_host().await);
    let proxy = Proxy::to(house.at()).await;
    let mut ben = guest_behind(&house, &proxy).await;
    let mut config = house.config("Cleo");
    config.addresses = Some(vec![later.to_string()]);
    let refused = house.refusal(config).await;
    assert_eq!(refused.code(), "host_newer");
    assert!(refused.to_string().contains("protocol 2, this program 1: update SynxSphere here"), "{refused}");

    proxy.set(Mode::Cut);
    until_reconnecting(&mut ben).await;
    proxy.lead_to(later);
    proxy.set(Mode::Open);
    assert_eq!(ben.until_ended().await, "host_newer");
}
