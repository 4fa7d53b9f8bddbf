//! The one pass: decode, measure, collect.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use synx_media::{Decoder, Loudness, LoudnessMeter, Peaks, PeaksBuilder};

use crate::AnalysisError;
use crate::decimate::Decimator;
use crate::energy::EnergyMeter;
use crate::key::{KeyEngine, KeyEstimate, KeyEvidence, ProfileKeyEngine};
use crate::tempo::{OnsetTempoEngine, Tempo, TempoEngine, TempoEngineKind, TempoEvidence};

/// Rises whenever the same audio may give another result; results of other versions are computed anew.
pub const ANALYSER_VERSION: u32 = 5;

/// Frames decoded at a time: small enough for the cache, large enough for the calls not to matter.
const BLOCK_FRAMES: usize = 8192;

/// Longer than any mix or field recording; what a file decodes to beyond this is an attack on the memory.
const LONGEST_S: f64 = 24.0 * 3600.0;

/// What may be asked of an analysis.
pub struct Options {
    /// Set to true from any thread, it ends the analysis with [`AnalysisError::Cancelled`] within milliseconds.
    pub cancel: Option<Arc<AtomicBool>>,
    /// Called now and then with the share done, 0 to 1; not called where the length is unknown, but for the final 1.
    pub progress: Option<Box<dyn Fn(f64) + Send + Sync>>,
    /// Which engine finds the tempo.
    pub tempo_engine: TempoEngineKind,
    /// A file that decodes to more seconds than this is refused with [`AnalysisError::TooLong`]; a day, unless set.
    pub longest_s: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cancel: None,
            progress: None,
            tempo_engine: TempoEngineKind::default(),
            longest_s: LONGEST_S,
        }
    }
}

/// Everything that is known about the sound of a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// [`ANALYSER_VERSION`] of the program that made it.
    pub analyser_version: u32,
    /// Length in seconds, counted while decoding.
    pub duration_s: f64,
    /// Tempo and beats; `None` where there is no steady pulse.
    pub tempo: Option<Tempo>,
    /// Key; `None` where nothing has a pitch to speak of.
    pub key: Option<KeyEstimate>,
    /// Energy from 1 (calm) to 10 (full on): loudness (45 %), onset density (35 %) and brightness (20 %).
    pub energy: u8,
    /// Loudness after EBU R 128.
    pub loudness: Loudness,
    /// Spectral centre of gravity, weighted by magnitude; `None` for silence.
    pub spectral_centroid_hz: Option<f64>,
    /// The waveform.
    pub peaks: Peaks,
}

/// Analyses a file. One thread, one pass, memory bounded whatever the length.
///
/// # Errors
/// When the file cannot be decoded to its end, is longer than `options` allow, or the caller cancels.
pub fn analyze(path: &Path, options: &Options) -> Result<Analysis, AnalysisError> {
    let mut decoder = Decoder::open(path)?;
    let mut pass = Pass::new(decoder.sample_rate_hz(), decoder.channels(), options.tempo_engine);
    let mut block = vec![0.0; BLOCK_FRAMES * decoder.channels()];
    loop {
        if options.cancel.as_ref().is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(AnalysisError::Cancelled);
        }
        let frames = decoder.read(&mut block)?;
        if frames == 0 {
            break;
        }
        pass.push(&block[..frames * decoder.channels()]);
        if decoder.position() as f64 > options.longest_s * f64::from(decoder.sample_rate_hz()) {
            return Err(AnalysisError::TooLong { hours: options.longest_s / 3600.0 });
        }
        if let (Some(progress), Some(total)) = (&options.progress, decoder.frames()) {
            progress((decoder.position() as f64 / total.max(1) as f64).min(1.0));
        }
    }
    let analysis = pass.finish();
    if let Some(progress) = &options.progress {
        progress(1.0);
    }
    Ok(analysis)
}

/// A stretch of a file at another speed: one example to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Take {
    /// How many times as fast; the pitch moves with it.
    pub speed: f64,
    /// Where it starts and ends, as shares of the length.
    pub stretch: (f64, f64),
}

/// What the trained decisions weigh, for each of the `takes` of a file: the input of training. Unlike [`analyze`] it keeps
/// the whole file in memory.
///
/// # Errors
/// When the file cannot be decoded to its end.
pub fn evidence(path: &Path, takes: &[Take]) -> Result<Vec<(TempoEvidence, KeyEvidence)>, AnalysisError> {
    let mut decoder = Decoder::open(path)?;
    let mut decimator = Decimator::new(decoder.sample_rate_hz(), decoder.channels());
    let mono_rate_hz = f64::from(decoder.sample_rate_hz()) / decimator.factor() as f64;
    let (mut block, mut mono) = (vec![0.0; BLOCK_FRAMES * decoder.channels()], Vec::new());
    loop {
        let frames = decoder.read(&mut block)?;
        if frames == 0 {
            break;
        }
        decimator.push(&block[..frames * decoder.channels()], &mut mono);
    }
    let evidence = |take: &Take| {
        let rate_hz = take.speed * mono_rate_hz;
        let at = |share: f64| (share.clamp(0.0, 1.0) * mono.len() as f64) as usize;
        let stretch = mono.get(at(take.stretch.0)..at(take.stretch.1)).unwrap_or_default();
        let (mut tempo, mut key) = (OnsetTempoEngine::new(rate_hz), ProfileKeyEngine::new(rate_hz));
        tempo.push(stretch);
        key.push(stretch);
        (tempo.evidence(), key.evidence())
    };
    Ok(takes.iter().map(evidence).collect())
}

/// All meters and engines side by side.
struct Pass {
    rate_hz: u32,
    channels: usize,
    frames: u64,
    loudness: LoudnessMeter,
    peaks: PeaksBuilder,
    decimator: Decimator,
    mono: Vec<f32>,
    tempo: Box<dyn TempoEngine>,
    key: Box<dyn KeyEngine>,
    energy: EnergyMeter,
}

impl Pass {
    fn new(rate_hz: u32, channels: usize, tempo: TempoEngineKind) -> Pass {
        let decimator = Decimator::new(rate_hz, channels);
        let mono_rate_hz = f64::from(rate_hz) / decimator.factor() as f64;
        Pass {
            rate_hz,
            channels,
            frames: 0,
            loudness: LoudnessMeter::new(rate_hz, channels),
            peaks: PeaksBuilder::new(rate_hz, channels),
            decimator,
            mono: Vec::new(),
            tempo: tempo.build(mono_rate_hz),
            key: Box::new(ProfileKeyEngine::new(mono_rate_hz)),
            energy: EnergyMeter::new(mono_rate_hz as f32),
        }
    }

    fn push(&mut self, interleaved: &[f32]) {
        self.frames += (interleaved.len() / self.channels) as u64;
        self.loudness.push(interleaved);
        self.peaks.push(interleaved);
        self.mono.clear();
        self.decimator.push(interleaved, &mut self.mono);
        self.tempo.push(&self.mono);
        self.key.push(&self.mono);
        self.energy.push(&self.mono);
    }

    fn finish(mut self) -> Analysis {
        let loudness = self.loudness.finish();
        Analysis {
            analyser_version: ANALYSER_VERSION,
            duration_s: self.frames as f64 / f64::from(self.rate_hz),
            tempo: self.tempo.finish(),
            key: self.key.finish(),
            energy: self.energy.energy(loudness.integrated_lufs),
            spectral_centroid_hz: self.energy.centroid_hz(),
            loudness,
            peaks: self.peaks.finish(),
        }
    }
}
