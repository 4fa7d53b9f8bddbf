//! The running filter: takes probes, keeps bounds, says what the clocks' relation is. It alone decides which probes
//! count; it never schedules them and never looks at a clock.

use std::collections::VecDeque;

use crate::fit::{self, Fitted, Weighted};
use crate::floor::Prior;
use crate::strip::Bound;
use crate::{ClockEstimate, Probe};

/// Bounds are thinned to the best of each quarter second: at 500 ppm the line moves 125 us in it, and the slope is
/// taken out before comparing.
const BUCKET_US: f64 = 250_000.0;
/// Memory of the filter. Longer gives a finer slope; crystals wander by 0.1 ppm with temperature over such a time, which
/// bends the line by about 1 us.
const WINDOW_US: f64 = 180_000_000.0;
/// However old, this many probes (a minute's worth) are kept, so that an outage longer than the window leaves the skew.
const KEPT_PROBES: u32 = 300;
/// Probes of which the delays are kept to judge the noise.
const NOISE_PROBES: usize = 256;
/// Clock rates of ordinary computers against each other (crystals, and NTP correcting them).
const FRESH_PRIOR: Prior = Prior { mean: 0.0, sd: 60e-6 };
/// After a jump the crystals are the same ones as before.
const KEPT_PRIOR_SD: f64 = 10e-6;
/// Stamps are whole microseconds and reading a clock takes a few tenths of one.
pub(crate) const STAMP_NOISE_US: f64 = 1.0;
/// Probes in a row that contradict the estimate before the clock is taken to have jumped: one may be a stamp taken
/// across a suspend, three are not.
const CONTRADICTIONS: u32 = 3;
/// A contradiction is beyond this and beyond what the uncertainty allows. Smaller jumps are left to `has_bent`.
const JUMP_MARGIN_US: f64 = 1_000.0;
/// The last part of the window, compared with the whole to see a change of rate (NTP slewing, a cold machine).
const RECENT_US: f64 = 20_000_000.0;
const RECENT_PROBES: u32 = 60;
/// How often the width of the last part is remembered.
const WIDTH_EVERY_US: f64 = RECENT_US / 2.0;

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the estimate.
    Accepted,
    /// Its stamps contradict themselves; dropped.
    Implausible,
    /// It contradicts the estimate; held back until others confirm or refute it.
    Suspect,
    /// One of the clocks jumped: everything before is forgotten but the slope. Start a new burst.
    Jumped,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    index: i64,
    probes: u32,
    /// The least upper bound, and the lower bound of the same probe.
    upper: [Bound; 2],
    /// The greatest lower bound, and the upper bound of the same probe.
    lower: [Bound; 2],
}

/// Estimates room time from probes. See the crate's documentation for the method.
#[derive(Clone, Debug)]
pub struct ClockFilter {
    /// Origin of all relative values: keeps doubles small and exact.
    origin: Option<Probe>,
    buckets: VecDeque<Bucket>,
    delays: VecDeque<(Bound, Bound)>,
    prior: Prior,
    fitted: Fitted,
    estimate: Option<ClockEstimate>,
    suspects: Vec<Probe>,
    min_rtt_us: VecDeque<(i64, f64)>,
    /// Widths of the strips that recent parts of the window had by themselves: instant, microseconds.
    widths: VecDeque<(f64, f64)>,
}

impl Default for ClockFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl ClockFilter {
    /// An empty filter: knows nothing until the first probe.
    #[must_use]
    pub fn new() -> Self {
        Self::with_prior(FRESH_PRIOR)
    }

    fn with_prior(prior: Prior) -> Self {
        Self {
            origin: None,
            buckets: VecDeque::new(),
            delays: VecDeque::with_capacity(NOISE_PROBES),
            prior,
            fitted: Fitted::along(prior.mean),
            estimate: None,
            suspects: Vec::new(),
            min_rtt_us: VecDeque::new(),
            widths: VecDeque::new(),
        }
    }

    /// The present estimate, from the first plausible probe on.
    #[must_use]
    pub fn estimate(&self) -> Option<ClockEstimate> {
        self.estimate
    }

