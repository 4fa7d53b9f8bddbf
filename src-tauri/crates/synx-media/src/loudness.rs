//! Loudness after EBU R 128 (ITU-R BS.1770-4, EBU Tech 3342), fed block by block.

use ebur128::{EbuR128, Mode};
use serde::{Deserialize, Serialize};

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

/// Measures while it is fed. Memory grows by 16 bytes for each 100 ms: 6 MB for ten hours.
pub struct LoudnessMeter {
    /// `None` for a stream that the standard does not cover (rates outside of 1 to 768 kHz).
    meter: Option<EbuR128>,
    channels: usize,
}

impl LoudnessMeter {
    /// A meter for interleaved audio. Five and six channels are taken as L, R, C, (LFE,) Ls, Rs.
    #[must_use]
    pub fn new(sample_rate_hz: u32, channels: usize) -> LoudnessMeter {
        let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK;
        let meter = u32::try_from(channels).ok().and_then(|c| EbuR128::new(c, sample_rate_hz, mode).ok());
        LoudnessMeter { meter, channels }
    }

    /// Takes the next interleaved block; a trailing incomplete frame is ignored.
    pub fn push(&mut self, interleaved: &[f32]) {
        let whole = interleaved.len() - interleaved.len() % self.channels.max(1);
        if let Some(meter) = &mut self.meter {
            // It can only fail for an incomplete frame.
            let _ = meter.add_frames_f32(&interleaved[..whole]);
        }
    }

    /// The result for everything pushed so far.
    #[must_use]
    pub fn finish(&self) -> Loudness {
        let Some(meter) = &self.meter else { return Loudness::default() };
        let peak = (0..meter.channels()).filter_map(|c| meter.true_peak(c).ok()).fold(0.0, f64::max);
        let integrated_lufs = meter.loudness_global().ok().filter(|l| l.is_finite());
        Loudness {
            integrated_lufs,
            range_lu: integrated_lufs.and(meter.loudness_range().ok()).filter(|r| r.is_finite()),
            true_peak_dbtp: (peak > 0.0).then(|| 20.0 * peak.log10()),
        }
    }
}
