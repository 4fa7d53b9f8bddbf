//! One node's knowledge of the cluster's clock: the owner's, or an estimate of it, and what is to be done for either.
//!
//! Pure: instants are arguments, by this node's monotonic clock. Room time as it is told here must never jump while its epoch
//! lasts: a new owner goes on from its own estimate, and an estimate of a new owner counts only once it is good.

use crate::NodeId;
use crate::clock::lease::{Lease, Record, Wish, Written};
use synx_clock::{ClockEstimate, ClockFilter, Probe, ProbeSchedule, Verdict};
use synx_domain::EpochId;

/// Probes of an owner after which the estimate of it is used: half of a first burst, a sixth of a second.
const SETTLED_PROBES: u32 = 8;

/// The cluster's clock as a node knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Known {
    /// What room time counts in.
    pub epoch: EpochId,
    /// The line from this node's monotonic clock to room time.
    pub line: ClockEstimate,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Read the record.
    Look,
    /// Write this record over a revision, or as the first.
    Write { record: Record, over: Option<u64> },
    /// Send a probe to the owner.
    Probe { owner: NodeId },
}

/// One node's part in keeping the time.
#[derive(Debug)]
pub(crate) struct Timekeeper {
    me: NodeId,
    /// What a clock that nobody knows begins to count in.
    fresh_epoch: EpochId,
    lease: Lease,
    known: Option<Known>,
    /// The record that this node follows, and what is known of its owner's clock.
    followed: Option<Record>,
    filter: ClockFilter,
    schedule: ProbeSchedule,
    /// Whether a probe is under way: the next waits for it, as the schedule wants.
    probing: bool,
    settled: u32,
    /// Whether what is known here is this node's own clock. It stays so while nobody owns it.
    reigns: bool,
}

impl Timekeeper {
    /// A node that knows nothing yet. `fresh_epoch` is used if nobody knows anything.
    pub(crate) fn new(me: NodeId, fresh_epoch: EpochId, now_us: i64) -> Self {
        Self {
            me,
            fresh_epoch,
            lease: Lease::new(me, now_us),
            known: None,
            followed: None,
            filter: ClockFilter::new(),
            schedule: ProbeSchedule::new(now_us),
            probing: false,
            settled: 0,
            reigns: false,
        }
    }

    /// Room time as it is known here.
    pub(crate) fn known(&self) -> Option<Known> {
        self.known
    }

    /// Whether this node's clock is the cluster's.
    pub(crate) fn owns(&self, now_us: i64) -> bool {
        self.lease.is_mine(now_us)
    }

    /// Who owns the clock, as far as is known here.
    pub(crate) fn owner(&self) -> Option<NodeId> {
        self.lease.record().map(|record| record.node)
    }

    /// When [`Timekeeper::orders`] is to be asked again.
    pub(crate) fn next_us(&self) -> i64 {
        let probe_us = self.followed.filter(|_| !self.probing).map_or(i64::MAX, |_| self.schedule.next_us());
        self.lease.next_us().min(probe_us)
    }

    /// What is to be done now.
    pub(crate) fn orders(&mut self, now_us: i64) -> Vec<Order> {
        let mut orders = Vec::new();
        let record = Record { node: self.me, epoch: self.next_epoch() };
        let goes_on = self.lease.record().is_none_or(|recorded| recorded.epoch == record.epoch);
        match self.lease.wish(now_us, goes_on) {
            Some(Wish::Look) => orders.push(Order::Look),
            Some(Wish::Renew { over }) => orders.push(Order::Write { record, over: Some(over) }),
            Some(Wish::Take { over }) => orders.push(Order::Write { record, over }),
            None => {}
        }
        if let Some(Record { node: owner, .. }) = self.followed
            && !self.probing
            && now_us >= self.schedule.next_us()
        {
            self.probing = true;
            self.schedule.on_sent(now_us, self.filter.estimate().as_ref());
            orders.push(Order::Probe { owner });
        }
        orders
    }

    /// What this node's clock counts in, or would if it were the owner: what the record says, if it can go on with that.
    fn next_epoch(&self) -> EpochId {
        let recorded = self.lease.record().map(|record| record.epoch);
        match (recorded, self.known) {
            (Some(recorded), Some(known)) if known.epoch == recorded => recorded,
            // A record that is gone took nothing along that is not known here.
            (None, Some(known)) => known.epoch,
            _ => self.fresh_epoch,
        }
    }

    /// A look has ended.
    pub(crate) fn looked(&mut self, now_us: i64, found: Result<Option<(u64, Record)>, ()>) {
        self.lease.looked(now_us, found);
        self.follow(now_us);
    }

    /// The record was told of.
    pub(crate) fn saw(&mut self, now_us: i64, revision: u64, record: Record) {
        self.lease.saw(now_us, revision, record);
        self.follow(now_us);
    }

    /// A write has ended.
    pub(crate) fn wrote(&mut self, now_us: i64, record: Record, outcome: Written) {
        self.lease.wrote(now_us, record, outcome);
        self.follow(now_us);
    }

    /// Turns to the owner that the record names.
    fn follow(&mut self, now_us: i64) {
        if self.lease.is_mine(now_us) {
            self.followed = None;
            self.reign(now_us);
            return;
        }
        let theirs = self.lease.record().filter(|record| record.node != self.me);
        if theirs.is_some() && theirs != self.followed {
            self.followed = theirs;
            self.filter = ClockFilter::new();
            self.schedule.restart(now_us);
            self.probing = false;
            self.settled = 0;
            self.reigns = false;
        }
    }

    /// This node's own clock is the cluster's from now on, without a step: at the rate of its crystal.
    fn reign(&mut self, now_us: i64) {
        let Some(epoch) = self.lease.record().map(|record| record.epoch) else { return };
        if std::mem::replace(&mut self.reigns, true) {
            return;
        }
        let now_us = now_us as f64;
        let offset_us = match self.known {
            Some(known) if known.epoch == epoch => known.line.offset_at_us(now_us),
            _ => 0.0,
        };
        let line = ClockEstimate { at_local_us: now_us, offset_us, ..ClockEstimate::identity() };
        self.known = Some(Known { epoch, line });
    }

    /// A probe to an owner has ended: with its times and what they count in, or without an answer.
    pub(crate) fn probed(&mut self, owner: NodeId, answer: Option<(EpochId, Probe)>) {
        let Some(followed) = self.followed.filter(|followed| followed.node == owner) else { return };
        self.probing = false;
        let Some((_, probe)) = answer.filter(|(epoch, _)| *epoch == followed.epoch) else { return };
        match self.filter.add(probe) {
            Verdict::Accepted => self.settled += 1,
            Verdict::Implausible | Verdict::Suspect => return,
            Verdict::Jumped => {
                self.schedule.restart(probe.t4_us);
                self.settled = 0;
            }
        }
        if self.settled >= SETTLED_PROBES
            && let Some(line) = self.filter.estimate()
        {
            self.known = Some(Known { epoch: followed.epoch, line });
        }
    }
}
