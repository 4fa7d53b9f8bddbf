//! From bounds to the strip: decides how many of the smallest delays are left out before it is laid. Pure: keeps nothing
//! between calls, and must never look at when probes are sent or at what the estimate is used for.

use crate::filter::STAMP_NOISE_US;
use crate::floor::Prior;
use crate::strip::{self, Bound, Strip};

/// A bound and how many probes it is the best of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighted {
    bound: Bound,
    /// The other bound of the same probe.
    partner: Bound,
    probes: f64,
}

impl Weighted {
    pub(crate) fn new([bound, partner]: [Bound; 2], probes: u32) -> Self {
        Self { bound, partner, probes: f64::from(probes) }
    }
}

/// The bounds of one direction, and the mean delay beyond the smallest that the path has in it.
pub(crate) struct Side {
    pub bounds: Vec<Weighted>,
    pub mean_delay_us: f64,
}

impl Side {
    fn widest(&self, below: &Self, prior: Prior) -> Option<Strip> {
        strip::widest(&self.side(&self.points()), &below.side(&below.points()), prior)
    }

    fn inner(&self, below: &Self, prior: Prior, rank: usize, slope: f64) -> Option<Strip> {
        strip::inner(&self.side(&self.points()), &below.side(&below.points()), prior, rank, slope)
    }

    fn points(&self) -> Vec<Bound> {
        self.bounds.iter().map(|w| w.bound).collect()
    }

    fn side<'a>(&self, bounds: &'a [Bound]) -> strip::Side<'a> {
        let probes: f64 = self.bounds.iter().map(|w| w.probes).sum();
        let mean_t_us = self.bounds.iter().map(|w| w.bound.t_us * w.probes).sum::<f64>() / probes;
        strip::Side { bounds, mean_t_us, weight: probes / self.mean_delay_us }
    }
}

/// A strip, and how well its edges are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fitted {
    pub strip: Strip,
    /// Standard deviations of top and bottom, by how far apart the bounds next to them lie. Where few probes come near the
    /// least delay this is more than their number promises.
    pub edges_us: [f64; 2],
    /// Share of the bounds of either side that lie before it.
    pub left_out: f64,
    /// The slope along which bounds were judged.
    pub along: f64,
}

impl Fitted {
    /// Nothing but a slope.
    pub(crate) fn along(slope: f64) -> Self {
        Self { strip: Strip { slope, ..Strip::default() }, edges_us: [0.0; 2], left_out: 0.0, along: slope }
    }
}

/// The most likely strip between bounds in order of time. `along` is the slope along which they were judged before: what
/// turned a strip must not be judged by it. `None` without bounds on both sides.
///
/// The smallest delays are the best known ones as long as delays are spread evenly from the least on. Where a path works
/// in ticks (a timer, a radio that sleeps between beacons) most of its packets wait for the tick and a few slip through:
/// those are true bounds, but how early the earliest is in either direction is chance, and that both directions are alike
/// is what the middle of the strip stands on. So the strip is laid at that rank, the same on both sides, at which its
/// edges are known best.
pub(crate) fn fit(mut upper: Side, mut lower: Side, prior: Prior, along: f64) -> Option<Fitted> {
    /// Of so many bounds one lies before the line along which they are judged: few enough that the line keeps to the floor,
    /// enough that what slipped through does not turn it.
    const BEFORE: usize = 16;
    let along = upper.inner(&lower, prior, upper.bounds.len() / BEFORE, along)?.slope;
    let above = |b: &Bound| b.v_us - along * b.t_us;
    let below = |b: &Bound| along * b.t_us - b.v_us;
    let smallest = [Smallest::of(&upper.bounds, above, below), Smallest::of(&lower.bounds, below, above)];
    let Some((first, rank)) = floor(&smallest) else {
        let strip = upper.widest(&lower, prior)?;
        return Some(Fitted { strip, edges_us: smallest.map(|side| side.edge_us(0)), left_out: 0.0, along });
    };
    let left_out = rank as f64 / upper.bounds.len() as f64;
    let [above_us, below_us] = smallest.each_ref().map(|side| side.delay_us(first));
    upper.bounds.retain(|w| above(&w.bound) >= above_us);
    lower.bounds.retain(|w| below(&w.bound) >= below_us);
    let strip = upper.inner(&lower, prior, rank - first, along)?;
    Some(Fitted { strip, edges_us: smallest.map(|side| side.edge_us(rank)), left_out, along })
}

