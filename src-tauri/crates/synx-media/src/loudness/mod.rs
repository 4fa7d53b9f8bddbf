//! Loudness of a track after ITU-R BS.1770-4, EBU Tech 3341 and 3342, fed block by block.
//!
//! What is kept is one energy for each 100 ms: all windows of the standards are sums of these. How the input is cut into
//! blocks must never change the result.

mod gating;
mod true_peak;
mod weighting;

use serde::{Deserialize, Serialize};
use true_peak::TruePeak;
use weighting::Weighting;

/// Loudness of a whole track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated loudness; `None` where nothing is above the absolute gate of −70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range; `None` where nothing is above the gate.
    pub range_lu: Option<f64>,
    /// Highest true peak of all channels; `None` for digital silence.
    pub true_peak_dbtp: Option<f64>,
}

/// Measures while it is fed. Memory grows by 8 bytes for each 100 ms: 3 MB for ten hours.
pub struct LoudnessMeter {
    channels: usize,
    true_peak: TruePeak,
    /// `None` for a stream to which the weighting of the standard cannot be applied.
    weighting: Option<Weighting>,
    slice_frames: usize,
    /// Frames of the slice being filled.
    filled_frames: usize,
    /// Mean weighted energy of each slice of 100 ms.
    slices: Vec<f64>,
}

impl LoudnessMeter {
    /// A meter for interleaved audio. Four channels are taken as L, R, Ls, Rs, five as L, R, C, Ls, Rs, and six as L, R, C,
    /// LFE, Ls, Rs.
    #[must_use]
    pub fn new(sample_rate_hz: u32, channels: usize) -> LoudnessMeter {
        let channels = channels.max(1);
        LoudnessMeter {
            channels,
            true_peak: TruePeak::new(sample_rate_hz, channels),
            weighting: Weighting::new(sample_rate_hz, channels),
            slice_frames: (sample_rate_hz as usize + 5) / 10,
            filled_frames: 0,
            slices: Vec::new(),
        }
    }

    /// Takes the next interleaved block; a trailing incomplete frame is ignored.
    pub fn push(&mut self, interleaved: &[f32]) {
        let whole = &interleaved[..interleaved.len() - interleaved.len() % self.channels];
        self.true_peak.push(whole);
        let Some(weighting) = &mut self.weighting else { return };
        let mut rest = whole;
        while !rest.is_empty() {
            let room = (self.slice_frames - self.filled_frames) * self.channels;
            let (now, later) = rest.split_at(room.min(rest.len()));
            weighting.push(now);
            rest = later;
            self.filled_frames += now.len() / self.channels;
            if self.filled_frames == self.slice_frames {
                self.slices.push(weighting.take_energy() / self.slice_frames as f64);
                self.filled_frames = 0;
            }
        }
    }

    /// The result for everything pushed so far.
    #[must_use]
    pub fn finish(&self) -> Loudness {
        let peak = f64::from(self.true_peak.highest());
        Loudness {
            integrated_lufs: gating::integrated_lufs(&self.slices),
            range_lu: gating::range_lu(&self.slices),
            true_peak_dbtp: (peak > 0.0).then(|| 20.0 * peak.log10()),
        }
    }
}
