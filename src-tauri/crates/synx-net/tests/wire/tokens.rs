//! Session tokens at each door that asks for one.

use crate::house::{HOUR, House};
use crate::http::Ask;
use crate::jwt;
use crate::peer::{Peer, join_room};
use serde_json::{Value, json};
use synx_domain::{ContentHash, Role, RoomId, UserId};
use synx_net::wire::ServerMessage;
use synx_net::{Identity, Session};

/// Tokens that nobody should take, with what is wrong and the code for it.
fn bad_tokens(house: &House, user: UserId) -> Vec<(&'static str, String, &'static str)> {
    let (room, later) = (house.room.id(), jwt::now_s() + HOUR.as_secs());
    let claims = jwt::session(user, room, later);
    let but = |field: &str, value: Value| {
        let mut claims = claims.clone();
        claims[field] = value;
        jwt::by_host(&claims)
    };
    let other_room = RoomId::from_bytes([7; 16]);
    let other_user = Identity::generate().user_id();
    let others = jwt::by_host(&jwt::session(other_user, room, later));
    vec![
        ("symmetric", jwt::hs256(&claims), "token_forged"),
        ("not signed", jwt::unsigned(&claims), "token_forged"),
        ("another host's", jwt::signed([8; 32], &claims), "token_forged"),
        ("another person's name on it", jwt::mixed(&others, &house.token(user)), "token_forged"),
        ("of another issuer", but("iss", json!("elsewhere")), "token_forged"),
        ("of nobody", but("sub", json!("somebody")), "token_forged"),
        ("without end", but("exp", Value::Null), "token_forged"),
        ("another room's", jwt::by_host(&jwt::session(user, other_room, later)), "token_other_room"),
        ("with an end in words", but("exp", json!(later.to_string())), "token_forged"),
        ("expired", jwt::by_host(&jwt::session(user, room, jwt::now_s() - 1)), "token_expired"),
        ("an invite", jwt::by_host(&jwt::invite(room, later)), "token_forged"),
        ("garbage", "garbage".to_owned(), "token_forged"),
        ("more garbage", "a.b.c".to_owned(), "token_forged"),
    ]
}

/// A token made by hand like the host's own.
fn good_token(house: &House, user: UserId) -> String {
    jwt::by_host(&jwt::session(user, house.room.id(), jwt::now_s() + HOUR.as_secs()))
}

#[tokio::test]
async fn a_bad_token_does_not_open_the_room() {
    let house = House::open().await;
    let user = house.member();
    for (flaw, token, code) in bad_tokens(&house, user) {
        let refused = Peer::refusal(&house, join_room(house.room.id(), &token)).await;
        assert_eq!(refused, code, "{flaw}");
    }
    assert_eq!(Peer::refusal(&house, join_room(house.room.id(), "")).await, "token_forged");
    assert!(!house.is_connected(user));
    let good = join_room(house.room.id(), &good_token(&house, user));
    assert!(
        matches!(Peer::knock(&house, good).await.1, ServerMessage::RoomJoined { you, .. } if you == user)
    );
}

/// Requests that want a bearer token.
fn doors(house: &House) -> Vec<(&'static str, Ask, u16)> {
    let room = format!("/api/v1/rooms/{}", house.room.id());
    let hash = ContentHash::from_bytes([1; 32]);
    vec![
        ("download", Ask::get(format!("{room}/audio/{hash}")), 404),
        ("state", Ask::get(format!("{room}/uploads/{hash}")), 409),
        ("upload", Ask::new("PUT", format!("{room}/audio/{hash}")).body(b"music"), 409),
        ("clock", Ask::upgrade(format!("{room}/clock")), 101),
    ]
}

#[tokio::test]
async fn a_bad_token_opens_neither_audio_nor_clock() {
    let house = House::open().await;
    let user = house.member();
    for (flaw, token, code) in bad_tokens(&house, user) {
        for (door, ask, _) in doors(&house) {
            let refused = ask.bearer(&token).send(house.at()).await.refused();
            assert_eq!(refused, (401, code.to_owned()), "{flaw} at {door}");
        }
    }
}

