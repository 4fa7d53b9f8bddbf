//! Invites and session tokens: JWTs signed with the host's Ed25519 key.
//!
//! Only EdDSA is ever accepted, whatever a token's header says, and there is no leeway on its times.

use crate::NetError;
use crate::identity::load_or_create_key;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use synx_domain::{InviteId, InviteTerms, Role, RoomId, UserId};
use uuid::Uuid;

/// Why a token or an invite is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// An invite past its time.
    #[error("this invite has expired: ask the host for a new link")]
    InviteExpired,
    /// An invite that this host did not sign, or that was changed.
    #[error(
        "this invite was not made by this room's host, or was damaged: copy the whole link again, or ask for a new one if the room has moved"
    )]
    InviteForged,
    /// An invite to another room.
    #[error("this invite is for another room: ask the host for a link to this one")]
    InviteOtherRoom,
    /// None was given where one is needed.
    #[error("this room is private: join with an invite link from its host")]
    InviteMissing,
    /// A session past its time.
    #[error("your session has expired: join again")]
    TokenExpired,
    /// A session token that this host did not sign, or that was changed.
    #[error("this session token was not made by this host: join again")]
    TokenForged,
    /// A session of another room.
    #[error("this session token is for another room: join this room")]
    TokenOtherRoom,
    /// The signature that binds a session to its person's key is missing or another's.
    #[error("this session token is another's, or its proof is missing: join again")]
    TokenUnproven,
    /// None was given.
    #[error("a session token is needed: join the room first")]
    TokenMissing,
    /// A key that cannot sign.
    #[error("the host's key cannot sign: restore host.key from a backup or delete it")]
    CannotSign,
}

impl TokenError {
    /// Stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InviteExpired => "invite_expired",
            Self::InviteForged => "invite_forged",
            Self::InviteOtherRoom => "invite_other_room",
            Self::InviteMissing => "invite_missing",
            Self::TokenExpired => "token_expired",
            Self::TokenForged => "token_forged",
            Self::TokenOtherRoom => "token_other_room",
            Self::TokenUnproven => "token_unproven",
            Self::TokenMissing => "token_missing",
            Self::CannotSign => "cannot_sign",
        }
    }
}

/// Who a session token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// In which room.
    pub room: RoomId,
    /// What they may do without an invite; the room's own record wins.
    pub role: Role,
    /// The invite that they showed, its signature checked.
    pub invite: Option<InviteTerms>,
    /// The key that who brings the token proves to have.
    pub key: Option<[u8; 32]>,
}

