//! A short-time magnitude spectrum fed by blocks of any size.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

/// Overlapping windows and their magnitudes. Frame `n` is centred on sample `n × hop`.
pub(crate) struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    hop: usize,
    pending: Vec<f32>,
    windowed: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
    magnitudes: Vec<f32>,
}

impl Spectrum {
    pub(crate) fn new(window_len: usize, hop: usize) -> Spectrum {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(window_len);
        let tau = std::f32::consts::TAU;
        // Hann, scaled so that a full-scale sine has magnitude 1.
        let window = (0..window_len)
            .map(|i| (0.5 - 0.5 * (tau * i as f32 / window_len as f32).cos()) * 4.0 / window_len as f32)
            .collect();
        Spectrum {
            window,
            hop,
            pending: vec![0.0; window_len / 2],
            windowed: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            magnitudes: vec![0.0; window_len / 2 + 1],
            fft,
        }
    }

    /// Calls `visit` with the magnitudes of each frame that `samples` completes.
    pub(crate) fn push(&mut self, samples: &[f32], mut visit: impl FnMut(&[f32])) {
        self.pending.extend_from_slice(samples);
        let mut at = 0;
        while at + self.window.len() <= self.pending.len() {
            let source = &self.pending[at..at + self.window.len()];
            for ((out, x), w) in self.windowed.iter_mut().zip(source).zip(&self.window) {
                *out = x * w;
            }
            // It fails only for buffers of other lengths than the planner's own.
            let _ = self.fft.process_with_scratch(&mut self.windowed, &mut self.bins, &mut self.scratch);
            for (m, bin) in self.magnitudes.iter_mut().zip(&self.bins) {
                *m = bin.norm_sqr().sqrt();
            }
            visit(&self.magnitudes);
            at += self.hop;
        }
        self.pending.drain(..at.min(self.pending.len()));
    }

    /// Half a window of silence, so that the end of the music gets its frames.
    pub(crate) fn flush(&mut self, visit: impl FnMut(&[f32])) {
        let silence = vec![0.0; self.window.len() / 2];
        self.push(&silence, visit);
    }
}
