//! Our own key engine: pitch classes against published profiles, with bass, thirds, leading tones and the ending.
//!
//! The evidence for each of the 24 keys is weighed by a linear model with a softmax; transposing the music transposes
//! the answer, so few weights serve all keys. How they were found is told in `training/README.md`.

use super::chroma::{Chroma, FINE_BINS, Segment, folded, tuning_cents, tuning_focus};
use super::harmony::{self, Harmony};
use super::profiles::{PROFILES, correlation};
use super::sections;
use super::weights::{CALIBRATION, PRESENCE_BIAS, PRESENCE_WEIGHTS, WEIGHTS};
use super::{Key, KeyEngine, KeyEstimate, Mode};
use crate::tempo::calibrated;

const PITCH_FEATURES: usize = 19;
const FEATURES: usize = PITCH_FEATURES + harmony::FEATURES;
/// Number of signs that there is a key.
const PRESENCE: usize = 8;
/// Less sounding music than this has no key to speak of.
const SHORTEST_S: f32 = 1.5;
/// Less likely than this that there is a key, there is no answer.
const LEAST_PRESENCE: f64 = 0.5;

/// Key from whitened spectral peaks and several profiles.
pub struct ProfileKeyEngine {
    chroma: Chroma,
}

/// What was weighed; for training.
#[derive(Clone, Debug, Default)]
pub struct KeyEvidence {
    /// Whether there is a key: in the order of the weights.
    pub presence: Vec<f32>,
    /// Which of these it is.
    pub readings: Vec<KeyReading>,
}

/// The evidence for one key.
#[derive(Clone, Debug)]
pub struct KeyReading {
    /// The key.
    pub key: Key,
    /// What was weighed, in the order of the weights.
    pub features: Vec<f32>,
}

impl ProfileKeyEngine {
    /// An engine for mono audio of the given rate.
    #[must_use]
    pub fn new(rate_hz: f64) -> ProfileKeyEngine {
        ProfileKeyEngine { chroma: Chroma::new(rate_hz) }
    }

    /// The evidence for each key of what has been pushed.
    #[must_use]
    pub fn evidence(&mut self) -> KeyEvidence {
        let (segments, harmony) = self.chroma.finish();
        let pitches = Pitches::of(&segments, harmony);
        let readings = all_keys().map(|key| KeyReading { key, features: pitches.features(key).to_vec() });
        KeyEvidence { presence: pitches.presence().to_vec(), readings: readings.collect() }
    }
}

impl KeyEngine for ProfileKeyEngine {
    fn push(&mut self, mono: &[f32]) {
        self.chroma.push(mono);
    }

    fn finish(&mut self) -> Option<KeyEstimate> {
        let (segments, harmony) = self.chroma.finish();
        let sounding_s: f32 = segments.iter().map(|s| s.sounding_s).sum();
        let pitches = Pitches::of(&segments, harmony);
        let presence = pitches.presence_probability();
        if sounding_s < SHORTEST_S || presence < LEAST_PRESENCE {
            return None;
        }
        let scores: Vec<(Key, f64)> = all_keys()
            .map(|key| {
                let features = pitches.features(key);
                (key, features.iter().zip(WEIGHTS).map(|(f, w)| f64::from(f * w)).sum())
            })
            .collect();
        let highest = scores.iter().map(|s| s.1).fold(f64::MIN, f64::max);
        let total: f64 = scores.iter().map(|s| (s.1 - highest).exp()).sum();
        let mut ranked = scores;
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let (key, score) = *ranked.first()?;
        let audible = |s: &Segment| s.is_audible().then(|| unit(folded(&s.all, pitches.tuning_cents)));
        let by_time: Vec<Option<[f32; 12]>> = segments.iter().map(audible).collect();
        Some(KeyEstimate {
            key,
            confidence: calibrated((score - highest).exp() / total, CALIBRATION) * presence,
            second: ranked.get(1).map(|s| s.0),
            tuning_cents: pitches.tuning_cents,
            sections: sections::of(&by_time, self.chroma.segment_s(), key),
        })
    }
}

pub(crate) fn all_keys() -> impl Iterator<Item = Key> {
    (0..24).map(|i| Key::new(i % 12, if i < 12 { Mode::Major } else { Mode::Minor }))
}

/// Pitch classes of the whole track, of its bass and of its segments.
struct Pitches {
    tuning_cents: f64,
    tonality: f32,
    held: f32,
    focus: f32,
    whole: [f32; 12],
    bass: [f32; 12],
    segments: Vec<[f32; 12]>,
    last_bass: [f32; 12],
    last_of_all: [f32; 12],
    harmony: Harmony,
}