/// The first rank that belongs to the floor, and the rank at which the sides' edges are known best together.
fn floor(sides: &[Smallest; 2]) -> Option<(usize, usize)> {
    /// So many times better than at the first a rank must be, as edges are guessed from a few bounds, at many ranks.
    const BETTER: f64 = 3.0;
    /// The floor begins where the edges are known so well already, but for this.
    const NEARLY: f64 = 2.0;
    let edge_us = |rank| sides[0].edge_us(rank).hypot(sides[1].edge_us(rank)).max(STAMP_NOISE_US);
    let ranks = sides[0].ranks().min(sides[1].ranks());
    let best = (1..ranks).map(|rank| (rank, edge_us(rank))).min_by(|a, b| a.1.total_cmp(&b.1));
    let (rank, best_us) = best.filter(|(_, best_us)| BETTER * best_us < edge_us(0))?;
    let first = (1..=rank).find(|rank| edge_us(*rank) <= NEARLY * best_us)?;
    (1..=first).all(|rank| !leaves_out_the_quickest(sides, rank)).then_some((first, rank))
}

/// A probe that was quick both ways is the best there is, however rare: it found both machines idle. Of packets that
/// slipped through, one or the other is so by chance; of idle machines most are.
fn leaves_out_the_quickest(sides: &[Smallest; 2], rank: usize) -> bool {
    let floors_us = sides[0].delay_us(rank) + sides[1].delay_us(rank);
    let quick = |side: &Smallest| {
        side.0[..rank].iter().filter(|(out_us, back_us)| out_us + back_us < floors_us).count()
    };
    quick(&sides[0]) + quick(&sides[1]) > rank
}

/// The smallest delays of one direction in order, each with its probe's delay in the other direction; microseconds from
/// a common line.
struct Smallest(Vec<(f64, f64)>);

impl Smallest {
    /// So many neighbours tell how far apart delays lie: fewer say little, more are no longer neighbours.
    const NEXT: usize = 8;
    /// One of so many bounds may be left out at most.
    const SHARE: usize = 8;

    fn of(side: &[Weighted], out_us: impl Fn(&Bound) -> f64, back_us: impl Fn(&Bound) -> f64) -> Self {
        let mut delays: Vec<_> = side.iter().map(|w| (out_us(&w.bound), back_us(&w.partner))).collect();
        let kept = delays.len() / Self::SHARE + Self::NEXT + 1;
        if kept < delays.len() {
            delays.select_nth_unstable_by(kept, |a, b| a.0.total_cmp(&b.0));
            delays.truncate(kept);
        }
        delays.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(delays)
    }

    /// Ranks that have enough neighbours behind them.
    fn ranks(&self) -> usize {
        self.0.len().saturating_sub(Self::NEXT)
    }

    fn delay_us(&self, rank: usize) -> f64 {
        self.0.get(rank).map_or(0.0, |delay| delay.0)
    }

    /// Standard deviation of the delay of a rank: of delays that lie `d` apart on average, the n-th is known to `d` times
    /// the root of n (a Poisson process).
    fn edge_us(&self, rank: usize) -> f64 {
        let last = (rank + Self::NEXT).min(self.0.len().saturating_sub(1));
        if last <= rank {
            return 0.0;
        }
        let apart_us = (self.delay_us(last) - self.delay_us(rank)) / (last - rank) as f64;
        apart_us * ((rank + 1) as f64).sqrt()
    }
}
