//! The three bands of the waveform: low-passes that take several samples at a time.

/// Crossovers of the three bands: bass and kick below, cymbals and air above.
const LOW_HZ: f64 = 200.0;
const HIGH_HZ: f64 = 2500.0;
/// Samples in a vector.
pub(super) const LANES: usize = 4;
/// How far back the filters look: so many samples before the first one.
pub(super) const HISTORY: usize = 2 * (LANES - 1);
/// A filter that rings on below this is stopped: nothing can be seen of it, and tiny numbers slow the machine down.
const SILENCE: f32 = 1e-15;

/// Energies of a stretch: all, low, middle, high.
pub(super) type Energies = [f32; 4];

/// Parts mono audio into bands and sums their energy.
pub(super) struct Bands {
    low: LowPass,
    high: LowPass,
}

/// A one-pole low-pass applied twice: 12 dB an octave, enough to colour a waveform.
///
/// The recursion from sample to sample is written as one from vector to vector: numerator and denominator are multiplied by
/// (1 + q z⁻¹ + q² z⁻² + q³ z⁻³)², so that what remains below is (1 − q⁴ z⁻⁴)².
struct LowPass {
    numerator: [f32; HISTORY + 1],
    pole: f32,
    once: [f32; LANES],
    twice: [f32; LANES],
    /// What came out last.
    out: Vec<f32>,
}

impl Bands {
    pub(super) fn new(sample_rate_hz: u32) -> Bands {
        Bands { low: LowPass::new(LOW_HZ, sample_rate_hz), high: LowPass::new(HIGH_HZ, sample_rate_hz) }
    }

    /// Energies of the `count` samples that follow the `HISTORY` at the front. `mono` holds whole vectors; only the last
    /// stretch of a track may count fewer.
    pub(super) fn energies(&mut self, mono: &[f32], count: usize) -> Energies {
        self.low.run(mono);
        self.high.run(mono);
        let mono = &mono[HISTORY..HISTORY + count];
        let (low, high) = (&mut self.low.out[..count], &mut self.high.out[..count]);
        let (all, bass) = (energy(mono), energy(low));
        low.iter_mut().zip(&*high).for_each(|(low, high)| *low = high - *low);
        high.iter_mut().zip(mono).for_each(|(high, all)| *high = all - *high);
        [all, bass, energy(low), energy(high)]
    }
}

impl LowPass {
    fn new(cutoff_hz: f64, sample_rate_hz: u32) -> LowPass {
        let q = (-std::f64::consts::TAU * cutoff_hz / f64::from(sample_rate_hz)).exp();
        let mut numerator = [0.0; HISTORY + 1];
        for i in 0..LANES as i32 {
            for j in 0..LANES as i32 {
                numerator[(i + j) as usize] += (1.0 - q).powi(2) * q.powi(i + j);
            }
        }
        LowPass {
            numerator: numerator.map(|x| x as f32),
            pole: q.powi(LANES as i32) as f32,
            once: [0.0; LANES],
            twice: [0.0; LANES],
            out: Vec::new(),
        }
    }

    fn run(&mut self, mono: &[f32]) {
        self.out.resize(mono.len() - HISTORY, 0.0);
        let (mut once, mut twice) = (self.once, self.twice);
        let windows = mono.windows(HISTORY + LANES).step_by(LANES);
        for (out, window) in self.out.as_chunks_mut::<LANES>().0.iter_mut().zip(windows) {
            let mut sum = [0.0; LANES];
            for (back, tap) in self.numerator.iter().enumerate() {
                let delayed = &window[HISTORY - back..][..LANES];
                sum = lanes(|i| sum[i] + tap * delayed[i]);
            }
            once = lanes(|i| self.pole * once[i] + sum[i]);
            twice = lanes(|i| self.pole * twice[i] + once[i]);
            *out = twice;
        }
        if once.iter().chain(&twice).all(|value| value.abs() < SILENCE) {
            (once, twice) = ([0.0; LANES], [0.0; LANES]);
        }
        (self.once, self.twice) = (once, twice);
    }
}

/// Sum of the squares.
fn energy(samples: &[f32]) -> f32 {
    let (vectors, rest) = samples.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for x in vectors {
        sums = lanes(|i| sums[i] + x[i] * x[i]);
    }
    rest.iter().map(|x| x * x).chain(sums).sum()
}

#[inline]
fn lanes(f: impl Fn(usize) -> f32) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    for (i, lane) in out.iter_mut().enumerate() {
        *lane = f(i);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filters as they are defined, from sample to sample.
    struct Plain([f64; 3]);

    impl Plain {
        fn new(cutoff_hz: f64, rate_hz: f64) -> Plain {
            Plain([1.0 - (-std::f64::consts::TAU * cutoff_hz / rate_hz).exp(), 0.0, 0.0])
        }

        fn next(&mut self, sample: f64) -> f64 {
            let [coefficient, once, twice] = &mut self.0;
            *once += *coefficient * (sample - *once);
            *twice += *coefficient * (*once - *twice);
            *twice
        }
    }

    #[test]
    fn vectors_filter_as_single_samples_do() {
        for rate_hz in [8_000, 44_100, 192_000] {
            let tone = |hz: f64, i: usize| (std::f64::consts::TAU * hz * i as f64 / f64::from(rate_hz)).sin();
            let samples: Vec<f64> = (0..1_026)
                .map(|i| 0.3 * tone(90.0, i) + 0.2 * tone(900.0, i) + 0.1 * tone(3_900.0, i))
                .collect();
            let (mut low, mut high) =
                (Plain::new(LOW_HZ, f64::from(rate_hz)), Plain::new(HIGH_HZ, f64::from(rate_hz)));
            let mut expected = [0.0; 4];
            for sample in &samples {
                let (bass, below) = (low.next(*sample), high.next(*sample));
                for (sum, band) in expected.iter_mut().zip([*sample, bass, below - bass, sample - below]) {
                    *sum += band * band;
                }
            }
            // The last stretch is no whole number of vectors.
            let mut mono = vec![0.0; HISTORY];
            mono.extend(samples.iter().map(|s| *s as f32));
            let mut bands = Bands::new(rate_hz);
            let mut found = bands.energies(&mono[..HISTORY + 512], 512);
            mono.resize(HISTORY + 1_028, 0.0);
            let rest = bands.energies(&mono[512..], 514);
            found.iter_mut().zip(rest).for_each(|(sum, more)| *sum += more);
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (f64::from(*found) / expected - 1.0).abs() < 1e-3,
                    "{found} for {expected} at {rate_hz} Hz"
                );
            }
        }
    }
}