impl Session {
    /// Whether the holder of the key brought this token: the proof is their signature under it. A token that names no key
    /// is its bearer's; the server gives none of these away.
    pub(crate) fn is_proven(&self, token: &str, proof: Option<&str>) -> bool {
        let Some(key) = self.key else { return true };
        let signature = proof.and_then(|proof| data_encoding::HEXLOWER.decode(proof.as_bytes()).ok());
        let signature = signature.and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        signature.is_some_and(|signature| crate::identity::has_token(&key, token, &signature))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct InviteClaims {
    aud: String,
    role: Role,
    exp: u64,
    jti: InviteId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_uses: Option<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    knock: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct SessionClaims {
    iss: String,
    sub: UserId,
    aud: String,
    role: Role,
    iat: u64,
    exp: u64,
    jti: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invite: Option<InviteTerms>,
    /// Hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// The issuer that session tokens name.
const ISSUER: &str = "synxsphere";
/// How far ahead of this clock a session may have begun: the nodes of a cluster need not agree on the second. One that begins later is
/// from before this clock was set back, and would last for as long as that was.
const AHEAD_S: u64 = 60;

/// The key that signs a machine's invites and session tokens.
pub struct HostKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostKey").finish_non_exhaustive()
    }
}

impl HostKey {
    /// Reads the key, or makes one if the file does not exist.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn load_or_create(path: &Path) -> Result<Self, NetError> {
        Ok(Self::from_key(&load_or_create_key(path)?)?)
    }

    /// The host key with this secret.
    ///
    /// # Errors
    /// [`TokenError::CannotSign`] if it is no key.
    pub fn from_secret(secret: &[u8; 32]) -> Result<Self, TokenError> {
        Self::from_key(&SigningKey::from_bytes(secret))
    }

    fn from_key(key: &SigningKey) -> Result<Self, TokenError> {
        let private = key.to_pkcs8_der().map_err(|_| TokenError::CannotSign)?;
        Ok(Self {
            encoding: EncodingKey::from_ed_der(private.as_bytes()),
            decoding: DecodingKey::from_ed_der(key.verifying_key().as_bytes()),
        })
    }

    /// Signs an invite. Equal terms give equal invites.
    ///
    /// # Errors
    /// [`TokenError::CannotSign`] as an error of this crate.
    pub fn sign_invite(&self, room: RoomId, terms: &InviteTerms) -> Result<String, NetError> {
        let InviteTerms { id: jti, role, expires_at_s: exp, max_uses, knock } = *terms;
        let aud = format!("invite:{room}");
        Ok(self.sign(&InviteClaims { aud, role, exp, jti, max_uses, knock })?)
    }

    /// What an invite to `room` grants.
    ///
    /// # Errors
    /// Expired, forged, or for another room.
    pub fn check_invite(&self, room: RoomId, invite: &str) -> Result<InviteTerms, TokenError> {
        let claims: InviteClaims =
            self.open(invite, &format!("invite:{room}"), &["exp", "aud"]).map_err(|error| match error {
                Flaw::Expired => TokenError::InviteExpired,
                Flaw::OtherRoom => TokenError::InviteOtherRoom,
                Flaw::Forged => TokenError::InviteForged,
            })?;
        let InviteClaims { jti: id, role, exp: expires_at_s, max_uses, knock, .. } = claims;
        // The room has one host, who needs no invite.
        Ok(InviteTerms { id, role: role.min(Role::Dj), expires_at_s, max_uses, knock })
    }

    /// Signs a session.
    ///
    /// # Errors
    /// [`TokenError::CannotSign`].
    pub fn sign_session(&self, session: &Session, lasts: Duration) -> Result<String, TokenError> {
        let Session { user: sub, room, role, invite, key } = *session;
        let iat = now_s();
        let exp = iat.saturating_add(lasts.as_secs());
        let (iss, aud, jti) = (ISSUER.to_owned(), format!("room:{room}"), Uuid::now_v7());
        let key = key.map(|key| data_encoding::HEXLOWER.encode(&key));
        self.sign(&SessionClaims { iss, sub, aud, role, iat, exp, jti, invite, key })
    }

    /// Whom a session token of `room` speaks for.
    ///
    /// # Errors
    /// Expired, forged, or of another room.
    pub fn check_session(&self, room: RoomId, token: &str) -> Result<Session, TokenError> {
        let required = ["exp", "aud", "iss", "sub"];
        let claims: SessionClaims =
            self.open(token, &format!("room:{room}"), &required).map_err(|error| match error {
                Flaw::Expired => TokenError::TokenExpired,
                Flaw::OtherRoom => TokenError::TokenOtherRoom,
                Flaw::Forged => TokenError::TokenForged,
            })?;
        if claims.iss != ISSUER {
            return Err(TokenError::TokenForged);
        }
        if claims.iat > now_s().saturating_add(AHEAD_S) {
            return Err(TokenError::TokenExpired);
        }
        let key = claims.key.map(|key| data_encoding::HEXLOWER.decode(key.as_bytes()));
        let key = key.transpose().map_err(|_| TokenError::TokenForged)?;
        let key = key.map(<[u8; 32]>::try_from).transpose().map_err(|_| TokenError::TokenForged)?;
        Ok(Session { user: claims.sub, room, role: claims.role, invite: claims.invite, key })
    }

    fn sign(&self, claims: &impl Serialize) -> Result<String, TokenError> {
        encode(&Header::new(Algorithm::EdDSA), claims, &self.encoding).map_err(|_| TokenError::CannotSign)
    }

    fn open<T: DeserializeOwned>(&self, token: &str, audience: &str, required: &[&str]) -> Result<T, Flaw> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = 0;
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(required);
        match decode::<T>(token, &self.decoding, &validation) {
            Ok(data) => Ok(data.claims),
            Err(error) => Err(match error.kind() {
                ErrorKind::ExpiredSignature => Flaw::Expired,
                ErrorKind::InvalidAudience => Flaw::OtherRoom,
                _ => Flaw::Forged,
            }),
        }
    }
}

enum Flaw {
    Expired,
    OtherRoom,
    Forged,
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;
    use serde_json::{Value, json};

    const HOUR: Duration = Duration::from_secs(3600);

    fn key() -> HostKey {
        HostKey::from_secret(&[5; 32]).unwrap()
    }

    fn room(id: u8) -> RoomId {
        RoomId::from_bytes([id; 16])
    }

    fn session(user: UserId) -> Session {
        Session { user, room: room(1), role: Role::Dj, invite: None, key: None }
    }

    fn part(value: &Value) -> String {
        BASE64URL_NOPAD.encode(value.to_string().as_bytes())
    }