#[tokio::test]
async fn no_token_opens_neither_audio_nor_clock() {
    let house = House::open().await;
    let user = house.member();
    let missing = (401, "token_missing".to_owned());
    for (door, ask, _) in doors(&house) {
        assert_eq!(ask.send(house.at()).await.refused(), missing, "{door}");
    }
    for (door, ask, _) in doors(&house) {
        let basic = ask.header("Authorization", format!("Basic {}", house.token(user)));
        assert_eq!(basic.send(house.at()).await.refused(), missing, "{door}");
    }
}

#[tokio::test]
async fn a_stolen_token_opens_nothing_without_its_key() {
    let house = House::open().await;
    let (ben, eve) = (Identity::generate(), Identity::generate());
    house.room.lets_in(ben.user_id(), "Ben");
    let (user, room) = (ben.user_id(), house.room.id());
    let session = Session { user, room, role: Role::Dj, invite: None, key: Some(ben.public_key()) };
    let token = house.session(&session);
    for proof in ["", &eve.prove_token(&token), &ben.prove_token("another")] {
        for (door, ask, _) in doors(&house) {
            let refused = ask.bearer(&token).header("Synx-Proof", proof).send(house.at()).await.refused();
            assert_eq!(refused, (401, "token_unproven".to_owned()), "{door}");
        }
        let mut join = join_room(room, &token);
        join["proof"] = json!(proof);
        assert_eq!(Peer::refusal(&house, join).await, "token_unproven");
    }
    assert_eq!(Peer::refusal(&house, join_room(room, &token)).await, "token_unproven");
    for (door, ask, status) in doors(&house) {
        let ask = ask.bearer(&token).header("Synx-Proof", ben.prove_token(&token));
        let mut head = [0; 12];
        let mut stream = ask.begin(house.at()).await;
        crate::soon(tokio::io::AsyncReadExt::read_exact(&mut stream, &mut head)).await.unwrap();
        assert_eq!(head, *format!("HTTP/1.1 {status}").as_bytes(), "{door}");
    }
}

#[tokio::test]
async fn an_address_that_fails_too_often_is_not_listened_to() {
    let few = |plan: &mut crate::house::Plan| {
        plan.strict = true;
        plan.limits.refused_per_address = 3.0;
    };
    let house = House::with(few).await;
    let user = house.member();
    let state = |token: &str| {
        let (_, ask, _) = doors(&house).remove(1);
        ask.bearer(token).send(house.at())
    };
    for _ in 0..3 {
        assert_eq!(state("forged").await.refused(), (401, "token_forged".to_owned()));
    }
    let closed = (429, "too_many_failures".to_owned());
    assert_eq!(state(&good_token(&house, user)).await.refused(), closed, "guessing would be free otherwise");
    assert_eq!(Peer::refusal(&house, join_room(house.room.id(), &house.token(user))).await, closed.1);
    assert_eq!(house.refusal(house.config("Ben")).await.code(), closed.1);
    // What is merely too old is no attempt at anything, and does not count.
    let house = House::with(few).await;
    let old = jwt::by_host(&jwt::session(house.member(), house.room.id(), jwt::now_s() - 1));
    for _ in 0..9 {
        let (_, ask, _) = doors(&house).remove(1);
        assert_eq!(ask.bearer(&old).send(house.at()).await.refused().1, "token_expired");
    }
}

#[tokio::test]
async fn a_token_alone_is_not_membership() {
    let house = House::open().await;
    let (stranger, left, removed) = (Identity::generate().user_id(), house.member(), house.member());
    let mut peer = Peer::join(&house, left).await;
    let leave = peer.command(json!({"type": "leave_room"})).await;
    peer.answer(leave).await.unwrap();
    house.room.host_removes(removed);
    for user in [stranger, left, removed] {
        for (door, ask, _) in doors(&house) {
            let refused = ask.bearer(&good_token(&house, user)).send(house.at()).await.refused();
            assert_eq!(refused, (403, "not_a_member".to_owned()), "{door}");
        }
    }
}

#[tokio::test]
async fn a_member_with_a_good_token_gets_past_each_door() {
    let house = House::open().await;
    let user = house.member();
    for (door, ask, status) in doors(&house) {
        // An upgraded connection has no end of its own: its head is enough.
        let stream = ask.bearer(&good_token(&house, user)).begin(house.at()).await;
        let mut head = [0; 12];
        crate::soon(tokio::io::AsyncReadExt::read_exact(&mut { stream }, &mut head)).await.unwrap();
        assert_eq!(head, *format!("HTTP/1.1 {status}").as_bytes(), "{door}");
    }
}
