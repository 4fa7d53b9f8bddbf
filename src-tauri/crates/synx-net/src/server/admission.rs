//! The way in: a challenge, a proof of possession, and a session token in return.

use crate::identity::{JoinProof, user_id_of};
use crate::server::hall::{Hall, lock};
use crate::server::listen::Seat;
use crate::server::refusal::Refusal;
use crate::server::{CommandFailure, Shared, Shop};
use crate::{NetError, Session, TokenError};
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header::AUTHORIZATION};
use axum::{Extension, Json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use synx_domain::{LeaveReason, Rejection, Role, Room, RoomId, UserId, Visibility};
use tokio::time::Instant;

/// The header with the signature under the token by the key that it names.
pub(crate) const PROOF: HeaderName = HeaderName::from_static("synx-proof");
/// How long a challenge may be answered.
const NONCE_LASTS: Duration = Duration::from_secs(30);
/// Longest body of a join: a nonce, a key, a signature and an invite, some hundred bytes each.
pub(crate) const JOIN_BYTES: usize = 16 * 1024;
/// Answered challenges that are remembered: far more joins than 30 s bring.
const ANSWERED_MAX: usize = 16_384;

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

/// Challenges, given out without being kept: a nonce carries when and for which room it was made, under a keyed hash. Only
/// those by which somebody was let in are remembered, as each is good once here: strangers cost no memory. The time is the
/// wall clock's, like that of tokens: servers that share a key take each other's.
pub(crate) struct Challenges {
    key: [u8; 32],
    answered: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Challenges {
    pub fn under(key: [u8; 32]) -> Self {
        Self { key, answered: Mutex::default() }
    }

    /// Eight bytes of milliseconds since 1970, eight of chance, and sixteen that only who has the key can make of them.
    fn give(&self, room: RoomId) -> [u8; 32] {
        self.sealed(wall_clock_ms().to_le_bytes(), rand::random(), room)
    }

    fn sealed(&self, at: [u8; 8], chance: [u8; 8], room: RoomId) -> [u8; 32] {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        mac.update(&at).update(&chance).update(room.uuid().as_bytes());
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&at);
        nonce[8..16].copy_from_slice(&chance);
        nonce[16..].copy_from_slice(&mac.finalize().as_bytes()[..16]);
        nonce
    }

    /// Whether the nonce was made for this room, not long ago.
    fn is_fresh(&self, nonce: &[u8; 32], room: RoomId) -> bool {
        let (mut at, mut chance) = ([0; 8], [0; 8]);
        at.copy_from_slice(&nonce[..8]);
        chance.copy_from_slice(&nonce[8..16]);
        let age_ms = wall_clock_ms().abs_diff(i64::from_le_bytes(at));
        // Two blake3 hashes are compared in constant time.
        let hash = blake3::Hash::from_bytes;
        let genuine = hash(self.sealed(at, chance, room)) == hash(*nonce);
        genuine && u128::from(age_ms) < NONCE_LASTS.as_millis()
    }

    /// Marks a nonce as answered; false if it was before, or if nobody could remember any more.
    fn spend(&self, nonce: [u8; 32]) -> bool {
        let mut answered = lock(&self.answered);
        if answered.len() >= ANSWERED_MAX {
            answered.retain(|_, at| at.elapsed() < NONCE_LASTS);
        }
        answered.len() < ANSWERED_MAX && answered.insert(nonce, Instant::now()).is_none()
    }
}

pub(crate) async fn challenge(
    State(shop): Shop,
    Path(room): Path<RoomId>,
) -> Result<Json<Challenge>, Refusal> {
    shop.hall(room).await?;
    let nonce = shop.challenges.give(room);
    Ok(Json(Challenge {
        nonce: data_encoding::HEXLOWER.encode(&nonce),
        protocol: crate::wire::PROTOCOL_VERSION,
    }))
}

#[tracing::instrument(skip_all, fields(%room))]
pub(crate) async fn join(
    State(shop): Shop,
    Extension(seat): Extension<Seat>,
    Path(room): Path<RoomId>,
    request: Request,
) -> Result<Json<Admission>, Refusal> {
    let hall = shop.hall(room).await?;
    let request: JoinRequest = timely_json(&shop, request).await?;
    heard(&shop, seat.address, || {
        let (user, key) = prove(&shop, room, &request)?;
        let (role, session) = admit(&shop, &hall, (user, key), request.invite.as_deref())?;
        if !unhex(&request.nonce).is_some_and(|nonce| shop.challenges.spend(nonce)) {
            return Err(unproven());
        }
        let lasts = shop.config.limits.session;
        let token = shop.config.host_key.sign_session(&session, lasts)?;
        shop.fresh.signed(&token, session, lasts, Instant::now());
        Ok(Json(Admission { token, user, role }))
    })
}

/// Looks at what somebody brings to get in, unless too much of what came from there was no good; notes if this is not.
pub(crate) fn heard<T>(
    shop: &Shared,
    address: IpAddr,
    look: impl FnOnce() -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    if !shop.addresses.is_heard(&shop.config, address) {
        return Err(Refusal::not_heard());
    }
    look().inspect_err(|refusal| {
        if refusal.counts_as_failure() {
            shop.addresses.refuse(&shop.config, address);
        }
    })
}

/// Reads a JSON body that must come as soon as any handshake.
async fn timely_json<T: DeserializeOwned>(shop: &Shared, request: Request) -> Result<T, Refusal> {
    match tokio::time::timeout(shop.config.limits.handshake, Json::from_request(request, &())).await {
        Ok(Ok(Json(value))) => Ok(value),
        Ok(Err(problem)) => Err(Refusal::new(problem.status(), "malformed", problem.body_text())),
        Err(_) => {
            let message = "the request did not come in time: try again";
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "handshake_timeout", message))
        }
    }
}

