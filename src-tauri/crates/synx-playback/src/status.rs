//! What the engine says of itself.

use serde::Serialize;

use crate::monotonic::monotonic_exact_us;
use crate::output::desk::Report;
use crate::shared::{Shared, Snapshot, Sounding};
use std::sync::atomic::Ordering;

/// What is heard now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayState {
    /// No track.
    Idle,
    /// Held at a position.
    Paused,
    /// Sound.
    Playing,
    /// The position is known and its samples are not there yet. The timeline runs on.
    Buffering,
    /// Behind the last frame of the track.
    Ended,
    /// The room's clock is not known yet, or the card is starting.
    Waiting,
    /// There is no device. The timeline runs on; the device is tried every second.
    NoDevice,
}

/// A look at the engine, valid for the moment of the call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EngineStatus {
    /// What is heard now.
    pub state: PlayState,
    /// [`TrackHandle::id`](crate::TrackHandle::id) of the track that is heard or held.
    pub track: Option<u64>,
    /// Revision of the plan in force.
    pub revision: u64,
    /// Position in the track that is heard now, in seconds.
    pub position_s: f64,
    /// How much later than it should the sound leaves the card, in microseconds, by the card's own stamps and the room
    /// clock's estimate. On the null output, which has no hardware behind it, the card is the local clock itself. `None`
    /// while nothing sounds and while the chosen device does not play.
    pub error_us: Option<f64>,
    /// Uncertainty of the room clock now, in microseconds; the true error is within `error_us` and this.
    pub clock_uncertainty_us: Option<f64>,
    /// Rate correction in force, in parts per million.
    pub ratio_ppm: f64,
    /// Times the card ran dry since the engine started.
    pub xruns: u64,
    /// Times the position was corrected by a fade since the engine started.
    pub reanchors: u64,
    /// Times the track fell silent since the engine started, as its next samples were not decoded yet.
    pub gaps: u64,
    /// The device that plays, or should.
    pub device: String,
    /// Why it does not play.
    pub device_trouble: Option<String>,
    /// Rate of the device, in hertz.
    pub sample_rate_hz: u32,
    /// From writing a frame to hearing it, in microseconds: what a plan has to be early by to be heard in time.
    pub output_latency_us: i64,
    /// Loudest sample of the last block, left and right, 0 to 1.
    pub peak: [f32; 2],
    /// Why the track does not play on, if it was a fault of the file.
    pub track_trouble: Option<String>,
}

pub(crate) fn read(shared: &Shared, report: Report, track_trouble: Option<String>) -> EngineStatus {
    let snapshot = shared.snapshot.read().map_or(Snapshot::IDLE, Snapshot::from_words);
    let now_us = monotonic_exact_us();
    let advanced = (now_us - snapshot.heard_us) * snapshot.rate_hz * 1e-6;
    let sounding = snapshot.sounding == Sounding::Playing;
    let position_s = (snapshot.frame + advanced) / snapshot.track_hz;
    EngineStatus {
        state: state(&snapshot, &report),
        track: (snapshot.track != 0).then_some(snapshot.track),
        revision: snapshot.revision,
        position_s: position_s.max(0.0),
        error_us: (sounding && report.trouble.is_none()).then_some(snapshot.error_us),
        clock_uncertainty_us: shared.read_clock().map(|clock| clock.uncertainty_at_us(now_us)),
        ratio_ppm: snapshot.ratio_ppm,
        xruns: shared.xruns.load(Ordering::Relaxed),
        reanchors: snapshot.reanchors,
        gaps: snapshot.gaps,
        sample_rate_hz: report.rate_hz,
        device: report.device,
        device_trouble: report.trouble,
        output_latency_us: i64::from(crate::output::QUEUE_US)
            + shared.latency_offset_us.load(Ordering::Relaxed).max(0),
        peak: snapshot.peak,
        track_trouble,
    }
}

fn state(snapshot: &Snapshot, report: &Report) -> PlayState {
    if report.trouble.is_some() {
        return PlayState::NoDevice;
    }
    match snapshot.sounding {
        Sounding::Idle => PlayState::Idle,
        Sounding::Waiting => PlayState::Waiting,
        Sounding::Paused => PlayState::Paused,
        Sounding::Playing => PlayState::Playing,
        Sounding::Buffering => PlayState::Buffering,
        Sounding::Ended => PlayState::Ended,
    }
}
