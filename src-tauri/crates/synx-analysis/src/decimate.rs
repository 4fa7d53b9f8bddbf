//! Mono at about 22 kHz: everything that tempo and key need lies below 10 kHz, at a quarter of the cost.

use synx_media::mix_to_mono;

/// Rate aimed at; the true one is an integer fraction of the file's, so that no resampler is needed.
const TARGET_RATE_HZ: f64 = 22_050.0;
/// Filter taps for each unit of the factor: transition band of about a quarter of the output's Nyquist.
const TAPS_PER_FACTOR: usize = 12;

/// Products summed side by side.
const LANES: usize = 8;

/// Mixes interleaved audio to mono, filters and keeps every n-th sample.
pub(crate) struct Decimator {
    channels: usize,
    factor: usize,
    /// Whole vectors: with zeros in front of the first tap. None where nothing is left out.
    taps: Vec<[f32; LANES]>,
    /// Mono input not yet consumed, starting with the filter's history.
    pending: Vec<f32>,
}

impl Decimator {
    pub(crate) fn new(sample_rate_hz: u32, channels: usize) -> Decimator {
        let factor = (f64::from(sample_rate_hz) / TARGET_RATE_HZ).round().max(1.0) as usize;
        let mut taps = if factor == 1 { Vec::new() } else { low_pass(factor) };
        let half = taps.len() / 2;
        let zeros = taps.len().next_multiple_of(LANES) - taps.len();
        taps.splice(..0, std::iter::repeat_n(0.0, zeros));
        // Half a filter of silence in front: output sample n then lies exactly on input sample n × factor.
        let pending = vec![0.0; zeros + half];
        Decimator { channels, factor, taps: taps.as_chunks().0.to_vec(), pending }
    }

    pub(crate) fn factor(&self) -> usize {
        self.factor
    }

    /// Appends to `out` what `interleaved` makes ready.
    pub(crate) fn push(&mut self, interleaved: &[f32], out: &mut Vec<f32>) {
        if self.taps.is_empty() {
            mix_to_mono(interleaved, self.channels, out);
            return;
        }
        mix_to_mono(interleaved, self.channels, &mut self.pending);
        let length = self.taps.len() * LANES;
        let ready = (self.pending.len() + self.factor).saturating_sub(length) / self.factor;
        let start = out.len();
        out.resize(start + ready, 0.0);
        for (to, window) in out[start..].iter_mut().zip(self.pending.windows(length).step_by(self.factor)) {
            *to = filtered(window, &self.taps);
        }
        self.pending.drain(..ready * self.factor);
    }
}

fn filtered(window: &[f32], taps: &[[f32; LANES]]) -> f32 {
    let mut sums = [0.0; LANES];
    for (x, tap) in window.as_chunks::<LANES>().0.iter().zip(taps) {
        for ((sum, x), tap) in sums.iter_mut().zip(x).zip(tap) {
            *sum += x * tap;
        }
    }
    sums.iter().sum()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_filters_as_the_sum_over_all_taps_does_whatever_the_blocks() {
        for (rate_hz, channels) in [(22_050, 2), (44_100, 1), (44_100, 2), (96_000, 3), (192_000, 2)] {
            let samples: Vec<f32> = (0..6_000 * channels).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
            let mono: Vec<f64> = samples
                .chunks(channels)
                .map(|frame| frame.iter().map(|s| f64::from(*s)).sum::<f64>() / channels as f64)
                .collect();
            let mut decimator = Decimator::new(rate_hz, channels);
            let factor = decimator.factor();
            let taps = if factor == 1 { vec![1.0] } else { low_pass(factor) };
            let mut found = Vec::new();
            samples.chunks(977 * channels).for_each(|block| decimator.push(block, &mut found));
            assert_eq!(found.len(), (6_000 - taps.len() / 2).div_ceil(factor));
            for (n, found) in found.iter().enumerate() {
                let at = |k: usize| (n * factor + k).checked_sub(taps.len() / 2).map_or(0.0, |i| mono[i]);
                let expected: f64 = taps.iter().enumerate().map(|(k, tap)| f64::from(*tap) * at(k)).sum();
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-5,
                    "{found} for {expected} at {rate_hz} Hz"
                );
            }
        }
    }
}
