//! How often something may happen.

use tokio::time::Instant;

/// A token bucket: so many at once, so many a second for long.
pub(crate) struct Bucket {
    left: f64,
    at: Instant,
    per_s: f64,
    burst: f64,
}

impl Bucket {
    pub fn full(per_s: f64, burst: f64) -> Self {
        Self { left: burst, at: Instant::now(), per_s, burst }
    }

    fn refill(&mut self) {
        let now = Instant::now();
        self.left = (self.left + now.duration_since(self.at).as_secs_f64() * self.per_s).min(self.burst);
        self.at = now;
    }

    /// Whether it could happen now.
    pub fn has_one(&mut self) -> bool {
        self.refill();
        self.left >= 1.0
    }

    /// Whether it has not happened lately.
    pub fn is_full(&mut self) -> bool {
        self.refill();
        self.left >= self.burst
    }

    /// Whether it may happen now; counted if so.
    pub fn take(&mut self) -> bool {
        let enough = self.has_one();
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}
