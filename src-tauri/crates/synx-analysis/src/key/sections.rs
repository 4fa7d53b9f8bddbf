//! Where the key changes: the likeliest path through the keys of the segments, where staying costs nothing.
//!
//! Viterbi over the 24 keys. A change must pay: it is told only where the new key fits much better for a good while, since a
//! chord that is held is no modulation.

use super::engine::all_keys;
use super::profiles::{PROFILES, correlation};
use super::{Key, KeySection, Mode};

/// What a change costs, in units of correlation with the profiles: four seconds that fit a little better are not enough.
const CHANGE: f32 = 3.0;
/// To the relative key more, as that shares all of its notes.
const RELATIVE: f32 = 6.0;
/// How much better the key of the whole is believed to fit any segment.
const HOME: f32 = 0.05;
/// A key that holds for less is a passing one.
const SHORTEST_S: f64 = 12.0;

/// The keys of segments of `segment_s` each (`None` where nothing sounds), if there is more than one.
pub(crate) fn of(segments: &[Option<[f32; 12]>], segment_s: f64, home: Key) -> Vec<KeySection> {
    let keys: Vec<Key> = all_keys().collect();
    let path = likeliest(segments, &keys, home);
    let mut found: Vec<KeySection> = Vec::new();
    for (i, key) in path.into_iter().enumerate() {
        if found.last().is_none_or(|last| last.key != keys[key]) {
            found.push(KeySection { start_s: i as f64 * segment_s, key: keys[key] });
        }
    }
    let end_s = segments.len() as f64 * segment_s;
    let ends: Vec<f64> = found.iter().skip(1).map(|s| s.start_s).chain([end_s]).collect();
    let mut lasting: Vec<KeySection> = Vec::new();
    for (section, end_s) in found.into_iter().zip(ends) {
        let same = lasting.last().is_some_and(|last| last.key == section.key);
        if end_s - section.start_s >= SHORTEST_S && !same {
            lasting.push(section);
        }
    }
    if let Some(first) = lasting.first_mut() {
        first.start_s = 0.0;
    }
    if lasting.len() > 1 { lasting } else { Vec::new() }
}

fn likeliest(segments: &[Option<[f32; 12]>], keys: &[Key], home: Key) -> Vec<usize> {
    let mut score = vec![0.0f32; keys.len()];
    let mut from: Vec<Vec<usize>> = Vec::with_capacity(segments.len());
    for segment in segments {
        let step: Vec<(usize, f32)> = (0..keys.len())
            .map(|to| {
                let arrive = |before: usize| score[before] - cost(keys[before], keys[to]);
                let best = (0..keys.len()).max_by(|a, b| arrive(*a).total_cmp(&arrive(*b))).unwrap_or(to);
                (best, arrive(best) + fit(segment.as_ref(), keys[to], home))
            })
            .collect();
        from.push(step.iter().map(|s| s.0).collect());
        score = step.into_iter().map(|s| s.1).collect();
    }
    let mut at = (0..keys.len()).max_by(|a, b| score[*a].total_cmp(&score[*b])).unwrap_or(0);
    let mut path: Vec<usize> = from
        .iter()
        .rev()
        .map(|before| {
            let here = at;
            at = before.get(at).copied().unwrap_or(at);
            here
        })
        .collect();
    path.reverse();
    path
}

fn cost(from: Key, to: Key) -> f32 {
    let up = (to.tonic() + 12 - from.tonic()) % 12;
    let relative = if from.mode() == Mode::Major { 9 } else { 3 };
    match (from.mode() == to.mode(), up) {
        (true, 0) => 0.0,
        (false, up) if up == relative => RELATIVE,
        _ => CHANGE,
    }
}

fn fit(segment: Option<&[f32; 12]>, key: Key, home: Key) -> f32 {
    let Some(segment) = segment else { return 0.0 };
    let minor = key.mode() == Mode::Minor;
    let with = |i: usize| {
        let profile = &PROFILES[i];
        correlation(segment, key.tonic().into(), if minor { &profile.minor } else { &profile.major })
    };
    with(0) + with(2) + if key == home { HOME } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(tonic: usize) -> Option<[f32; 12]> {
        let mut classes = [0.0; 12];
        for (degree, weight) in [(0, 1.0), (2, 0.4), (4, 0.7), (5, 0.5), (7, 0.9), (9, 0.4), (11, 0.4)] {
            classes[(tonic + degree) % 12] = weight;
        }
        Some(classes)
    }

    fn found(segments: &[Option<[f32; 12]>]) -> Vec<(f64, String)> {
        let home = "C major".parse().unwrap();
        of(segments, 4.0, home).into_iter().map(|s| (s.start_s, s.key.to_string())).collect()
    }

    #[test]
    fn a_modulation_is_found_where_it_happens() {
        let segments = [vec![scale(0); 20], vec![scale(3); 20]].concat();
        assert_eq!(found(&segments), [(0.0, "C major".to_owned()), (80.0, "Eb major".to_owned())]);
    }

    #[test]
    fn a_passing_chord_and_silence_are_none() {
        let mut segments = vec![scale(0); 40];
        segments[12] = scale(3);
        segments[20] = None;
        assert_eq!(found(&segments), []);
        assert_eq!(found(&[]), []);
    }
}
