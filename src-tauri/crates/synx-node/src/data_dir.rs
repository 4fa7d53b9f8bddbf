//! Where an instance keeps its things, and the lock that keeps a second instance out.
//!
//! ```text
//! log.db        every room hosted here, and the own profile: the event log
//! cluster.db    a cluster node's copy of the cluster's log
//! library.db    known audio files and what is known of them
//! audio/        shared audio by content hash
//! analysis/     results by content hash and analyser version
//! artwork/      pictures of tracks by their hash, made small
//! identity.key  the own signing key (0600), or whose key lies in the system's keyring
//! host.key      the key that signs this machine's invites and tokens (0600)
//! tls/          the server's certificate and key
//! settings.json what this machine is set to: device, latency offsets, volume, port
//! window.json   where the window was and how large
//! logs/         what happened in the last days, for who looks into trouble
//! ```

use crate::error::NodeError;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use synx_log::{Log, LogOptions};
use synx_net::WriteGate;

/// Where everything is in a data folder, whether or not another instance has it.
#[derive(Debug, Clone)]
pub struct DataPaths {
    root: PathBuf,
}

impl DataPaths {
    /// The paths in this folder.
    pub fn of(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The event log's file.
    pub fn log(&self) -> PathBuf {
        self.root.join("log.db")
    }

    /// Opens the event log.
    ///
    /// # Errors
    /// As [`Log::open`], with the file's name.
    pub fn open_log(&self, options: LogOptions) -> Result<Log, NodeError> {
        let path = self.log();
        Log::open(&path, options).map_err(|source| NodeError::OpenLog { path, source })
    }

    /// The copy of a cluster's log.
    pub fn cluster_copy(&self) -> PathBuf {
        self.root.join("cluster.db")
    }

    /// The library's file.
    pub fn library(&self) -> PathBuf {
        self.root.join("library.db")
    }

    /// Folder of shared audio.
    pub fn audio(&self) -> PathBuf {
        self.root.join("audio")
    }

    /// Folder of analysis results.
    pub fn analysis(&self) -> PathBuf {
        self.root.join("analysis")
    }

    /// Folder of tracks' pictures.
    pub fn artwork(&self) -> PathBuf {
        self.root.join("artwork")
    }

    /// The own signing key.
    pub fn identity(&self) -> PathBuf {
        self.root.join("identity.key")
    }

    /// The key that signs invites and tokens.
    pub fn host_key(&self) -> PathBuf {
        self.root.join("host.key")
    }

    /// Folder of the server's certificate.
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    /// What this machine is set to.
    pub fn settings(&self) -> PathBuf {
        self.root.join("settings.json")
    }

    /// Where the window was.
    pub fn window(&self) -> PathBuf {
        self.root.join("window.json")
    }

    /// Folder of what the window's page keeps.
    pub fn page(&self) -> PathBuf {
        self.root.join("page")
    }

    /// Folder of what programs wrote about their work.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }
}

/// A folder that this instance owns while it runs.
#[derive(Debug)]
pub struct DataDir {
    paths: DataPaths,
    /// Held open for its lock; the system releases it however the process ends.
    lock: File,
    gate: WriteGate,
}

/// Chat, audio and invite links are nobody else's on this machine.
#[cfg(unix)]
fn keep_private(root: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(root, fs::Permissions::from_mode(0o700))
}

/// As the profile's folder has it.
#[cfg(not(unix))]
fn keep_private(_root: &Path) -> std::io::Result<()> {
    Ok(())
}

impl DataDir {
    /// Makes the folder if need be and takes its lock.
    ///
    /// # Errors
    /// When the folder cannot be made or written, or another instance has it.
    pub fn open(root: &Path) -> Result<Self, NodeError> {
        let failed = |source| NodeError::DataDir { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(failed)?;
        keep_private(root).map_err(failed)?;
        for folder in ["audio", "analysis", "tls"] {
            fs::create_dir_all(root.join(folder)).map_err(failed)?;
        }
        let lock = File::create(root.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { paths: DataPaths::of(root), lock, gate: WriteGate::default() }),
            Err(fs::TryLockError::WouldBlock) => Err(NodeError::DataDirInUse { path: root.to_owned() }),
            Err(fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Where everything is.
    pub fn paths(&self) -> &DataPaths {
        &self.paths
    }

    /// What everything goes through that writes in the folder, as long as it is this instance's.
    pub fn gate(&self) -> &WriteGate {
        &self.gate
    }

    /// Lets another instance have the folder, though something may still hold this: waits for what is being written, and nothing
    /// is written there after that.
    pub fn release(&self) {
        self.gate.close();
        // Closing the file would not do, as a program that is just being started may have it too for a moment.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, folder = %self.paths.root.display(), "the folder stays locked until this program ends");
        }
    }
}

/// The folder for this user's data by the system's convention.
///
/// # Errors
/// When the system names no home folder.
pub fn default_data_dir() -> Result<PathBuf, NodeError> {
    directories::ProjectDirs::from("org", "SynxSphere", "SynxSphere")
        .map(|dirs| dirs.data_dir().to_owned())
        .ok_or(NodeError::NoHome)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_data_folder_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("data");
        let _open = DataDir::open(&root).unwrap();
        assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(matches!(DataDir::open(&root), Err(NodeError::DataDirInUse { .. })));
    }

    #[test]
    fn it_is_let_go_once_nobody_writes_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let data = std::sync::Arc::new(DataDir::open(folder.path()).unwrap());
        let writing = data.gate().enter().unwrap();
        let releasing = {
            let data = std::sync::Arc::clone(&data);
            std::thread::spawn(move || data.release())
        };
        assert!(matches!(DataDir::open(folder.path()), Err(NodeError::DataDirInUse { .. })));
        drop(writing);
        releasing.join().unwrap();
        data.gate().enter().unwrap_err();
        DataDir::open(folder.path()).unwrap();
    }
}
