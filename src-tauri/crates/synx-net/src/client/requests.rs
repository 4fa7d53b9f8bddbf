//! HTTP requests to the host, each on a connection of its own that is pinned like every other.

use crate::NetError;
use crate::client::dial::{Dialled, Dialler};
use crate::identity::{Identity, JoinProof};
use crate::server::{Admission, Challenge, JoinRequest, PROOF};
use crate::wire::PROTOCOL_VERSION;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use synx_domain::RoomId;

/// Longest JSON answer, in bytes.
const JSON_BYTES: usize = 64 * 1024;
/// Most that is read of a connection at once, in bytes. Hyper would go up to 400 KiB, and what is freed of that size stays with
/// the program: 2 MB after a file had come.
const READ_BYTES: usize = 64 * 1024;
/// A host that has not begun to answer after this has a problem.
const ANSWER: Duration = Duration::from_secs(30);
/// An answer that has begun and then brings nothing for this long has broken off: its connection may have been forgotten
/// on the way, which neither end is told.
const SILENCE: Duration = Duration::from_secs(15);

pub(crate) type Body = BoxBody<Bytes, std::io::Error>;

pub(crate) fn empty() -> Body {
    full(Bytes::new())
}

pub(crate) fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

pub(crate) fn lost(error: impl std::fmt::Display) -> NetError {
    NetError::Lost(error.to_string())
}

/// A request as the host expects it.
pub(crate) fn request(method: Method, path: String, pass: Option<&Pass>) -> http::request::Builder {
    let builder = Request::builder().method(method).uri(path);
    match pass {
        Some(Pass { token, proof }) => {
            builder.header(header::AUTHORIZATION, format!("Bearer {token}")).header(PROOF, proof)
        }
        None => builder,
    }
}

/// A session token, and the proof that it is one's own.
#[derive(Clone, Default)]
pub(crate) struct Pass {
    pub token: String,
    pub proof: String,
}

impl Pass {
    pub fn of(identity: &Identity, token: String) -> Self {
        Self { proof: identity.prove_token(&token), token }
    }
}

/// Sends a request; the answer's head is here when this returns. `wait` bounds how long that may take.
pub(crate) async fn send(
    dialled: Dialled,
    builder: http::request::Builder,
    body: Body,
    wait: Option<Duration>,
) -> Result<Response<Incoming>, NetError> {
    let request = builder.header(header::HOST, &dialled.authority).body(body).map_err(lost)?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(READ_BYTES)
        .handshake(TokioIo::new(dialled.io))
        .await
        .map_err(lost)?;
    tokio::spawn(connection);
    let answer = sender.send_request(request);
    let response = match wait {
        Some(wait) => {
            tokio::time::timeout(wait, answer).await.map_err(|_| lost("the host does not answer"))?
        }
        None => answer.await,
    };
    let response = response.map_err(lost)?;
    if response.status().is_success() || response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(response);
    }
    #[derive(Deserialize)]
    struct Refused {
        code: String,
        message: String,
    }
    let status = response.status();
    match json::<Refused>(response).await {
        Ok(Refused { code, message }) => Err(NetError::Refused { code, message }),
        // Not the host's words but a proxy's, whose host may come back.
        Err(_) => Err(lost(format!("HTTP status {status}"))),
    }
}

/// Reads a JSON answer of bounded length.
pub(crate) async fn json<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, NetError> {
    json_within(response, JSON_BYTES).await
}

/// Reads a JSON answer of at most so many bytes.
pub(crate) async fn json_within<T: DeserializeOwned>(
    response: Response<Incoming>,
    longest: usize,
) -> Result<T, NetError> {
    let mut bytes = Vec::new();
    let mut body = response.into_body().into_data_stream();
    loop {
        let next = tokio::time::timeout(SILENCE, body.next()).await;
        let Some(chunk) = next.map_err(|_| lost("the host's answer broke off"))? else { break };
        bytes.extend_from_slice(&chunk.map_err(lost)?);
        if bytes.len() > longest {
            return Err(NetError::Protocol("an answer without end".to_owned()));
        }
    }
    serde_json::from_slice(&bytes).map_err(|error| NetError::Protocol(error.to_string()))
}

/// What a challenge asks to be signed. Of a host of another version only the version is read: its challenge may look otherwise.
fn nonce_of(challenge: serde_json::Value) -> Result<String, NetError> {
    match challenge["protocol"].as_u64() {
        Some(theirs) if theirs != u64::from(PROTOCOL_VERSION) => Err(NetError::OtherProtocol { theirs }),
        _ => serde_json::from_value(challenge)
            .map(|Challenge { nonce, .. }| nonce)
            .map_err(|error| NetError::Protocol(error.to_string())),
    }
}

/// Proves who one is and gets a session token.
pub(crate) async fn admission(
    dialler: &Dialler,
    room: RoomId,
    identity: &Identity,
    fingerprint: Option<[u8; 32]>,
    invite: Option<String>,
) -> Result<Admission, NetError> {
    let path = format!("/api/v1/rooms/{room}/challenge");
    let challenge =
        send(dialler.dial().await?, request(Method::GET, path, None), empty(), Some(ANSWER)).await?;
    let nonce = nonce_of(json(challenge).await?)?;
    let bytes = data_encoding::HEXLOWER.decode(nonce.as_bytes()).unwrap_or_default();
    let bytes = bytes.try_into().map_err(|_| NetError::Protocol("a challenge that is none".to_owned()))?;
    let signature = identity.sign_join(&JoinProof { nonce: bytes, room, fingerprint });
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let join =
        JoinRequest { nonce, public_key: hex(&identity.public_key()), signature: hex(&signature), invite };
    let body = serde_json::to_vec(&join).map_err(|error| NetError::Protocol(error.to_string()))?;
    let builder = request(Method::POST, format!("/api/v1/rooms/{room}/join"), None)
        .header(header::CONTENT_TYPE, "application/json");
    json(send(dialler.dial().await?, builder, full(body.into()), Some(ANSWER)).await?).await
}
