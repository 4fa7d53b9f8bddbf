//! Band-limited interpolation: the value of a track between its frames. A Kaiser-windowed sinc in polyphase form (J. O.
//! Smith, "Digital Audio Resampling"), evaluated at any real position. It has no state: the sample heard at a position
//! depends on the position alone, so there is no filter delay to account for and nothing to flush at a seek.
//!
//! At equal rates phase 0 is the identity: a track that needs no correction passes bit for bit.

use std::sync::OnceLock;

/// Positions between two frames for which the filter is tabulated; between them it is interpolated linearly, which errs
/// by less than -110 dB at 20 kHz and less at lower frequencies.
const PHASES: usize = 512;
/// Stopband attenuation of the window.
const ATTENUATION_DB: f64 = 120.0;
/// Half-width in frames at equal rates. 40 a side put the passband's end (-0.1 dB) of 44.1 kHz tracks at 20 kHz.
const HALF_TAPS: usize = 40;
/// Rates whose filter would be longer than this many times the plain one are refused.
pub(crate) const MAX_STEP: f64 = 8.0;

pub(crate) struct Kernel {
    half: usize,
    /// `PHASES + 1` rows of `2 * half` coefficients.
    table: Vec<f32>,
}

impl Kernel {
    /// A filter from a track's rate to a device's. When the device is slower, the cut-off follows it.
    pub(crate) fn new(track_hz: u32, device_hz: u32) -> Self {
        let cutoff = (f64::from(device_hz) / f64::from(track_hz)).min(1.0);
        // A multiple of four on each side, so that rows fall into whole vectors.
        let half = ((HALF_TAPS as f64 / cutoff.max(1.0 / MAX_STEP)).ceil() as usize).next_multiple_of(4);
        let beta = 0.1102 * (ATTENUATION_DB - 8.7);
        let scale = 1.0 / bessel_i0(beta);
        let mut table = Vec::with_capacity((PHASES + 1) * 2 * half);
        for phase in 0..=PHASES {
            let fraction = phase as f64 / PHASES as f64;
            let row: Vec<f64> = (0..2 * half)
                .map(|tap| {
                    let x = fraction + (half as f64 - 1.0) - tap as f64;
                    let edge = (x / half as f64).clamp(-1.0, 1.0);
                    cutoff * sinc(cutoff * x) * bessel_i0(beta * (1.0 - edge * edge).sqrt()) * scale
                })
                .collect();
            // Unit gain at zero frequency in every phase: otherwise a constant would ripple with the phase.
            let sum: f64 = row.iter().sum();
            table.extend(row.iter().map(|c| (c / sum) as f32));
        }
        Self { half, table }
    }

    /// Frames needed on either side of a position.
    pub(crate) fn half(&self) -> usize {
        self.half
    }

    /// Fills `out` with the track at `position`, `position + step`, ... . The planes hold the track's frames from `first`
    /// on and must reach [`half`](Self::half) frames beyond both ends.
    pub(crate) fn render(
        &self,
        planes: (&[f32], &[f32]),
        first: i64,
        position: f64,
        step: f64,
        out: &mut [[f32; 2]],
    ) {
        let taps = 2 * self.half;
        for (i, frame) in out.iter_mut().enumerate() {
            let at = position + i as f64 * step;
            let whole = at.floor();
            let start = whole as i64 - first - (self.half as i64 - 1);
            let phase = (at - whole) * PHASES as f64;
            let row = (phase as usize).min(PHASES - 1);
            let blend = (phase - row as f64) as f32;
            let (near, far) = self.table[row * taps..(row + 2) * taps].split_at(taps);
            let start = usize::try_from(start).unwrap_or(usize::MAX - taps);
            *frame = match (planes.0.get(start..start + taps), planes.1.get(start..start + taps)) {
                (Some(left), Some(right)) => weigh(near, far, blend, left, right),
                _ => [0.0, 0.0],
            };
        }
    }
}

