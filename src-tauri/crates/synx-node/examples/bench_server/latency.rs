//! Latencies, kept whole: a percentile is one that was measured.

use serde_json::{Value, json};
use std::time::Duration;

#[derive(Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// `{"p50": …, "p99": …, "max": …}` in milliseconds.
    pub fn ms(&mut self) -> Value {
        self.0.sort_unstable();
        let at = |share: f64| {
            let last = self.0.len().checked_sub(1)?;
            Some((self.0[(last as f64 * share) as usize].as_secs_f64() * 1e5).round() / 100.0)
        };
        json!({"p50": at(0.5), "p99": at(0.99), "max": at(1.0)})
    }
}
