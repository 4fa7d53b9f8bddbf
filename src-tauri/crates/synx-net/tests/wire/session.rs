//! The session's first message, and messages that are none.

use crate::house::House;
use crate::http::Ask;
use crate::peer::{Peer, join_room};
use crate::room::command_id;
use serde_json::json;
use synx_domain::RoomId;
use synx_net::Identity;
use synx_net::wire::ServerMessage;
use tokio_tungstenite::tungstenite::Message;

async fn peer(house: &House) -> Peer {
    Peer::join(house, Identity::generate().user_id()).await
}

#[tokio::test]
async fn the_first_message_must_be_join_room() {
    let house = House::open().await;
    let chat = json!({"type": "chat_message", "id": command_id(), "text": "let me in"});
    for first in [chat, json!({"type": "typing"}), json!({"type": "leave_room", "id": command_id()})] {
        assert_eq!(Peer::refusal(&house, first).await, "join_first");
    }
    assert_eq!(Peer::refusal(&house, json!({"type": "knock_knock"})).await, "unknown_type");
    assert_eq!(Peer::refusal(&house, json!({"type": "join_room", "protocol": 1})).await, "malformed");
    assert_eq!(Peer::refusal(&house, json!("join_room")).await, "not_a_message");
    assert_eq!(house.room.times_said("let me in"), 0);
}

#[tokio::test]
async fn a_list_is_no_message() {
    let house = House::open().await;
    let mut peer = peer(&house).await;
    for list in [json!([]), json!(["typing"]), json!(["chat_message", command_id(), "hi"])] {
        peer.say(&list).await;
        let chat = peer.chat("after it").await;
        let heard = peer.until_answered(chat).await;
        let refused = |said: &ServerMessage| matches!(said, ServerMessage::Error { code, .. } if code == "not_a_message");
        assert!(heard.iter().any(refused), "{list}: {heard:?}");
    }
    assert_eq!(Peer::refusal(&house, json!(["join_room"])).await, "not_a_message");
}

#[tokio::test]
async fn a_binary_first_message_is_refused() {
    let house = House::open().await;
    let mut peer = Peer::at_door(house.at()).await;
    peer.send(Message::binary(b"join_room".to_vec())).await;
    assert_eq!(peer.next_error().await.1, "not_a_message");
    assert_eq!(peer.hear().await, None);
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let house = House::open().await;
    for protocol in [0, 2, u32::MAX] {
        let mut first = join_room(house.room.id(), &house.token(house.member()));
        first["protocol"] = json!(protocol);
        assert_eq!(Peer::refusal(&house, first).await, "protocol_version");
    }
}

#[tokio::test]
async fn a_room_that_is_not_here_is_refused() {
    let house = House::open().await;
    let first = join_room(RoomId::from_bytes([7; 16]), &house.token(house.member()));
    assert_eq!(Peer::refusal(&house, first).await, "no_such_room");
}

#[tokio::test]
async fn the_welcome_says_who_and_where_one_is() {
    let house = House::open().await;
    let user = Identity::generate().user_id();
    let first = join_room(house.room.id(), &house.token(user));
    let (_peer, welcome) = Peer::knock(&house, first).await;
    let ServerMessage::RoomJoined { protocol, you, snapshot, head_seq, room_time_us, .. } = welcome else {
        panic!("not let in: {welcome:?}");
    };
    assert_eq!((protocol, you, head_seq), (1, user, house.room.seq()));
    assert_eq!(snapshot.unwrap().room, house.room.with(Clone::clone));
    assert!(room_time_us > 0);
}