/// Both channels under one interpolated row.
fn weigh(near: &[f32], far: &[f32], blend: f32, left: &[f32], right: &[f32]) -> [f32; 2] {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        #[allow(unsafe_code)]
        // SAFETY: the two features that the function is compiled for were found a line ago.
        return unsafe { weigh_avx2(near, far, blend, left, right) };
    }
    weigh_lanes(near, far, blend, left, right)
}

/// The same code for wider vectors: half of the time spent here, which is most of what playing costs.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn weigh_avx2(near: &[f32], far: &[f32], blend: f32, left: &[f32], right: &[f32]) -> [f32; 2] {
    weigh_lanes(near, far, blend, left, right)
}

/// Eight partial sums, so that the compiler vectorises it.
#[inline(always)]
fn weigh_lanes(near: &[f32], far: &[f32], blend: f32, left: &[f32], right: &[f32]) -> [f32; 2] {
    const LANES: usize = 8;
    let (mut l, mut r) = ([0.0f32; LANES], [0.0f32; LANES]);
    let rows = near.chunks_exact(LANES).zip(far.chunks_exact(LANES));
    let planes = left.chunks_exact(LANES).zip(right.chunks_exact(LANES));
    for ((n, f), (a, b)) in rows.zip(planes) {
        for i in 0..LANES {
            let c = n[i] + (f[i] - n[i]) * blend;
            l[i] += c * a[i];
            r[i] += c * b[i];
        }
    }
    [l.iter().sum(), r.iter().sum()]
}

fn sinc(x: f64) -> f64 {
    let y = std::f64::consts::PI * x;
    if y.abs() < 1e-12 { 1.0 } else { y.sin() / y }
}

/// Modified Bessel function of order zero, by its power series (converges for the arguments of a Kaiser window).
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..64 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

/// Kernels by pair of rates, made by the feeder and read by the audio thread; never freed while the engine lives.
pub(crate) struct KernelBank([OnceLock<((u32, u32), Kernel)>; 32]);

