//! What the peers of a hosted room measure, and how far ahead a change must be scheduled to reach them all in time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use synx_domain::UserId;
use synx_net::wire::SyncReport;

/// Shortest lead: the audio already in a device's buffer cannot be changed any more.
const LEAD_MIN_US: i64 = 120_000;
/// Longest lead: beyond it a button feels dead, and a peer that slow joins in when it can.
const LEAD_MAX_US: i64 = 500_000;
/// For the host's fsync, scheduling on both sides and one lost and repeated packet on a LAN.
const LEAD_MARGIN_US: i64 = 60_000;
/// A report that is older says nothing of the present.
const REPORT_LASTS: Duration = Duration::from_secs(5);

/// The last report of each peer.
#[derive(Debug, Default)]
pub struct SyncBoard {
    reports: Mutex<BTreeMap<UserId, (Instant, SyncReport)>>,
}

impl SyncBoard {
    /// Takes in a peer's report.
    pub fn put(&self, user: UserId, report: SyncReport) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.retain(|_, (at, _)| at.elapsed() < REPORT_LASTS);
        reports.insert(user, (Instant::now(), report));
    }

    /// The reports of the last seconds.
    pub fn recent(&self) -> Vec<(UserId, SyncReport)> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = reports.iter().filter(|(_, (at, _))| at.elapsed() < REPORT_LASTS);
        recent.map(|(user, (_, report))| (*user, report.clone())).collect()
    }

    /// How far ahead to schedule: the slowest peer's way and output, with a margin, within bounds.
    pub fn lead_us(&self) -> i64 {
        let slowest_us = self.recent().iter().map(|(_, report)| delay_us(report)).max().unwrap_or(0);
        (slowest_us + LEAD_MARGIN_US).clamp(LEAD_MIN_US, LEAD_MAX_US)
    }
}

/// From the host's socket to the peer's loudspeaker, in microseconds; bounded before it is summed, as a peer may say
/// anything.
fn delay_us(report: &SyncReport) -> i64 {
    let one_way_us = report.rtt_us.unwrap_or(0.0) / 2.0 + report.jitter_us.unwrap_or(0.0);
    let delay_us = one_way_us + report.output_latency_us.unwrap_or(0.0);
    if delay_us.is_finite() { delay_us.clamp(0.0, LEAD_MAX_US as f64) as i64 } else { 0 }
}