impl Pitches {
    fn of(segments: &[Segment], harmony: Harmony) -> Pitches {
        let sum = |part: fn(&Segment) -> &[f32; FINE_BINS], of: &[Segment]| {
            let mut total = [0.0; FINE_BINS];
            for segment in of {
                total.iter_mut().zip(part(segment)).for_each(|(to, from)| *to += from);
            }
            total
        };
        let all = sum(|s| &s.all, segments);
        let tuning = tuning_cents(&all);
        let fold = |fine: &[f32; FINE_BINS]| unit(folded(fine, tuning));
        let audible: Vec<&Segment> = segments.iter().filter(|s| s.is_audible()).collect();
        let ending = &segments[segments.len().saturating_sub(2)..];
        Pitches {
            tuning_cents: tuning,
            tonality: audible.iter().map(|s| s.tonality).sum::<f32>() / audible.len().max(1) as f32,
            held: audible.iter().map(|s| s.held).sum::<f32>() / audible.len().max(1) as f32,
            focus: tuning_focus(&all),
            whole: fold(&all),
            bass: fold(&sum(|s| &s.bass, segments)),
            segments: audible.iter().map(|s| fold(&s.all)).collect(),
            last_bass: fold(&sum(|s| &s.bass, ending)),
            last_of_all: fold(&sum(|s| &s.all, ending)),
            harmony,
        }
    }

    /// How likely there is a key, 0 to 1: a logistic regression over the signs.
    fn presence_probability(&self) -> f64 {
        let score: f64 = self.presence().iter().zip(PRESENCE_WEIGHTS).map(|(f, w)| f64::from(f * w)).sum();
        1.0 / (1.0 + (-score - PRESENCE_BIAS).exp())
    }

    /// Signs that notes are held and that they belong together.
    fn presence(&self) -> [f32; PRESENCE] {
        let n = self.segments.len().max(1) as f32;
        let best = |chroma: &[f32; 12], i: usize| {
            let fits = (0..12).flat_map(|t| {
                [&PROFILES[i].major, &PROFILES[i].minor].map(|profile| correlation(chroma, t, profile))
            });
            fits.fold(0.0, f32::max)
        };
        let within = self.segments.iter().map(|s| best(s, 0)).sum::<f32>() / n;
        // How well the segments agree with the whole: music stays in its key, noise wanders.
        let agreement = self.segments.iter().map(|s| correlation(s, 0, &self.whole)).sum::<f32>() / n;
        let flatness = self.whole.iter().sum::<f32>() / 12.0;
        [
            self.tonality,
            self.held,
            best(&self.whole, 0),
            best(&self.whole, 2),
            within,
            agreement,
            flatness,
            self.focus,
        ]
    }

    fn features(&self, key: Key) -> [f32; FEATURES] {
        let tonic = usize::from(key.tonic());
        let minor = key.mode() == Mode::Minor;
        let fit = |chroma: &[f32; 12], i: usize| {
            let profile = &PROFILES[i];
            correlation(chroma, tonic, if minor { &profile.minor } else { &profile.major })
        };
        let degree = |chroma: &[f32; 12], d: usize| chroma[(tonic + d) % 12];
        let per_segment = |i: usize| {
            let n = self.segments.len().max(1) as f32;
            self.segments.iter().map(|s| fit(s, i)).sum::<f32>() / n
        };
        let sign = if minor { -1.0 } else { 1.0 };
        let third = sign * (degree(&self.whole, 4) - degree(&self.whole, 3));
        let sixth = sign * (degree(&self.whole, 9) - degree(&self.whole, 8));
        let leading = degree(&self.whole, 11) - degree(&self.whole, 10);
        let pitches: [f32; PITCH_FEATURES] = [
            fit(&self.whole, 0),
            fit(&self.whole, 1),
            fit(&self.whole, 2),
            fit(&self.whole, 3),
            fit(&self.whole, 4),
            per_segment(0),
            per_segment(2),
            degree(&self.bass, 0),
            degree(&self.bass, 7),
            degree(&self.last_bass, 0),
            fit(&self.last_of_all, 0),
            self.segments.first().map_or(0.0, |s| fit(s, 0)),
            sign,
            third,
            if minor { 0.0 } else { leading },
            if minor { leading } else { 0.0 },
            sixth,
            fit(&self.bass, 0),
            degree(&self.bass, 5),
        ];
        let mut all = [0.0; FEATURES];
        let chords = self.harmony.features(tonic, minor);
        all.iter_mut().zip(pitches.into_iter().chain(chords)).for_each(|(to, from)| *to = from);
        all
    }
}

/// Scales to a maximum of 1.
fn unit(mut chroma: [f32; 12]) -> [f32; 12] {
    let highest = chroma.iter().copied().fold(0.0, f32::max);
    if highest > 0.0 {
        chroma.iter_mut().for_each(|c| *c /= highest);
    }
    chroma
}
