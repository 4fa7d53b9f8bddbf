//! What is known of a track from its file.

use crate::ContentHash;
use serde::{Deserialize, Serialize};

/// A shared track as its file describes it. Analysis results are separate ([`crate::TrackAnalysis`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackMeta {
    /// Names the audio; equal hashes are the same bytes.
    pub hash: ContentHash,
    /// The file's name without folders, for display and for its extension.
    pub file_name: String,
    /// Bytes in the file.
    pub size_bytes: u64,
    /// Length in microseconds after encoder delay and padding are trimmed.
    pub duration_us: i64,
    /// Samples per second of the file.
    pub sample_rate_hz: u32,
    /// Channels of the file.
    pub channels: u16,
    /// Title from the tags, else the file name without its extension.
    pub title: String,
    /// Artist from the tags.
    pub artist: Option<String>,
    /// Album from the tags.
    pub album: Option<String>,
}
