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
use synx_domain::{Role, RoomId, UserId};
use uuid::Uuid;

/// Why a token or an invite is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// An invite past its time.
    #[error("this invite has expired: ask the host for a new link")]
    InviteExpired,
    /// An invite that this host did not sign, or that was changed.
    #[error("this invite was not made by this room's host, or was damaged: copy the whole link again")]
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
            Self::TokenMissing => "token_missing",
            Self::CannotSign => "cannot_sign",
        }
    }
}

/// What an invite grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// To which room.
    pub room: RoomId,
    /// What the invited may do.
    pub role: Role,
    /// How long from now it is good for.
    pub expires_in: Duration,
}

/// Who a session token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// In which room.
    pub room: RoomId,
    /// What the invite gave; the room's own record wins.
    pub role: Role,
    /// Until when, in seconds since 1970 UTC.
    pub expires_at_s: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct InviteClaims {
    aud: String,
    role: Role,
    exp: u64,
    jti: Uuid,
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
}

/// The issuer that session tokens name.
const ISSUER: &str = "synxsphere";

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

    /// Signs an invite.
    ///
    /// # Errors
    /// [`TokenError::CannotSign`] as an error of this crate.
    pub fn sign_invite(&self, invite: &Invite) -> Result<String, NetError> {
        let exp = now_s().saturating_add(invite.expires_in.as_secs());
        let aud = format!("invite:{}", invite.room);
        Ok(self.sign(&InviteClaims { aud, role: invite.role, exp, jti: Uuid::now_v7() })?)
    }

    /// What an invite to `room` grants.
    ///
    /// # Errors
    /// Expired, forged, or for another room.
    pub fn check_invite(&self, room: RoomId, invite: &str) -> Result<Role, TokenError> {
        let claims: InviteClaims =
            self.open(invite, &format!("invite:{room}"), &["exp", "aud"]).map_err(|error| match error {
                Flaw::Expired => TokenError::InviteExpired,
                Flaw::OtherRoom => TokenError::InviteOtherRoom,
                Flaw::Forged => TokenError::InviteForged,
            })?;
        // The room has one host, who needs no invite.
        Ok(claims.role.min(Role::Dj))
    }

    /// Signs a session.
    ///
    /// # Errors
    /// [`TokenError::CannotSign`].
    pub fn sign_session(
        &self,
        user: UserId,
        room: RoomId,
        role: Role,
        lasts: Duration,
    ) -> Result<String, TokenError> {
        let iat = now_s();
        let exp = iat.saturating_add(lasts.as_secs());
        let (iss, aud, jti) = (ISSUER.to_owned(), format!("room:{room}"), Uuid::now_v7());
        self.sign(&SessionClaims { iss, sub: user, aud, role, iat, exp, jti })
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
        Ok(Session { user: claims.sub, room, role: claims.role, expires_at_s: claims.exp })
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

    fn part(value: &Value) -> String {
        BASE64URL_NOPAD.encode(value.to_string().as_bytes())
    }

    #[test]
    fn a_session_says_who_it_is_of() {
        let user = UserId::from_bytes([3; 16]);
        let token = key().sign_session(user, room(1), Role::Dj, HOUR).unwrap();
        let session = key().check_session(room(1), &token).unwrap();
        assert_eq!((session.user, session.role), (user, Role::Dj));
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
    fn an_invite_is_no_session_and_makes_no_host() {
        let invite = Invite { room: room(1), role: Role::Host, expires_in: HOUR };
        let invite = key().sign_invite(&invite).unwrap();
        assert_eq!(key().check_invite(room(1), &invite), Ok(Role::Dj));
        assert_eq!(key().check_invite(room(2), &invite), Err(TokenError::InviteOtherRoom));
        assert!(key().check_session(room(1), &invite).is_err());
    }

    #[test]
    fn other_algorithms_are_refused() {
        let token = key().sign_session(UserId::from_bytes([3; 16]), room(1), Role::Dj, HOUR).unwrap();
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
