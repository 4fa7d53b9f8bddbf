//! What the peers of a hosted room report: how far ahead a change must be scheduled to reach them all in time, and who lacks
//! a track.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use synx_domain::{ContentHash, UserId};
use synx_net::wire::SyncReport;
use tokio::sync::watch;

/// Shortest lead: the audio already in a device's buffer cannot be changed any more.
const LEAD_MIN_US: i64 = 120_000;
/// Longest lead: beyond it a button feels dead, and a peer that slow joins in when it can.
const LEAD_MAX_US: i64 = 500_000;
/// For the host's fsync, scheduling on both sides and one lost and repeated packet on a LAN.
const LEAD_MARGIN_US: i64 = 60_000;
/// A report that is older says nothing of the present.
const REPORT_LASTS: Duration = Duration::from_secs(5);

/// The last report of each peer.
#[derive(Debug)]
pub struct SyncBoard {
    reports: Mutex<BTreeMap<UserId, (Instant, SyncReport)>>,
    /// Rises when somebody has other files than before, or listens elsewhere.
    news: watch::Sender<u64>,
    opened: Instant,
}

impl Default for SyncBoard {
    fn default() -> Self {
        Self { reports: Mutex::default(), news: watch::Sender::new(0), opened: Instant::now() }
    }
}

impl SyncBoard {
    /// Takes in a peer's report.
    pub fn put(&self, user: UserId, report: SyncReport) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.retain(|_, (at, _)| at.elapsed() < REPORT_LASTS);
        let news = tidings(&report);
        let before = reports.insert(user, (Instant::now(), report));
        if before.is_none_or(|(_, before)| tidings(&before) != news) {
            self.news.send_modify(|count| *count += 1);
        }
    }

    /// Whether nobody reported lately.
    pub fn is_quiet(&self) -> bool {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.values().all(|(at, _)| at.elapsed() >= REPORT_LASTS)
    }

    /// Rises when somebody has other files than before, or listens elsewhere.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Until when somebody of `present` who lacks `track` holds the others back, unless they report again before; none
    /// when nobody does. Who does not report any more holds nobody, so that nobody waits for a frozen machine for ever;
    /// after a start of the host, everybody has the time to come back and report first.
    pub fn held_until(&self, track: ContentHash, present: &[UserId]) -> Option<Instant> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let until = |user| {
            let since = match reports.get(user) {
                Some((at, report)) => report.has.as_ref().filter(|has| !has.contains(&track)).map(|_| *at),
                None => Some(self.opened),
            };
            since.map(|since| since + REPORT_LASTS).filter(|until| *until > Instant::now())
        };
        present.iter().filter_map(until).max()
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

/// What of a report the others are told at once: which files, and which track alone.
fn tidings(report: &SyncReport) -> (Option<Vec<ContentHash>>, Option<(ContentHash, bool)>) {
    (report.has.clone(), report.alone.map(|alone| (alone.track, alone.playing)))
}

/// From the host's socket to the peer's loudspeaker, in microseconds; bounded before it is summed, as a peer may say
/// anything.
fn delay_us(report: &SyncReport) -> i64 {
    let one_way_us = report.rtt_us.unwrap_or(0.0) / 2.0 + report.jitter_us.unwrap_or(0.0);
    let delay_us = one_way_us + report.output_latency_us.unwrap_or(0.0);
    if delay_us.is_finite() { delay_us.clamp(0.0, LEAD_MAX_US as f64) as i64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_net::wire::Alone;

    const TRACK: ContentHash = ContentHash::from_bytes([1; 32]);
    const ANA: UserId = UserId::from_bytes([1; 16]);
    const BEN: UserId = UserId::from_bytes([2; 16]);

    fn with(has: Option<Vec<ContentHash>>) -> SyncReport {
        SyncReport { has, ..SyncReport::default() }
    }

    /// A board that was opened, and reported to, so long ago.
    fn board(age: Duration, reports: &[(UserId, Option<Vec<ContentHash>>)]) -> SyncBoard {
        let mut board = SyncBoard::default();
        reports.iter().for_each(|(user, has)| board.put(*user, with(has.clone())));
        board.opened -= age;
        board.reports.lock().unwrap().values_mut().for_each(|(at, _)| *at -= age);
        board
    }

    #[test]
    fn who_lacks_the_track_holds_the_others_until_the_report_is_old() {
        let lacking = [(ANA, Some(vec![TRACK])), (BEN, Some(vec![]))];
        let fresh = board(Duration::from_secs(2), &lacking);
        let left = fresh.held_until(TRACK, &[ANA, BEN]).unwrap() - Instant::now();
        assert!(left <= Duration::from_secs(3), "{left:?}");
        assert_eq!(fresh.held_until(TRACK, &[ANA]), None, "Ben has left");
        assert_eq!(board(REPORT_LASTS, &lacking).held_until(TRACK, &[ANA, BEN]), None, "Ben is frozen");
        fresh.put(BEN, with(Some(vec![TRACK])));
        assert_eq!(fresh.held_until(TRACK, &[ANA, BEN]), None);
    }

    #[test]
    fn who_says_nothing_of_files_is_not_waited_for() {
        let board = board(Duration::from_secs(2), &[(BEN, None)]);
        assert_eq!(board.held_until(TRACK, &[BEN]), None);
    }

    #[test]
    fn a_host_that_starts_again_gives_everybody_time_to_report() {
        assert!(board(Duration::ZERO, &[]).held_until(TRACK, &[BEN]).is_some());
        assert_eq!(board(REPORT_LASTS, &[]).held_until(TRACK, &[BEN]), None);
    }

    #[test]
    fn only_other_files_and_tracks_alone_are_news() {
        let board = board(Duration::ZERO, &[(BEN, Some(vec![]))]);
        let mut news = board.news();
        board.put(BEN, with(Some(vec![])));
        assert!(!news.has_changed().unwrap());
        board.put(BEN, with(Some(vec![TRACK])));
        assert!(news.has_changed().unwrap());
        news.mark_unchanged();
        let alone = |position_us| Some(Alone { track: TRACK, position_us, playing: true });
        board.put(BEN, SyncReport { alone: alone(0), ..with(Some(vec![TRACK])) });
        assert!(news.has_changed().unwrap());
        news.mark_unchanged();
        board.put(BEN, SyncReport { alone: alone(1_000_000), ..with(Some(vec![TRACK])) });
        assert!(!news.has_changed().unwrap(), "it only goes on");
    }
}
