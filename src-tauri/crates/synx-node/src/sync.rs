//! How well this machine plays in time: what is measured, what is reported, and when it is called in sync.

use crate::bridge::{AloneView, PeerSyncView};
use crate::node::Inner;
use crate::room::stage::Stage;
use crate::room::upcoming::next_track;
use serde::Serialize;
use synx_domain::{ContentHash, UserId};
use synx_net::wire::SyncReport;
use synx_playback::{EngineStatus, PlayState, monotonic_us};

/// Two sources within this are heard as one, with no comb filter and no shift of the image: 1 ms is 34 cm of air.
const IN_SYNC_US: f64 = 1_000.0;

/// One look at this machine's playback, with the names that `synx … --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SyncMeasure {
    /// What is heard, as in `playing`, `buffering`, `no_device`; `awaiting` while the track stands until everybody has it.
    pub state: String,
    /// Room time now; none while it is not known.
    pub room_time_us: Option<i64>,
    /// Position in the track that is heard now.
    pub position_s: Option<f64>,
    /// How much later than it should the sound leaves the card; none while nothing sounds.
    pub error_us: Option<f64>,
    /// Half-width of the interval that holds room time.
    pub uncertainty_us: Option<f64>,
    /// Room time minus this machine's monotonic time.
    pub clock_offset_us: Option<f64>,
    /// How much faster the room's clock runs.
    pub clock_skew_ppm: Option<f64>,
    /// Smallest round trip to the host.
    pub rtt_us: Option<f64>,
    /// Rate correction of the resampler.
    pub ratio_ppm: f64,
    /// Times the card ran dry.
    pub xruns: u64,
    /// Times the position was corrected by a fade.
    pub reanchors: u64,
    /// From writing a frame to hearing it.
    pub output_latency_us: i64,
    /// Error and uncertainty together are inaudible.
    pub in_sync: bool,
}

/// Whether error and uncertainty together are small enough to be inaudible.
fn in_sync(error_us: Option<f64>, uncertainty_us: Option<f64>) -> bool {
    error_us.zip(uncertainty_us).is_some_and(|(error, uncertainty)| error.abs() + uncertainty < IN_SYNC_US)
}

impl Inner {
    /// Looks at the engine and the clock.
    pub fn measure(&self, stage: &Stage) -> SyncMeasure {
        let status = self.engine.status();
        let clock = stage.clock().borrow().estimate;
        let now_us = monotonic_us() as f64;
        let uncertainty_us = clock.map(|clock| clock.uncertainty_at_us(now_us));
        let awaits = stage.with(|room| room.transport.as_ref().is_some_and(|transport| transport.awaits));
        SyncMeasure {
            state: if awaits { "awaiting" } else { state_name(&status) }.to_owned(),
            room_time_us: clock.map(|clock| clock.room_us(now_us).round() as i64),
            position_s: status.track.is_some().then_some(status.position_s),
            error_us: status.error_us,
            uncertainty_us,
            clock_offset_us: clock.map(|clock| clock.offset_at_us(now_us)),
            clock_skew_ppm: clock.map(|clock| clock.skew_ppm),
            rtt_us: clock.map(|clock| clock.rtt_us),
            ratio_ppm: status.ratio_ppm,
            xruns: status.xruns,
            reanchors: status.reanchors,
            output_latency_us: status.output_latency_us,
            in_sync: in_sync(status.error_us, uncertainty_us),
        }
    }

    /// What the room is told of it.
    pub fn sync_report(&self, stage: &Stage) -> SyncReport {
        let measure = self.measure(stage);
        let has = self.has(&needed(stage));
        let current = stage.with(|room| Some(room.transport.as_ref()?.current?.track));
        let alone = self.alone_report(stage);
        SyncReport {
            // Who listens alone is not out of time with the room.
            error_us: measure.error_us.filter(|_| self.alone().is_none()),
            alone,
            uncertainty_us: measure.uncertainty_us,
            rtt_us: measure.rtt_us,
            jitter_us: stage.clock().borrow().estimate.map(|clock| clock.jitter_us),
            output_latency_us: Some(measure.output_latency_us as f64),
            ratio_ppm: Some(measure.ratio_ppm),
            xruns: measure.xruns,
            has_track: current.is_none_or(|track| has.contains(&track)),
            has: Some(has),
        }
    }

