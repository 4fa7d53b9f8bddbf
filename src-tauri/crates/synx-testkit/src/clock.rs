//! A computer's clock in simulated time. True time is an argument everywhere; nothing here sleeps.

/// A clock that runs `skew_ppm` fast and stands `offset_us` ahead of true time.
#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    /// Parts per million faster than true time.
    pub skew_ppm: f64,
    /// Reading at true time zero, in microseconds.
    pub offset_us: f64,
}

impl SimClock {
    /// A clock with this rate error and reading at zero.
    #[must_use]
    pub const fn new(skew_ppm: f64, offset_us: f64) -> Self {
        Self { skew_ppm, offset_us }
    }

    /// What it shows at a true instant, in microseconds.
    #[must_use]
    pub fn read_us(&self, true_us: f64) -> f64 {
        self.offset_us + true_us * (1.0 + self.skew_ppm * 1e-6)
    }

    /// The true instant at which it shows `read_us`.
    #[must_use]
    pub fn true_us(&self, read_us: f64) -> f64 {
        (read_us - self.offset_us) / (1.0 + self.skew_ppm * 1e-6)
    }

    /// Changes the rate at a true instant without a step, as NTP slewing does.
    pub fn slew_to(&mut self, true_us: f64, skew_ppm: f64) {
        let now_us = self.read_us(true_us);
        self.skew_ppm = skew_ppm;
        self.offset_us = now_us - true_us * (1.0 + skew_ppm * 1e-6);
    }
}
