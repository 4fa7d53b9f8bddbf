//! Our own tempo engine: onset strength, periodicity, beats for each candidate, octave decision, grid.

use super::octave::{Candidate, by_period, candidates, confidence};
use super::onset::{Onset, OnsetStrength};
use super::periodicity::Periodicity;
use super::{Alternative, Grid, Tempo, TempoEngine, TempoRelation, beats, presence};

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

/// What was weighed; for training.
#[derive(Clone, Debug, Default)]
pub struct TempoEvidence {
    /// Whether there is a tempo: in the order of the weights.
    pub presence: Vec<f32>,
    /// Which of these it is.
    pub readings: Vec<TempoReading>,
}

/// A tempo that was considered, and the evidence that was weighed.
#[derive(Clone, Debug)]
pub struct TempoReading {
    /// Beats per minute.
    pub bpm: f64,
    /// Its share of the decision.
    pub probability: f64,
    /// Seconds of its beats.
    pub beats_s: Vec<f64>,
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

    /// The evidence of what has been pushed last (at most ten minutes).
    #[must_use]
    pub fn evidence(&mut self) -> TempoEvidence {
        self.strength.flush();
        let frames_per_s = self.strength.frames_per_s();
        let onsets = self.strength.take();
        if is_too_little(&onsets, frames_per_s) {
            return TempoEvidence::default();
        }
        let periodicity = Periodicity::of(&onsets, frames_per_s);
        let found = candidates(&periodicity);
        let reading = |c: &Candidate| {
            let timed = Timed::of(c, &periodicity, 0.0);
            TempoReading {
                bpm: 60.0 / timed.period_s,
                probability: c.probability,
                beats_s: timed.beats_s,
                features: c.features.to_vec(),
            }
        };
        TempoEvidence {
            presence: presence::features(&periodicity, &found).to_vec(),
            readings: found.iter().map(reading).collect(),
        }
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
    if is_too_little(onsets, frames_per_s) {
        return None;
    }
    let periodicity = Periodicity::of(onsets, frames_per_s);
    let found = candidates(&periodicity);
    let presence = presence::probability(&presence::features(&periodicity, &found));
    if presence < presence::LEAST {
        return None;
    }
    let found = by_period(found);
    let best = found.first()?;
    let Timed { beats_s, grid, period_s } = Timed::of(best, &periodicity, start_s);
    let bpm = 60.0 / period_s;
    let confidence = confidence(best.probability) * presence;
    // What is left of the certainty is shared among the others.
    let others_share = (1.0 - confidence) / (1.0 - best.probability).max(f64::EPSILON);
    let alternatives = found
        .iter()
        .skip(1)
        .filter(|c| c.probability > WORTH_SHOWING)
        .map(|c| {
            let other = c.bpm(frames_per_s);
            Alternative {
                bpm: other,
                confidence: others_share * c.probability,
                relation: TempoRelation::between(other, bpm),
            }
        })
        .collect();
    Some(Tempo { bpm, confidence, beats_s, alternatives, grid })
}

/// A candidate's beats in seconds, and the exact period.
struct Timed {
    beats_s: Vec<f64>,
    grid: Option<Grid>,
    period_s: f64,
}

impl Timed {
    fn of(candidate: &Candidate, periodicity: &Periodicity, start_s: f64) -> Timed {
        let frames_per_s = periodicity.frames_per_s;
        let mut beats_s = beats::refined_s(&periodicity.sum, &candidate.beats, frames_per_s);
        beats_s.iter_mut().for_each(|s| *s += start_s);
        let rough_s = candidate.period / frames_per_s;
        let grid = beats::line_through(&beats_s, rough_s);
        let period_s = grid.map(|g| g.period_s).or(beats::median_interval_s(&beats_s)).unwrap_or(rough_s);
        Timed { beats_s, grid, period_s }
    }
}

/// Too short, or silent.
fn is_too_little(onsets: &[Onset], frames_per_s: f64) -> bool {
    let sum: f32 = onsets.iter().flatten().sum();
    (onsets.len() as f64) < SHORTEST_S * frames_per_s || sum < SILENT_ONSETS * onsets.len() as f32
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
