//! aubio's tempo tracker as an engine, for comparison and as a second opinion.
//!
//! Its own BPM is biased (the period comes out about 0.6 hop short), so the tempo is taken from its beats: the median
//! interval, refined by a line through them.

use aubio_rs::{OnsetMode, Tempo as AubioTempo};

use super::beats::{line_through, median_interval_s};
use super::{Tempo, TempoEngine};

/// As aubio's own programs have it at this rate: 46 ms windows, 12 ms hops.
const WINDOW: usize = 1024;
const HOP: usize = 256;

/// Tempo by aubio's `specflux` onset detection and beat tracker.
pub struct AubioTempoEngine {
    tracker: Option<AubioTempo>,
    pending: Vec<f32>,
    beats_s: Vec<f64>,
    confidences: f64,
}

impl AubioTempoEngine {
    /// An engine for mono audio; a rate that aubio refuses gives an engine that finds nothing.
    #[must_use]
    pub fn new(rate_hz: f64) -> AubioTempoEngine {
        let tracker = AubioTempo::new(OnsetMode::SpecFlux, WINDOW, HOP, rate_hz.round() as u32).ok();
        AubioTempoEngine { tracker, pending: Vec::new(), beats_s: Vec::new(), confidences: 0.0 }
    }
}

impl TempoEngine for AubioTempoEngine {
    fn push(&mut self, mono: &[f32]) {
        let Some(tracker) = &mut self.tracker else { return };
        self.pending.extend_from_slice(mono);
        let (hops, rest) = self.pending.as_chunks::<HOP>();
        for hop in hops {
            if tracker.do_result(hop.as_slice()).is_ok_and(|beat| beat != 0.0) {
                self.beats_s.push(f64::from(tracker.get_last_s()));
                self.confidences += f64::from(tracker.get_confidence());
            }
        }
        self.pending = rest.to_vec();
    }

    fn finish(&mut self) -> Option<Tempo> {
        let beats_s = std::mem::take(&mut self.beats_s);
        let period_s = median_interval_s(&beats_s)?;
        let grid = line_through(&beats_s, period_s);
        let confidence = (self.confidences / beats_s.len() as f64).clamp(0.0, 1.0);
        let bpm = 60.0 / grid.map_or(period_s, |g| g.period_s);
        Some(Tempo {
            bpm,
            confidence,
            beats_s,
            alternatives: Vec::new(),
            grid,
            sections: Vec::new(),
            metre: None,
            downbeats: Vec::new(),
        })
    }
}
