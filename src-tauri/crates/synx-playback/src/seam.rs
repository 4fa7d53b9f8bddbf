//! Where one track follows another without a gap, what leaves the engine must be as if they had been one.

use std::path::Path;
use std::sync::{Arc, Mutex};

use synx_clock::ClockEstimate;
use synx_media::MediaError;

use crate::feeder::Feeder;
use crate::output::pump::Pump;
use crate::renderer::Renderer;
use crate::shared::Shared;
use crate::simulated::Phasor;
use crate::{FrameSource, Plan, TrackHandle};

const RATE_HZ: i64 = 8_000;

/// A track that ends.
struct Piece {
    phasor: Phasor,
    frames: u64,
}

impl FrameSource for Piece {
    fn sample_rate_hz(&self) -> u32 {
        self.phasor.sample_rate_hz()
    }
    fn channels(&self) -> usize {
        2
    }
    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }
    fn read(&mut self, out: &mut [f32]) -> Result<usize, MediaError> {
        let left = self.frames.saturating_sub(self.phasor.0) as usize;
        let frames = left.min(out.len() / 2);
        self.phasor.read(&mut out[..2 * frames])
    }
    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.phasor.seek(frame)
    }
}

fn piece(frames: u64) -> TrackHandle {
    TrackHandle::from_opener(Path::new("piece"), move || Ok(Box::new(Piece { phasor: Phasor(0), frames })))
        .unwrap()
}

/// The amplitude of each frame while a first piece plays for a second and a second one follows, from a second after the
/// first began to a second after the seam; a phasor's amplitude is constant.
fn amplitudes(first_frames: u64, gapless: bool) -> Vec<f32> {
    let shared = Arc::new(Shared::new());
    let (producer, consumer) = rtrb::RingBuffer::new(64);
    let mut feeder = Feeder::new(shared.clone(), producer, Arc::new(Mutex::new(None)), || 0.0);
    let mut pump = Pump::new(shared.clone(), Renderer::new(shared.clone(), consumer));
    pump.attach(RATE_HZ as u32);
    shared.publish_clock(&ClockEstimate::identity());
    // Whole turns, so that the second piece carries on the phase of the first.
    let seam_us = 1_000_000 + 8 * 1024 * 1_000_000 / RATE_HZ;
    let plan = |revision, frames, at_us| Plan {
        track: Some(piece(frames)),
        playing: true,
        ..Plan::silence(revision, at_us)
    };
    feeder.apply(&plan(1, first_frames, 1_000_000));
    let mut heard = Vec::new();
    for turn in 0..300 {
        if turn == 150 {
            feeder.apply(&Plan { gapless, ..plan(2, 1 << 20, seam_us) });
        }
        feeder.turn();
        let now_us = f64::from(turn) * 10_000.0;
        pump.observe(now_us, 600.0);
        if now_us < 1_500_000.0 {
            pump.next(80);
        } else {
            heard.extend(pump.next(80).iter().map(|[sin, cos]| sin.hypot(*cos)));
        }
    }
    heard
}

fn worst(amplitudes: &[f32]) -> f32 {
    amplitudes.iter().fold(0.0, |worst, a| worst.max((a / 0.5 - 1.0).abs()))
}

#[test]
fn a_seam_without_a_gap_is_not_heard() {
    let heard = amplitudes(8 * 1024, true);
    assert!(worst(&heard) < 1e-4, "{}", worst(&heard));
    // With a fade it is, a little: the measure sees it.
    assert!(worst(&amplitudes(8 * 1024, false)) > 1e-2);
}

#[test]
fn a_track_that_is_longer_than_was_said_does_not_sound_on_over_the_next() {
    let heard = amplitudes(1 << 20, true);
    let after = &heard[heard.len() - 4_000..];
    assert!(worst(after) < 1e-4, "{}", worst(after));
}
