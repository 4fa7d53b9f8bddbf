//! Chance that repeats: each part of a run draws from its own seed.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synx_testkit::Random;

/// A seeded source of chance. Clones draw from the same one.
#[derive(Clone)]
pub struct Dice(Arc<Mutex<Random>>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Random::new(seed))))
    }

    /// Another source, whose draws do not move this one's.
    pub fn fork(&self) -> Self {
        Self::new(self.0.lock().unwrap().bits())
    }

    pub fn below(&self, limit: usize) -> usize {
        (self.0.lock().unwrap().bits() % limit as u64) as usize
    }

    /// True once in so many times.
    pub fn once_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn delay(&self, range_us: &Range<u64>) -> Duration {
        let span = (range_us.end - range_us.start).max(1) as usize;
        Duration::from_micros(range_us.start + self.below(span) as u64)
    }

    /// A wait that is this long on average.
    pub fn about(&self, mean: Duration) -> Duration {
        mean.mul_f64(self.0.lock().unwrap().exponential(1.0).min(10.0))
    }
}
