//! Which periods recur: autocorrelation of the onset strength, band by band, averaged over windows.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::onset::{GROUPS, Onset};

/// Window of the autocorrelation: several bars of slow music, little enough that a drift does not blur it.
const WINDOW_S: f64 = 12.0;
/// Longest lag of interest: eight beats at 60 BPM.
const LONGEST_LAG_S: f64 = 8.0;
/// The mean that is subtracted reaches this far to both sides.
const LOCAL_MEAN_S: f64 = 0.5;
/// Weight of the autocorrelation of the summed groups beside those of the groups themselves.
const SUM_WEIGHT: f32 = 2.0;
/// Weights of the groups in the sum. The treble is the most regular, the bass the most telling.
const GROUP_WEIGHTS: [f32; GROUPS] = [1.0, 0.8, 1.0, 1.0];

/// Detrended onset strength and its autocorrelation.
pub(crate) struct Periodicity {
    pub(crate) frames_per_s: f64,
    /// Per group: onset strength without its local mean, unit variance.
    pub(crate) groups: [Vec<f32>; GROUPS],
    /// Logarithm of the mean onset strength before anything was scaled: strokes have much of it, glides and drones little.
    pub(crate) log_flux: f32,
    /// Weighted sum of the groups, unit variance.
    pub(crate) sum: Vec<f32>,
    /// Weighted mean of the autocorrelations by lag in frames, 1 at lag 0.
    acf: Vec<f32>,
    group_acfs: [Vec<f32>; GROUPS],
}

impl Periodicity {
    pub(crate) fn of(onsets: &[Onset], frames_per_s: f64) -> Periodicity {
        let reach = (LOCAL_MEAN_S * frames_per_s) as usize;
        let groups: [Vec<f32>; GROUPS] = std::array::from_fn(|g| {
            let strength: Vec<f32> = onsets.iter().map(|o| o[g]).collect();
            unit_variance(detrend(&strength, reach))
        });
        let sum = unit_variance(
            (0..onsets.len()).map(|i| (0..GROUPS).map(|g| GROUP_WEIGHTS[g] * groups[g][i]).sum()).collect(),
        );
        let lags = (LONGEST_LAG_S * frames_per_s) as usize + 2;
        let mut correlator = Correlator::new((WINDOW_S * frames_per_s) as usize);
        let group_acfs: [Vec<f32>; GROUPS] =
            std::array::from_fn(|g| correlator.autocorrelation(&groups[g], lags));
        let mut acf = correlator.autocorrelation(&sum, lags);
        acf.iter_mut().for_each(|r| *r *= SUM_WEIGHT);
        for (group, weight) in group_acfs.iter().zip(GROUP_WEIGHTS) {
            acf.iter_mut().zip(group).for_each(|(to, from)| *to += weight * from);
        }
        let total = SUM_WEIGHT + GROUP_WEIGHTS.iter().sum::<f32>();
        acf.iter_mut().for_each(|r| *r /= total);
        let flux = onsets.iter().flatten().sum::<f32>() / onsets.len().max(1) as f32;
        Periodicity { frames_per_s, groups, log_flux: flux.max(1e-6).ln(), sum, acf, group_acfs }
    }

    /// Autocorrelation of one group, as [`at`](Self::at).
    pub(crate) fn group_at(&self, group: usize, lag: f64) -> f32 {
        interpolated(&self.group_acfs[group], lag)
    }

    /// Autocorrelation at a fractional lag in frames; 0 beyond the longest.
    pub(crate) fn at(&self, lag: f64) -> f32 {
        interpolated(&self.acf, lag)
    }