    /// Forgets everything, slope included: the host is another process or machine (a new epoch).
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Takes one probe in. Probes are given in the order in which their answers came.
    pub fn add(&mut self, probe: Probe) -> Verdict {
        if !probe.is_plausible() {
            return Verdict::Implausible;
        }
        if self.contradicts(&probe) {
            self.suspects.push(probe);
            if self.suspects.len() < CONTRADICTIONS as usize {
                return Verdict::Suspect;
            }
            let suspects = std::mem::take(&mut self.suspects);
            *self = Self::with_prior(Prior { mean: self.fitted.strip.slope, sd: KEPT_PRIOR_SD });
            for suspect in suspects {
                self.take_in(&suspect);
            }
            return Verdict::Jumped;
        }
        self.suspects.clear();
        self.take_in(&probe);
        Verdict::Accepted
    }

    /// A probe's bounds are physical: if the predicted offset lies outside them, a clock jumped.
    fn contradicts(&self, probe: &Probe) -> bool {
        let Some(e) = self.estimate else { return false };
        let margin = |t_us: f64| JUMP_MARGIN_US + 2.0 * e.uncertainty_at_us(t_us);
        let (sent_us, came_us) = (probe.t1_us as f64, probe.t4_us as f64);
        let backwards = came_us < e.at_local_us;
        backwards
            || e.offset_at_us(sent_us) - margin(sent_us) > probe.upper_us() as f64
            || e.offset_at_us(came_us) + margin(came_us) < probe.lower_us() as f64
    }

    fn take_in(&mut self, probe: &Probe) {
        let origin = *self.origin.get_or_insert(*probe);
        let base_us = origin.upper_us();
        let t = |at_us: i64| (at_us - origin.t4_us) as f64;
        let upper = Bound { t_us: t(probe.t1_us), v_us: (probe.upper_us() - base_us) as f64 };
        let lower = Bound { t_us: t(probe.t4_us), v_us: (probe.lower_us() - base_us) as f64 };
        let now_us = lower.t_us;
        self.store(upper, lower, now_us);
        self.remember_rtt(now_us, probe.rtt_us() as f64);
        self.forget_before(now_us - WINDOW_US, KEPT_PROBES);
        self.fit();
        self.remember_width(now_us);
        if self.has_bent(now_us) {
            self.forget_before(now_us - RECENT_US, 0);
            self.widths.retain(|(at_us, _)| *at_us < now_us - RECENT_US);
            self.prior = FRESH_PRIOR;
            self.fit();
        }
        self.publish(&origin, now_us);
    }

    fn store(&mut self, upper: Bound, lower: Bound, now_us: f64) {
        if self.delays.len() == NOISE_PROBES {
            self.delays.pop_front();
        }
        self.delays.push_back((upper, lower));
        let index = (now_us / BUCKET_US).floor() as i64;
        let level = |b: &Bound| b.v_us - self.fitted.strip.slope * b.t_us;
        match self.buckets.back_mut() {
            Some(last) if last.index == index => {
                last.probes += 1;
                if level(&upper) < level(&last.upper[0]) {
                    last.upper = [upper, lower];
                }
                if level(&lower) > level(&last.lower[0]) {
                    last.lower = [lower, upper];
                }
            }
            _ => {
                let (upper, lower) = ([upper, lower], [lower, upper]);
                self.buckets.push_back(Bucket { index, probes: 1, upper, lower });
            }
        }
    }

    fn remember_rtt(&mut self, now_us: f64, rtt_us: f64) {
        let second = (now_us / 1e6).floor() as i64;
        match self.min_rtt_us.back_mut() {
            Some(last) if last.0 == second => last.1 = last.1.min(rtt_us),
            _ => self.min_rtt_us.push_back((second, rtt_us)),
        }
    }

