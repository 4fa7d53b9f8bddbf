//! Where a person's key lies: in the system's keyring, or in a file that only they can read.
//!
//! A key moves once, from its file into the keyring; the file then says whose key it was. Must never lose a key: the file gives it
//! up only at a later start, when the keyring still has the same. Must never wait for a person: a keyring that would have to ask is locked.

use crate::identity::{read_key, write_private};
use crate::{Identity, NetError};
use std::path::Path;
use synx_domain::UserId;

/// What the file of a key says that lies in the keyring; the person's id follows.
const ELSEWHERE: &str = "keyring ";

/// The system's keyring. Calls may block for as long as its service takes, but ask nobody anything.
pub trait Keyring: Send + Sync {
    /// The key of this person, if it is there.
    ///
    /// # Errors
    /// When that cannot be known.
    fn get(&self, owner: UserId) -> Result<Option<[u8; 32]>, KeyringError>;

    /// Keeps a key, in place of one that is there.
    ///
    /// # Errors
    /// When it is not kept.
    fn put(&self, owner: UserId, key: &[u8; 32]) -> Result<(), KeyringError>;
}

/// Why the keyring did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is none, or not for this program.
    #[error("there is no keyring here: {0}")]
    Absent(String),
    /// It would have to ask for its password.
    #[error("the keyring is locked")]
    Locked,
    /// It gave back another key than it was given.
    #[error("the keyring does not keep what it is given")]
    Forgetful,
}

/// Where a key was found or has been put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// In the system's keyring.
    InKeyring,
    /// In the keyring since now, and in the file until the keyring has proved that it keeps it.
    InBoth,
    /// In its file; if it was to move, why it did not.
    InFile(Option<KeyringError>),
}

impl Identity {
    /// Reads the key, from the keyring if its file says so, or makes one if the file does not exist; and where it is.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else; [`NetError::Keyring`] when the key is in the keyring and
    /// cannot be had.
    pub fn open(path: &Path, keyring: &dyn Keyring) -> Result<(Self, Kept), NetError> {
        let Some(owner) = elsewhere(path)? else {
            return Ok((Self::load_or_create(path)?, Kept::InFile(None)));
        };
        let failed = |reason: String| NetError::Keyring { path: path.to_owned(), reason };
        let key = keyring.get(owner).map_err(|error| failed(error.to_string()))?;
        let identity = key.map(|key| Self::from_secret(&key)).filter(|identity| identity.user_id() == owner);
        let identity = identity.ok_or_else(|| failed("it is not in the keyring".to_owned()))?;
        Ok((identity, Kept::InKeyring))
    }

    /// Moves a key that is in its file into the keyring, in two steps: at one start it is copied there, and when it is there
    /// at a later one, the file gives it up. Whatever goes wrong, the key is still where it was.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn move_to(path: &Path, keyring: &dyn Keyring) -> Result<Kept, NetError> {
        if elsewhere(path)?.is_some() {
            return Ok(Kept::InKeyring);
        }
        let key = read_key(path)?;
        let owner = Self::from_secret(&key).user_id();
        let has_it = || Ok(keyring.get(owner)? == Some(key));
        let copied = || {
            keyring.put(owner, &key)?;
            if has_it()? { Ok(Kept::InBoth) } else { Err(KeyringError::Forgetful) }
        };
        match has_it() {
            Ok(true) => {
                write_private(path, format!("{ELSEWHERE}{owner}\n").as_bytes())?;
                Ok(Kept::InKeyring)
            }
            Ok(false) => Ok(copied().unwrap_or_else(|error| Kept::InFile(Some(error)))),
            Err(error) => Ok(Kept::InFile(Some(error))),
        }
    }

    /// Whose key this file stands for, wherever the key is.
    ///
    /// # Errors
    /// As [`Identity::load_or_create`].
    pub fn owner(path: &Path) -> Result<UserId, NetError> {
        match elsewhere(path)? {
            Some(owner) => Ok(owner),
            None => Ok(Self::load_or_create(path)?.user_id()),
        }
    }
}

