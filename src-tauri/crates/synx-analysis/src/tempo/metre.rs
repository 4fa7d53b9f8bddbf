//! How many beats a bar has, and which of them are its first: weighed like the octave, by a softmax over all readings.
//!
//! It must never move a beat: the beats are given, and only counted here.

use super::levels::Levels;
use super::metre_weights::{CALIBRATION, WEIGHTS};
use super::octave::calibrated;
use super::onset::GROUPS;
use super::periodicity::Periodicity;
use super::{Metre, MetreEvidence};

/// Beats in a bar that are considered; two only where each beat has three parts, which is 6/8.
const BARS: [usize; 5] = [2, 3, 4, 5, 7];
/// Number of things that are weighed.
const FEATURES: usize = 30;
/// So many bars of the longest reading must be there to say anything.
const LEAST_BEATS: usize = 16;
/// Less likely than this, the bar is not told.
const LEAST: f64 = 0.5;
/// A place of the bar with less of all shares is not told. Cross-validated, four in five of those that are told are right.
const LEAST_PLACE: f64 = 0.75;
/// Onset strength in standard deviations: single strokes count no more.
const LOUDEST: f32 = 6.0;
/// Sevens are counted in quarters below this tempo and in eighths above.
const EIGHTHS_BPM: f64 = 160.0;
/// The middle tempo, as for the octave.
const MIDDLE_BPM: f64 = 120.0;

/// A bar and its place.
pub(crate) struct Reading {
    pub(crate) beats_per_bar: usize,
    /// Index of the first downbeat.
    pub(crate) first: usize,
    features: [f32; FEATURES],
    probability: f64,
}

/// What the readings say together: the metre and the indices of its downbeats.
pub(crate) fn decide(readings: &[Reading], beats: usize, bpm: f64) -> Option<(Metre, Vec<u32>)> {
    let of_bar = |bar: usize| readings.iter().filter(move |r| r.beats_per_bar == bar);
    let total = |bar: usize| of_bar(bar).map(|r| r.probability).sum::<f64>();
    let bar = BARS.into_iter().max_by(|a, b| total(*a).total_cmp(&total(*b)))?;
    let confidence = calibrated(total(bar), CALIBRATION);
    let best = of_bar(bar).max_by(|a, b| a.probability.total_cmp(&b.probability))?;
    if confidence < LEAST {
        return None;
    }
    let unit = if bar == 7 && bpm >= EIGHTHS_BPM { 8 } else { 4 };
    let (beats_per_bar, unit) = if bar == 2 { (6, 8) } else { (bar as u8, unit) };
    let downbeats: Vec<u32> = (best.first..beats).step_by(bar).map(|i| i as u32).collect();
    let told = best.probability >= LEAST_PLACE;
    let metre = Metre { count: beats_per_bar, unit, confidence };
    Some((metre, if told { downbeats } else { Vec::new() }))
}

/// For training.
pub(crate) fn evidence(readings: &[Reading], beats_s: &[f64]) -> Vec<MetreEvidence> {
    readings
        .iter()
        .filter_map(|r| {
            Some(MetreEvidence {
                beats_per_bar: r.beats_per_bar,
                first_downbeat_s: *beats_s.get(r.first)?,
                features: r.features.to_vec(),
            })
        })
        .collect()
}

/// All readings of these beats, with their shares.
pub(crate) fn readings(p: &Periodicity, levels: &Levels, beats: &[usize], period: f64) -> Vec<Reading> {
    if beats.len() < LEAST_BEATS {
        return Vec::new();
    }
    let heard = Heard::of(p, levels, beats);
    let octaves = (60.0 * p.frames_per_s / period / MIDDLE_BPM).log2() as f32;
    let mut found = Vec::new();
    for bar in BARS.into_iter().filter(|bar| *bar != 2 || heard.ternary > 0.0) {
        let recurrence = heard.recurrence(p, period, bar);
        for first in 0..bar {
            let features = heard.features(bar, first, &recurrence, octaves);
            found.push(Reading { beats_per_bar: bar, first, features, probability: 0.0 });
        }
    }
    let score = |r: &Reading| r.features.iter().zip(WEIGHTS).map(|(f, w)| f64::from(f * w)).sum::<f64>();
    let highest = found.iter().map(score).fold(f64::MIN, f64::max);
    let total: f64 = found.iter().map(|r| (score(r) - highest).exp()).sum();
    for reading in &mut found {
        reading.probability = (score(reading) - highest).exp() / total;
    }
    found
}

