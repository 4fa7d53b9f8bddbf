//! The system's keyring: on Linux and BSD the Secret Service of the desktop session. Other systems' are not used yet.
//!
//! Must never make anybody wait: a service that does not answer is as good as none, and a locked one is not asked to unlock,
//! which would put a question on a screen that nobody may be looking at.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use synx_domain::UserId;
use synx_net::{Identity, Kept, Keyring, KeyringError, NetError};

/// A service that was just started answers within some tenths of a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// The person's key: where it is, and where it is kept from now on. With `move_over` it goes into the keyring, if there is one.
///
/// # Errors
/// When it cannot be read, or lies in a keyring that does not give it.
pub fn identity(path: &Path, move_over: bool) -> Result<(Identity, Kept), NetError> {
    let keyring = SystemKeyring;
    let (identity, mut kept) = Identity::open(path, &keyring)?;
    if move_over {
        kept = Identity::move_to(path, &keyring)?;
    }
    match &kept {
        Kept::InFile(Some(why)) => tracing::info!(%why, "the key stays in a file that only you can read"),
        kept => tracing::debug!(?kept, "the key is in its place"),
    }
    Ok((identity, kept))
}

struct SystemKeyring;

impl Keyring for SystemKeyring {
    fn get(&self, owner: UserId) -> Result<Option<[u8; 32]>, KeyringError> {
        in_time(move || system::get(owner))
    }

    fn put(&self, owner: UserId, key: &[u8; 32]) -> Result<(), KeyringError> {
        let key = *key;
        in_time(move || system::put(owner, &key))
    }
}

/// Asks on a thread of its own, which a service that never answers keeps for good.
fn in_time<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let (answer, answered) = mpsc::sync_channel(1);
    let absent = |error: &dyn std::fmt::Display| KeyringError::Absent(error.to_string());
    let asked =
        std::thread::Builder::new().name("keyring".to_owned()).spawn(move || drop(answer.send(ask())));
    asked.map_err(|error| absent(&error))?;
    answered.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(absent(&"it does not answer")))
}

#[cfg(all(unix, not(target_os = "macos")))]
mod system {
    use secret_service::EncryptionType;
    use secret_service::blocking::SecretService;
    use std::collections::HashMap;
    use synx_domain::UserId;
    use synx_net::KeyringError;

    pub fn get(owner: UserId) -> Result<Option<[u8; 32]>, KeyringError> {
        let owner = owner.to_string();
        let service = service()?;
        let found = service.search_items(attributes(&owner)).map_err(failed)?;
        let Some(item) = found.unlocked.first() else {
            return if found.locked.is_empty() { Ok(None) } else { Err(KeyringError::Locked) };
        };
        // What is no key is none of ours.
        Ok(<[u8; 32]>::try_from(item.get_secret().map_err(failed)?).ok())
    }

    pub fn put(owner: UserId, key: &[u8; 32]) -> Result<(), KeyringError> {
        let owner = owner.to_string();
        let service = service()?;
        let keyring = service.get_default_collection().map_err(failed)?;
        if keyring.is_locked().map_err(failed)? {
            return Err(KeyringError::Locked);
        }
        let (label, kind) = ("SynxSphere identity", "application/octet-stream");
        keyring.create_item(label, attributes(&owner), key, true, kind).map(drop).map_err(failed)
    }

    /// Over the bus the key is encrypted.
    fn service() -> Result<SecretService<'static>, KeyringError> {
        SecretService::connect(EncryptionType::Dh).map_err(failed)
    }

    fn attributes(owner: &str) -> HashMap<&str, &str> {
        HashMap::from([("application", "synxsphere"), ("user", owner)])
    }

    fn failed(error: secret_service::Error) -> KeyringError {
        match error {
            secret_service::Error::Locked | secret_service::Error::Prompt => KeyringError::Locked,
            error => KeyringError::Absent(error.to_string()),
        }
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod system {
    use synx_domain::UserId;
    use synx_net::KeyringError;

    pub fn get(_owner: UserId) -> Result<Option<[u8; 32]>, KeyringError> {
        Err(KeyringError::Absent("this system's is not used yet".to_owned()))
    }

    pub fn put(_owner: UserId, _key: &[u8; 32]) -> Result<(), KeyringError> {
        Err(KeyringError::Absent("this system's is not used yet".to_owned()))
    }
}
