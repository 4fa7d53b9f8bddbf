//! What one peer may use of a host.

use crate::eventually;
use crate::house::House;
use crate::http::{Answer, Ask};
use crate::peer::{Peer, join_room};
use crate::soon;
use futures_util::SinkExt;
use std::collections::BTreeMap;
use std::time::Duration;
use synx_domain::UserId;
use synx_net::Identity;
use synx_net::wire::ServerMessage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

const SHORT: Duration = Duration::from_millis(500);

fn somebody() -> UserId {
    Identity::generate().user_id()
}

/// Whether the host closes this connection without a word.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    !matches!(soon(stream.read(&mut byte)).await, Ok(1..))
}

#[tokio::test]
async fn a_message_as_long_as_allowed_is_taken_and_a_longer_one_ends_the_session() {
    let house = House::with(|plan| plan.limits.message_bytes = 4096).await;
    let mut peer = Peer::join(&house, somebody()).await;
    peer.send(Message::text("x".repeat(4096))).await;
    assert_eq!(peer.next_error().await.1, "not_a_message");
    peer.send(Message::text("x".repeat(4097))).await;
    assert_eq!(peer.until_bye().await.as_deref(), Some("bad_frame"));
    assert_eq!(peer.hear().await, None);
}

fn frame(payload: &str, code: Data, last: bool) -> Frame {
    Frame::message(payload.to_owned(), OpCode::Data(code), last)
}

#[tokio::test]
async fn a_message_in_fragments_is_as_long_as_all_of_them() {
    let house = House::with(|plan| plan.limits.message_bytes = 4096).await;
    let mut peer = Peer::join(&house, somebody()).await;
    let part = "x".repeat(1024);
    peer.send(Message::Frame(frame(&part, Data::Text, false))).await;
    peer.send(Message::Frame(frame(&part, Data::Continue, true))).await;
    assert_eq!(peer.next_error().await.1, "not_a_message", "it is taken as one");
    peer.send(Message::Frame(frame(&part, Data::Text, false))).await;
    for _ in 0..4 {
        // It may have ended already.
        drop(soon(peer.socket.send(Message::Frame(frame(&part, Data::Continue, false)))).await);
    }
    assert_eq!(peer.until_bye().await.as_deref(), Some("bad_frame"));
}

#[tokio::test]
async fn compression_is_not_agreed_to_and_not_taken() {
    let house = House::with(|plan| plan.limits.handshake = SHORT).await;
    let offer = "permessage-deflate; client_max_window_bits";
    let answer = Ask::upgrade("/ws").header("Sec-WebSocket-Extensions", offer).send(house.at()).await;
    assert_eq!((answer.status, answer.header("sec-websocket-extensions")), (101, None));
    let house = House::open().await;
    let mut peer = Peer::join(&house, somebody()).await;
    let mut compressed = frame("\u{1}\u{2}", Data::Text, true);
    compressed.header_mut().rsv1 = true;
    peer.send(Message::Frame(compressed)).await;
    assert_eq!(peer.until_bye().await.as_deref(), Some("bad_frame"));
}

#[tokio::test]
async fn a_message_far_too_long_ends_the_session_and_nobody_elses() {
    let house = House::open().await;
    let (user, mut other) = (somebody(), Peer::join(&house, somebody()).await);
    let mut peer = Peer::join(&house, user).await;
    // The host may close before it has taken all of this.
    let long = Message::text("x".repeat(4 << 20));
    drop(soon(futures_util::SinkExt::send(&mut peer.socket, long)).await);
    eventually("it has ended", async || !house.is_connected(user)).await;
    let chat = other.chat("still here").await;
    assert!(other.answer(chat).await.is_ok());
}

#[tokio::test]
async fn a_flood_is_answered_with_rate_limited_and_changes_nothing() {
    let house = House::with(|plan| {
        plan.limits.message_burst = 10.0;
        plan.limits.messages_per_s = 0.001;
    })
    .await;
    let mut peer = Peer::join(&house, somebody()).await;
    let mut sent = Vec::new();
    for _ in 0..30 {
        sent.push(peer.chat("again and again").await);
    }
    let mut answers = BTreeMap::new();
    while answers.len() < sent.len() {
        match peer.hear().await.expect("the session goes on") {
            ServerMessage::Ok { id, .. } => drop(answers.insert(id, "ok".to_owned())),
            ServerMessage::Error { id: Some(id), code, .. } => drop(answers.insert(id, code)),
            _ => {}
        }
    }
    let codes: Vec<&str> = sent.iter().map(|id| answers[id].as_str()).collect();
    assert_eq!(codes, [vec!["ok"; 10], vec!["rate_limited"; 20]].concat());
    assert_eq!(house.room.times_said("again and again"), 10);
}

#[tokio::test]
async fn what_is_no_message_counts_as_one() {
    let house = House::with(|plan| {
        plan.limits.message_burst = 2.0;
        plan.limits.messages_per_s = 0.001;
    })
    .await;
    for nonsense in [Message::text("nonsense"), Message::binary(b"nonsense".to_vec())] {
        let mut peer = Peer::join(&house, somebody()).await;
        let mut codes = Vec::new();
        for _ in 0..3 {
            peer.send(nonsense.clone()).await;
            codes.push(peer.next_error().await.1);
        }
        assert_eq!(codes, ["not_a_message", "not_a_message", "rate_limited"], "{nonsense:?}");
    }
}

