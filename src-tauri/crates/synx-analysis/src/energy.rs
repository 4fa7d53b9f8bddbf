//! Energy from 1 (calm) to 10 (full on), and the spectral centroid.
//!
//! Definition: energy = 1 + 9 × (0.45 × loudness + 0.35 × onset density + 0.2 × brightness), rounded, where loudness runs
//! from −35 to −7 LUFS, onset density from 0 to 9 onsets a second, and brightness is the spectral centroid from 400 Hz to
//! 4 kHz on a logarithmic scale, each clipped to 0…1. Silence is 1.

use crate::spectrum::Spectrum;

const WINDOW: usize = 1024;
/// An onset is a rise of the spectrum this far (in nepers per bin, on average) above the running mean.
const ONSET_RISE: f32 = 0.12;
/// A tenth of a second between onsets: faster is a trill or a roll, not more energy.
const REFRACTORY_S: f32 = 0.08;

/// Measures spectral centre of gravity and onset density of mono audio.
pub(crate) struct EnergyMeter {
    spectrum: Spectrum,
    state: State,
}

struct State {
    rate_hz: f32,
    hop: usize,
    frames: u64,
    onsets: u64,
    since_onset_s: f32,
    mean_rise: f32,
    last: Vec<f32>,
    weighted_hz: f64,
    weight: f64,
}

impl EnergyMeter {
    pub(crate) fn new(rate_hz: f32) -> EnergyMeter {
        let state = State {
            rate_hz,
            hop: WINDOW,
            frames: 0,
            onsets: 0,
            since_onset_s: 1.0,
            mean_rise: 0.0,
            last: vec![0.0; WINDOW / 2 + 1],
            weighted_hz: 0.0,
            weight: 0.0,
        };
        EnergyMeter { spectrum: Spectrum::new(WINDOW, WINDOW), state }
    }

    pub(crate) fn push(&mut self, mono: &[f32]) {
        let state = &mut self.state;
        self.spectrum.push(mono, |magnitudes| state.take(magnitudes));
    }

    /// Spectral centroid over the whole track, weighted by magnitude; `None` for silence.
    pub(crate) fn centroid_hz(&self) -> Option<f64> {
        (self.state.weight > 0.0).then(|| self.state.weighted_hz / self.state.weight)
    }

    /// The energy, given the integrated loudness.
    pub(crate) fn energy(&self, integrated_lufs: Option<f64>) -> u8 {
        let Some(lufs) = integrated_lufs else { return 1 };
        let span = |value: f64, low: f64, high: f64| ((value - low) / (high - low)).clamp(0.0, 1.0);
        let brightness = self.centroid_hz().map_or(0.0, |hz| span(hz.ln(), 400f64.ln(), 4000f64.ln()));
        let seconds = self.state.frames as f64 * self.state.hop as f64 / f64::from(self.state.rate_hz);
        let density = span(self.state.onsets as f64 / seconds.max(1.0), 0.0, 9.0);
        let sum = 0.45 * span(lufs, -35.0, -7.0) + 0.35 * density + 0.2 * brightness;
        (1.0 + 9.0 * sum).round() as u8
    }
}

impl State {
    fn take(&mut self, magnitudes: &[f32]) {
        let bin_hz = self.rate_hz / WINDOW as f32;
        let (mut rise, mut sum, mut moment) = (0.0, 0.0, 0.0);
        for (i, (&m, last)) in magnitudes.iter().zip(&mut self.last).enumerate() {
            let compressed = 1000.0 * m / (1.0 + 100.0 * m);
            rise += (compressed - *last).max(0.0);
            *last = compressed;
            sum += m;
            moment += m * i as f32;
        }
        self.weight += f64::from(sum);
        self.weighted_hz += f64::from(moment * bin_hz);
        self.frames += 1;
        self.since_onset_s += self.hop as f32 / self.rate_hz;
        let rise = rise / magnitudes.len() as f32;
        if rise > self.mean_rise * 1.3 + ONSET_RISE && self.since_onset_s > REFRACTORY_S {
            self.onsets += 1;
            self.since_onset_s = 0.0;
        }
        self.mean_rise += 0.1 * (rise - self.mean_rise);
    }
}
