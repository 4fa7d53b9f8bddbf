//! Our own tempo engine: onset strength, periodicity, beats for each candidate, octave decision, grid.

use super::levels::Levels;
use super::octave::{Candidate, by_period, candidates, confidence};
use super::onset::{Onset, OnsetStrength};
use super::periodicity::Periodicity;
use super::{
    Alternative, Grid, Metre, Tempo, TempoEngine, TempoRelation, TempoSection, beats, metre, presence,
    sections,
};

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
    /// Which bar the beats of the likeliest have.
    pub bars: Vec<MetreEvidence>,
}

/// A bar that was considered, and the evidence that was weighed.
#[derive(Clone, Debug)]
pub struct MetreEvidence {
    /// Tapped beats in a bar; two are a 6/8.
    pub beats_per_bar: usize,
    /// Seconds from the start to the first beat that begins a bar.
    pub first_downbeat_s: f64,
    /// What was weighed, in the order of the weights.
    pub features: Vec<f32>,
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
        let (onsets, levels) = (self.strength.take(), self.strength.take_levels());
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
        let presence = presence::features(&periodicity, &found).to_vec();
        let readings = found.iter().map(reading).collect();
        let best = by_period(found).into_iter().next();
        let bars = best.map(|best| {
            let timed = Timed::of(&best, &periodicity, 0.0);
            metre::evidence(&metre::readings(&periodicity, &levels, &best.beats, best.period), &timed.beats_s)
        });
        TempoEvidence { presence, readings, bars: bars.unwrap_or_default() }
    }

    fn close_part(&mut self) {
        let (onsets, levels) = (self.strength.take(), self.strength.take_levels());
        let frames_per_s = self.strength.frames_per_s();
        let start_s = self.taken_frames as f64 / frames_per_s;
        self.taken_frames += onsets.len();
        if let Some(tempo) = tempo_of(&onsets, &levels, frames_per_s, start_s) {
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

fn tempo_of(onsets: &[Onset], levels: &Levels, frames_per_s: f64, start_s: f64) -> Option<Tempo> {
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
    let bars = metre::readings(&periodicity, levels, &best.beats, best.period);
    let (metre, downbeats) = metre::decide(&bars, beats_s.len(), bpm).unzip();
    let downbeats = downbeats.unwrap_or_default();
    let sections = if grid.is_some() { Vec::new() } else { sections::of(&beats_s, period_s) };
    Some(Tempo { bpm, confidence, beats_s, alternatives, grid, sections, metre, downbeats })
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
    let single = parts.len() == 1;
    let beats_s = parts.iter().flat_map(|p| p.tempo.beats_s.iter().copied()).collect();
    let downbeats = all_downbeats(&parts, parts.get(leader)?.tempo.metre);
    let sections = sections::joined(parts.iter().flat_map(sections_of));
    let mut tempo = parts.into_iter().nth(leader)?.tempo;
    tempo.beats_s = beats_s;
    tempo.downbeats = downbeats;
    if !single {
        // A line through one part is none through all of them.
        tempo.grid = None;
        tempo.sections = sections;
        tempo.confidence *= near_s / total_s.max(near_s);
    }
    Some(tempo)
}

/// The stretches of a part; one, where its tempo holds.
fn sections_of(part: &Part) -> Vec<TempoSection> {
    let Tempo { sections, beats_s, bpm, .. } = &part.tempo;
    match beats_s.first() {
        Some(start_s) if sections.is_empty() => vec![TempoSection { start_s: *start_s, bpm: *bpm }],
        _ => sections.clone(),
    }
}

/// Downbeats of all parts that have the metre of the whole, numbered through.
fn all_downbeats(parts: &[Part], metre: Option<Metre>) -> Vec<u32> {
    let bar = |metre: Option<Metre>| metre.map(|m| (m.count, m.unit));
    let mut beats_before = 0;
    let mut downbeats = Vec::new();
    for Part { tempo, .. } in parts {
        if bar(tempo.metre) == bar(metre) {
            downbeats.extend(tempo.downbeats.iter().map(|i| beats_before + i));
        }
        beats_before += tempo.beats_s.len() as u32;
    }
    downbeats
}
