//! What the user sets by hand. It wins over every analysis, present and to come, until it is reset.

use super::{Correction, Library, StoredTrack};
use crate::error::NodeError;
use synx_analysis::Key;
use synx_domain::ContentHash;

/// Slowest and fastest tempo that can be set, beats per minute.
const BPM_RANGE: std::ops::RangeInclusive<f64> = 20.0..=400.0;

impl Library {
    /// Sets tempo and grid of a track; none for what the analysis found.
    ///
    /// # Errors
    /// A tempo that no music has, a beat outside of the track, or a track that is not there.
    pub fn correct_tempo(
        &self,
        hash: ContentHash,
        bpm: Option<f64>,
        first_beat_s: Option<f64>,
    ) -> Result<(), NodeError> {
        if bpm.is_some_and(|bpm| !BPM_RANGE.contains(&bpm)) {
            return Err(NodeError::BadValue { what: "the tempo", problem: "must be between 20 and 400 BPM" });
        }
        let track = self.known(hash)?;
        let duration_s = track.meta.duration_us as f64 / 1e6;
        if first_beat_s.is_some_and(|beat_s| !(0.0..=duration_s).contains(&beat_s)) {
            return Err(NodeError::BadValue { what: "the beat", problem: "must lie within the track" });
        }
        self.put_correction(hash, Correction { bpm, first_beat_s, ..track.correction })
    }

    /// Sets the key of a track, in any notation; none for the one that the analysis found.
    ///
    /// # Errors
    /// A key that is none, or a track that is not there.
    pub fn correct_key(&self, hash: ContentHash, key: Option<&str>) -> Result<(), NodeError> {
        let key: Option<Key> = key.map(str::parse).transpose().map_err(|_| NodeError::BadValue {
            what: "the key",
            problem: "must be written like \"A minor\", \"8A\" or \"1m\"",
        })?;
        let track = self.known(hash)?;
        self.put_correction(hash, Correction { key, ..track.correction })
    }

    fn known(&self, hash: ContentHash) -> Result<StoredTrack, NodeError> {
        self.store.get(hash)?.ok_or(NodeError::NoSuchTrack)
    }

    fn put_correction(&self, hash: ContentHash, correction: Correction) -> Result<(), NodeError> {
        self.store.put_correction(hash, &correction)?;
        self.track_changed(hash);
        self.changed();
        Ok(())
    }
}
