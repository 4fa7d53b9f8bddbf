//! From the energies of 100 ms to integrated loudness (BS.1770-4) and range (EBU Tech 3342): windows and their gates.

/// Slices of 100 ms in a window of the integrated loudness, which moves on by one.
const GATING_SLICES: usize = 4;
/// Slices in a window of short-term loudness, from which the range comes.
const SHORT_TERM_SLICES: usize = 30;
/// How far that moves on: 1 s, an overlap of two thirds.
const SHORT_TERM_STEP: usize = 10;
const ABSOLUTE_GATE_LUFS: f64 = -70.0;
/// Relative gates below the mean of what is above the absolute one.
const INTEGRATED_GATE_LU: f64 = -10.0;
const RANGE_GATE_LU: f64 = -20.0;
/// The range is from this share of the windows to that.
const LOW_SHARE: f64 = 0.10;
const HIGH_SHARE: f64 = 0.95;

/// Integrated loudness; `None` where nothing is above the absolute gate.
pub(super) fn integrated_lufs(slices: &[f64]) -> Option<f64> {
    let windows = || above_absolute_gate(slices, GATING_SLICES, 1);
    let gate = mean(windows())? * ratio(INTEGRATED_GATE_LU);
    mean(windows().filter(|energy| *energy >= gate)).map(lufs)
}

/// Loudness range: 0 for what is too short to have one, `None` where nothing is above the absolute gate.
pub(super) fn range_lu(slices: &[f64]) -> Option<f64> {
    above_absolute_gate(slices, GATING_SLICES, 1).next()?;
    let mut windows: Vec<f64> = above_absolute_gate(slices, SHORT_TERM_SLICES, SHORT_TERM_STEP).collect();
    let gate = mean(windows.iter().copied()).unwrap_or(0.0) * ratio(RANGE_GATE_LU);
    windows.retain(|energy| *energy >= gate);
    windows.sort_by(f64::total_cmp);
    let Some(last) = windows.len().checked_sub(1) else { return Some(0.0) };
    let at = |share: f64| lufs(windows[(last as f64 * share).round() as usize]);
    Some(at(HIGH_SHARE) - at(LOW_SHARE))
}

/// Mean energies of the windows that are loud enough to count.
fn above_absolute_gate(slices: &[f64], length: usize, step: usize) -> impl Iterator<Item = f64> {
    let gate = 10f64.powf((ABSOLUTE_GATE_LUFS + 0.691) / 10.0);
    let windows = slices.windows(length).step_by(step);
    windows
        .map(move |window| window.iter().sum::<f64>() / length as f64)
        .filter(move |energy| *energy >= gate)
}

fn mean(energies: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = energies.fold((0.0, 0u32), |(sum, count), energy| (sum + energy, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn ratio(lu: f64) -> f64 {
    10f64.powf(lu / 10.0)
}

fn lufs(energy: f64) -> f64 {
    -0.691 + 10.0 * energy.log10()
}
