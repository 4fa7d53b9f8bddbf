//! A peer in simulated time: its clock, its card, its path to the host. Filter, servo, feeder, renderer and pump are the
//! real ones; what a frame sounds like tells its position, so the whole chain is measured by what leaves the card.

use std::f64::consts::TAU;
use std::path::Path;
use std::sync::{Arc, Mutex};

use synx_clock::{ClockFilter, Probe, ProbeSchedule, Verdict};
use synx_media::MediaError;
use synx_testkit::{Link, Random, SimClock};

use crate::feeder::Feeder;
use crate::output::pump::Pump;
use crate::output::{Card, CardFault, PREFILL_US, Queue};
use crate::renderer::Renderer;
use crate::shared::{Shared, Snapshot};
use crate::{FrameSource, Plan, TrackHandle};

pub(super) const RATE_HZ: u32 = 8_000;
/// Frames after which the test track repeats: positions are known modulo this.
const TURN: f64 = 1024.0;

/// A rotating phasor: left is its sine, right its cosine, one turn in [`TURN`] frames.
pub(crate) struct Phasor(pub u64);

impl FrameSource for Phasor {
    fn sample_rate_hz(&self) -> u32 {
        RATE_HZ
    }
    fn channels(&self) -> usize {
        2
    }
    fn frames(&self) -> Option<u64> {
        None
    }
    fn read(&mut self, out: &mut [f32]) -> Result<usize, MediaError> {
        for frame in out.chunks_exact_mut(2) {
            let (sin, cos) = (TAU * (self.0 % TURN as u64) as f64 / TURN).sin_cos();
            frame.copy_from_slice(&[0.5 * sin as f32, 0.5 * cos as f32]);
            self.0 += 1;
        }
        Ok(out.len() / 2)
    }
    fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        self.0 = frame;
        Ok(())
    }
}

pub(crate) fn track() -> TrackHandle {
    TrackHandle::from_opener(Path::new("phasor"), || Ok(Box::new(Phasor(0)))).unwrap()
}

/// What left the card: true instant and, where it was loud enough to tell, the position within a turn.
pub(super) struct Heard {
    pub true_us: f64,
    pub phase_frames: Option<f64>,
}

pub(super) struct SimCard {
    pub true_us: f64,
    pub local: SimClock,
    /// Frames per true microsecond.
    rate: f64,
    /// The position is only moved every so often.
    pub granularity_us: f64,
    /// What comes behind the queue, as with Bluetooth, and is in the delay that the card tells.
    pub behind_us: f64,
    /// How late the thread wakes up, on average.
    pub wakes_late_us: f64,
    /// The machine stands still from one true instant for a time.
    pub stalls: Vec<(f64, f64)>,
    started_us: f64,
    written: u64,
    random: Random,
    pub heard: Vec<Heard>,
}

impl SimCard {
    fn position(&self) -> f64 {
        let mut elapsed = self.true_us - self.started_us;
        if self.granularity_us > 0.0 {
            elapsed -= elapsed % self.granularity_us;
        }
        (elapsed * self.rate).floor()
    }
}

impl Card for SimCard {
    fn rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn start(&mut self) -> Result<(), CardFault> {
        self.started_us = self.true_us;
        self.written = u64::from(PREFILL_US) * u64::from(RATE_HZ) / 1_000_000;
        Ok(())
    }

    fn queue(&mut self) -> Result<Option<Queue>, CardFault> {
        if (self.true_us - self.started_us) * self.rate > self.written as f64 {
            return Err(CardFault::Xrun);
        }
        let delay_frames = self.written as f64 - self.position();
        self.true_us += self.random.exponential(2.0);
        let (queued, asked_us) = (delay_frames.max(0.0) as usize, self.local.read_us(self.true_us));
        let delay_frames = delay_frames + self.behind_us * self.rate;
        Ok(Some(Queue { writable: 4096, queued, delay_frames, asked_us }))
    }

    fn write(&mut self, frames: &[[f32; 2]]) -> Result<(), CardFault> {
        let Some([sin, cos]) = frames.first().map(|f| f.map(f64::from)) else { return Ok(()) };
        let phase = (sin.hypot(cos) > 0.45).then(|| sin.atan2(cos).rem_euclid(TAU) / TAU * TURN);
        let true_us = self.started_us + self.written as f64 / self.rate + self.behind_us;
        self.heard.push(Heard { true_us, phase_frames: phase });
        self.written += frames.len() as u64;
        Ok(())
    }

    fn wait(&mut self, us: u32) {
        self.true_us += f64::from(us) + self.random.exponential(self.wakes_late_us);
        if let Some(&(at, length)) = self.stalls.first()
            && self.true_us >= at
        {
            self.true_us = at + length;
            self.stalls.remove(0);
        }
    }
}