    /// What is here whole of some audio.
    pub fn has(&self, needed: &[ContentHash]) -> Vec<ContentHash> {
        needed.iter().copied().filter(|track| self.locate(*track).is_some()).collect()
    }
}

/// The audio that a stage needs soonest: of the current track and the next.
pub fn needed(stage: &Stage) -> Vec<ContentHash> {
    stage.with(|room| {
        let Some(transport) = &room.transport else { return Vec::new() };
        let current = transport.current.map(|current| current.track);
        current.into_iter().chain(next_track(room, transport)).collect()
    })
}

/// A peer's report as it is drawn, while `current` is loaded and `needed` is what is needed soonest.
pub fn peer_sync_view(
    user: UserId,
    report: &SyncReport,
    current: Option<ContentHash>,
    needed: &[ContentHash],
) -> PeerSyncView {
    let has = |track| report.has.as_ref().map_or(report.has_track, |has| has.contains(&track));
    // Of what comes later nothing is known where the peer does not say.
    let told = |track| report.has.is_some() || Some(track) == current;
    let lacks = needed.iter().filter(|track| told(**track) && !has(**track));
    PeerSyncView {
        lacks: lacks.map(ToString::to_string).collect(),
        user: user.to_string(),
        error_us: report.error_us,
        clock_uncertainty_us: report.error_us.and(report.uncertainty_us),
        in_sync: in_sync(report.error_us, report.uncertainty_us),
        has_track: current.is_none_or(has),
        alone: report.alone.map(|alone| AloneView {
            track: alone.track.to_string(),
            position_s: alone.position_us as f64 / 1e6,
            playing: alone.playing,
        }),
    }
}

fn state_name(status: &EngineStatus) -> &'static str {
    match status.state {
        PlayState::Idle => "idle",
        PlayState::Paused => "paused",
        PlayState::Playing => "playing",
        PlayState::Buffering => "buffering",
        PlayState::Ended => "ended",
        PlayState::Waiting => "waiting",
        PlayState::NoDevice => "no_device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_lacks_what_it_says_it_has_not() {
        let [current, next] = [1, 2].map(|n| ContentHash::from_bytes([n; 32]));
        let lacks = |has: Option<Vec<ContentHash>>, has_track| {
            let report = SyncReport { has, has_track, ..SyncReport::default() };
            peer_sync_view(UserId::from_bytes([1; 16]), &report, Some(current), &[current, next]).lacks
        };
        assert_eq!(lacks(Some(vec![current]), true), [next.to_string()]);
        assert_eq!(lacks(Some(Vec::new()), false).len(), 2);
        assert_eq!(
            lacks(None, false),
            [current.to_string()],
            "an older peer speaks of the current one alone"
        );
        assert!(lacks(None, true).is_empty());
    }

    #[test]
    fn a_peer_at_rest_is_drawn_alike_whatever_its_clock_does() {
        let drawn = |error_us, uncertainty_us| {
            let rtt_us = uncertainty_us;
            let report = SyncReport { error_us, uncertainty_us, rtt_us, ..SyncReport::default() };
            peer_sync_view(UserId::from_bytes([1; 16]), &report, None, &[])
        };
        assert_eq!(drawn(None, Some(40.0)), drawn(None, Some(55.0)));
        assert_ne!(drawn(Some(9.0), Some(40.0)), drawn(Some(9.0), Some(55.0)));
    }

    #[test]
    fn a_small_error_of_an_unsure_clock_is_not_in_sync() {
        assert!(in_sync(Some(-80.0), Some(50.0)));
        assert!(!in_sync(Some(-80.0), Some(5_000.0)));
        assert!(!in_sync(Some(0.0), None));
        assert!(!in_sync(None, Some(1.0)));
    }
}
