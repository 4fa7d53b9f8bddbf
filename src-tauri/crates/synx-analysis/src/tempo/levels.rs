//! What sounds from beat to beat: band levels by the twentieth of a second, for telling where the harmony changes.
//!
//! It keeps no more than onset strength does and names no chord.

/// Frames of onset strength that are averaged to one.
const FRAMES: usize = 5;

/// Band levels over time, in two ranges: bass, and what carries chords.
#[derive(Default)]
pub(crate) struct Levels {
    /// Bands in all, and how many of them are bass.
    bands: usize,
    bass: usize,
    values: Vec<f32>,
    open: Vec<f32>,
    frames: usize,
}

impl Levels {
    pub(crate) fn new(bands: usize, bass: usize) -> Levels {
        Levels { bands, bass, values: Vec::new(), open: vec![0.0; bands], frames: 0 }
    }

    /// Takes the logarithmic levels of a frame.
    pub(crate) fn push(&mut self, levels: &[f32]) {
        self.open.iter_mut().zip(levels).for_each(|(sum, level)| *sum += level);
        self.frames += 1;
        if self.frames == FRAMES {
            self.values.append(&mut self.open);
            self.open = vec![0.0; self.bands];
            self.frames = 0;
        }
    }

    /// Hands out what was collected.
    pub(crate) fn take(&mut self) -> Levels {
        std::mem::replace(self, Levels::new(self.bands, self.bass))
    }

    /// How much the bass and the chords change at each beat (given in frames of onset strength): 0 for not at all.
    pub(crate) fn changes(&self, beats: &[usize]) -> [Vec<f32>; 2] {
        let between: Vec<Vec<f32>> = beats.windows(2).map(|pair| self.mean(pair[0], pair[1])).collect();
        let change = |from: usize, to: usize| {
            let mut changes = vec![0.0; beats.len()];
            for (i, pair) in between.windows(2).enumerate() {
                changes[i + 1] = 1.0 - likeness(&pair[0][from..to], &pair[1][from..to]);
            }
            changes
        };
        [change(0, self.bass), change(self.bass, self.bands)]
    }

    fn mean(&self, from_frame: usize, to_frame: usize) -> Vec<f32> {
        let (from, to) = (from_frame / FRAMES, (to_frame / FRAMES).max(from_frame / FRAMES + 1));
        let mut mean = vec![0.0; self.bands];
        for row in self.values.chunks_exact(self.bands.max(1)).take(to).skip(from) {
            mean.iter_mut().zip(row).for_each(|(sum, level)| *sum += level);
        }
        mean
    }
}

/// Correlation of two spectra; 1 where either is flat, as nothing changes there.
fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len().max(1) as f32;
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - ma, y - mb);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa * bb > 1e-9 { ab / (aa * bb).sqrt() } else { 1.0 }
}
