//! What happens on the beats of a candidate tempo, between them and from one to the next: the evidence for it.
//!
//! It must describe, never decide: nothing here may be zeroed or capped because a tempo seems unlikely.

use super::onset::GROUPS;
use super::periodicity::Periodicity;

/// Number of things that are weighed.
pub(crate) const FEATURES: usize = 76;
/// A tempo in the middle of what people tap (van Noorden and Moelants, "Resonance in the perception of musical pulse",
/// 1999): the tempo features are octaves from here.
const MIDDLE_BPM: f64 = 120.0;
/// Onset strength in standard deviations above which something is heard to start.
const HEARD: f32 = 1.0;
/// Single strokes count no more than this many standard deviations.
const LOUDEST: f32 = 6.0;
/// Multiples of the period at which recurrence is looked up, from the sixteenth to the double bar.
const MULTIPLES: [f64; 12] = [0.25, 1.0 / 3.0, 0.5, 2.0 / 3.0, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];
/// The same for each group alone.
const GROUP_MULTIPLES: [f64; 4] = [0.5, 1.0, 2.0, 4.0];

/// Onsets a second in each group, and in their sum.
pub(crate) fn densities(p: &Periodicity) -> [f64; GROUPS + 1] {
    let seconds = p.sum.len().max(1) as f64 / p.frames_per_s;
    std::array::from_fn(|g| peaks(p.groups.get(g).unwrap_or(&p.sum)) as f64 / seconds)
}

/// Local maxima that stand out.
fn peaks(s: &[f32]) -> usize {
    (2..s.len().saturating_sub(2))
        .filter(|&i| {
            s[i] > HEARD && s[i] >= s[i - 1] && s[i] > s[i + 1] && s[i] >= s[i - 2] && s[i] > s[i + 2]
        })
        .count()
}

/// Mean strength and share of strokes heard, at a phase of every `stride`-th beat.
#[derive(Clone, Copy, Default)]
struct Strokes {
    mean: f32,
    heard: f32,
}

struct Sampler<'a> {
    periodicity: &'a Periodicity,
    beats: &'a [usize],
}

impl Sampler<'_> {
    fn at(&self, group: usize, phase: f64, start: usize, stride: usize) -> Strokes {
        let strength = &self.periodicity.groups[group];
        let (mut sum, mut heard, mut n) = (0.0, 0.0, 0.0);
        for pair in self.beats.windows(2).skip(start).step_by(stride) {
            let at = (pair[0] as f64 + phase * (pair[1] - pair[0]) as f64).round() as usize;
            let end = (at + 3).min(strength.len());
            let around = &strength[at.saturating_sub(2).min(end)..end];
            let highest = around.iter().copied().fold(f32::MIN, f32::max).clamp(-LOUDEST, LOUDEST);
            sum += highest;
            heard += if highest > HEARD { 1.0 } else { 0.0 };
            n += 1.0;
        }
        if n > 0.0 { Strokes { mean: sum / n, heard: heard / n } } else { Strokes::default() }
    }

    fn all(&self, phase: f64) -> [Strokes; GROUPS] {
        std::array::from_fn(|g| self.at(g, phase, 0, 1))
    }

    /// How much the places of a bar of `beats` differ in a group: standard deviation of their mean strengths.
    fn bar_contrast(&self, group: usize, beats: usize) -> f32 {
        let places: Vec<f32> = (0..beats).map(|start| self.at(group, 0.0, start, beats).mean).collect();
        let mean = places.iter().sum::<f32>() / beats as f32;
        (places.iter().map(|p| (p - mean).powi(2)).sum::<f32>() / beats as f32).sqrt()
    }
}

/// All that is weighed for beats about `period` frames apart.
pub(crate) fn features(
    p: &Periodicity,
    period: f64,
    beats: &[usize],
    densities: &[f64; GROUPS + 1],
) -> [f32; FEATURES] {
    let mut f = Vec::with_capacity(FEATURES);
    tempo(p, period, &mut f);
    f.extend(MULTIPLES.map(|k| p.at(k * period)));
    for group in 0..GROUPS {
        f.extend(GROUP_MULTIPLES.map(|k| p.group_at(group, k * period)));
    }
    let sampler = Sampler { periodicity: p, beats };
    strokes(&sampler, &mut f);
    bars(&sampler, &mut f);
    for density in densities {
        let per_beat = (density * period / p.frames_per_s).max(0.1).log2() as f32;
        f.extend([per_beat, per_beat * per_beat]);
    }
    // Lively music is felt faster.
    f.push(f[0] * p.log_flux);
    debug_assert_eq!(f.len(), FEATURES, "a weight for each");
    let mut out = [0.0; FEATURES];
    out.iter_mut().zip(f).for_each(|(to, from)| *to = from);
    out
}

/// How usual the tempo is.
fn tempo(p: &Periodicity, period: f64, f: &mut Vec<f32>) {
    let octaves = (60.0 * p.frames_per_s / period / MIDDLE_BPM).log2() as f32;
    f.extend([octaves, octaves * octaves, (octaves - 0.4).max(0.0), (-octaves - 0.4).max(0.0)]);
}

/// On the beats, halfway between them, at the quarters and at the thirds.
fn strokes(sampler: &Sampler, f: &mut Vec<f32>) {
    let (on, off) = (sampler.all(0.0), sampler.all(0.5));
    let (early, late) = (sampler.all(0.25), sampler.all(0.75));
    let thirds: f32 = [1.0 / 3.0, 2.0 / 3.0].iter().flat_map(|t| sampler.all(*t)).map(|s| s.mean).sum();
    f.extend(on.map(|s| s.mean));
    f.extend(off.map(|s| s.mean));
    f.extend((0..GROUPS).map(|g| 0.5 * (early[g].mean + late[g].mean)));
    f.push(thirds / (2 * GROUPS) as f32);
    f.extend(on.map(|s| s.heard));
    f.extend(off.map(|s| s.heard));
    let sum = |of: &[Strokes; GROUPS]| of.iter().map(|s| s.mean).sum::<f32>();
    f.extend([(sum(&on) - sum(&off)) / GROUPS as f32, (sum(&off) / sum(&on).max(0.5)).clamp(-2.0, 2.0)]);
}

/// From beat to beat: a back beat alternates bass and snare; at twice the tempo the alternation is beat and rest.
fn bars(sampler: &Sampler, f: &mut Vec<f32>) {
    let alternation: [f32; GROUPS] =
        std::array::from_fn(|g| sampler.at(g, 0.0, 0, 2).mean - sampler.at(g, 0.0, 1, 2).mean);
    f.extend(alternation.map(f32::abs));
    f.push((-alternation[0] * alternation[2]).clamp(-4.0, 4.0));
    f.extend((0..GROUPS).map(|g| sampler.bar_contrast(g, 4)));
    f.push((0..GROUPS).map(|g| sampler.bar_contrast(g, 3)).sum());
}
