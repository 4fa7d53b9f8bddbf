//! A few words that one thread publishes and another reads whole, without a lock on either side (a sequence lock over
//! atomics). One writer at a time; the reader never waits and keeps its last value when it met a write.

use std::sync::atomic::{AtomicU64, Ordering, fence};

pub(crate) struct Published<const N: usize> {
    version: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Published<N> {
    pub(crate) fn new() -> Self {
        Self { version: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Callers see to it that only one thread stores at a time.
    pub(crate) fn store(&self, words: [u64; N]) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        for (slot, word) in self.words.iter().zip(words) {
            slot.store(word, Ordering::Relaxed);
        }
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    /// Like [`load`](Self::load), but waits for a write to be over: not for the audio thread. `None` before the first
    /// store.
    pub(crate) fn read(&self) -> Option<[u64; N]> {
        while self.version.load(Ordering::Acquire) != 0 {
            if let Some(words) = self.load() {
                return Some(words);
            }
            std::thread::yield_now();
        }
        None
    }

    /// `None` before the first store, and when a write came between four times over.
    pub(crate) fn load(&self) -> Option<[u64; N]> {
        for _ in 0..4 {
            let before = self.version.load(Ordering::Acquire);
            if before == 0 {
                return None;
            }
            let words = std::array::from_fn(|i| self.words[i].load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before {
                return Some(words);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_reader_never_sees_half_of_a_write() {
        let shared = Arc::new(Published::<4>::new());
        assert_eq!(shared.load(), None);
        let writer = shared.clone();
        let thread = std::thread::spawn(move || (1..200_000u64).for_each(|i| writer.store([i; 4])));
        let mut last = 0;
        while last < 199_999 {
            if let Some(words) = shared.load() {
                assert!(words.iter().all(|w| *w == words[0]), "{words:?}");
                assert!(words[0] >= last);
                last = words[0];
            }
        }
        thread.join().unwrap();
    }
}
