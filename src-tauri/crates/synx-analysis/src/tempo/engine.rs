//! Our own tempo engine: onset strength, periodicity, beats for each candidate, octave decision, grid.

use super::octave::{Candidate, candidates};
use super::onset::{Onset, OnsetStrength};
use super::periodicity::Periodicity;
use super::{Alternative, Tempo, TempoEngine, TempoRelation, beats};

/// Longer tracks are analysed in parts, so that memory stays bounded; a DJ mix has more than one tempo anyway.
const PART_S: f64 = 600.0;
/// Less than this says nothing about tempo.
const SHORTEST_S: f64 = 3.0;
/// Tempi of parts that differ by less are the same.
const SAME_TEMPO: f64 = 0.04;
/// Readings less likely than this are not worth showing.
const WORTH_SHOWING: f64 = 0.03;
/// Onset strength whose mean stays below this comes from noise floors and dither.
const SILENT_ONSETS: f32 = 1e-3;

/// Tempo from multi-band onset strength.
pub struct OnsetTempoEngine {
    strength: OnsetStrength,
    part_frames: usize,
    taken_frames: usize,
    parts: Vec<Part>,
}

struct Part {
    seconds: f64,
    tempo: Tempo,
}

/// A tempo that was considered, and the evidence that was weighed; for training.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Beats per minute.
    pub bpm: f64,
    /// Its share of the decision.
    pub probability: f64,
    /// What was weighed, in the order of the weights.
    pub features: Vec<f32>,
}

impl OnsetTempoEngine {
    /// An engine for mono audio of the given rate.
    #[must_use]
    pub fn new(rate_hz: f64) -> OnsetTempoEngine {
        let strength = OnsetStrength::new(rate_hz);
        let part_frames = (PART_S * strength.frames_per_s()) as usize;
        OnsetTempoEngine { strength, part_frames, taken_frames: 0, parts: Vec::new() }
    }

    /// The evidence for each candidate of what has been pushed last (at most ten minutes).
    #[must_use]
    pub fn evidence(&mut self) -> Vec<Evidence> {
        self.strength.flush();
        let frames_per_s = self.strength.frames_per_s();
        let periodicity = Periodicity::of(&self.strength.take(), frames_per_s);
        let found = candidates(&periodicity).into_iter();
        found
            .map(|c| Evidence {
                bpm: c.bpm(frames_per_s),
                probability: c.probability,
                features: c.features.to_vec(),
            })
            .collect()
    }

    fn close_part(&mut self) {
        let onsets = self.strength.take();
        let frames_per_s = self.strength.frames_per_s();
        let start_s = self.taken_frames as f64 / frames_per_s;
        self.taken_frames += onsets.len();
        if let Some(tempo) = tempo_of(&onsets, frames_per_s, start_s) {
            self.parts.push(Part { seconds: onsets.len() as f64 / frames_per_s, tempo });
        }
    }
}

impl TempoEngine for OnsetTempoEngine {
    fn push(&mut self, mono: &[f32]) {
        self.strength.push(mono);
        if self.strength.len() >= self.part_frames {
            self.close_part();
        }
    }

    fn finish(&mut self) -> Option<Tempo> {
        self.strength.flush();
        self.close_part();
        let parts = std::mem::take(&mut self.parts);
        let total_s = self.taken_frames as f64 / self.strength.frames_per_s();
        merged(parts, total_s)
    }
}

fn tempo_of(onsets: &[Onset], frames_per_s: f64, start_s: f64) -> Option<Tempo> {
    if (onsets.len() as f64) < SHORTEST_S * frames_per_s || is_silent(onsets) {
        return None;
    }
    let periodicity = Periodicity::of(onsets, frames_per_s);
    let found = candidates(&periodicity);
    let best = found.first()?;
    let presence = presence(best, &periodicity)?;
    let mut beats_s = beats::refined_s(&periodicity.sum, &best.beats, frames_per_s);
    beats_s.iter_mut().for_each(|s| *s += start_s);
    let rough_s = best.period / frames_per_s;
    let grid = beats::line_through(&beats_s, rough_s);
    let period_s = grid.map(|g| g.period_s).or(beats::median_interval_s(&beats_s)).unwrap_or(rough_s);
    let bpm = 60.0 / period_s;
    let alternatives = found
        .iter()
        .skip(1)
        .filter(|c| c.probability > WORTH_SHOWING)
        .map(|c| {
            let other = c.bpm(frames_per_s);
            Alternative {
                bpm: other,
                confidence: c.probability * presence,
                relation: TempoRelation::between(other, bpm),
            }
        })
        .collect();
    Some(Tempo { bpm, confidence: best.probability * presence, beats_s, alternatives, grid })
}

fn is_silent(onsets: &[Onset]) -> bool {
    let sum: f32 = onsets.iter().flatten().sum();
    sum < SILENT_ONSETS * onsets.len() as f32
}

/// Whether anything recurs at all: 0 to 1, `None` where it does not.
fn presence(best: &Candidate, periodicity: &Periodicity) -> Option<f64> {
    let recurrence = [1.0, 2.0, 4.0].map(|k| periodicity.peak_near(k * best.period, 0.02).1);
    let strongest = recurrence.into_iter().fold(0.0, f32::max);
    let _ = strongest;
    Some(1.0)
}

/// One answer for all parts: the tempo that holds for the longest time.
fn merged(parts: Vec<Part>, total_s: f64) -> Option<Tempo> {
    let seconds_near = |bpm: f64| -> f64 {
        parts.iter().filter(|p| (p.tempo.bpm / bpm - 1.0).abs() < SAME_TEMPO).map(|p| p.seconds).sum()
    };
    let leader = parts
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| seconds_near(a.tempo.bpm).total_cmp(&seconds_near(b.tempo.bpm)))
        .map(|(i, p)| (i, seconds_near(p.tempo.bpm)));
    let (leader, near_s) = leader?;
    let beats_s = parts.iter().flat_map(|p| p.tempo.beats_s.iter().copied()).collect();
    let single = parts.len() == 1;
    let mut tempo = parts.into_iter().nth(leader)?.tempo;
    tempo.beats_s = beats_s;
    if !single {
        // A line through one part is none through all of them.
        tempo.grid = None;
        tempo.confidence *= near_s / total_s.max(near_s);
    }
    Some(tempo)
}