fn unproven() -> Refusal {
    let message = "the answer to the challenge does not prove your key: join again";
    Refusal::new(StatusCode::UNAUTHORIZED, "proof_failed", message)
}

fn prove(shop: &Shared, room: RoomId, request: &JoinRequest) -> Result<(UserId, [u8; 32]), Refusal> {
    let nonce: [u8; 32] = unhex(&request.nonce).ok_or_else(unproven)?;
    let public_key: [u8; 32] = unhex(&request.public_key).ok_or_else(unproven)?;
    let signature: [u8; 64] = unhex(&request.signature).ok_or_else(unproven)?;
    let fresh = shop.challenges.is_fresh(&nonce, room);
    let fingerprint = shop.config.tls.as_ref().map(crate::TlsIdentity::fingerprint);
    let proven = JoinProof { nonce, room, fingerprint }.is_signed_by(&public_key, &signature);
    if fresh && proven { Ok((user_id_of(&public_key), public_key)) } else { Err(unproven()) }
}

/// What lets a person in: having been let in before, an invite, or that the room is public. The role that this comes to, and
/// the session. Whether the invite still counts when they enter is the room's to say.
fn admit(
    shop: &Shared,
    hall: &Hall,
    (user, key): (UserId, [u8; 32]),
    invite: Option<&str>,
) -> Result<(Role, Session), Refusal> {
    let shown = match invite {
        Some(invite) => shop.config.host_key.check_invite(hall.id(), invite),
        None => Err(TokenError::InviteMissing),
    };
    let look = |room: &Room| {
        let public = room.settings.as_ref().is_some_and(|settings| settings.visibility == Visibility::Public);
        let good = shown.as_ref().map(|terms| room.check_invite(terms, wall_clock_ms()));
        (room.members.get(&user).cloned(), public, good.unwrap_or(Ok(())))
    };
    let (known, public, good) = hall.backend.with(look).unwrap_or((None, false, Ok(())));
    if known.as_ref().is_some_and(|member| member.left == Some(LeaveReason::Removed)) {
        return Err(CommandFailure::from(Rejection::Removed).into());
    }
    let invite = match (&known, shown, good) {
        // A bad invite keeps out nobody who is known, and gives them nothing.
        (Some(_), shown, good) => shown.ok().filter(|_| good.is_ok()),
        (None, Ok(terms), good) => good.map(|()| Some(terms)).map_err(CommandFailure::from)?,
        (None, Err(TokenError::InviteMissing), _) if public => None,
        (None, Err(error), _) => return Err(error.into()),
    };
    let own = known.map_or(Role::Listener, |member| member.role);
    let role = own.max(invite.map_or(Role::Listener, |terms| terms.role));
    Ok((role, Session { user, room: hall.id(), role: own, invite, key: Some(key) }))
}

fn wall_clock_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The hall and the member that a request with a bearer token speaks for.
pub(crate) async fn member(
    shop: &Shared,
    room: RoomId,
    (address, headers): (IpAddr, &HeaderMap),
) -> Result<(Arc<Hall>, UserId), Refusal> {
    let hall = shop.hall(room).await?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let session = heard(shop, address, || {
        let token = bearer.ok_or(TokenError::TokenMissing)?;
        Ok(session_of(shop, room, token, text(PROOF))?)
    })?;
    if hall.is_member(session.user) {
        Ok((hall, session.user))
    } else {
        Err(CommandFailure::from(Rejection::NotAMember).into())
    }
}

/// Whom a token speaks for, if who brings it has its key.
pub(crate) fn session_of(
    shop: &Shared,
    room: RoomId,
    token: &str,
    proof: Option<&str>,
) -> Result<Session, TokenError> {
    let fresh = shop.fresh.take(room, token, Instant::now()).map(Ok);
    let session = fresh.unwrap_or_else(|| shop.config.host_key.check_session(room, token))?;
    if session.is_proven(token, proof) { Ok(session) } else { Err(TokenError::TokenUnproven) }
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()
}

impl From<NetError> for Refusal {
    fn from(error: NetError) -> Self {
        Self::internal(error)
    }
}
