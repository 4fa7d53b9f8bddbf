//! A network path in simulated time: delays, jitter, stalls and losses from a seed.

use synx_clock::Probe;

use crate::{Random, SimClock};

/// How one direction delays what is sent through it.
#[derive(Clone, Copy, Debug)]
pub enum Delay {
    /// Uniform between two bounds, in microseconds.
    Uniform(f64, f64),
    /// A floor and an exponential queue on top: floor, mean (microseconds).
    Queue(f64, f64),
    /// A busy Wi-Fi: floor and mean as above, and one in ten a retry with a heavy tail (Pareto 2.5) of this scale.
    HeavyTail(f64, f64, f64),
}

impl Delay {
    fn draw_us(self, random: &mut Random) -> f64 {
        match self {
            Self::Uniform(lo, hi) => random.uniform(lo, hi),
            Self::Queue(floor, mean) => floor + random.exponential(mean),
            Self::HeavyTail(floor, mean, scale) => {
                let retry = if random.unit() < 0.1 { scale * pareto(random, 2.5) } else { 0.0 };
                floor + random.exponential(mean) + retry
            }
        }
    }
}

fn pareto(random: &mut Random, shape: f64) -> f64 {
    (1.0 - random.unit()).powf(-1.0 / shape) - 1.0
}

/// A path between a peer and the host that keeps order, as TCP does: what is late holds back what follows.
#[derive(Clone, Debug)]
pub struct Link {
    delay: Delay,
    stall: Option<(f64, f64)>,
    loss: f64,
    upload: Option<(std::ops::Range<f64>, f64)>,
    ticks: Option<(f64, f64)>,
    busy: Option<(f64, [f64; 2])>,
    sleep: Option<[f64; 2]>,
    random: Random,
    last_up_us: f64,
    last_down_us: f64,
}

impl Link {
    /// A path with the same kind of delay both ways.
    #[must_use]
    pub fn new(delay: Delay, seed: u64) -> Self {
        Self {
            delay,
            stall: None,
            loss: 0.0,
            upload: None,
            ticks: None,
            busy: None,
            sleep: None,
            random: Random::new(seed),
            last_up_us: 0.0,
            last_down_us: 0.0,
        }
    }

    /// Everything stands still for `length_us` once in `every_us`.
    #[must_use]
    pub fn stalling(mut self, every_us: f64, length_us: f64) -> Self {
        self.stall = Some((every_us, length_us));
        self
    }

    /// Share of probes that never come back, 0 to 1.
    #[must_use]
    pub fn losing(mut self, share: f64) -> Self {
        self.loss = share;
        self
    }

    /// During a span of true time the way up carries something big: every probe waits at least `wait_us` longer, and up to
    /// twice that.
    #[must_use]
    pub fn uploading(mut self, span_us: std::ops::Range<f64>, wait_us: f64) -> Self {
        self.upload = Some((span_us, wait_us));
        self
    }

    /// Something on the path works in ticks of `tick_us`, as timers and power-saving radios do: delays are rounded up to
    /// whole ticks, but for a small `share` that happens to slip through.
    #[must_use]
    pub fn ticking(mut self, tick_us: f64, share: f64) -> Self {
        self.ticks = Some((tick_us, share));
        self
    }

    /// The machines at the ends have other work: but for a `share` of the probes that find both idle, each direction waits
    /// at least so long (up, down; microseconds) and up to twice that.
    #[must_use]
    pub fn busy(mut self, share: f64, waits_us: [f64; 2]) -> Self {
        self.busy = Some((share, waits_us));
        self
    }

    /// Processors at the ends fall asleep: what comes to one that was idle for half a millisecond waits until it wakes (at
    /// the host, at the peer; microseconds, 0.3 to 1.3 times that).
    #[must_use]
    pub fn sleeping(mut self, waits_us: [f64; 2]) -> Self {
        self.sleep = Some(waits_us);
        self
    }

    fn waking_us(&mut self, end: usize, idle_us: f64) -> f64 {
        /// Until then a processor waits awake, as kernels do after each piece of work.
        const AWAKE_US: f64 = 500.0;
        match self.sleep {
            Some(waits_us) if idle_us > AWAKE_US => waits_us[end] * (0.3 + self.random.unit()),
            _ => 0.0,
        }
    }

    fn draw_us(&mut self) -> f64 {
        let delay_us = self.delay.draw_us(&mut self.random);
        match self.ticks {
            Some((tick_us, share)) if self.random.unit() >= share => (delay_us / tick_us).ceil() * tick_us,
            _ => delay_us,
        }
    }

    /// Sends a probe at a true instant; returns it with the true instant at which the answer arrives.
    pub fn probe(&mut self, true_us: f64, peer: &SimClock, host: &SimClock) -> Option<(Probe, f64)> {
        /// What a host takes to answer.
        const TURNAROUND_US: f64 = 20.0;
        let (up, down) = (self.draw_us(), self.draw_us());
        let wait_us = self.upload.as_ref().filter(|(span_us, _)| span_us.contains(&true_us)).map(|u| u.1);
        let up = up + wait_us.map_or(0.0, |wait_us| wait_us * (1.0 + self.random.unit()));
        let busy = self.busy.filter(|(share, _)| self.random.unit() >= *share);
        let [busy_up, busy_down] = busy
            .map_or([0.0; 2], |(_, waits_us)| waits_us.map(|wait_us| wait_us * (1.0 + self.random.unit())));
        let (up, down) = (up + busy_up, down + busy_down);
        if self.random.unit() < self.loss {
            return None;
        }
        let host_idle_us = true_us + up - self.last_up_us;
        let up = up + self.waking_us(0, host_idle_us);
        let arrives_us = self.after_stall(true_us + up).max(self.last_up_us);
        let leaves_us = arrives_us + TURNAROUND_US;
        let down = down + self.waking_us(1, leaves_us + down - true_us);
        let back_us = self.after_stall(leaves_us + down).max(self.last_down_us);
        (self.last_up_us, self.last_down_us) = (arrives_us, back_us);
        let stamp = |clock: &SimClock, at_us: f64| clock.read_us(at_us).floor() as i64;
        let probe = Probe {
            t1_us: stamp(peer, true_us),
            t2_us: stamp(host, arrives_us),
            t3_us: stamp(host, leaves_us),
            t4_us: stamp(peer, back_us),
        };
        Some((probe, back_us))
    }

    fn after_stall(&self, at_us: f64) -> f64 {
        match self.stall {
            Some((every_us, length_us)) if at_us % every_us < length_us => {
                at_us - at_us % every_us + length_us
            }
            _ => at_us,
        }
    }
}
