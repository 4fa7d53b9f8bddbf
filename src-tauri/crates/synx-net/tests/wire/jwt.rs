//! Tokens made by hand, good ones and such as nobody should take.

use crate::house::HOST_SECRET;
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use synx_domain::{RoomId, UserId};
use uuid::Uuid;

pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn part(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

/// Signed with Ed25519 by the key with this secret.
pub fn signed(secret: [u8; 32], claims: &Value) -> String {
    let text = format!("{}.{}", part(&json!({"typ": "JWT", "alg": "EdDSA"})), part(claims));
    let signature = SigningKey::from_bytes(&secret).sign(text.as_bytes());
    format!("{text}.{}", BASE64URL_NOPAD.encode(&signature.to_bytes()))
}

/// Signed by the host of these tests.
pub fn by_host(claims: &Value) -> String {
    signed(HOST_SECRET, claims)
}

/// Not signed at all.
pub fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", part(&json!({"typ": "JWT", "alg": "none"})), part(claims))
}

/// The classic: the host's public key, which anybody may know, taken for the secret of a symmetric algorithm.
pub fn hs256(claims: &Value) -> String {
    let public = SigningKey::from_bytes(&HOST_SECRET).verifying_key();
    let secret = EncodingKey::from_secret(public.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &secret).unwrap()
}

/// The first token's claims under the second one's signature.
pub fn mixed(claims_of: &str, signature_of: &str) -> String {
    let (claims, signature) =
        (claims_of.rsplit_once('.').unwrap().0, signature_of.rsplit_once('.').unwrap().1);
    format!("{claims}.{signature}")
}

/// What a session token says.
pub fn session(user: UserId, room: RoomId, expires_at_s: u64) -> Value {
    json!({
        "iss": "synxsphere", "sub": user, "aud": format!("room:{room}"), "role": "dj",
        "iat": 1, "exp": expires_at_s, "jti": Uuid::now_v7(),
    })
}

/// What an invite says.
pub fn invite(room: RoomId, expires_at_s: u64) -> Value {
    json!({"aud": format!("invite:{room}"), "role": "dj", "exp": expires_at_s, "jti": Uuid::now_v7()})
}