pub(super) struct World {
    pub shared: Arc<Shared>,
    pub card: SimCard,
    pub host: SimClock,
    pub feeder: Feeder,
    pump: Pump,
    link: Link,
    filter: ClockFilter,
    schedule: ProbeSchedule,
    answers: Vec<(f64, Probe)>,
    /// Whether what is to be played is decoded.
    pub fed: bool,
    /// Largest rate correction seen.
    pub most_ppm: f64,
}

impl World {
    pub(super) fn new(card_ppm: f64, local: SimClock, host: SimClock, link: Link, seed: u64) -> Self {
        let shared = Arc::new(Shared::new());
        let (producer, consumer) = rtrb::RingBuffer::new(64);
        // The feeder then starts at the anchor and is led on by the audio thread's wishes.
        let feeder = Feeder::new(shared.clone(), producer, Arc::new(Mutex::new(None)), || -1e15);
        let mut pump = Pump::new(shared.clone(), Renderer::new(shared.clone(), consumer));
        let mut card = SimCard {
            true_us: 0.0,
            local,
            rate: f64::from(RATE_HZ) * (1.0 + card_ppm * 1e-6) * 1e-6,
            granularity_us: 0.0,
            behind_us: 0.0,
            wakes_late_us: 80.0,
            stalls: Vec::new(),
            started_us: 0.0,
            written: 0,
            random: Random::new(seed),
            heard: Vec::new(),
        };
        pump.attach(RATE_HZ);
        card.start().unwrap();
        let schedule = ProbeSchedule::new(local.read_us(0.0) as i64);
        let filter = ClockFilter::new();
        let answers = Vec::new();
        Self { shared, card, host, feeder, pump, link, filter, schedule, answers, fed: true, most_ppm: 0.0 }
    }

    /// Lets true time pass until `seconds`.
    pub(super) fn run_until(&mut self, seconds: f64) {
        while self.card.true_us < seconds * 1e6 {
            self.pump.turn(&mut self.card).unwrap();
            if self.fed {
                self.feeder.turn();
            }
            self.probe();
            self.most_ppm = self.most_ppm.max(self.snapshot().ratio_ppm.abs());
        }
    }

    fn probe(&mut self) {
        let (now_us, local) = (self.card.true_us, self.card.local);
        if self.answers.is_empty() && local.read_us(now_us) as i64 >= self.schedule.next_us() {
            self.answers.extend(self.link.probe(now_us, &local, &self.host).map(|(p, at)| (at, p)));
            self.schedule.on_sent(local.read_us(now_us) as i64, self.filter.estimate().as_ref());
        }
        while self.answers.first().is_some_and(|a| a.0 <= now_us) {
            let (_, probe) = self.answers.remove(0);
            if self.filter.add(probe) == Verdict::Jumped {
                self.schedule.restart(local.read_us(now_us) as i64);
            }
            if let Some(estimate) = self.filter.estimate() {
                self.shared.publish_clock(&estimate);
            }
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.shared.snapshot.read().map_or(Snapshot::IDLE, Snapshot::from_words)
    }

    /// A plan that plays the track from its beginning at a room time.
    pub(super) fn play(&mut self, revision: u64, track: &TrackHandle, at_room_us: f64, position_us: i64) {
        self.feeder.apply(&Plan {
            track: Some(track.clone()),
            playing: true,
            anchor_position_us: position_us,
            ..Plan::silence(revision, at_room_us as i64)
        });
    }

    /// Lateness in microseconds of all that was heard after `from_s`, for a track that began at `at_room_us`.
    pub(super) fn errors_us(&self, from_s: f64, at_room_us: f64) -> Vec<(f64, f64)> {
        let after = self.card.heard.iter().filter(|h| h.true_us > from_s * 1e6);
        after
            .filter_map(|h| {
                let wanted = (self.host.read_us(h.true_us) - at_room_us.trunc()) * f64::from(RATE_HZ) * 1e-6;
                let late = (wanted - h.phase_frames? + TURN / 2.0).rem_euclid(TURN) - TURN / 2.0;
                Some((h.true_us * 1e-6, late * 1e6 / f64::from(RATE_HZ)))
            })
            .collect()
    }
}

/// Median, 95th percentile and maximum of the absolute values.
pub(super) fn spread(errors: &[(f64, f64)]) -> [f64; 3] {
    let mut e: Vec<f64> = errors.iter().map(|e| e.1.abs()).collect();
    e.sort_by(f64::total_cmp);
    [0.5, 0.95, 1.0].map(|q| e[((e.len() - 1) as f64 * q) as usize])
}
