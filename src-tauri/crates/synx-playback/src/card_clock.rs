//! When does a frame leave the card? A line through the card's stamps: frame number against local time. One stamp is
//! never trusted: a card reports its position in steps, and the thread that asks may be interrupted.
//!
//! Every such fault makes a frame seem to be heard later than it is, never earlier: a stale position is too small, and
//! the instant is read after the position. So the line runs under the stamps, not through their middle; a card that
//! moves its position only every 5 ms is then as good as one that counts samples.

use std::collections::VecDeque;

use synx_clock::floor::{Floor, Prior};

/// Stamps are thinned to the earliest of each bucket.
const BUCKET_US: f64 = 100_000.0;
/// Buckets up to which every stamp is fitted at once; later each new bucket is soon enough.
const EARLY: usize = 20;
/// Length of the memory: the slope is then good to a tenth of a ppm, and a coarse card is caught at its step often enough.
const WINDOW_US: f64 = 40_000_000.0;
/// Crystals of sound cards: +-100 ppm by their data sheets.
const FRESH_PRIOR: Prior = Prior { mean: 0.0, sd: 100e-6 };
/// After an underrun it is the same crystal.
const KEPT_PRIOR_SD: f64 = 5e-6;
/// Span of stamps from which the slope is worth keeping.
const KEEP_US: f64 = 10_000_000.0;
/// The last stamps, of which the earliest must come down to the line or the line is wrong: sound servers correct their
/// notion of latency by fractions of a millisecond, and a line held down by what they said before would not follow.
const RECENT_US: f64 = 2_000_000.0;
/// By how much the earliest recent stamp may miss the line, beyond what their scatter explains. More than a few stamps lie
/// above a line that holds, and little enough to follow the sinks of sound servers, whose rate wanders by tens of ppm.
const LIFTED_US: f64 = 20.0;
/// Stamps kept to judge their scatter.
const RECENT: usize = 64;
/// A stamp this far from the line belongs to another line: the latency changed (another sink, a Bluetooth headset).
const STEP_US: f64 = 2_000.0;
/// So many in a row, over at least `STEP_HELD_US`, and the line is started anew. A stall of the machine delays a few
/// stamps, not all of them for so long.
const STEP_STAMPS: u32 = 8;
const STEP_HELD_US: f64 = 250_000.0;
/// After a start the stamps of some sound servers run up to speed. The line is usable when this many agree ...
const AGREEING: usize = 3;
/// ... over this time ...
const AGREEING_US: f64 = 15_000.0;
/// ... to within this, or at the latest after `PATIENCE_US`.
const AGREE_US: f64 = 1_000.0;
const PATIENCE_US: f64 = 400_000.0;

/// When the frames of a block leave the card.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockTime {
    /// Local instant of the block's first frame, in microseconds.
    pub first_us: f64,
    /// Frames per local second, measured.
    pub rate_hz: f64,
    /// What the card says its rate is.
    pub nominal_hz: u32,
}

#[derive(Clone, Copy)]
struct Stamp {
    /// Time by the card's nominal rate since the origin.
    t_us: f64,
    /// By how much the frame is heard later than that.
    late_us: f64,
}

pub(crate) struct CardClock {
    nominal_hz: u32,
    origin: Option<(u64, f64)>,
    buckets: VecDeque<(i64, u32, Stamp)>,
    recent: VecDeque<Stamp>,
    prior: Prior,
    line: Option<Floor>,
    strangers: u32,
    strange_since_us: f64,
    ready: bool,
}

impl CardClock {
    pub(crate) fn new(nominal_hz: u32) -> Self {
        Self {
            nominal_hz,
            origin: None,
            buckets: VecDeque::with_capacity((WINDOW_US / BUCKET_US) as usize + 3),
            recent: VecDeque::with_capacity(RECENT + 1),
            prior: FRESH_PRIOR,
            line: None,
            strangers: 0,
            strange_since_us: 0.0,
            ready: false,
        }
    }

    /// The card started again: only its crystal is the same.
    pub(crate) fn restart(&mut self) {
        let span_us =
            self.buckets.back().map_or(0.0, |b| b.2.t_us) - self.buckets.front().map_or(0.0, |b| b.2.t_us);
        if let Some(line) = self.line.filter(|_| span_us > KEEP_US) {
            self.prior = Prior { mean: line.slope, sd: KEPT_PRIOR_SD };
        }
        self.origin = None;
        self.buckets.clear();
        self.recent.clear();
        self.line = None;
        self.strangers = 0;
        self.ready = false;
    }

