//! A peer's room clock: probes on a connection of their own, filtered into an estimate.
//!
//! Must never share a connection with anything else: a file on its way would delay the probes and bend the clock.

use std::sync::Arc;
use std::time::Duration;
use synx_clock::{ClockEstimate, ClockFilter, Probe, ProbeSchedule, Verdict};
use synx_domain::EpochId;
use synx_net::{ClockLink, RoomClient};
use synx_playback::monotonic_us;
use tokio::sync::watch;

/// After a failure, before the connection is tried again: short, as the estimate ages without probes.
const RETRY: Duration = Duration::from_millis(500);

/// What the peer knows of room time.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoomClock {
    /// The host run that the estimate is of.
    pub epoch: Option<EpochId>,
    /// The line from local to room time; none until enough probes have come back.
    pub estimate: Option<ClockEstimate>,
}

/// Keeps `clock` true until the task is aborted.
pub async fn follow(client: Arc<RoomClient>, clock: watch::Sender<RoomClock>) {
    let mut filter = ClockFilter::new();
    loop {
        if let Ok(mut link) = client.clock_link().await {
            let lost = probe(&mut link, &mut filter, &clock).await;
            tracing::debug!(%lost, "probe connection ended");
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn probe(
    link: &mut ClockLink,
    filter: &mut ClockFilter,
    clock: &watch::Sender<RoomClock>,
) -> synx_net::NetError {
    let mut schedule = ProbeSchedule::new(monotonic_us());
    loop {
        let wait_us = schedule.next_us() - monotonic_us();
        // Not for nothing: the timer wakes up to a millisecond late, and the machine would have gone to sleep.
        if wait_us > 0 {
            tokio::time::sleep(Duration::from_micros(wait_us.unsigned_abs())).await;
        }
        schedule.on_sent(monotonic_us(), filter.estimate().as_ref());
        let reading = match link.probe(monotonic_us).await {
            Ok(reading) => reading,
            Err(error) => return error,
        };
        if clock.borrow().epoch != Some(reading.epoch) {
            // Another run of the host counts its room time from another zero: nothing of the old estimate holds.
            filter.reset();
            schedule.restart(monotonic_us());
        }
        let probe =
            Probe { t1_us: reading.t1_us, t2_us: reading.t2_us, t3_us: reading.t3_us, t4_us: reading.t4_us };
        if filter.add(probe) == Verdict::Jumped {
            schedule.restart(monotonic_us());
        }
        clock.send_replace(RoomClock { epoch: Some(reading.epoch), estimate: filter.estimate() });
    }
}
