//! Pictures of tracks: looked for when somebody sees the track, made small in a worker, and kept by their hash.
//!
//! Must never hand on bytes of a file: what is kept is what the worker drew.

use super::Library;
use crate::error::NodeError;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use synx_domain::ContentHash;
use synx_net::WriteGate;
use tokio::sync::Mutex;

/// What all pictures may take on disk when an instance starts. Those that were made longest ago go first, and are made again when wanted.
const KEPT_BYTES: u64 = 256 << 20;

/// How large a picture is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureSize {
    /// For a row.
    Small,
    /// To be looked at.
    Large,
}

/// The pictures that are kept.
pub struct Pictures {
    folder: PathBuf,
    gate: WriteGate,
    /// One file is looked into at a time: a page of rows asks for all of its pictures, and two may be the same.
    turn: Mutex<()>,
}

impl Pictures {
    /// Pictures in `folder`. What is too much is deleted first, so it is for the start.
    pub fn open(folder: PathBuf) -> Self {
        if let Err(error) = forget_oldest(&folder, KEPT_BYTES) {
            tracing::warn!(?folder, %error, "pictures cannot be kept");
        }
        Self { folder, gate: WriteGate::default(), turn: Mutex::default() }
    }

    /// The same in a folder that may be let go of.
    #[must_use]
    pub fn behind(self, gate: &WriteGate) -> Self {
        Self { gate: gate.clone(), ..self }
    }

    fn file(&self, picture: ContentHash, size: PictureSize) -> PathBuf {
        let ending = if size == PictureSize::Small { ".small" } else { "" };
        self.folder.join(format!("{picture}{ending}.jpg"))
    }
}

impl Library {
    /// The file with the picture of a track of this machine; none where it has none.
    ///
    /// # Errors
    /// When the track cannot be looked into now.
    pub async fn picture(
        &self,
        track: ContentHash,
        path: &Path,
        size: PictureSize,
    ) -> Result<Option<PathBuf>, NodeError> {
        let kept = || -> Result<Option<Option<PathBuf>>, NodeError> {
            let picture = self.store.picture_of(track)?;
            let file = picture.map(|picture| picture.map(|picture| self.pictures.file(picture, size)));
            Ok(file.filter(|file| file.as_ref().is_none_or(|file| file.is_file())))
        };
        if let Some(kept) = kept()? {
            return Ok(kept);
        }
        let _turn = self.pictures.turn.lock().await;
        // Whoever had the turn before may have asked the same.
        if let Some(kept) = kept()? {
            return Ok(kept);
        }
        let artwork = match self.analyses.workers().artwork(path).await {
            Ok(artwork) => artwork,
            // It would take down the next worker as well.
            Err(error) if error.is_the_files() => None,
            Err(error) => return Err(error.into()),
        };
        let Some(artwork) = artwork else {
            self.store.put_picture(track, None)?;
            return Ok(None);
        };
        let picture = ContentHash::from_bytes(*blake3::hash(&artwork.large).as_bytes());
        let drawn = [(PictureSize::Small, artwork.small), (PictureSize::Large, artwork.large)];
        let files = drawn.map(|(size, bytes)| (self.pictures.file(picture, size), bytes));
        // Written through to the disk: not on the async threads, which answer clock probes.
        let gate = self.pictures.gate.clone();
        crate::call::blocking(move || {
            files.iter().try_for_each(|(file, bytes)| crate::settings::write_atomically(&gate, file, bytes))
        })
        .await?;
        self.store.put_picture(track, Some(picture))?;
        Ok(Some(self.pictures.file(picture, size)))
    }
}

/// Deletes what was written longest ago, until no more than `most_bytes` are left.
fn forget_oldest(folder: &Path, most_bytes: u64) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let (path, meta) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        files.push((meta.modified()?, meta.len(), path));
    }
    files.sort_unstable_by(|a, b| b.cmp(a));
    let mut kept_bytes = 0;
    for (_, bytes, path) in files {
        kept_bytes += bytes;
        if kept_bytes > most_bytes {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_last_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let base = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        for (age_s, name) in [(30, "old"), (10, "new"), (20, "middle")] {
            fs::write(file(name), [0; 100]).unwrap();
            let at = base - std::time::Duration::from_secs(age_s);
            fs::File::options().write(true).open(file(name)).unwrap().set_modified(at).unwrap();
        }
        forget_oldest(folder.path(), 200).unwrap();
        assert_eq!(
            [file("old").exists(), file("middle").exists(), file("new").exists()],
            [false, true, true]
        );
        forget_oldest(&file("not there yet"), 0).unwrap();
        assert!(file("not there yet").is_dir());
    }
}
