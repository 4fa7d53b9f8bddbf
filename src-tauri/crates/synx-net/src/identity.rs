//! Who somebody is: an Ed25519 key. Its public half gives the user id, so an id cannot be claimed without the key.
//!
//! Must never send a private key anywhere, nor write one in a file that others can read.

use crate::NetError;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use synx_domain::{RoomId, UserId};

/// Separates these signatures from any other use of the key.
const JOIN_CONTEXT: &[u8] = b"synxsphere join v1\0";
/// Separates proofs of who holds a session token from joins.
const TOKEN_CONTEXT: &[u8] = b"synxsphere token v1\0";

/// A person's key.
pub struct Identity {
    key: SigningKey,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("user_id", &self.user_id()).finish_non_exhaustive()
    }
}

impl Identity {
    /// A new person.
    pub fn generate() -> Self {
        Self { key: new_key() }
    }

    pub(crate) fn from_secret(secret: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(secret) }
    }

    /// Reads the key, or makes one if the file does not exist.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn load_or_create(path: &Path) -> Result<Self, NetError> {
        Ok(Self { key: load_or_create_key(path)? })
    }

    /// The person's id.
    pub fn user_id(&self) -> UserId {
        user_id_of(&self.public_key())
    }

    /// The public half of the key.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The proof that goes with a session token: 64 bytes in hexadecimal digits. The token alone opens nothing.
    pub fn prove_token(&self, token: &str) -> String {
        data_encoding::HEXLOWER.encode(&self.key.sign(&token_bytes(token)).to_bytes())
    }

    pub(crate) fn sign_join(&self, proof: &JoinProof) -> [u8; 64] {
        self.key.sign(&proof.bytes()).to_bytes()
    }
}

fn token_bytes(token: &str) -> Vec<u8> {
    [TOKEN_CONTEXT, blake3::hash(token.as_bytes()).as_bytes()].concat()
}

/// Whether the holder of `key` signed this token.
pub(crate) fn has_token(key: &[u8; 32], token: &str, signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(&token_bytes(token), &Signature::from_bytes(signature)).is_ok())
}

/// The id of whoever holds the key: UUIDv8 of the key's BLAKE3 hash.
pub fn user_id_of(public_key: &[u8; 32]) -> UserId {
    let hash = blake3::hash(public_key);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    UserId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// What a joining person signs. The fingerprint ties it to the connection's certificate, so that somebody in between
/// cannot pass it on.
pub(crate) struct JoinProof {
    pub nonce: [u8; 32],
    pub room: RoomId,
    pub fingerprint: Option<[u8; 32]>,
}

impl JoinProof {
    fn bytes(&self) -> Vec<u8> {
        [JOIN_CONTEXT, &self.nonce, self.room.as_bytes(), &self.fingerprint.unwrap_or_default()].concat()
    }

    /// Whether the holder of `public_key` signed this.
    pub(crate) fn is_signed_by(&self, public_key: &[u8; 32], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(public_key)
            .is_ok_and(|key| key.verify_strict(&self.bytes(), &Signature::from_bytes(signature)).is_ok())
    }
}

fn new_key() -> SigningKey {
    SigningKey::from_bytes(&rand::random())
}

/// A key file holds the 32 bytes as hexadecimal digits.
pub(crate) fn load_or_create_key(path: &Path) -> Result<SigningKey, NetError> {
    match read_key(path) {
        Ok(key) => Ok(SigningKey::from_bytes(&key)),
        Err(NetError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
            let key = new_key();
            write_private(path, data_encoding::HEXLOWER.encode(&key.to_bytes()).as_bytes())?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

pub(crate) fn read_key(path: &Path) -> Result<[u8; 32], NetError> {
    let text = fs::read_to_string(path).map_err(NetError::file("read", path))?;
    let bytes = data_encoding::HEXLOWER.decode(text.trim().as_bytes()).unwrap_or_default();
    <[u8; 32]>::try_from(bytes).map_err(|_| NetError::BadKeyFile { path: path.to_owned() })
}

/// Writes a new file that only its owner can read; complete or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), NetError> {
    let partial = path.with_extension(format!("new-{}", std::process::id()));
    let written = || {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    written().map_err(|error| {
        // What is there of it is of no use; on a full disk every start would leave another.
        drop(fs::remove_file(&partial));
        NetError::file("write", path)(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_in_a_private_file_and_gives_the_same_person() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.key");
        let first = Identity::load_or_create(&path).unwrap();
        assert_eq!(first.user_id(), Identity::load_or_create(&path).unwrap().user_id());
        assert_eq!(first.user_id().uuid().get_version_num(), 8);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "no key").unwrap();
        assert_eq!(Identity::load_or_create(&path).unwrap_err().code(), "bad_key_file");
    }

    #[test]
    fn a_proof_holds_for_one_room_one_certificate_and_one_nonce() {
        let (anna, room) = (Identity::generate(), RoomId::from_bytes([7; 16]));
        let proof = JoinProof { nonce: [1; 32], room, fingerprint: Some([2; 32]) };
        let signature = anna.sign_join(&proof);
        assert!(proof.is_signed_by(&anna.public_key(), &signature));
        assert!(!proof.is_signed_by(&Identity::generate().public_key(), &signature));
        let other = [
            JoinProof { nonce: [9; 32], ..proof },
            JoinProof { nonce: [1; 32], room: RoomId::from_bytes([8; 16]), fingerprint: Some([2; 32]) },
            JoinProof { nonce: [1; 32], room, fingerprint: None },
        ];
        assert!(other.iter().all(|other| !other.is_signed_by(&anna.public_key(), &signature)));
    }
}