#[tokio::test]
async fn after_a_flood_messages_are_taken_again() {
    let house = House::with(|plan| {
        plan.limits.message_burst = 1.0;
        plan.limits.messages_per_s = 20.0;
    })
    .await;
    let mut peer = Peer::join(&house, somebody()).await;
    let (first, second) = (peer.chat("first").await, peer.chat("second").await);
    assert!(peer.answer(first).await.is_ok());
    assert_eq!(peer.answer(second).await, Err("rate_limited".to_owned()));
    loop {
        let again = peer.chat("again").await;
        if peer.answer(again).await.is_ok() {
            return;
        }
    }
}

#[tokio::test]
async fn who_connects_and_says_nothing_is_not_waited_for() {
    let house = House::with(|plan| plan.limits.handshake = SHORT).await;
    let mut silent = TcpStream::connect(house.at()).await.unwrap();
    assert!(is_closed(&mut silent).await);
    let mut peer = Peer::at_door(house.at()).await;
    assert_eq!(peer.next_error().await.1, "handshake_timeout");
    assert_eq!(peer.hear().await, None);
}

#[tokio::test]
async fn a_request_that_does_not_end_is_not_waited_for() {
    let house = House::with(|plan| plan.limits.handshake = SHORT).await;
    let mut slow = TcpStream::connect(house.at()).await.unwrap();
    slow.write_all(b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-More").await.unwrap();
    assert!(is_closed(&mut slow).await);
}

#[tokio::test]
async fn tls_that_is_not_finished_is_not_waited_for() {
    let house = House::with(|plan| {
        plan.limits.handshake = SHORT;
        plan.tls = true;
    })
    .await;
    let mut silent = TcpStream::connect(house.at()).await.unwrap();
    assert!(is_closed(&mut silent).await);
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let house = House::open().await;
    let ask = Ask::get("/api/v1/health").header("X-Long", "x".repeat(64 * 1024));
    assert_eq!(ask.send(house.at()).await.status, 431);
    let ask = Ask::get("/api/v1/health").header("X-Long", "x".repeat(8 * 1024));
    assert_eq!(ask.send(house.at()).await.status, 200);
}

#[tokio::test]
async fn beyond_the_limit_connections_are_closed_at_once_until_others_end() {
    let house = House::with(|plan| plan.limits.connections = 2).await;
    // An upgraded connection counts like any other.
    let peer = Peer::join(&house, somebody()).await;
    let idle = TcpStream::connect(house.at()).await.unwrap();
    let mut third = TcpStream::connect(house.at()).await.unwrap();
    assert!(is_closed(&mut third).await);
    drop((peer, idle));
    eventually("there is room again", async || {
        let stream = Ask::get("/api/v1/health").begin(house.at()).await;
        Answer::has_begun(&stream).await && Answer::read(stream).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_room_has_so_many_seats() {
    let house = House::with(|plan| plan.limits.peers_per_room = 2).await;
    let (ben, cleo) = (somebody(), somebody());
    let first = Peer::join(&house, ben).await;
    let _second = Peer::join(&house, cleo).await;
    let join = || join_room(house.room.id(), &house.token(somebody()));
    assert_eq!(Peer::refusal(&house, join()).await, "too_many_connections");
    drop(first);
    eventually("a seat is free", async || !house.is_connected(ben)).await;
    assert!(matches!(Peer::knock(&house, join()).await.1, ServerMessage::RoomJoined { .. }));
}

#[tokio::test]
async fn one_person_takes_only_so_many_seats() {
    let house = House::with(|plan| plan.limits.connections_per_member = 2).await;
    let ben = somebody();
    let _devices = (Peer::join(&house, ben).await, Peer::join(&house, ben).await);
    let again = join_room(house.room.id(), &house.token(ben));
    assert_eq!(Peer::refusal(&house, again).await, "too_many_connections");
    Peer::join(&house, somebody()).await;
}

#[tokio::test]
async fn one_address_holds_only_so_many_connections() {
    let house = House::with(|plan| {
        plan.strict = true;
        plan.limits.connections_per_address = 2;
    })
    .await;
    let health = || Ask::get("/api/v1/health");
    let held = [TcpStream::connect(house.at()).await.unwrap(), TcpStream::connect(house.at()).await.unwrap()];
    let mut third = health().begin(house.at()).await;
    assert!(!matches!(soon(third.read(&mut [0])).await, Ok(1..)), "the third is closed");
    drop(held);
    crate::eventually("there is a place again", async || {
        Answer::has_begun(&health().begin(house.at()).await).await
    })
    .await;
}

#[tokio::test]
async fn pings_count_as_messages() {
    let house = House::with(|plan| {
        plan.limits.messages_per_s = 1.0;
        plan.limits.message_burst = 50.0;
    })
    .await;
    let mut peer = Peer::join(&house, house.member()).await;
    for _ in 0..60 {
        if peer.socket.send(Message::Ping(Vec::new().into())).await.is_err() {
            break;
        }
    }
    assert_eq!(peer.until_bye().await.as_deref(), Some("rate_limited"));
}
