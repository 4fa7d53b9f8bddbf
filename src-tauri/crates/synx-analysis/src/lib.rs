//! Tempo, beats, key, energy, loudness and waveform of a track, in one pass over its decoded audio.
//!
//! [`analyze`] decodes once, block by block; memory stays bounded whatever the length. Tempo and key come from engines
//! behind [`TempoEngine`] and [`KeyEngine`], so that a better one can take a part's place. An answer that is not there is
//! worse than none: silence, noise and speech have no tempo and no key. This crate must never touch the network, a clock
//! or an audio device, and the same file must give the same answer on every machine.
#![warn(missing_docs)]

mod analysis;
mod decimate;
mod energy;
mod error;
mod key;
mod spectrum;
mod tempo;

pub use analysis::{ANALYSER_VERSION, Analysis, Options, Take, analyze, evidence};
pub use error::AnalysisError;
pub use key::{
    Key, KeyEngine, KeyEstimate, KeyEvidence, KeyReading, KeySection, Mode, ProfileKeyEngine, UnknownKey,
};
pub use tempo::{
    Alternative, AubioTempoEngine, Grid, Metre, MetreEvidence, OnsetTempoEngine, Tempo, TempoEngine,
    TempoEngineKind, TempoEvidence, TempoReading, TempoRelation, TempoSection,
};
