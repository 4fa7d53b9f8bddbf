//! Beats of a given period: dynamic programming over onset strength (Ellis, "Beat tracking by dynamic programming",
//! Journal of New Music Research 36, 2007), and the line through them.

use super::Grid;

/// How much a deviation from the period costs against onset strength (of unit variance): squared log ratio times this.
const TIGHTNESS: f32 = 250.0;
/// Beats stray from their line by less than this where a tempo is held by a machine or a click.
const GRID_TOLERANCE_S: f64 = 0.025;

/// Sums compared side by side.
const LANES: usize = 8;

/// Beat positions in frames, for beats about `period` frames apart.
pub(crate) fn track(strength: &[f32], period: f64) -> Vec<usize> {
    let n = strength.len();
    if n == 0 || period < 2.0 {
        return Vec::new();
    }
    let smooth = smoothed(strength, (period / 32.0).max(0.8) as f32);
    let (shortest, longest) = ((period * 0.6).round().max(1.0) as usize, (period * 1.7).round() as usize);
    // From the longest lag to the shortest, as what lies so far back stands in the scores.
    let penalties: Vec<f32> = (shortest..=longest)
        .rev()
        .map(|lag| -TIGHTNESS * ((lag as f64 / period).ln() as f32).powi(2))
        .collect();
    let mut score = vec![0.0f32; n];
    for t in 0..n {
        let (_, scores, penalties) = before(&score, &penalties, (shortest, longest), t);
        score[t] = smooth[t] + highest_sum(scores, penalties);
    }
    let tail = n.saturating_sub(longest);
    // Of equals the earliest: what follows the last onset is no beat.
    let last = (tail..n).rev().max_by(|a, b| score[*a].total_cmp(&score[*b]));
    let Some(mut at) = last else { return Vec::new() };
    let mut beats = vec![at];
    loop {
        let (from, scores, penalties) = before(&score, &penalties, (shortest, longest), at);
        let highest = highest_sum(scores, penalties);
        let followed = scores.iter().zip(penalties).rposition(|(score, penalty)| score + penalty == highest);
        let Some(i) = followed.filter(|_| highest > 0.0) else { break };
        at = from + i;
        beats.push(at);
    }
    beats.reverse();
    beats
}

/// What a beat at `t` may follow: the frame where that begins, the scores there and the penalties.
fn before<'a>(
    score: &'a [f32],
    penalties: &'a [f32],
    (shortest, longest): (usize, usize),
    t: usize,
) -> (usize, &'a [f32], &'a [f32]) {
    let (from, to) = (t.saturating_sub(longest), (t + 1).saturating_sub(shortest));
    let scores = score.get(from..to).unwrap_or_default();
    (from, scores, &penalties[penalties.len() - scores.len()..])
}

/// The highest sum of two that stand side by side; 0 where none is higher.
fn highest_sum(a: &[f32], b: &[f32]) -> f32 {
    let higher = |a: f32, b: f32| if b > a { b } else { a };
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut highest = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for (i, lane) in highest.iter_mut().enumerate() {
            *lane = higher(*lane, a[i] + b[i]);
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a + b);
    rest.chain(highest).fold(0.0, higher)
}

/// What lies in the middle between successive beats.
pub(crate) fn halfway(beats: &[usize]) -> Vec<usize> {
    let first = beats.windows(2).next().and_then(|pair| pair[0].checked_sub((pair[1] - pair[0]) / 2));
    let between = beats.windows(2).map(|pair| usize::midpoint(pair[0], pair[1]));
    first.into_iter().chain(between).collect()
}

fn smoothed(strength: &[f32], sigma: f32) -> Vec<f32> {
    let reach = (3.0 * sigma).ceil() as isize;
    let kernel: Vec<f32> = (-reach..=reach).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let n = strength.len();
    let mut out = vec![0.0; n];
    for (offset, k) in (-reach..=reach).zip(&kernel) {
        // What lies so far beside, as far as there is something.
        let (to, from) = (offset.min(0).unsigned_abs().min(n), offset.max(0).unsigned_abs().min(n));
        out[to..].iter_mut().zip(&strength[from..]).for_each(|(sum, x)| *sum += x * k);
    }
    out
}

