//! Finds a known sound in a recording: cross-correlation by FFT, and the first clear peak near where it is due.

use realfft::RealFftPlanner;

/// The sound is looked for from so long before it is due ...
pub(super) const EARLY_US: f64 = 200_000.0;
/// ... to so long after. Together less than the second after which it sounds again.
pub(super) const LATE_US: f64 = 700_000.0;
/// A peak must stand out of the rest of its second by this factor over the root mean square. Of 40,000 normal values the
/// largest is at 4.4; rooms and music are worse.
const CLEAR: f32 = 9.0;
/// The sound's direct way is shorter than that of its echoes, though not always louder: the first peak of at least this
/// share of the largest counts ...
const FIRST_SHARE: f32 = 0.5;
/// ... if it is not earlier than this.
const FIRST_WITHIN_S: f64 = 0.03;

/// Magnitude of the cross-correlation at each frame: large where `sound` begins. The envelope over the sound's period
/// is not needed: a chirp's correlation has one sharp peak.
pub(super) fn correlate(recording: &[f32], sound: &[f32]) -> Vec<f32> {
    let length = (recording.len() + sound.len()).next_power_of_two();
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
    let spectrum_of = |samples: &[f32]| {
        let mut padded = samples.to_vec();
        padded.resize(length, 0.0);
        let mut spectrum = forward.make_output_vec();
        // The lengths are those of the plan: it cannot fail.
        let done = forward.process(&mut padded, &mut spectrum).is_ok();
        done.then_some(spectrum)
    };
    let (Some(mut product), Some(of_sound)) = (spectrum_of(recording), spectrum_of(sound)) else {
        return Vec::new();
    };
    product.iter_mut().zip(&of_sound).for_each(|(a, b)| *a *= b.conj());
    // What rounding leaves there, the inverse would refuse.
    for edge in [0, product.len() - 1] {
        product[edge].im = 0.0;
    }
    let mut correlation = inverse.make_output_vec();
    if inverse.process(&mut product, &mut correlation).is_err() {
        return Vec::new();
    }
    correlation.truncate(recording.len());
    correlation.iter_mut().for_each(|value| *value = value.abs() / length as f32);
    correlation
}

/// Frame, with its fraction, at which the sound that was due at `due_frame` begins; none if it is not clear.
pub(super) fn arrival(correlation: &[f32], due_frame: f64, rate_hz: f64) -> Option<f64> {
    let begin = (due_frame - EARLY_US * 1e-6 * rate_hz).max(1.0) as usize;
    let end = ((due_frame + LATE_US * 1e-6 * rate_hz) as usize).min(correlation.len().saturating_sub(1));
    let part = correlation.get(begin..end)?;
    let largest = part.iter().copied().fold(0.0f32, f32::max);
    let rms = (part.iter().map(|v| v * v).sum::<f32>() / part.len().max(1) as f32).sqrt();
    if largest <= CLEAR * rms || largest <= f32::MIN_POSITIVE {
        return None;
    }
    let at = begin + part.iter().position(|v| *v == largest)?;
    let earliest = at.saturating_sub((FIRST_WITHIN_S * rate_hz) as usize).max(begin);
    let is_peak = |i: &usize| {
        correlation[*i] >= FIRST_SHARE * largest
            && correlation[*i] >= correlation[*i - 1]
            && correlation[*i] >= correlation[*i + 1]
    };
    let first = (earliest..=at).find(is_peak)?;
    // The correlation of a chirp ripples within a period of its middle frequency: the peak is the largest of these.
    let ripple = (rate_hz / 4_000.0) as usize * 2;
    let peak =
        (first..=(first + ripple).min(end - 1)).max_by(|a, b| correlation[*a].total_cmp(&correlation[*b]))?;
    let [before, here, after] =
        [correlation[peak - 1], correlation[peak], correlation[peak + 1]].map(f64::from);
    let bend = before - 2.0 * here + after;
    let fraction = if bend < 0.0 { 0.5 * (before - after) / bend } else { 0.0 };
    Some(peak as f64 + fraction)
}
