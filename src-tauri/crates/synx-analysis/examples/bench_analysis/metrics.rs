//! The figures by which tempo, beat and key trackers are compared (MIREX, mir_eval).

use std::collections::BTreeMap;

use synx_analysis::{Key, Mode};

use crate::cases::Case;

/// What a program says about a file.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub bpm: Option<f64>,
    pub bpm_confidence: Option<f64>,
    pub key: Option<Key>,
    pub key_confidence: Option<f64>,
    /// `None` where the program tells no beats.
    pub beats_s: Option<Vec<f64>>,
}

/// Beats this near count as hit, and the first seconds are not judged, as in mir_eval.
const BEAT_WINDOW_S: f64 = 0.07;
const BEAT_TRIM_S: f64 = 5.0;

/// Means by name, in per cent, of the values that a program and a set of cases have.
pub type Figures = BTreeMap<&'static str, Mean>;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    sum: f64,
    pub count: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    pub fn percent(self) -> f64 {
        100.0 * self.sum / self.count.max(1) as f64
    }
}

/// What a program answers at all; what it never answers is not its business and no mistake.
#[derive(Clone, Copy)]
pub struct Answers {
    tempo: bool,
    key: bool,
}

impl Answers {
    pub fn of<'a>(mut answers: impl Iterator<Item = &'a Answer> + Clone) -> Answers {
        Answers {
            tempo: answers.clone().any(|answer| answer.bpm.is_some()),
            key: answers.any(|answer| answer.key.is_some()),
        }
    }
}

/// All figures of a program for some cases; the names are those of `score.py`.
pub fn figures<'a>(pairs: impl Iterator<Item = (&'a Case, &'a Answer)>, program: Answers) -> Figures {
    let mut found = Figures::new();
    let mut add = |name, value: f64| found.entry(name).or_default().add(value);
    for (case, answer) in pairs {
        let yes = |condition: bool| f64::from(u8::from(condition));
        if case.is_negative() {
            if program.tempo {
                add("neg_no_bpm", yes(answer.bpm.is_none()));
            }
            if program.key {
                add("neg_no_key", yes(answer.key.is_none()));
            }
            continue;
        }
        if let Some(wanted) = case.bpm.filter(|_| program.tempo) {
            add("acc1", yes(near(answer.bpm, wanted, &[1.0], 0.04)));
            add("acc2", yes(near(answer.bpm, wanted, &[1.0, 2.0, 3.0, 1.0 / 2.0, 1.0 / 3.0], 0.04)));
            add("acc1_1pct", yes(near(answer.bpm, wanted, &[1.0], 0.01)));
        }
        if let Some(wanted) = case.key.filter(|_| program.key) {
            add("key_exact", yes(answer.key == Some(wanted)));
            add("mirex", KeyMistake::of(wanted, answer.key).score());
        }
        if let (Some(wanted), Some(got)) = (&case.beats_s, &answer.beats_s) {
            add("beat_F", f_measure(wanted, got));
        }
    }
    found
}

/// Whether a tempo times one of the factors is the wanted one.
pub fn near(bpm: Option<f64>, wanted: f64, factors: &[f64], tolerance: f64) -> bool {
    bpm.is_some_and(|bpm| factors.iter().any(|factor| (bpm * factor - wanted).abs() <= tolerance * wanted))
}

/// How a key differs from the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyMistake {
    None,
    FifthAbove,
    Relative,
    Parallel,
    Other,
    NoAnswer,
}

impl KeyMistake {
    pub fn of(wanted: Key, got: Option<Key>) -> KeyMistake {
        let Some(got) = got else { return Self::NoAnswer };
        let up = (got.tonic() + 12 - wanted.tonic()) % 12;
        let relative = if wanted.mode() == Mode::Major { 9 } else { 3 };
        match (wanted.mode() == got.mode(), up) {
            (true, 0) => Self::None,
            (true, 7) => Self::FifthAbove,
            (false, up) if up == relative => Self::Relative,
            (false, 0) => Self::Parallel,
            _ => Self::Other,
        }
    }

    /// MIREX's weights.
    fn score(self) -> f64 {
        match self {
            Self::None => 1.0,
            Self::FifthAbove => 0.5,
            Self::Relative => 0.3,
            Self::Parallel => 0.2,
            Self::Other | Self::NoAnswer => 0.0,
        }
    }
}

/// Harmonic mean of the shares of beats that were hit and of answers that hit; both sorted.
pub fn f_measure(wanted: &[f64], got: &[f64]) -> f64 {
    let judged = |beats: &[f64]| {
        let mut kept: Vec<f64> = beats.iter().copied().filter(|s| *s >= BEAT_TRIM_S).collect();
        kept.sort_by(f64::total_cmp);
        kept
    };
    let (wanted, got) = (judged(wanted), judged(got));
    let (mut i, mut j, mut hits) = (0, 0, 0usize);
    while let (Some(beat), Some(answer)) = (wanted.get(i), got.get(j)) {
        let late = answer - beat;
        let hit = late.abs() <= BEAT_WINDOW_S;
        hits += usize::from(hit);
        i += usize::from(hit || late > 0.0);
        j += usize::from(hit || late < 0.0);
    }
    if hits == 0 { 0.0 } else { 2.0 * hits as f64 / (wanted.len() + got.len()) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tempo_tolerances_are_relative_to_the_right_one() {
        assert!(near(Some(104.0), 100.0, &[1.0], 0.04) && !near(Some(104.1), 100.0, &[1.0], 0.04));
        assert!(near(Some(51.0), 100.0, &[1.0, 2.0], 0.04) && !near(None, 100.0, &[1.0], 0.04));
    }

    #[test]
    fn keys_are_weighed_as_in_mirex() {
        let score = |wanted: &str, got: &str| {
            KeyMistake::of(wanted.parse().unwrap(), Some(got.parse().unwrap())).score()
        };
        assert_eq!(score("C major", "C major"), 1.0);
        assert_eq!(score("C major", "G major"), 0.5);
        assert_eq!(score("C major", "F major"), 0.0);
        assert_eq!(score("C major", "A minor"), 0.3);
        assert_eq!(score("A minor", "C major"), 0.3);
        assert_eq!(score("A minor", "A major"), 0.2);
    }

    #[test]
    fn beats_are_matched_one_to_one() {
        let wanted: Vec<f64> = (0..40).map(|i| 0.5 * f64::from(i)).collect();
        assert_eq!(f_measure(&wanted, &wanted), 1.0);
        let double: Vec<f64> = (0..80).map(|i| 0.25 * f64::from(i)).collect();
        assert!((f_measure(&wanted, &double) - 2.0 / 3.0).abs() < 0.01);
        let late: Vec<f64> = wanted.iter().map(|s| s + 0.08).collect();
        assert_eq!(f_measure(&wanted, &late), 0.0);
    }
}