/// Puts each beat on the top of the onset peak around it, by a parabola.
pub(crate) fn refined_s(strength: &[f32], beats: &[usize], frames_per_s: f64) -> Vec<f64> {
    let smooth = smoothed(strength, 1.0);
    beats
        .iter()
        .map(|&at| {
            let shift = match (at.checked_sub(1).map(|i| smooth[i]), smooth.get(at + 1)) {
                (Some(a), Some(&c)) if smooth[at] >= a && smooth[at] >= c && a + c < 2.0 * smooth[at] => {
                    0.5 * (a - c) / (a - 2.0 * smooth[at] + c)
                }
                _ => 0.0,
            };
            (at as f64 + f64::from(shift)) / frames_per_s
        })
        .collect()
}

/// Median distance of successive beats.
pub(crate) fn median_interval_s(beats_s: &[f64]) -> Option<f64> {
    let mut intervals: Vec<f64> = beats_s.windows(2).map(|w| w[1] - w[0]).collect();
    if intervals.len() < 4 {
        return None;
    }
    intervals.sort_by(f64::total_cmp);
    Some(intervals[intervals.len() / 2])
}

/// The straight line through the beats, if most of them lie on one: numbered by `period_s`, fitted by least squares,
/// strays left out and fitted again.
pub(crate) fn line_through(beats_s: &[f64], period_s: f64) -> Option<Grid> {
    let mut number = 0.0;
    let mut points = Vec::with_capacity(beats_s.len());
    for (i, &s) in beats_s.iter().enumerate() {
        if i > 0 {
            number += ((s - beats_s[i - 1]) / period_s).round().max(1.0);
        }
        points.push((number, s));
    }
    let all = points.len();
    let mut fit = least_squares(&points)?;
    for _ in 0..3 {
        let strays = |&(n, s): &(f64, f64)| (fit.0 + n * fit.1 - s).abs();
        let mut distances: Vec<f64> = points.iter().map(strays).collect();
        distances.sort_by(f64::total_cmp);
        let limit = (2.5 * distances[distances.len() / 2]).max(0.005);
        points.retain(|p| strays(p) <= limit);
        fit = least_squares(&points)?;
    }
    let spread =
        points.iter().map(|(n, s)| (fit.0 + n * fit.1 - s).powi(2)).sum::<f64>() / points.len() as f64;
    let holds = spread.sqrt() < GRID_TOLERANCE_S && points.len() * 10 >= all * 6;
    holds.then_some(Grid { first_beat_s: fit.0, period_s: fit.1 })
}

/// (intercept, slope); needs four points.
fn least_squares(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    if points.len() < 4 {
        return None;
    }
    let (mx, my) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let sxx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let slope = sxy / sxx;
    (sxx > 0.0 && slope > 0.0).then_some((my - slope * mx, slope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_are_followed_through_a_gap() {
        let mut strength = vec![0.0; 1000];
        (0..20).filter(|i| !(8..11).contains(i)).for_each(|i| strength[10 + i * 48] = 3.0);
        let beats = track(&strength, 48.0);
        assert_eq!(beats, (0..20).map(|i| 10 + i * 48).collect::<Vec<_>>());
    }

    #[test]
    fn the_line_ignores_strays_and_missing_beats() {
        let mut beats: Vec<f64> = (0..40).map(|i| 0.3 + 0.5 * f64::from(i)).collect();
        beats[7] += 0.08;
        beats.remove(20);
        let grid = line_through(&beats, 0.49).unwrap();
        assert!((grid.period_s - 0.5).abs() < 1e-6 && (grid.first_beat_s - 0.3).abs() < 1e-6, "{grid:?}");
    }

    #[test]
    fn a_slowing_tempo_is_no_line() {
        let beats: Vec<f64> = (0..60).map(|i| 0.4 * f64::from(i) + 0.002 * f64::from(i * i)).collect();
        assert_eq!(line_through(&beats, 0.5), None);
    }
}
