//! The way in: a challenge, a proof of possession, and a session token in return.

use crate::identity::{JoinProof, user_id_of};
use crate::server::hall::{Hall, lock};
use crate::server::refusal::Refusal;
use crate::server::{Shared, Shop};
use crate::{NetError, TokenError};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use synx_domain::{LeaveReason, Role, Room, RoomId, UserId, Visibility};

/// How long a challenge may be answered.
const NONCE_LASTS: Duration = Duration::from_secs(30);
/// Challenges that are open at once; more are refused until some have run out.
const NONCES_MAX: usize = 4096;

/// What the host asks to be signed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Challenge {
    /// 32 random bytes, hexadecimal.
    pub nonce: String,
    pub protocol: u32,
}

/// The answer to a challenge. Bytes are hexadecimal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JoinRequest {
    pub nonce: String,
    pub public_key: String,
    pub signature: String,
    #[serde(default)]
    pub invite: Option<String>,
}

/// Admitted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Admission {
    pub token: String,
    pub user: UserId,
    pub role: Role,
}

/// Challenges that were given out and not answered yet.
#[derive(Default)]
pub(crate) struct Nonces {
    open: Mutex<HashMap<[u8; 32], (RoomId, Instant)>>,
}

impl Nonces {
    fn give(&self, room: RoomId) -> Option<[u8; 32]> {
        let mut open = lock(&self.open);
        if open.len() >= NONCES_MAX {
            open.retain(|_, (_, at)| at.elapsed() < NONCE_LASTS);
        }
        if open.len() >= NONCES_MAX {
            return None;
        }
        let nonce = rand::random();
        open.insert(nonce, (room, Instant::now()));
        Some(nonce)
    }

    /// Takes a nonce back: it is good once.
    fn take(&self, nonce: &[u8; 32], room: RoomId) -> bool {
        let given = lock(&self.open).remove(nonce);
        given.is_some_and(|(given_for, at)| given_for == room && at.elapsed() < NONCE_LASTS)
    }
}

pub(crate) async fn challenge(
    State(shop): Shop,
    Path(room): Path<RoomId>,
) -> Result<Json<Challenge>, Refusal> {
    shop.hall(room)?;
    let busy = || {
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "busy",
            "too many people are joining: try again in a moment",
        )
    };
    let nonce = shop.nonces.give(room).ok_or_else(busy)?;
    Ok(Json(Challenge {
        nonce: data_encoding::HEXLOWER.encode(&nonce),
        protocol: crate::wire::PROTOCOL_VERSION,
    }))
}

pub(crate) async fn join(
    State(shop): Shop,
    Path(room): Path<RoomId>,
    Json(request): Json<JoinRequest>,
) -> Result<Json<Admission>, Refusal> {
    let hall = shop.hall(room)?;
    let user = prove(&shop, room, &request)?;
    let role = admit(&shop, &hall, user, request.invite.as_deref())?;
    let token = shop.config.host_key.sign_session(user, room, role, shop.config.limits.session)?;
    Ok(Json(Admission { token, user, role }))
}

fn prove(shop: &Shared, room: RoomId, request: &JoinRequest) -> Result<UserId, Refusal> {
    let unproven = || {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "proof_failed",
            "the answer to the challenge does not prove your key: join again",
        )
    };
    let nonce: [u8; 32] = unhex(&request.nonce).ok_or_else(unproven)?;
    let public_key: [u8; 32] = unhex(&request.public_key).ok_or_else(unproven)?;
    let signature: [u8; 64] = unhex(&request.signature).ok_or_else(unproven)?;
    let fresh = shop.nonces.take(&nonce, room);
    let fingerprint = shop.config.tls.as_ref().map(crate::TlsIdentity::fingerprint);
    let proven = JoinProof { nonce, room, fingerprint }.is_signed_by(&public_key, &signature);
    if fresh && proven { Ok(user_id_of(&public_key)) } else { Err(unproven()) }
}

/// What lets a person in: having been let in before, an invite, or that the room is public.
fn admit(shop: &Shared, hall: &Hall, user: UserId, invite: Option<&str>) -> Result<Role, Refusal> {
    let snapshot = hall.backend.snapshot();
    let Room { members, settings, .. } = &snapshot.room;
    let known = members.get(&user);
    if known.is_some_and(|member| member.left == Some(LeaveReason::Removed)) {
        return Err(crate::CommandFailure::from(synx_domain::Rejection::Removed).into());
    }
    let invited = match invite {
        Some(invite) => shop.config.host_key.check_invite(hall.id(), invite),
        None => Err(TokenError::InviteMissing),
    };
    let public = settings.as_ref().is_some_and(|settings| settings.visibility == Visibility::Public);
    match (known, invited) {
        (Some(member), invited) => Ok(member.role.max(invited.unwrap_or(Role::Listener))),
        (None, Ok(role)) => Ok(role),
        (None, Err(TokenError::InviteMissing)) if public => Ok(Role::Listener),
        (None, Err(error)) => Err(error.into()),
    }
}

/// The hall and the member that a request with a bearer token speaks for.
pub(crate) fn member(
    shop: &Shared,
    room: RoomId,
    headers: &HeaderMap,
) -> Result<(Arc<Hall>, UserId), Refusal> {
    let hall = shop.hall(room)?;
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let session = shop.config.host_key.check_session(room, bearer.ok_or(TokenError::TokenMissing)?)?;
    if hall.is_member(session.user) {
        Ok((hall, session.user))
    } else {
        Err(crate::CommandFailure::from(synx_domain::Rejection::NotAMember).into())
    }
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()
}

impl From<NetError> for Refusal {
    fn from(error: NetError) -> Self {
        match error {
            NetError::HashMismatch => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "hash_mismatch", error.to_string())
            }
            error => Self::internal(error),
        }
    }
}
