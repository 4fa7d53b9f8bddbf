//! Tempo and beats: the types, and the engines that find them.

mod aubio;
mod beats;
mod engine;
mod levels;
mod metre;
mod metre_weights;
mod octave;
mod octave_weights;
mod onset;
mod pattern;
mod periodicity;
mod presence;
mod presence_weights;
mod sections;

use std::fmt;

pub use aubio::AubioTempoEngine;
pub use engine::{MetreEvidence, OnsetTempoEngine, TempoEvidence, TempoReading};
pub(crate) use octave::calibrated;
use serde::{Deserialize, Serialize};

/// Tempo, beats and how sure they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tempo {
    /// Beats per minute. Of drifting music the middle one.
    pub bpm: f64,
    /// 0 to 1: how likely `bpm` is what a listener would tap.
    pub confidence: f64,
    /// Seconds of each beat from the start of the track, rising.
    pub beats_s: Vec<f64>,
    /// Other readings, likeliest first.
    pub alternatives: Vec<Alternative>,
    /// The straight line through the beats, where the tempo holds.
    pub grid: Option<Grid>,
    /// Stretches of steady tempo, in order, where it changes on the way; empty where one grid holds throughout.
    #[serde(default)]
    pub sections: Vec<TempoSection>,
    /// The bar; `None` where the beats do not tell.
    #[serde(default)]
    pub metre: Option<Metre>,
    /// Which of `beats_s` begin a bar; empty where that is not known.
    #[serde(default)]
    pub downbeats: Vec<u32>,
}

/// A stretch of steady tempo.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TempoSection {
    /// Seconds from the start of the track to its first beat.
    pub start_s: f64,
    /// Beats per minute.
    pub bpm: f64,
}

/// What a bar is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metre {
    /// The upper number: 3 of 3/4, 6 of 6/8, where a beat is three eighths.
    pub count: u8,
    /// The lower number.
    pub unit: u8,
    /// 0 to 1: how likely it is right.
    pub confidence: f64,
}

impl fmt::Display for Metre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.unit)
    }
}

/// Beat `n` lies at `first_beat_s + n × period_s`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Seconds from the start of the track to the first beat of the line.
    pub first_beat_s: f64,
    /// Seconds from beat to beat.
    pub period_s: f64,
}

/// Another reading of the tempo.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Beats per minute.
    pub bpm: f64,
    /// 0 to 1: how likely this reading is instead.
    pub confidence: f64,
    /// What it is to the first reading.
    pub relation: TempoRelation,
}

/// How an alternative tempo relates to the chosen one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TempoRelation {
    /// Twice as fast.
    Double,
    /// Half as fast.
    Half,
    /// Three for two.
    ThreeHalves,
    /// Two for three.
    TwoThirds,
    /// Three times as fast.
    Triple,
    /// A third as fast.
    Third,
    /// None of these.
    Other,
}

impl TempoRelation {
    /// The relation of `bpm` to `reference_bpm`, within 4 %.
    #[must_use]
    pub fn between(bpm: f64, reference_bpm: f64) -> TempoRelation {
        let known = [
            (2.0, Self::Double),
            (0.5, Self::Half),
            (1.5, Self::ThreeHalves),
            (2.0 / 3.0, Self::TwoThirds),
            (3.0, Self::Triple),
            (1.0 / 3.0, Self::Third),
        ];
        let ratio = bpm / reference_bpm;
        known.into_iter().find(|(r, _)| (ratio / r - 1.0).abs() < 0.04).map_or(Self::Other, |(_, name)| name)
    }
}

/// Finds tempo and beats in mono audio that is pushed block by block.
pub trait TempoEngine {
    /// Takes the next samples.
    fn push(&mut self, mono: &[f32]);
    /// The result for everything pushed; `None` where nothing recurs steadily enough to tap along.
    fn finish(&mut self) -> Option<Tempo>;
}

/// Which engine to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TempoEngineKind {
    /// [`OnsetTempoEngine`].
    #[default]
    Onset,
    /// [`AubioTempoEngine`].
    Aubio,
}

impl TempoEngineKind {
    /// Makes the engine for mono audio of the given rate.
    #[must_use]
    pub fn build(self, rate_hz: f64) -> Box<dyn TempoEngine> {
        match self {
            Self::Onset => Box::new(OnsetTempoEngine::new(rate_hz)),
            Self::Aubio => Box::new(AubioTempoEngine::new(rate_hz)),
        }
    }
}