    /// Highest autocorrelation within ±`tolerance` (relative) of a lag, and where.
    pub(crate) fn peak_near(&self, lag: f64, tolerance: f64) -> (f64, f32) {
        let (from, to) =
            ((lag * (1.0 - tolerance)).floor() as usize, (lag * (1.0 + tolerance)).ceil() as usize);
        let to = to.min(self.acf.len().saturating_sub(2));
        let best = (from.max(1)..=to).max_by(|a, b| self.acf[*a].total_cmp(&self.acf[*b]));
        let Some(i) = best else { return (lag, 0.0) };
        let (a, b, c) = (self.acf[i - 1], self.acf[i], self.acf[i + 1]);
        let curvature = a - 2.0 * b + c;
        let shift = if curvature < 0.0 { (0.5 * (a - c) / curvature).clamp(-0.5, 0.5) } else { 0.0 };
        (i as f64 + f64::from(shift), b)
    }
}

fn interpolated(acf: &[f32], lag: f64) -> f32 {
    let i = lag.floor() as usize;
    let fraction = (lag - lag.floor()) as f32;
    match (acf.get(i), acf.get(i + 1)) {
        (Some(a), Some(b)) => a + (b - a) * fraction,
        _ => 0.0,
    }
}

/// Autocorrelation by FFT, over half-overlapping windows.
struct Correlator {
    window: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

impl Correlator {
    fn new(window: usize) -> Correlator {
        let mut planner = RealFftPlanner::<f32>::new();
        let len = (2 * window).next_power_of_two();
        Correlator { window, forward: planner.plan_fft_forward(len), inverse: planner.plan_fft_inverse(len) }
    }

    /// Unbiased and normalised by the energy of each window; 1 at lag 0 unless all is silent.
    fn autocorrelation(&mut self, strength: &[f32], lags: usize) -> Vec<f32> {
        let mut acf = vec![0.0; lags];
        let mut windows = 0.0f32;
        let mut at = 0;
        while at < strength.len() {
            let end = (at + self.window).min(strength.len());
            // A short rest adds noise, not evidence; a short track has nothing else.
            if at == 0 || end - at > self.window / 2 {
                windows += self.add_window(&strength[at..end], &mut acf);
            }
            at += self.window / 2;
        }
        acf.iter_mut().for_each(|r| *r /= windows.max(1.0));
        acf
    }

    /// Adds one window; returns 1 if there was anything in it.
    fn add_window(&mut self, part: &[f32], acf: &mut [f32]) -> f32 {
        let mut padded = self.forward.make_input_vec();
        let mut bins = self.forward.make_output_vec();
        padded[..part.len()].copy_from_slice(part);
        let len = padded.len() as f32;
        // Neither can fail: the buffers are the planner's own.
        let _ = self.forward.process(&mut padded, &mut bins);
        bins.iter_mut().for_each(|b| *b = (b.norm_sqr() / len).into());
        let _ = self.inverse.process(&mut bins, &mut padded);
        let energy = padded[0];
        if energy <= f32::EPSILON {
            return 0.0;
        }
        for (lag, r) in acf.iter_mut().enumerate() {
            let overlap = part.len().saturating_sub(lag);
            if overlap > part.len() / 3 {
                *r += padded[lag] / energy * part.len() as f32 / overlap as f32;
            }
        }
        1.0
    }
}

/// Subtracts the mean of `reach` frames to both sides and cuts what is below.
fn detrend(strength: &[f32], reach: usize) -> Vec<f32> {
    let mut sums = Vec::with_capacity(strength.len() + 1);
    sums.push(0.0f64);
    for s in strength {
        sums.push(sums[sums.len() - 1] + f64::from(*s));
    }
    (0..strength.len())
        .map(|i| {
            let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(strength.len()));
            let mean = (sums[to] - sums[from]) / (to - from) as f64;
            (strength[i] - mean as f32).max(0.0)
        })
        .collect()
}

fn unit_variance(mut values: Vec<f32>) -> Vec<f32> {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
    if variance > 1e-12 {
        let scale = variance.sqrt().recip();
        values.iter_mut().for_each(|v| *v = (*v - mean) * scale);
    } else {
        values.fill(0.0);
    }
    values
}
