//! What the analysis found, in the short form that the room's log keeps.

use serde::{Deserialize, Serialize};

/// Summary of a track's analysis. Beats and waveform stay out of the log: each peer computes them from the audio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackAnalysis {
    /// Version of the analyser that produced this.
    pub analyser_version: u32,
    /// Tempo in beats per minute; none where the music has no steady tempo.
    pub bpm: Option<f64>,
    /// 0 to 1: how likely the tempo is right.
    pub bpm_confidence: f64,
    /// Seconds from the start to the first beat.
    pub first_beat_s: Option<f64>,
    /// Musical name of the key, as in "A minor"; none where there is no key.
    pub key: Option<String>,
    /// The key in Camelot notation, as in "8A".
    pub camelot: Option<String>,
    /// 0 to 1: how likely the key is right.
    pub key_confidence: f64,
    /// Energy from 1 (calm) to 10 (full on).
    pub energy: u8,
    /// Integrated loudness by EBU R128; none for silence.
    pub loudness_lufs: Option<f64>,
}