    /// Drops what is older than `t_us`, as long as `keep` probes remain.
    fn forget_before(&mut self, t_us: f64, keep: u32) {
        let mut probes = self.probes();
        while let Some(oldest) = self.buckets.front() {
            if oldest.lower[0].t_us >= t_us || probes - oldest.probes < keep {
                break;
            }
            probes -= oldest.probes;
            self.buckets.pop_front();
        }
        while self.min_rtt_us.front().is_some_and(|s| (s.0 as f64) * 1e6 < t_us - 1e6) {
            self.min_rtt_us.pop_front();
        }
        while self.delays.front().is_some_and(|d| d.1.t_us < t_us) {
            self.delays.pop_front();
        }
    }

    fn probes(&self) -> u32 {
        self.buckets.iter().map(|b| b.probes).sum()
    }

    fn fit(&mut self) {
        if let Some(fitted) = self.fit_since(f64::NEG_INFINITY, self.prior) {
            self.fitted = fitted;
        }
    }

    /// The strip through the buckets since an instant.
    fn fit_since(&self, t_us: f64, prior: Prior) -> Option<Fitted> {
        let noise = self.noise();
        let side = |bounds: fn(&Bucket) -> [Bound; 2], mean_delay_us| {
            let recent = self.buckets.iter().filter(|b| b.lower[0].t_us >= t_us);
            let bounds = recent.map(|b| Weighted::new(bounds(b), b.probes)).collect();
            fit::Side { bounds, mean_delay_us }
        };
        let (upper, lower) = (side(|b| b.upper, noise.upper_us), side(|b| b.lower, noise.lower_us));
        fit::fit(upper, lower, prior, self.fitted.along)
    }

    /// Width of the strip that the last part of the window has by itself, with a slope of its own: the sum of the smallest
    /// delays of both directions, whatever the clocks' rates were before.
    fn recent_width_us(&self, now_us: f64) -> Option<f64> {
        self.fit_since(now_us - RECENT_US, FRESH_PRIOR)
            .map(|fitted| fitted.strip.top_us - fitted.strip.bottom_us)
    }

    fn remember_width(&mut self, now_us: f64) {
        while self.widths.front().is_some_and(|(at_us, _)| *at_us < now_us - WINDOW_US) {
            self.widths.pop_front();
        }
        let due = self.widths.back().is_none_or(|(at_us, _)| now_us - at_us >= WIDTH_EVERY_US);
        let long_enough = self.buckets.front().is_some_and(|b| b.lower[0].t_us <= now_us - RECENT_US);
        if due && long_enough {
            self.widths.extend(self.recent_width_us(now_us).map(|width_us| (now_us, width_us)));
        }
    }

    /// Mean delay beyond the smallest on each side, from the first quartile: of an exponential distribution that is
    /// 0.288 of the mean, and stalls and retries in the upper half do not move it.
    fn noise(&self) -> Noise {
        let judge = |mut levels: Vec<f64>| {
            levels.sort_by(f64::total_cmp);
            let least = levels.first().copied().unwrap_or(0.0);
            let beyond =
                |hundredths: usize| levels.get(levels.len() * hundredths / 100).map_or(0.0, |l| l - least);
            ((beyond(25) / 0.288).max(STAMP_NOISE_US), beyond(99))
        };
        let level = |b: &Bound| b.v_us - self.fitted.strip.slope * b.t_us;
        let (upper_us, _) = judge(self.delays.iter().map(|d| level(&d.0)).collect());
        let (lower_us, late_us) = judge(self.delays.iter().map(|d| -level(&d.1)).collect());
        Noise { upper_us, lower_us, late_us }
    }

