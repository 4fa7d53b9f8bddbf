//! The proof of possession, done by hand as docs/protocol.md describes it.

use crate::house::House;
use crate::http::{Answer, Ask};
use crate::peer::{Peer, join_room};
use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use std::time::Duration;
use synx_domain::{Role, RoomId};
use synx_net::user_id_of;
use synx_net::wire::ServerMessage;

/// What somebody does to join.
struct Attempt {
    nonce: [u8; 32],
    room: RoomId,
    fingerprint: [u8; 32],
    signs: SigningKey,
    shows: SigningKey,
}

impl Attempt {
    /// All as it should be.
    async fn honest(house: &House) -> Self {
        let key = SigningKey::from_bytes(&[3; 32]);
        let nonce = nonce(house, house.room.id()).await;
        Self { nonce, room: house.room.id(), fingerprint: [0; 32], signs: key.clone(), shows: key }
    }

    fn body(&self, house: &House) -> Value {
        let signed =
            [b"synxsphere join v1\0".as_slice(), &self.nonce, self.room.as_bytes(), &self.fingerprint]
                .concat();
        json!({
            "nonce": HEXLOWER.encode(&self.nonce),
            "public_key": HEXLOWER.encode(self.shows.verifying_key().as_bytes()),
            "signature": HEXLOWER.encode(&self.signs.sign(&signed).to_bytes()),
            "invite": house.invite(house.room.id(), Role::Dj),
        })
    }

    async fn send(&self, house: &House) -> Answer {
        post(house).json(&self.body(house)).send(house.at()).await
    }
}

async fn nonce(house: &House, room: RoomId) -> [u8; 32] {
    let challenge = Ask::get(format!("/api/v1/rooms/{room}/challenge")).send(house.at()).await.json();
    assert_eq!(challenge["protocol"], 1);
    HEXLOWER.decode(challenge["nonce"].as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()
}

fn post(house: &House) -> Ask {
    Ask::new("POST", format!("/api/v1/rooms/{}/join", house.room.id()))
}

fn proof_failed() -> (u16, String) {
    (401, "proof_failed".to_owned())
}

#[tokio::test]
async fn a_challenge_is_answered_once() {
    let house = House::open().await;
    let attempt = Attempt::honest(&house).await;
    let admitted = attempt.send(&house).await;
    assert_eq!(admitted.status, 200, "{admitted:?}");
    let user = user_id_of(attempt.shows.verifying_key().as_bytes());
    assert_eq!(admitted.json()["user"], json!(user));
    assert_eq!(admitted.json()["role"], "dj");
    assert_eq!(attempt.send(&house).await.refused(), proof_failed());
    let other = Attempt { signs: SigningKey::from_bytes(&[4; 32]), ..attempt };
    let other = Attempt { shows: other.signs.clone(), ..other };
    assert_eq!(other.send(&house).await.refused(), proof_failed(), "nor by another person");
}

#[tokio::test]
async fn a_token_fresh_from_the_host_is_good_with_its_keys_signature_alone() {
    let house = House::open().await;
    let attempt = Attempt::honest(&house).await;
    let admitted = attempt.send(&house).await.json();
    let token = admitted["token"].as_str().unwrap();
    let signed = [b"synxsphere token v1\0".as_slice(), blake3::hash(token.as_bytes()).as_bytes()].concat();
    let by = |key: &SigningKey| HEXLOWER.encode(&key.sign(&signed).to_bytes());
    let mut join = join_room(house.room.id(), token);
    for stolen in [None, Some(by(&SigningKey::from_bytes(&[4; 32])))] {
        join["proof"] = json!(stolen);
        assert_eq!(Peer::refusal(&house, join.clone()).await, "token_unproven");
    }
    let elsewhere = Attempt::honest(&house).await.send(&house).await.json();
    let elsewhere = join_room(house.add_room().id(), elsewhere["token"].as_str().unwrap());
    assert_eq!(Peer::refusal(&house, elsewhere).await, "token_other_room");
    join["proof"] = json!(by(&attempt.signs));
    for _ in 0..2 {
        assert!(matches!(Peer::knock(&house, join.clone()).await.1, ServerMessage::RoomJoined { .. }));
    }
}

#[tokio::test]
async fn a_proof_that_does_not_fit_is_refused() {
    let house = House::open().await;
    let elsewhere = house.add_room();
    let attempt = async || Attempt::honest(&house).await;
    let key = SigningKey::from_bytes(&[4; 32]);
    for (flaw, attempt) in [
        ("another key signed", Attempt { signs: key.clone(), ..attempt().await }),
        ("another key is shown", Attempt { shows: key, ..attempt().await }),
        ("another certificate was seen", Attempt { fingerprint: [2; 32], ..attempt().await }),
        ("signed for another room", Attempt { room: elsewhere.id(), ..attempt().await }),
        (
            "another room's challenge",
            Attempt { nonce: nonce(&house, elsewhere.id()).await, ..attempt().await },
        ),
        ("nobody's challenge", Attempt { nonce: [1; 32], ..attempt().await }),
    ] {
        assert_eq!(attempt.send(&house).await.refused(), proof_failed(), "{flaw}");
    }
    assert_eq!(attempt().await.send(&house).await.status, 200);
}

#[tokio::test]
async fn a_failed_proof_does_not_use_up_the_challenge() {
    let house = House::open().await;
    let attempt = Attempt::honest(&house).await;
    let wrong = Attempt { signs: SigningKey::from_bytes(&[4; 32]), shows: attempt.shows.clone(), ..attempt };
    assert_eq!(wrong.send(&house).await.refused(), proof_failed());
    let right = Attempt { signs: wrong.shows.clone(), ..wrong };
    assert_eq!(right.send(&house).await.status, 200);
}

#[tokio::test]
async fn hexadecimal_that_is_none_is_no_proof() {
    let house = House::open().await;
    let good = Attempt::honest(&house).await.body(&house);
    for field in ["nonce", "public_key", "signature"] {
        for bad in ["", "0", "xyz", &"00".repeat(65), &"é".repeat(32)] {
            let mut body = good.clone();
            body[field] = json!(bad);
            assert_eq!(post(&house).json(&body).send(house.at()).await.refused(), proof_failed());
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_join_request_is_refused() {
    let house = House::open().await;
    let good = Attempt::honest(&house).await.body(&house);
    let as_text = post(&house).body(good.to_string().as_bytes());
    assert_eq!(as_text.send(house.at()).await.status, 415, "no content type");
    for (body, status) in [("", 400), ("{", 400), ("{\"nonce\": 1}", 422), ("[]", 422)] {
        let ask = post(&house).header("Content-Type", "application/json").body(body.as_bytes());
        assert_eq!(ask.send(house.at()).await.status, status, "{body}");
    }
    assert_eq!(post(&house).json(&good).send(house.at()).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let house = House::open().await;
    let mut body = Attempt::honest(&house).await.body(&house);
    body["more"] = json!("x".repeat(16 << 10));
    assert_eq!(post(&house).json(&body).send(house.at()).await.status, 413);
    body["more"] = json!("x".repeat(8 << 10));
    assert_eq!(post(&house).json(&body).send(house.at()).await.status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let house = House::with(|plan| plan.limits.handshake = Duration::from_millis(300)).await;
    let ask = post(&house).header("Content-Type", "application/json").beginning(b"{\"nonce\":", 500);
    let refused = ask.send(house.at()).await.refused();
    assert_eq!(refused, (408, "handshake_timeout".to_owned()));
}
