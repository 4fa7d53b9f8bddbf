//! Onset strength in four bands: how much new energy arrives, frame by frame.
//!
//! SuperFlux (Böck and Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013): logarithmic
//! magnitudes of a filter bank with a semitone spacing, half-wave rectified difference to the frame before last, whose
//! bands were widened by a maximum filter.

use super::levels::Levels;
use crate::spectrum::Spectrum;

/// Frames a second: beats are found to 10 ms and refined by interpolation.
pub(crate) const FRAMES_PER_S: f64 = 100.0;
/// Length of the analysis window: short enough for 200 BPM sixteenths, long enough to part a kick from a bass line.
const WINDOW_S: f64 = 0.046;
/// Bands a semitone apart between these; the lowest ones fall together on single bins.
const LOWEST_HZ: f64 = 30.0;
const HIGHEST_HZ: f64 = 10_000.0;
/// Upper limits of the first three groups: kick, bass and toms, snare and voice; cymbals are above.
const GROUP_LIMITS_HZ: [f64; 3] = [130.0, 450.0, 2_500.0];
/// Bands below this are bass, and those from there to the second limit carry the chords: what changes with the harmony.
const BASS_HZ: f64 = 200.0;
const CHORDS_HZ: f64 = 2_000.0;
/// Magnitudes (1 = full scale) times this, before the logarithm.
const COMPRESSION: f32 = 1000.0;
/// The difference reaches this many frames back.
const LAG: usize = 2;
/// Onset groups.
pub(crate) const GROUPS: usize = 4;

/// Onset strength per group.
pub(crate) type Onset = [f32; GROUPS];

struct Band {
    from_bin: usize,
    to_bin: usize,
    group: usize,
    centre_hz: f64,
}

/// Turns mono audio into onset strength.
pub(crate) struct OnsetStrength {
    spectrum: Spectrum,
    difference: Difference,
    hop: usize,
    rate_hz: f64,
}

struct Difference {
    bands: Vec<Band>,
    /// The last `LAG + 1` frames of band levels, newest first.
    history: [Vec<f32>; LAG + 1],
    /// Bands in each group, to make the groups comparable.
    group_sizes: [f32; GROUPS],
    onsets: Vec<Onset>,
    levels: Levels,
}

impl OnsetStrength {
    pub(crate) fn new(rate_hz: f64) -> OnsetStrength {
        let window = ((rate_hz * WINDOW_S) as usize).next_power_of_two();
        let hop = ((rate_hz / FRAMES_PER_S).round() as usize).max(1);
        let bands = bands(rate_hz, window);
        let mut group_sizes = [0.0; GROUPS];
        for band in &bands {
            group_sizes[band.group] += 1.0;
        }
        let history = std::array::from_fn(|_| vec![0.0; bands.len()]);
        let below = |hz: f64| bands.iter().filter(|band| band.centre_hz < hz).count();
        let levels = Levels::new(below(CHORDS_HZ), below(BASS_HZ));
        let difference = Difference { bands, history, group_sizes, onsets: Vec::new(), levels };
        OnsetStrength { spectrum: Spectrum::new(window, hop), difference, hop, rate_hz }
    }

    pub(crate) fn push(&mut self, mono: &[f32]) {
        let difference = &mut self.difference;
        self.spectrum.push(mono, |magnitudes| difference.take(magnitudes));
    }

    pub(crate) fn flush(&mut self) {
        let difference = &mut self.difference;
        self.spectrum.flush(|magnitudes| difference.take(magnitudes));
    }

    /// Hands out the frames collected so far.
    pub(crate) fn take(&mut self) -> Vec<Onset> {
        std::mem::take(&mut self.difference.onsets)
    }

    /// Hands out the band levels that belong to those frames.
    pub(crate) fn take_levels(&mut self) -> Levels {
        self.difference.levels.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.difference.onsets.len()
    }

    /// True number of frames a second: the hop is a whole number of samples.
    pub(crate) fn frames_per_s(&self) -> f64 {
        self.rate_hz / self.hop as f64
    }
}

impl Difference {
    fn take(&mut self, magnitudes: &[f32]) {
        self.history.rotate_right(1);
        for (band, level) in self.bands.iter().zip(&mut self.history[0]) {
            let sum: f32 = magnitudes[band.from_bin..band.to_bin].iter().sum();
            *level = 1.0 + COMPRESSION * sum;
        }
        ln_all(&mut self.history[0]);
        self.levels.push(&self.history[0]);
        let [now, .., before] = &self.history;
        let mut onset = [0.0; GROUPS];
        for (i, band) in self.bands.iter().enumerate() {
            let low = before[i.saturating_sub(1)];
            let high = before[(i + 1).min(before.len() - 1)];
            onset[band.group] += (now[i] - before[i].max(low).max(high)).max(0.0);
        }
        for (sum, size) in onset.iter_mut().zip(self.group_sizes) {
            *sum /= size.max(1.0);
        }
        self.onsets.push(onset);
    }
}

/// Natural logarithms of numbers from 1 on, to the last bit or the one before it: the same on every machine, which a
/// library's are not, and several at a time. After `logf` of the Cephes library (Moshier).
fn ln_all(values: &mut [f32]) {
    const POLYNOMIAL: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    /// ln 2 in two parts, of which the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    for value in values {
        // As m × 2^e with m from √½ to √2.
        let bits = value.to_bits();
        let offset = bits.wrapping_sub(std::f32::consts::FRAC_1_SQRT_2.to_bits());
        let exponent = (offset.cast_signed() >> 23) as f32;
        let x = f32::from_bits(bits.wrapping_sub(offset & 0xFF80_0000)) - 1.0;
        let square = x * x;
        let tail = POLYNOMIAL.iter().fold(0.0, |sum, c| sum * x + c) * x * square;
        *value = x + (tail + exponent * LN_2[1] - 0.5 * square) + exponent * LN_2[0];
    }
}

fn bands(rate_hz: f64, window: usize) -> Vec<Band> {
    let bin_hz = rate_hz / window as f64;
    let last_bin = window / 2;
    let mut bands = Vec::new();
    let mut edge_hz = LOWEST_HZ;
    let mut from_bin = (edge_hz / bin_hz).round().max(1.0) as usize;
    while edge_hz < HIGHEST_HZ && from_bin < last_bin {
        edge_hz *= 2f64.powf(1.0 / 12.0);
        let to_bin = ((edge_hz / bin_hz).round() as usize).min(last_bin);
        if to_bin > from_bin {
            let centre_hz = (from_bin + to_bin) as f64 / 2.0 * bin_hz;
            let group = GROUP_LIMITS_HZ.iter().filter(|limit| centre_hz > **limit).count();
            bands.push(Band { from_bin, to_bin, group, centre_hz });
            from_bin = to_bin;
        }
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_the_last_bits() {
        let numbers: Vec<f32> =
            (0..200_000).map(|i| 1.0 + 1e-7 * (i as f32).powi(2) * (i as f32).sqrt()).collect();
        let mut found = numbers.clone();
        ln_all(&mut found);
        for (number, found) in numbers.iter().zip(found) {
            let expected = f64::from(*number).ln();
            assert!((f64::from(found) - expected).abs() <= 2e-7 * expected, "{found} for ln {number}");
        }
    }
}
