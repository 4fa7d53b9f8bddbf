//! A card that nobody hears, paced by the real clock: hosts without a device keep the same time as everyone else.

use std::time::Duration;

use super::{Card, CardFault, PREFILL_US, QUEUE_US, Queue};
use crate::monotonic::monotonic_exact_us;

const RATE_HZ: u32 = 48_000;

pub(crate) struct NullCard {
    started_us: f64,
    written: u64,
}

impl NullCard {
    pub(crate) fn new() -> Self {
        Self { started_us: 0.0, written: 0 }
    }
}

impl Card for NullCard {
    fn rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn start(&mut self) -> Result<(), CardFault> {
        self.started_us = monotonic_exact_us();
        self.written = u64::from(PREFILL_US) * u64::from(RATE_HZ) / 1_000_000;
        Ok(())
    }

    fn queue(&mut self) -> Result<Option<Queue>, CardFault> {
        let asked_us = monotonic_exact_us();
        let heard = (asked_us - self.started_us) * f64::from(RATE_HZ) * 1e-6;
        let delay_frames = self.written as f64 - heard;
        if delay_frames < 0.0 {
            return Err(CardFault::Xrun);
        }
        let capacity = 2.0 * f64::from(QUEUE_US) * f64::from(RATE_HZ) * 1e-6;
        let (writable, queued) = ((capacity - delay_frames).max(0.0) as usize, delay_frames as usize);
        Ok(Some(Queue { writable, queued, delay_frames, asked_us }))
    }

    fn write(&mut self, frames: &[[f32; 2]]) -> Result<(), CardFault> {
        self.written += frames.len() as u64;
        Ok(())
    }

    fn wait(&mut self, us: u32) {
        std::thread::sleep(Duration::from_micros(u64::from(us)));
    }
}