/// One value for each beat, zero mean and unit variance.
type Row = Vec<f32>;

/// What is heard on each beat and after it.
struct Heard {
    /// Strokes on the beats by group, then halfway after them.
    strokes: [Row; 2 * GROUPS],
    /// Changes of the bass and of the chords.
    changes: [Row; 2],
    /// How much stronger the thirds of the beats are than their halves.
    ternary: f32,
}

impl Heard {
    fn of(p: &Periodicity, levels: &Levels, beats: &[usize]) -> Heard {
        let row = |group: usize, part: f64| -> Row {
            let strength = &p.groups[group];
            let until = |i: usize| beats.get(i + 1).copied().unwrap_or(beats[i]);
            let at = |i: usize| (beats[i] as f64 + part * (until(i) - beats[i]) as f64).round() as usize;
            (0..beats.len()).map(|i| strongest(strength, at(i))).collect()
        };
        let mean = |part: f64| {
            let sum: f32 = (0..GROUPS).flat_map(|group| row(group, part)).sum();
            sum / (GROUPS * beats.len()) as f32
        };
        let ternary = 0.5 * (mean(1.0 / 3.0) + mean(2.0 / 3.0)) - mean(0.5);
        let strokes = std::array::from_fn(|i| standard(row(i % GROUPS, if i < GROUPS { 0.0 } else { 0.5 })));
        Heard { strokes, changes: levels.changes(beats).map(standard), ternary }
    }

    /// What recurs from bar to bar, wherever the bars begin: against what recurs at any lag.
    fn recurrence(&self, p: &Periodicity, period: f64, bar: usize) -> [f32; 7] {
        let against = |of: &dyn Fn(usize) -> f32| {
            let lags = 2..=8usize;
            of(bar) - lags.clone().map(of).sum::<f32>() / lags.count() as f32
        };
        let strokes = |lag: usize| mean_of(self.strokes.iter().map(|row| recurring(row, lag)));
        [
            against(&strokes),
            against(&|lag| strokes(2 * lag)),
            against(&|lag| p.at(lag as f64 * period)),
            against(&|lag| p.group_at(0, lag as f64 * period)),
            against(&|lag| p.group_at(2, lag as f64 * period)),
            against(&|lag| recurring(&self.changes[0], lag)),
            against(&|lag| recurring(&self.changes[1], lag)),
        ]
    }

    fn features(&self, bar: usize, first: usize, recurrence: &[f32; 7], octaves: f32) -> [f32; FEATURES] {
        let is = |beats: usize| if bar == beats { 1.0 } else { 0.0 };
        let on =
            |row: &Row, beat: usize| mean_of(row.iter().skip((first + beat) % bar).step_by(bar).copied());
        let [bass, toms, snare, cymbals, ..] = &self.strokes;
        let [low, chords] = &self.changes;
        let (last, middle) = (bar - 1, bar / 2);
        let [a, b, c, d, e, f, g] = *recurrence;
        [
            is(2),
            is(3),
            is(5),
            is(7),
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            on(bass, 0),
            on(toms, 0),
            on(snare, 0),
            on(cymbals, 0),
            on(low, 0),
            on(chords, 0),
            on(bass, 1),
            on(snare, 1),
            on(bass, last),
            on(snare, last),
            on(bass, middle),
            on(snare, middle),
            on(chords, middle),
            is(2) * self.ternary,
            is(3) * self.ternary,
            is(2) * octaves,
            is(3) * octaves,
            is(5) * octaves,
            is(7) * octaves,
        ]
    }
}

/// Highest strength around a frame.
fn strongest(strength: &[f32], at: usize) -> f32 {
    let end = (at + 3).min(strength.len());
    let around = &strength[at.saturating_sub(2).min(end)..end];
    around.iter().copied().fold(f32::MIN, f32::max).clamp(-LOUDEST, LOUDEST)
}

fn mean_of(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0.0f32), |(sum, count), value| (sum + value, count + 1.0));
    sum / count.max(1.0)
}

/// Autocorrelation at a lag in beats.
fn recurring(row: &[f32], lag: usize) -> f32 {
    mean_of(row.iter().zip(row.iter().skip(lag)).map(|(a, b)| a * b))
}

fn standard(mut row: Row) -> Row {
    let mean = mean_of(row.iter().copied());
    let variance = mean_of(row.iter().map(|v| (v - mean).powi(2)));
    let scale = if variance > 1e-9 { variance.sqrt().recip() } else { 0.0 };
    row.iter_mut().for_each(|v| *v = (*v - mean) * scale);
    row
}