    #[test]
    fn a_session_says_who_it_is_of() {
        let user = UserId::from_bytes([3; 16]);
        let invite = InviteTerms {
            id: InviteId::from_bytes([4; 16]),
            role: Role::Dj,
            expires_at_s: 9,
            max_uses: Some(1),
            knock: true,
        };
        let said = Session { invite: Some(invite), key: Some([7; 32]), ..session(user) };
        let token = key().sign_session(&said, HOUR).unwrap();
        assert_eq!(key().check_session(room(1), &token), Ok(said));
        assert_eq!(key().check_session(room(2), &token), Err(TokenError::TokenOtherRoom));
        let other = HostKey::from_secret(&[6; 32]).unwrap();
        assert_eq!(other.check_session(room(1), &token), Err(TokenError::TokenForged));
    }

    #[test]
    fn times_have_no_leeway() {
        let user = UserId::from_bytes([3; 16]);
        let claims = |exp: Value| json!({"iss": ISSUER, "sub": user, "aud": format!("room:{}", room(1)), "role": "dj", "iat": 1, "exp": exp, "jti": Uuid::nil()});
        let expired = key().sign(&claims(json!(now_s() - 2))).unwrap();
        assert_eq!(key().check_session(room(1), &expired), Err(TokenError::TokenExpired));
        for exp in [json!("99999999999"), json!(null)] {
            assert!(key().check_session(room(1), &key().sign(&claims(exp)).unwrap()).is_err());
        }
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_session_last_longer() {
        let user = UserId::from_bytes([3; 16]);
        let begun = |iat: u64| {
            let aud = format!("room:{}", room(1));
            let claims = json!({"iss": ISSUER, "sub": user, "aud": aud, "role": "dj", "iat": iat, "exp": iat + 600, "jti": Uuid::nil()});
            key().check_session(room(1), &key().sign(&claims).unwrap())
        };
        assert_eq!(begun(now_s() + 2), Ok(session(user)), "another node's clock");
        for back_s in [120, 3600, 365 * 86_400] {
            assert_eq!(begun(now_s() + back_s), Err(TokenError::TokenExpired), "{back_s}");
        }
        assert_eq!(begun(now_s() - 3600), Err(TokenError::TokenExpired), "it was set ahead");
    }

    #[test]
    fn an_invite_is_no_session_and_makes_no_host() {
        let terms = InviteTerms {
            id: InviteId::from_bytes([4; 16]),
            role: Role::Host,
            expires_at_s: now_s() + 60,
            max_uses: None,
            knock: false,
        };
        let invite = key().sign_invite(room(1), &terms).unwrap();
        assert_eq!(invite, key().sign_invite(room(1), &terms).unwrap());
        assert_eq!(key().check_invite(room(1), &invite), Ok(InviteTerms { role: Role::Dj, ..terms }));
        assert_eq!(key().check_invite(room(2), &invite), Err(TokenError::InviteOtherRoom));
        assert!(key().check_session(room(1), &invite).is_err());
    }

    #[test]
    fn a_token_that_names_a_key_is_good_with_its_signature_alone() {
        let (ada, eve) = (crate::Identity::generate(), crate::Identity::generate());
        let bound = Session { key: Some(ada.public_key()), ..session(ada.user_id()) };
        let (token, other) =
            (key().sign_session(&bound, HOUR).unwrap(), key().sign_session(&bound, HOUR * 2).unwrap());
        assert!(bound.is_proven(&token, Some(&ada.prove_token(&token))));
        for proof in
            [None, Some(eve.prove_token(&token)), Some(ada.prove_token(&other)), Some("no".to_owned())]
        {
            assert!(!bound.is_proven(&token, proof.as_deref()), "{proof:?}");
        }
    }

    #[test]
    fn other_algorithms_are_refused() {
        let token = key().sign_session(&session(UserId::from_bytes([3; 16])), HOUR).unwrap();
        let mut parts = token.split('.');
        let (_, claims, signature) = (parts.next(), parts.next().unwrap(), parts.next().unwrap());
        let none = format!("{}.{claims}.", part(&json!({"alg": "none"})));
        let kept = format!("{}.{claims}.{signature}", part(&json!({"alg": "HS256", "typ": "JWT"})));
        // The classic: the public key taken for the secret of a symmetric algorithm.
        let public = SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
        let claims: Value =
            serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
        let swapped =
            encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&public)).unwrap();
        for token in [none, kept, swapped, String::new(), "a.b.c".to_owned()] {
            assert_eq!(key().check_session(room(1), &token), Err(TokenError::TokenForged), "{token}");
        }
    }
}