/// Whose key lies in the keyring, by what this file says.
fn elsewhere(path: &Path) -> Result<Option<UserId>, NetError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(NetError::file("read", path)(error)),
    };
    let Some(owner) = text.strip_prefix(ELSEWHERE) else { return Ok(None) };
    owner.trim().parse().map(Some).map_err(|_| NetError::BadKeyFile { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::Mutex;

    /// A keyring whose owner can lock it, take it away or spoil it.
    #[derive(Default)]
    struct Ring {
        keys: Mutex<HashMap<UserId, [u8; 32]>>,
        broken: Option<KeyringError>,
        forgets: bool,
    }

    impl Keyring for Ring {
        fn get(&self, owner: UserId) -> Result<Option<[u8; 32]>, KeyringError> {
            self.broken.clone().map_or_else(|| Ok(self.keys.lock().unwrap().get(&owner).copied()), Err)
        }

        fn put(&self, owner: UserId, key: &[u8; 32]) -> Result<(), KeyringError> {
            if let Some(error) = &self.broken {
                return Err(error.clone());
            }
            let kept = if self.forgets { [0; 32] } else { *key };
            self.keys.lock().unwrap().insert(owner, kept);
            Ok(())
        }
    }

    fn person(path: &Path, ring: &Ring) -> UserId {
        Identity::open(path, ring).unwrap().0.user_id()
    }

    fn absent() -> KeyringError {
        KeyringError::Absent("no bus".to_owned())
    }

    #[test]
    fn a_key_moves_once_and_is_the_same_person() {
        let folder = tempfile::tempdir().unwrap();
        let (path, ring) = (folder.path().join("identity.key"), Ring::default());
        let me = person(&path, &ring);
        let secret = std::fs::read_to_string(&path).unwrap();
        assert_eq!(Identity::move_to(&path, &ring).unwrap(), Kept::InBoth);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), secret, "the keyring may still lose it");
        ring.keys.lock().unwrap().clear();
        assert_eq!(Identity::move_to(&path, &ring).unwrap(), Kept::InBoth);
        assert_eq!(
            Identity::move_to(&path, &ring).unwrap(),
            Kept::InKeyring,
            "at the next start it is still there"
        );
        let left = std::fs::read_to_string(&path).unwrap();
        assert!(!left.contains(secret.trim()) && left.contains(&me.to_string()), "{left}");
        assert_eq!(person(&path, &ring), me);
        assert_eq!(Identity::owner(&path).unwrap(), me);
        assert_eq!(
            Identity::move_to(&path, &Ring { broken: Some(absent()), ..ring }).unwrap(),
            Kept::InKeyring
        );
    }

    #[test]
    fn a_key_stays_in_its_file_where_the_keyring_does_not_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.key");
        let me = Identity::owner(&path).unwrap();
        let rings = [
            (Ring { broken: Some(absent()), ..Ring::default() }, absent()),
            (Ring { broken: Some(KeyringError::Locked), ..Ring::default() }, KeyringError::Locked),
            (Ring { forgets: true, ..Ring::default() }, KeyringError::Forgetful),
        ];
        for (ring, why) in rings {
            assert_eq!(Identity::move_to(&path, &ring).unwrap(), Kept::InFile(Some(why)));
            assert_eq!(person(&path, &ring), me, "it needs no keyring");
        }
    }

    #[test]
    fn a_key_that_cannot_be_had_is_an_error_and_no_new_person() {
        let folder = tempfile::tempdir().unwrap();
        let (path, ring) = (folder.path().join("identity.key"), Ring::default());
        let me = Identity::owner(&path).unwrap();
        (0..2).for_each(|_| drop(Identity::move_to(&path, &ring).unwrap()));
        let before = std::fs::read(&path).unwrap();
        let stranger = Ring { keys: Mutex::new([(me, [7; 32])].into()), ..Ring::default() };
        let locked = Ring { broken: Some(KeyringError::Locked), ..Ring::default() };
        let gone = Ring { broken: Some(absent()), ..Ring::default() };
        for ring in [Ring::default(), stranger, locked, gone] {
            assert_eq!(Identity::open(&path, &ring).unwrap_err().code(), "key_in_keyring");
        }
        assert_eq!(Identity::load_or_create(&path).unwrap_err().code(), "bad_key_file");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(person(&path, &ring), me, "once it is there again");
    }
}
