//! The files of a log as files: its lock, its companions, copies of it.

use super::failure::{io_error, of_file};
use crate::LogError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A program that is being started by this one has the lock of a log that was just closed until it has begun to run.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// Locks the log against other processes. The system frees the lock when this process ends, however it ends.
pub(super) fn lock(path: &Path) -> Result<File, LogError> {
    let lock_path = beside(path, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(io_error("open its lock file"))
        .map_err(of_file(&lock_path))?;
    let patience = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < patience => std::thread::sleep(LOCK_RETRY),
            Err(TryLockError::WouldBlock) => return Err(LogError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io_error("lock its file")(error)),
        }
    }
}

/// Keeps others from appending for as long as this is held; none where nobody ever has.
pub(super) fn keep_writers_out(path: &Path) -> Result<Option<File>, LogError> {
    let Ok(file) = File::open(beside(path, ".lock")) else { return Ok(None) };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(io_error("lock its file")(error)),
    }
}

/// Puts a complete log in the place of another, which is kept under the name that is returned.
pub(crate) fn replace_log(copy: &Path, to: &Path) -> Result<Option<PathBuf>, LogError> {
    let failed = io_error("put the restored log in its place");
    let _lock = lock(to)?;
    let before = to.exists().then(|| unused_name(to));
    if let Some(before) = &before {
        // The WAL first: without it the file may lack its last events, but a WAL in the wrong place would change them.
        for companion in ["-wal", "-shm", ""] {
            let file = beside(to, companion);
            if file.exists() {
                fs::rename(&file, beside(before, companion)).map_err(&failed)?;
            }
        }
    }
    fs::rename(copy, to).map_err(&failed)?;
    sync_folder_of(to).map_err(failed)?;
    Ok(before)
}

/// Makes what was renamed in the file's folder survive a loss of power.
pub(super) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        // Windows has no handle to a folder that could be synced; its renames are journalled.
        Some(folder) if cfg!(unix) && !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn unused_name(path: &Path) -> PathBuf {
    (1_u32..)
        .map(|number| beside(path, &format!(".before-restore-{number}")))
        .find(|name| !name.exists())
        .unwrap_or_else(|| beside(path, ".before-restore"))
}

/// The path of a file that accompanies the log's.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