    /// At `asked_us` local time, says the card, `delay_frames` were to go before `frame` (counted since the stream was
    /// opened) is heard.
    pub(crate) fn observe(&mut self, frame: u64, asked_us: f64, delay_frames: f64) {
        // The queue drains at the card's true rate: 75 ms at 50 ppm are 4 us.
        let period_us = 1e6 / f64::from(self.nominal_hz);
        let heard_us = asked_us + delay_frames * period_us * (1.0 + self.slope());
        let origin = *self.origin.get_or_insert((frame, heard_us));
        let t_us = (frame as f64 - origin.0 as f64) * period_us;
        let stamp = Stamp { t_us, late_us: heard_us - origin.1 - t_us };
        if self.is_strange(&stamp) {
            return;
        }
        let new_bucket = self.store(stamp);
        if new_bucket || !self.ready || self.buckets.len() < EARLY {
            self.fit();
            if self.is_lifted(stamp.t_us) {
                self.buckets.retain(|b| b.2.t_us >= stamp.t_us - RECENT_US);
                self.prior = FRESH_PRIOR;
                self.fit();
            }
        }
        self.ready = self.ready || self.agree();
    }

    /// Where the block that starts with `frame` will be heard; `None` while the stamps do not agree yet.
    pub(crate) fn block(&self, frame: u64) -> Option<BlockTime> {
        let (line, origin) = (self.line.filter(|_| self.ready)?, self.origin?);
        let t_us = (frame as f64 - origin.0 as f64) * 1e6 / f64::from(self.nominal_hz);
        Some(BlockTime {
            first_us: origin.1 + t_us + line.at(t_us),
            rate_hz: f64::from(self.nominal_hz) / (1.0 + line.slope),
            nominal_hz: self.nominal_hz,
        })
    }

    /// Holds back stamps that fit no line, until there are so many that they are the new line.
    fn is_strange(&mut self, stamp: &Stamp) -> bool {
        let Some(line) = self.line.filter(|_| self.ready) else { return false };
        if (stamp.late_us - line.at(stamp.t_us)).abs() < STEP_US + 3.0 * self.scatter_us() {
            self.strangers = 0;
            return false;
        }
        if self.strangers == 0 {
            self.strange_since_us = stamp.t_us;
        }
        self.strangers += 1;
        let stepped = self.strangers >= STEP_STAMPS && stamp.t_us - self.strange_since_us >= STEP_HELD_US;
        if stepped {
            let origin = self.origin;
            self.restart();
            self.origin = origin;
        }
        !stepped
    }

    /// Whether all recent stamps lie above a line that older ones hold down.
    fn is_lifted(&self, now_us: f64) -> bool {
        let Some(line) = self.line else { return false };
        let recent = || self.buckets.iter().filter(|b| b.2.t_us >= now_us - RECENT_US);
        if recent().count() == self.buckets.len() || now_us < RECENT_US {
            return false;
        }
        let stamps: f64 = recent().map(|b| f64::from(b.1)).sum();
        let missed = recent().fold(f64::INFINITY, |m, b| m.min(b.2.late_us - line.at(b.2.t_us)));
        missed > LIFTED_US + 10.0 * self.scatter_us() / stamps
    }

    /// Whether the stamp opened a new bucket.
    fn store(&mut self, stamp: Stamp) -> bool {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(stamp);
        let index = (stamp.t_us / BUCKET_US).floor() as i64;
        while self.buckets.front().is_some_and(|b| b.2.t_us < stamp.t_us - WINDOW_US) {
            self.buckets.pop_front();
        }
        match self.buckets.back_mut() {
            Some(last) if last.0 == index => {
                last.1 += 1;
                if stamp.late_us < last.2.late_us {
                    last.2 = stamp;
                }
                false
            }
            _ => {
                self.buckets.push_back((index, 1, stamp));
                true
            }
        }
    }

    fn fit(&mut self) {
        let stamps: f64 = self.buckets.iter().map(|b| f64::from(b.1)).sum();
        let mean_t_us = self.buckets.iter().map(|b| b.2.t_us * f64::from(b.1)).sum::<f64>() / stamps;
        let weight = stamps / self.scatter_us().max(2.0);
        let points = self.buckets.iter().map(|b| (b.2.t_us, b.2.late_us));
        self.line = Floor::under(points, mean_t_us, weight, self.prior);
    }

    fn slope(&self) -> f64 {
        self.line.map_or(self.prior.mean, |l| l.slope)
    }

