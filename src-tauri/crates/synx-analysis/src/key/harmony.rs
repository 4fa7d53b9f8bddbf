//! Which triads sound and which follow which: cadences tell the tonic where the notes alone do not.
//!
//! Every frame is named after the triad that fits best; memory must stay the same whatever the length, so only counts are
//! kept. It names no key itself.

/// Major triads on C to B, then minor ones.
const CHORDS: usize = 24;
/// Semitones of the third.
const THIRDS: [usize; 2] = [4, 3];
/// Share of the old in the smoothed pitch classes: about half a second at the hop of the chroma.
const INERTIA: f32 = 0.6;
/// How far the notes of the triad must stand out of the others, as a share of all.
const CLARITY: f32 = 0.15;
/// Number of things told about a key.
pub(crate) const FEATURES: usize = 14;

/// Counts of triads, of their successions and of bass notes.
#[derive(Clone)]
pub(crate) struct Harmony {
    smooth: [f32; 12],
    smooth_bass: [f32; 12],
    last: Option<usize>,
    frames: [f32; CHORDS],
    moves: [[f32; CHORDS]; CHORDS],
    bass: [f32; 12],
}

impl Harmony {
    pub(crate) const EMPTY: Harmony = Harmony {
        smooth: [0.0; 12],
        smooth_bass: [0.0; 12],
        last: None,
        frames: [0.0; CHORDS],
        moves: [[0.0; CHORDS]; CHORDS],
        bass: [0.0; 12],
    };

    /// Takes the pitch classes of a frame and of its bass.
    pub(crate) fn take(&mut self, classes: &[f32; 12], bass: &[f32; 12]) {
        blend(&mut self.smooth, classes);
        blend(&mut self.smooth_bass, bass);
        if let Some(lowest) = loudest(&self.smooth_bass) {
            self.bass[lowest] += 1.0;
        }
        let Some(chord) = triad(&self.smooth) else { return };
        self.frames[chord] += 1.0;
        if let Some(last) = self.last.filter(|last| *last != chord) {
            self.moves[last][chord] += 1.0;
        }
        self.last = Some(chord);
    }

    /// What it tells about a key: shares of its triads, of cadences among all moves, and of its bass notes.
    pub(crate) fn features(&self, tonic: usize, minor: bool) -> [f32; FEATURES] {
        let total = self.frames.iter().sum::<f32>().max(1.0);
        let moves = self.moves.iter().flatten().sum::<f32>().max(1.0);
        let basses = self.bass.iter().sum::<f32>().max(1.0);
        let chord = |degree: usize, minor: bool| (tonic + degree) % 12 + if minor { 12 } else { 0 };
        let share = |degree: usize, minor: bool| self.frames[chord(degree, minor)] / total;
        let home = chord(0, minor);
        let arrivals = |degree: usize, minor: bool| self.moves[chord(degree, minor)][home] / moves;
        let relative = if minor { share(3, false) } else { share(9, true) };
        let second = if minor { share(10, false) } else { share(2, true) };
        let third = if minor { share(8, false) } else { share(4, true) };
        [
            share(0, minor),
            share(0, !minor),
            share(7, false),
            share(7, true),
            share(5, false),
            share(5, true),
            relative,
            second,
            third,
            arrivals(7, false),
            arrivals(7, true),
            arrivals(5, minor),
            self.bass[tonic] / basses,
            self.bass[(tonic + 7) % 12] / basses,
        ]
    }
}

fn blend(smooth: &mut [f32; 12], new: &[f32; 12]) {
    let total: f32 = new.iter().sum::<f32>().max(1e-9);
    smooth.iter_mut().zip(new).for_each(|(s, n)| *s = INERTIA * *s + (1.0 - INERTIA) * n / total);
}

fn loudest(classes: &[f32; 12]) -> Option<usize> {
    let best = (0..12).max_by(|a, b| classes[*a].total_cmp(&classes[*b]))?;
    (classes[best] > 0.0).then_some(best)
}

/// The triad whose notes stand out most; `None` where none does.
fn triad(classes: &[f32; 12]) -> Option<usize> {
    let total: f32 = classes.iter().sum();
    let fit = |chord: usize| {
        let notes = [0, THIRDS[chord / 12], 7].map(|n| classes[(chord + n) % 12]);
        // The weakest note counts twice: two notes are no triad.
        notes.iter().sum::<f32>() + notes.iter().copied().fold(f32::MAX, f32::min)
    };
    let best = (0..CHORDS).max_by(|a, b| fit(*a).total_cmp(&fit(*b)))?;
    (total > 0.0 && fit(best) > (0.25 + CLARITY) * total).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(notes: [usize; 3]) -> [f32; 12] {
        let mut classes = [0.02; 12];
        notes.iter().for_each(|n| classes[*n] = 1.0);
        classes
    }

    #[test]
    fn a_cadence_is_counted_for_its_tonic() {
        let mut harmony = Harmony::EMPTY;
        for chord in [[0, 4, 7], [7, 11, 2], [0, 4, 7], [5, 9, 0], [7, 11, 2], [0, 4, 7]] {
            (0..8).for_each(|_| harmony.take(&classes(chord), &classes([chord[0]; 3])));
        }
        let (c, g) = (harmony.features(0, false), harmony.features(7, false));
        assert!(c[0] > 0.4 && c[9] > 0.3 && c[12] > 0.4, "{c:?}");
        assert!(c[9] > g[9] && c[12] > g[12], "{c:?} {g:?}");
    }

    #[test]
    fn a_cluster_is_no_triad() {
        assert_eq!(triad(&[1.0; 12]), None);
        assert_eq!(triad(&classes([9, 0, 4])), Some(21));
    }
}
