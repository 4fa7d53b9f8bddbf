//! Mono at about 22 kHz: everything that tempo and key need lies below 10 kHz, at a quarter of the cost.

/// Rate aimed at; the true one is an integer fraction of the file's, so that no resampler is needed.
const TARGET_RATE_HZ: f64 = 22_050.0;
/// Filter taps for each unit of the factor: transition band of about a quarter of the output's Nyquist.
const TAPS_PER_FACTOR: usize = 12;

/// Mixes interleaved audio to mono, filters and keeps every n-th sample.
pub(crate) struct Decimator {
    channels: usize,
    factor: usize,
    taps: Vec<f32>,
    /// Mono input not yet consumed, starting with the filter's history.
    pending: Vec<f32>,
}

impl Decimator {
    pub(crate) fn new(sample_rate_hz: u32, channels: usize) -> Decimator {
        let factor = (f64::from(sample_rate_hz) / TARGET_RATE_HZ).round().max(1.0) as usize;
        let taps = if factor == 1 { vec![1.0] } else { low_pass(factor) };
        // Half a filter of silence in front: output sample n then lies exactly on input sample n × factor.
        let pending = vec![0.0; taps.len() / 2];
        Decimator { channels, factor, taps, pending }
    }

    pub(crate) fn factor(&self) -> usize {
        self.factor
    }

    /// Appends to `out` what `interleaved` makes ready.
    pub(crate) fn push(&mut self, interleaved: &[f32], out: &mut Vec<f32>) {
        let scale = 1.0 / self.channels as f32;
        let frames = interleaved.chunks_exact(self.channels);
        self.pending.extend(frames.map(|frame| frame.iter().sum::<f32>() * scale));
        let mut at = 0;
        while at + self.taps.len() <= self.pending.len() {
            let window = &self.pending[at..at + self.taps.len()];
            out.push(window.iter().zip(&self.taps).map(|(x, tap)| x * tap).sum());
            at += self.factor;
        }
        self.pending.drain(..at.min(self.pending.len()));
    }
}

/// Windowed sinc (Blackman), cut at 90 % of the output's Nyquist frequency.
fn low_pass(factor: usize) -> Vec<f32> {
    let n = TAPS_PER_FACTOR * factor + 1;
    let centre = (n / 2) as f64;
    let cutoff = 0.45 / factor as f64;
    let tau = std::f64::consts::TAU;
    let taps: Vec<f64> = (0..n)
        .map(|i| {
            let x = i as f64 - centre;
            let sinc = if x == 0.0 { 2.0 * cutoff } else { (tau * cutoff * x).sin() / (tau * x / 2.0) };
            let phase = tau * i as f64 / (n - 1) as f64;
            sinc * (0.42 - 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos())
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|t| (t / sum) as f32).collect()
}