    /// Mean lateness of stamps above the earliest ones, from the first quartile as in the room clock.
    fn scatter_us(&self) -> f64 {
        let slope = self.slope();
        let mut levels = [0.0; RECENT];
        let n = self.recent.len();
        for (level, s) in levels.iter_mut().zip(&self.recent) {
            *level = s.late_us - slope * s.t_us;
        }
        let levels = &mut levels[..n];
        levels.sort_unstable_by(f64::total_cmp);
        let least = levels.first().copied().unwrap_or(0.0);
        (levels.get(n / 4).copied().unwrap_or(least) - least) / 0.288
    }

    fn agree(&self) -> bool {
        let (Some(first), Some(last)) = (self.recent.front(), self.recent.back()) else { return false };
        if last.t_us - first.t_us > PATIENCE_US {
            return true;
        }
        if self.recent.len() < AGREEING {
            return false;
        }
        let tail = || self.recent.iter().skip(self.recent.len() - AGREEING);
        let early = tail().fold(f64::INFINITY, |m, s| m.min(s.late_us));
        let late = tail().fold(f64::NEG_INFINITY, |m, s| m.max(s.late_us));
        last.t_us - first.t_us >= AGREEING_US && late - early < AGREE_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks an ideal card every 10 ms or so for `seconds`; returns by how much the next frame's instant is misjudged.
    fn misjudged_us(ppm: f64, seconds: f64, granularity_us: f64) -> Vec<f64> {
        let rate_hz = 48_000.0 * (1.0 + ppm * 1e-6);
        let mut clock = CardClock::new(48_000);
        let (mut t_us, mut written, mut errors) = (0.0f64, 3_600u64, Vec::new());
        let mut turn = 0.0;
        while t_us < seconds * 1e6 {
            turn += 1.0f64;
            t_us += 7_500.0 + 5_000.0 * (turn * 0.618_034).fract();
            let seen_us = if granularity_us > 0.0 { t_us - t_us % granularity_us } else { t_us };
            clock.observe(written, 1e12 + t_us, written as f64 - (seen_us * rate_hz * 1e-6).floor());
            if let Some(block) = clock.block(written) {
                errors.push(block.first_us - 1e12 - written as f64 * 1e6 / rate_hz);
            }
            written = ((t_us + 75_000.0) * rate_hz * 1e-6) as u64;
        }
        errors
    }

    #[test]
    fn a_fast_or_slow_crystal_is_judged_to_the_microsecond() {
        for ppm in [-100.0, -50.0, 0.0, 50.0, 100.0] {
            let errors = misjudged_us(ppm, 60.0, 0.0);
            let worst = errors[2_000..].iter().fold(0.0f64, |m, e| m.max(e.abs()));
            println!("{ppm:+} ppm: {worst:.2} us");
            assert!(worst < 2.0, "{ppm} ppm: {worst}");
        }
    }

    #[test]
    fn a_card_that_moves_every_five_milliseconds_is_judged_nearly_as_well() {
        for ppm in [-50.0, 50.0] {
            let errors = misjudged_us(ppm, 60.0, 5_000.0);
            let worst = errors[2_000..].iter().fold(0.0f64, |m, e| m.max(e.abs()));
            println!("{ppm:+} ppm in steps: {worst:.2} us");
            assert!(worst < 70.0, "{ppm} ppm: {worst}");
        }
    }

    /// The null sink of PulseAudio was seen to wander like this; its stamps scatter by some ten microseconds.
    #[test]
    fn a_sink_whose_rate_wanders_is_followed() {
        let wander_us = |t_us: f64| 60.0 * (std::f64::consts::TAU * t_us / 25e6).sin();
        let (mut clock, mut t_us, mut turn, mut worst) = (CardClock::new(48_000), 0.0, 0.0f64, 0.0f64);
        while t_us < 120e6 {
            turn += 1.0;
            t_us += 7_500.0 + 5_000.0 * (turn * 0.618_034).fract();
            let frame = ((t_us + 75_000.0) * 0.048) as u64;
            let heard_us = frame as f64 / 0.048 + wander_us(t_us);
            let read_late_us = -10.0 * (1.0 - (turn * 0.414_214).fract()).ln();
            clock.observe(frame, t_us, (heard_us - t_us + read_late_us) * 0.048);
            if let Some(block) = clock.block(frame).filter(|_| t_us > 20e6) {
                worst = worst.max((block.first_us - heard_us).abs());
            }
        }
        println!("{worst:.1} us");
        assert!(worst < 60.0, "{worst}");
    }
}
