//! What is asked of a worker, and what it says: one JSON object a line.

use crate::error::NodeError;
use crate::library::describe;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use synx_analysis::{Analysis, Options};
use synx_domain::{ContentHash, TrackMeta};
use synx_media::Artwork;

/// One job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub(super) enum Job {
    /// What a file says of itself.
    Describe { path: FilePath, hash: ContentHash, file_name: String },
    /// Its picture.
    Artwork { path: FilePath },
    /// A picture file as a small square.
    Portrait { path: FilePath, edge_px: u32 },
    /// Everything the analysis finds.
    Analyze { path: FilePath },
}

impl Job {
    pub(super) fn path(&self) -> PathBuf {
        let (Self::Describe { path, .. }
        | Self::Artwork { path }
        | Self::Portrait { path, .. }
        | Self::Analyze { path }) = self;
        path.to_path()
    }
}

/// What a worker says of a job: progress, and at last one of the others.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    /// 0 to 1.
    Progress { done: f64 },
    /// What the file says of itself.
    Described { track: TrackMeta, year: Option<u16> },
    /// Its picture as JPEG, if it has one.
    Pictured { picture: Option<PictureLine> },
    /// A square of bare pixels in Base64, where the file was a picture.
    Portrayed { pixels: Option<String> },
    /// What was found.
    Analyzed { analysis: Box<Analysis> },
    /// It could not be done.
    Failed { code: String, message: String },
}

/// A picture in two sizes, in Base64.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PictureLine {
    large: String,
    small: String,
}

impl PictureLine {
    fn new(artwork: &Artwork) -> Self {
        Self { large: BASE64.encode(&artwork.large), small: BASE64.encode(&artwork.small) }
    }

    /// None where it is no picture of ours.
    pub(super) fn artwork(&self) -> Option<Artwork> {
        let jpeg = |text: &str| BASE64.decode(text.as_bytes()).ok().filter(|bytes| bytes.starts_with(JPEG));
        Some(Artwork { large: jpeg(&self.large)?, small: jpeg(&self.small)? })
    }
}

/// How a JPEG begins.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// A path as it is, also where it is no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct FilePath(Vec<u8>);

impl From<&Path> for FilePath {
    #[cfg(unix)]
    fn from(path: &Path) -> Self {
        Self(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec())
    }

    #[cfg(not(unix))]
    fn from(path: &Path) -> Self {
        Self(path.to_string_lossy().into_owned().into_bytes())
    }
}

impl FilePath {
    #[cfg(unix)]
    fn to_path(&self) -> PathBuf {
        PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&self.0))
    }

    #[cfg(not(unix))]
    fn to_path(&self) -> PathBuf {
        PathBuf::from(String::from_utf8_lossy(&self.0).into_owned())
    }
}

/// Does a job, here and now.
pub(super) fn done(job: &Job, progress: Box<dyn Fn(f64) + Send + Sync>) -> Line {
    let outcome = match job {
        Job::Describe { path, hash, file_name } => describe(&path.to_path(), *hash, file_name.clone())
            .map(|(track, year)| Line::Described { track, year }),
        Job::Artwork { path } => synx_media::artwork(&path.to_path())
            .map(|found| Line::Pictured { picture: found.as_ref().map(PictureLine::new) })
            .map_err(NodeError::from),
        Job::Portrait { path, edge_px } => synx_media::portrait(&path.to_path(), *edge_px)
            .map(|pixels| Line::Portrayed { pixels: pixels.map(|pixels| BASE64.encode(&pixels)) })
            .map_err(NodeError::from),
        Job::Analyze { path } => {
            let options = Options { progress: Some(progress), ..Options::default() };
            let found = synx_analysis::analyze(&path.to_path(), &options);
            found.map(|analysis| Line::Analyzed { analysis: Box::new(analysis) }).map_err(NodeError::from)
        }
    };
    outcome.unwrap_or_else(|error| Line::Failed { code: error.code().to_owned(), message: error.to_string() })
}
