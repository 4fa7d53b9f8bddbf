//! The one error type of the crate. Messages are for people: what failed, on what, what to do.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use symphonia::core::errors::Error as SymphoniaError;

/// Why a file could not be opened, decoded or measured.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The operating system refused to open or read the file.
    #[error("cannot read {path}: {source}. Check that the file exists and may be read")]
    Io {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// No known container was found in the file, whatever its name says.
    #[error(
        "{path} is not an audio file that can be played (MP3, AAC, ALAC, FLAC, Vorbis, Opus, WAV, AIFF, CAF)"
    )]
    NotAudio {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The container is known, its content is not.
    #[error("{path} cannot be played: {what}. Convert it to FLAC or MP3 first")]
    Unsupported {
        /// The file that was asked for.
        path: PathBuf,
        /// The part that is not supported.
        what: String,
    },
    /// The file holds no sample at all.
    #[error("{path} holds no audio")]
    Empty {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The data is damaged beyond what can be skipped.
    #[error("{path} is damaged: {what}. Get another copy of it")]
    Corrupt {
        /// The file that was asked for.
        path: PathBuf,
        /// What the decoder stumbled over.
        what: String,
    },
}

impl MediaError {
    /// A stable code for the user interface and for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "media_io",
            Self::NotAudio { .. } => "media_not_audio",
            Self::Unsupported { .. } => "media_unsupported",
            Self::Empty { .. } => "media_empty",
            Self::Corrupt { .. } => "media_corrupt",
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    pub(crate) fn corrupt(path: &Path, what: impl Into<String>) -> Self {
        Self::Corrupt { path: path.into(), what: what.into() }
    }

    pub(crate) fn unsupported(path: &Path, what: impl Into<String>) -> Self {
        Self::Unsupported { path: path.into(), what: what.into() }
    }

    pub(crate) fn from_symphonia(path: &Path, error: SymphoniaError) -> Self {
        match error {
            SymphoniaError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
                Self::corrupt(path, "it ends too early")
            }
            // What the system itself says is about the disk; an offset that it refuses came from the file's headers.
            SymphoniaError::IoError(e)
                if e.raw_os_error().is_some() && e.kind() != ErrorKind::InvalidInput =>
            {
                Self::io(path, e)
            }
            SymphoniaError::IoError(e) => Self::corrupt(path, e.to_string()),
            SymphoniaError::Unsupported(what) => Self::unsupported(path, what),
            other => Self::corrupt(path, other.to_string()),
        }
    }
}
