//! What can go wrong when sound is to be played.

use std::path::PathBuf;

use synx_media::MediaError;

/// Failures of the playback engine.
#[derive(Debug, thiserror::Error)]
pub enum PlaybackError {
    /// The device does not exist, is taken by another program, or refuses every format.
    #[error("cannot open the sound device {device:?}: {reason}; choose another one or free it")]
    DeviceUnavailable {
        /// Name as given.
        device: String,
        /// What the system said.
        reason: String,
    },
    /// The device was there and is not any more.
    #[error("the sound device {device:?} stopped: {reason}; it is tried again every second")]
    DeviceLost {
        /// Name as given.
        device: String,
        /// What the system said.
        reason: String,
    },
    /// The track cannot be opened or decoded.
    #[error("cannot play {path}: {source}", path = path.display())]
    Undecodable {
        /// File of the track.
        path: PathBuf,
        /// Why.
        source: MediaError,
    },
    /// The engine could not start a thread.
    #[error("cannot start the audio thread: {0}; close other programs and try again")]
    Thread(#[from] std::io::Error),
    /// The engine was shut down.
    #[error("the playback engine was shut down; start a new one")]
    Stopped,
}

impl PlaybackError {
    /// Stable name for user interfaces and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DeviceUnavailable { .. } => "device_unavailable",
            Self::DeviceLost { .. } => "device_lost",
            Self::Undecodable { .. } => "undecodable",
            Self::Thread(_) => "audio_thread",
            Self::Stopped => "engine_stopped",
        }
    }
}
