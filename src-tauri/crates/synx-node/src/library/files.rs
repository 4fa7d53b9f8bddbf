//! Finding audio files under paths that a person named, and naming their content.

use crate::error::NodeError;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use synx_domain::{ContentHash, TrackMeta};

/// File name extensions that are searched for in folders. A file that is named itself is tried whatever it is called.
const AUDIO_EXTENSIONS: &[&str] = &[
    "aac", "aif", "aiff", "alac", "caf", "flac", "m4a", "mka", "mp3", "mp4", "oga", "ogg", "opus", "wav",
    "wave",
];
/// Folders within folders; deeper ones are a loop of links or no music.
const DEPTH_MAX: usize = 32;

/// The audio files that `paths` name, folders searched, each folder in the order of its names.
///
/// # Errors
/// The first path that does not exist. Folders inside that cannot be read are passed over with a warning.
pub fn find_audio(paths: &[PathBuf]) -> Result<Vec<PathBuf>, NodeError> {
    let mut found = Vec::new();
    for path in paths {
        let kind = fs::metadata(path).map_err(|source| failed("open", path, source))?;
        if kind.is_dir() {
            search(path, 0, &mut found);
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return tracing::warn!(?folder, %error, "folder passed over"),
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth < DEPTH_MAX {
                search(&path, depth + 1, found);
            }
        } else if has_audio_extension(&path) {
            found.push(path);
        }
    }
}

fn has_audio_extension(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| AUDIO_EXTENSIONS.contains(&extension.as_str()))
}

/// The BLAKE3 hash of a file's bytes. Reads the whole file: not for the async threads.
///
/// # Errors
/// When the file cannot be read.
pub fn hash_file(path: &Path) -> Result<ContentHash, NodeError> {
    let read = || {
        let mut file = fs::File::open(path)?;
        let mut hasher = blake3::Hasher::new();
        let mut block = vec![0; 256 * 1024];
        loop {
            match file.read(&mut block)? {
                0 => return Ok(ContentHash::from_bytes(*hasher.finalize().as_bytes())),
                length => hasher.update(&block[..length]),
            };
        }
    };
    read().map_err(|source| failed("read", path, source))
}

/// What a file says of itself, with the hash of its bytes, and the year of its release.
///
/// # Errors
/// When the file cannot be read or is no audio that can be decoded.
pub fn describe(
    path: &Path,
    hash: ContentHash,
    file_name: String,
) -> Result<(TrackMeta, Option<u16>), NodeError> {
    let info = synx_media::probe(path)?;
    let size_bytes = fs::metadata(path).map_err(|source| failed("read", path, source))?.len();
    let year = info.year;
    let meta = TrackMeta {
        hash,
        title: info.title,
        file_name,
        size_bytes,
        duration_us: i64::try_from(info.duration_us).unwrap_or(i64::MAX),
        sample_rate_hz: info.sample_rate_hz,
        channels: u16::try_from(info.channels).unwrap_or(u16::MAX),
        artist: info.artist,
        album: info.album,
    };
    Ok((meta, year))
}

/// The last part of a path, for display and for sharing.
pub fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "audio".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> NodeError {
    NodeError::File { action, path: path.to_owned(), source }
}