impl KernelBank {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| OnceLock::new()))
    }

    pub(crate) fn find(&self, track_hz: u32, device_hz: u32) -> Option<&Kernel> {
        let made = self.0.iter().map_while(OnceLock::get);
        made.into_iter().find(|(rates, _)| *rates == (track_hz, device_hz)).map(|(_, kernel)| kernel)
    }

    /// Makes the kernel if it is not there. Not for the audio thread.
    pub(crate) fn prepare(&self, track_hz: u32, device_hz: u32) {
        if device_hz == 0 || f64::from(track_hz) > MAX_STEP * f64::from(device_hz) {
            return;
        }
        if self.find(track_hz, device_hz).is_none() {
            let mut made = Some(((track_hz, device_hz), Kernel::new(track_hz, device_hz)));
            for slot in &self.0 {
                match made.take() {
                    Some(kernel) => made = slot.set(kernel).err(),
                    None => break,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    /// A sine through the kernel, and how far what comes out is from the ideal sine: residual over signal, in decibels.
    fn thd_n_db(track_hz: u32, device_hz: u32, tone_hz: f64, ppm: f64) -> f64 {
        let kernel = Kernel::new(track_hz, device_hz);
        let step = f64::from(track_hz) / f64::from(device_hz) * (1.0 + ppm * 1e-6);
        let out_frames = 24_000;
        let tone = |at: f64| (TAU * tone_hz * at / f64::from(track_hz)).sin();
        let n = (out_frames as f64 * step) as usize + 2 * kernel.half() + 4;
        let first = -(kernel.half() as i64);
        let plane: Vec<f32> = (0..n).map(|i| (0.5 * tone((first + i as i64) as f64)) as f32).collect();
        let mut out = vec![[0.0; 2]; out_frames];
        kernel.render((&plane, &plane), first, 0.3, step, &mut out);
        // Fit gain and phase by least squares, as a distortion meter does; the rest is distortion and noise.
        let phase = |i: usize| TAU * tone_hz * (0.3 + i as f64 * step) / f64::from(track_hz);
        let (mut ss, mut sc, mut cc, mut ys, mut yc, mut energy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (i, f) in out.iter().enumerate() {
            let ((sin, cos), y) = (phase(i).sin_cos(), f64::from(f[0]));
            (ss, sc, cc) = (ss + sin * sin, sc + sin * cos, cc + cos * cos);
            (ys, yc, energy) = (ys + y * sin, yc + y * cos, energy + y * y);
        }
        let det = ss * cc - sc * sc;
        let (s, c) = ((ys * cc - yc * sc) / det, (yc * ss - ys * sc) / det);
        let residual: f64 = out
            .iter()
            .enumerate()
            .map(|(i, f)| (f64::from(f[0]) - s * phase(i).sin() - c * phase(i).cos()).powi(2))
            .sum();
        10.0 * (residual / energy).log10()
    }

    fn gain_db(track_hz: u32, device_hz: u32, tone_hz: f64) -> f64 {
        let kernel = Kernel::new(track_hz, device_hz);
        let step = f64::from(track_hz) / f64::from(device_hz);
        let first = -(kernel.half() as i64);
        let frames = 8_000;
        let n = (f64::from(frames) * step) as usize + 2 * kernel.half() + 4;
        let plane: Vec<f32> = (0..n)
            .map(|i| (TAU * tone_hz * (first + i as i64) as f64 / f64::from(track_hz)).sin() as f32)
            .collect();
        let mut out = vec![[0.0; 2]; frames as usize];
        kernel.render((&plane, &plane), first, 0.37, step, &mut out);
        let energy: f64 = out.iter().map(|f| f64::from(f[0]).powi(2)).sum();
        10.0 * (2.0 * energy / f64::from(frames)).log10()
    }

    #[test]
    fn a_sine_through_a_hundred_ppm_is_clean() {
        for (track, device) in [(48_000, 48_000), (44_100, 48_000), (96_000, 48_000), (48_000, 44_100)] {
            for ppm in [-100.0, -3.3, 100.0] {
                for (tone, limit) in [(997.0, -118.0), (10_007.0, -108.0), (18_000.0, -100.0)] {
                    let got = thd_n_db(track, device, tone, ppm);
                    println!("{track}->{device} {ppm:+} ppm {tone} Hz: THD+N {got:.1} dB");
                    assert!(got < limit, "{track}->{device} {ppm} ppm {tone} Hz: {got}");
                }
            }
        }
    }

    #[test]
    fn the_passband_is_flat_to_twenty_kilohertz_and_images_are_gone() {
        for (track, device) in [(44_100, 44_100), (44_100, 48_000), (48_000, 48_000), (96_000, 48_000)] {
            for tone in [20.0, 1_000.0, 15_000.0, 19_900.0] {
                let got = gain_db(track, device, tone);
                println!("{track}->{device} {tone} Hz: {got:.4} dB");
                assert!(got.abs() < 0.15, "{track}->{device} {tone} Hz: {got}");
            }
        }
        let leak = gain_db(96_000, 48_000, 30_000.0);
        assert!(leak < -90.0, "30 kHz through 96 -> 48 kHz: {leak}");
    }

    proptest! {
        #[test]
        fn whole_positions_at_equal_rates_pass_bit_for_bit(
            samples in prop::collection::vec(-1.0f32..1.0, 200), at in 60usize..120,
        ) {
            let kernel = Kernel::new(48_000, 48_000);
            let mut out = [[0.0; 2]; 16];
            kernel.render((&samples, &samples), 0, at as f64, 1.0, &mut out);
            for (i, f) in out.iter().enumerate() {
                prop_assert!((f[0] - samples[at + i]).abs() < 1e-7);
            }
        }
    }
}
