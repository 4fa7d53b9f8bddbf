//! A stretch of decoded stereo, shared between the feeder that writes it and the audio thread that reads it at any
//! position inside. Random access by frame number is what makes starts and seeks sample-exact: no state of a resampler
//! or FIFO stands between a position and its samples.
//!
//! Invariant: the writer overwrites only what lies before `wanted`, the oldest frame the reader may still need, unless
//! the reader has left the window altogether. Samples are atomics, so a breach would be a glitch, never undefined.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Frames held: 2.7 s at 48 kHz, 1 MiB. Enough to ride out a slow disk or a stop of two seconds.
pub(crate) const CAPACITY: u64 = 1 << 17;
/// Frames kept behind the reader, for a correction backwards.
pub(crate) const HISTORY: u64 = 4096;
const UNKNOWN: u64 = u64::MAX;

pub(crate) struct Window {
    /// Left and right of each frame, as bits.
    samples: Box<[[AtomicU32; 2]]>,
    begin: AtomicU64,
    end: AtomicU64,
    /// One past the last frame there will ever be.
    last: AtomicU64,
    wanted: AtomicU64,
    gain: AtomicU32,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self {
            // Zeroed by the system when it is first touched: windows that wait for a track take no memory.
            samples: bytemuck::zeroed_slice_box(CAPACITY as usize),
            begin: AtomicU64::new(0),
            end: AtomicU64::new(0),
            last: AtomicU64::new(UNKNOWN),
            wanted: AtomicU64::new(0),
            gain: AtomicU32::new(1.0f32.to_bits()),
        }
    }

    // The writer's side.

    /// Empties it; the next frame written is `frame`.
    pub(crate) fn restart(&self, frame: u64) {
        self.begin.store(frame, Ordering::Relaxed);
        self.end.store(frame, Ordering::Relaxed);
        self.last.store(UNKNOWN, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(crate) fn set_wanted(&self, frame: u64) {
        self.wanted.store(frame, Ordering::Release);
    }

    pub(crate) fn wanted(&self) -> u64 {
        self.wanted.load(Ordering::Acquire)
    }

    pub(crate) fn begin(&self) -> u64 {
        self.begin.load(Ordering::Acquire)
    }

    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// How many frames may be appended now.
    pub(crate) fn room(&self) -> u64 {
        let oldest = self.wanted().saturating_sub(HISTORY).min(self.end());
        CAPACITY.saturating_sub(self.end() - oldest.max(self.begin()))
    }

    /// Appends interleaved stereo; at most [`room`](Self::room) frames.
    pub(crate) fn append(&self, stereo: &[[f32; 2]]) {
        let end = self.end.load(Ordering::Relaxed);
        let new_end = end + stereo.len() as u64;
        let begin = self.begin.load(Ordering::Relaxed).max(new_end.saturating_sub(CAPACITY));
        self.begin.store(begin, Ordering::Relaxed);
        fence(Ordering::Release);
        for (frame, [left, right]) in (end..).zip(stereo) {
            let slot = &self.samples[(frame % CAPACITY) as usize];
            slot[0].store(left.to_bits(), Ordering::Relaxed);
            slot[1].store(right.to_bits(), Ordering::Relaxed);
        }
        self.end.store(new_end, Ordering::Release);
    }

    /// The track ends with what has been written.
    pub(crate) fn finish(&self) {
        self.last.store(self.end.load(Ordering::Relaxed), Ordering::Release);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.last.load(Ordering::Acquire) != UNKNOWN
    }

    pub(crate) fn set_gain(&self, gain: f32) {
        self.gain.store(gain.to_bits(), Ordering::Relaxed);
    }

    // The reader's side.

    pub(crate) fn gain(&self) -> f32 {
        f32::from_bits(self.gain.load(Ordering::Relaxed))
    }

    /// One past the last frame of the track, once known.
    pub(crate) fn last(&self) -> Option<u64> {
        match self.last.load(Ordering::Acquire) {
            UNKNOWN => None,
            last => Some(last),
        }
    }

    /// Copies frames from `first` on into two planes of equal length. Before frame 0 and behind the end of the track is
    /// silence. False, with the planes undefined, when some of them are not there (yet).
    pub(crate) fn read(&self, first: i64, left: &mut [f32], right: &mut [f32]) -> bool {
        let (end, last) = (self.end(), self.last.load(Ordering::Acquire));
        let stop = first.saturating_add(left.len() as i64);
        let needed_first = u64::try_from(first).unwrap_or(0);
        let needed_stop = u64::try_from(stop).unwrap_or(0).min(last);
        let nothing_needed = needed_first >= needed_stop;
        if !nothing_needed && (needed_first < self.begin() || needed_stop > end) {
            return false;
        }
        for ((frame, l), r) in (first..).zip(left.iter_mut()).zip(right.iter_mut()) {
            let inside = frame >= 0 && (frame as u64) < needed_stop;
            let slot = &self.samples[(frame.max(0) as u64 % CAPACITY) as usize];
            *l = if inside { f32::from_bits(slot[0].load(Ordering::Relaxed)) } else { 0.0 };
            *r = if inside { f32::from_bits(slot[1].load(Ordering::Relaxed)) } else { 0.0 };
        }
        fence(Ordering::Acquire);
        nothing_needed || self.begin.load(Ordering::Relaxed) <= needed_first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(from: u64, n: u64) -> Vec<[f32; 2]> {
        (from..from + n).map(|i| [i as f32, -(i as f32)]).collect()
    }

    #[test]
    fn frames_are_found_by_number_and_silence_surrounds_the_track() {
        let w = Window::new();
        w.append(&ramp(0, 100));
        let (mut l, mut r) = ([9.0; 6], [9.0; 6]);
        assert!(w.read(-3, &mut l, &mut r));
        assert_eq!(l, [0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
        assert_eq!(r[5], -2.0);
        assert!(!w.read(97, &mut l, &mut r), "frames beyond the end are not there yet");
        w.finish();
        assert!(w.read(97, &mut l, &mut r));
        assert_eq!(l, [97.0, 98.0, 99.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_the_reader_still_wants_is_never_overwritten() {
        let w = Window::new();
        w.restart(1_000);
        w.set_wanted(1_000 + 2 * HISTORY);
        let mut at = 1_000;
        while w.room() > 0 {
            let n = w.room().min(777);
            w.append(&ramp(at, n));
            at += n;
        }
        assert_eq!(w.begin(), 1_000 + HISTORY);
        let (mut l, mut r) = ([0.0; 4], [0.0; 4]);
        assert!(w.read(w.wanted() as i64, &mut l, &mut r));
        assert_eq!(l[0], w.wanted() as f32);
        assert!(!w.read(1_000, &mut l, &mut r), "what lies before it is gone");
    }
}