#[tokio::test]
async fn an_unknown_message_is_named_and_the_session_goes_on() {
    let house = House::open().await;
    let mut peer = peer(&house).await;
    let id = peer.command(json!({"type": "dance_wildly", "how": "so"})).await;
    let (about, code, words) = peer.next_error().await;
    assert_eq!((about, code.as_str()), (Some(id), "unknown_type"));
    assert!(words.contains("dance_wildly"), "{words}");
    let chat = peer.chat("still here").await;
    assert!(peer.answer(chat).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_and_the_session_goes_on() {
    let house = House::open().await;
    let mut peer = peer(&house).await;
    for (text, code) in [
        ("", "not_a_message"),
        ("nonsense", "not_a_message"),
        ("{\"type\":7}", "not_a_message"),
        ("{\"type\":\"chat_message\"}", "malformed"),
        ("{\"type\":\"chat_message\",\"id\":7,\"text\":\"hi\"}", "malformed"),
        ("{\"type\":\"sync_report\"}", "malformed"),
    ] {
        peer.send(Message::text(text)).await;
        let (about, said, _) = peer.next_error().await;
        assert_eq!((about, said.as_str()), (None, code), "{text}");
    }
    let id = peer.command(json!({"type": "chat_message", "text": 7})).await;
    assert_eq!(peer.answer(id).await, Err("malformed".to_owned()), "with its id where it has one");
    peer.say(&join_room(house.room.id(), "token")).await;
    assert_eq!(peer.next_error().await.1, "joined_already");
    let chat = peer.chat("still here").await;
    assert!(peer.answer(chat).await.is_ok());
}

#[tokio::test]
async fn a_binary_frame_is_answered_and_the_session_goes_on() {
    let house = House::open().await;
    let mut peer = peer(&house).await;
    peer.send(Message::binary(vec![0, 159, 146, 150])).await;
    let (about, code, _) = peer.next_error().await;
    assert_eq!((about, code.as_str()), (None, "not_a_message"));
    let chat = peer.chat("still here").await;
    assert!(peer.answer(chat).await.is_ok());
}

#[tokio::test]
async fn unknown_fields_are_passed_over() {
    let house = House::open().await;
    let mut first = join_room(house.room.id(), &house.token(house.member()));
    first["mood"] = json!("good");
    let (mut peer, welcome) = Peer::knock(&house, first).await;
    assert!(matches!(welcome, ServerMessage::RoomJoined { .. }));
    let id = peer.command(json!({"type": "chat_message", "text": "hi", "mood": {"very": "good"}})).await;
    assert!(peer.answer(id).await.is_ok());
    assert_eq!(house.room.times_said("hi"), 1);
}

#[tokio::test]
async fn web_pages_and_foreign_names_are_refused_everywhere() {
    let house = House::open().await;
    let room = format!("/api/v1/rooms/{}", house.room.id());
    let doors = || [Ask::upgrade("/ws"), Ask::get("/api/v1/health"), Ask::get(format!("{room}/challenge"))];
    let origin_not_allowed = (403, "origin_not_allowed".to_owned());
    for origin in ["https://evil.example", "null", "http://127.0.0.1"] {
        for ask in doors() {
            assert_eq!(ask.header("Origin", origin).send(house.at()).await.refused(), origin_not_allowed);
        }
    }
    let host_not_allowed = (403, "host_not_allowed".to_owned());
    for host in ["evil.example", "127.0.0.1.evil.example:80", ""] {
        for ask in doors() {
            assert_eq!(ask.host(host).send(house.at()).await.refused(), host_not_allowed, "{host}");
        }
    }
    for host in ["127.0.0.1:47900", "localhost", "[::1]:80", "studio.local"] {
        let healthy = Ask::get("/api/v1/health").host(host).send(house.at()).await;
        assert_eq!((healthy.status, healthy.json()), (200, json!({"status": "ok", "protocol": 1})), "{host}");
    }
}

#[tokio::test]
async fn there_is_nothing_under_other_addresses() {
    let house = House::open().await;
    for path in ["/", "/api/v1", "/api/v2/health", "/../etc/passwd"] {
        let refused = Ask::get(path).send(house.at()).await.refused();
        assert_eq!(refused, (404, "not_found".to_owned()), "{path}");
    }
}