    /// Whether the last part of the window contradicts the line through the whole: a rate changed.
    fn has_bent(&self, now_us: f64) -> bool {
        let recent = || self.buckets.iter().filter(|b| b.lower[0].t_us >= now_us - RECENT_US);
        let probes: u32 = recent().map(|b| b.probes).sum();
        if recent().count() == self.buckets.len() || probes < RECENT_PROBES {
            return false;
        }
        if self.fitted.strip.top_us < self.fitted.strip.bottom_us {
            return true;
        }
        // The last part by itself, at the same rank.
        let slope = self.fitted.strip.slope;
        let mut tops: Vec<f64> = recent().map(|b| b.upper[0].v_us - slope * b.upper[0].t_us).collect();
        let mut bottoms: Vec<f64> = recent().map(|b| slope * b.lower[0].t_us - b.lower[0].v_us).collect();
        let rank = ((self.fitted.left_out * tops.len() as f64).round() as usize).min(tops.len() - 1);
        let (_, &mut top_us, _) = tops.select_nth_unstable_by(rank, f64::total_cmp);
        let (_, &mut bottom_us, _) = bottoms.select_nth_unstable_by(rank, f64::total_cmp);
        let noise = self.noise();
        // Each recent extreme is worse than the whole window's by an exponential of mean noise / n; six means on one
        // side is one in four hundred, and the window is asked again at each probe: hence ten.
        let limit = 10.0 * noise.upper_us.max(noise.lower_us) / f64::from(probes) + 4.0 * STAMP_NOISE_US;
        let above = top_us - self.fitted.strip.top_us;
        let below = self.fitted.strip.bottom_us + bottom_us;
        let shift = (above - below).abs() / 2.0;
        shift > limit && !self.is_slowed(now_us, shift)
    }

    /// Whether the path explains such a shift: one direction is busy (an upload, say), so that its bounds lie further out
    /// and the line seems to move by half of that. A change of rate leaves the smallest delays as they were.
    fn is_slowed(&self, now_us: f64, shift_us: f64) -> bool {
        /// A span with the change of rate inside it looks too narrow: it is in this many of the remembered widths at most.
        const BENT_WIDTHS: usize = (RECENT_US / WIDTH_EVERY_US) as usize;
        let mut widths: Vec<f64> = self.widths.iter().map(|w| w.1).collect();
        widths.sort_by(f64::total_cmp);
        let Some(usual_us) = widths.get(BENT_WIDTHS) else { return false };
        self.recent_width_us(now_us).is_some_and(|width_us| width_us > usual_us + shift_us)
    }

    fn publish(&mut self, origin: &Probe, now_us: f64) {
        let noise = self.noise();
        let probes = f64::from(self.probes()).max(1.0);
        let oldest_us = self.buckets.front().map_or(now_us, |b| b.upper[0].t_us);
        let span_us = now_us - oldest_us;
        // The smallest of n exponential delays is off by mean / n, the middle of two such by half of either: twice that
        // is two standard deviations. Real delays are not quite exponential and neighbours resemble each other, hence
        // the factor, set so that simulated paths are covered. With few probes the mean itself is unknown, but half
        // the strip's width is a hard bound.
        const HONESTY: f64 = 1.7;
        let half_width_us = (self.fitted.strip.top_us - self.fitted.strip.bottom_us).max(0.0) / 2.0;
        let sides = [noise.upper_us, noise.lower_us].map(|mean_us| mean_us / probes);
        let [above_us, below_us] =
            [sides[0].max(self.fitted.edges_us[0]), sides[1].max(self.fitted.edges_us[1])];
        let level_us = HONESTY * above_us.hypot(below_us) + half_width_us / probes.powf(1.5);
        let slope_sd = (3.0 * level_us / span_us.max(1.0)).min(self.prior.sd);
        let least_rtt_us = self.min_rtt_us.iter().fold(f64::INFINITY, |m, s| m.min(s.1));
        self.estimate = Some(ClockEstimate {
            at_local_us: origin.t4_us as f64 + now_us,
            offset_us: origin.upper_us() as f64 + self.fitted.strip.middle_us(now_us),
            skew_ppm: self.fitted.strip.slope * 1e6,
            uncertainty_us: level_us + slope_sd * span_us / 2.0 + STAMP_NOISE_US,
            skew_uncertainty_ppm: 2.0 * slope_sd * 1e6,
            rtt_us: least_rtt_us,
            jitter_us: noise.late_us,
        });
    }
}

#[derive(Clone, Copy, Debug)]
struct Noise {
    upper_us: f64,
    lower_us: f64,
    /// The 99th percentile of the delay beyond the smallest from the room's host to here.
    late_us: f64,
}
