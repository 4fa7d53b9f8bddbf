//! What a room's settings call old moves to the archive of its log, where every read still finds it.
//!
//! Must never take anything out of the log. A wall clock that jumps makes events old too early or too late, and no more.

use crate::error::NodeError;
use crate::room::hosted::HostedRoom;
use std::sync::Arc;
use std::time::Duration;
use synx_domain::{Room, RoomId};
use synx_log::{Log, Old};
use tokio::time::MissedTickBehavior;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(3600);
const DAY_MS: i64 = 86_400_000;

/// Looks when the room opens, and every hour.
pub async fn keep_small(room: Arc<HostedRoom>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(old) = room.with(|room| old(room, crate::wall_clock_ms())) else { continue };
        match room.log().archive(room.id(), old).await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, room = %room.id(), "old events are in the archive now"),
            // They are where they were, and the next look tries again.
            Err(error) => tracing::warn!(%error, room = %room.id(), "old events could not be archived"),
        }
    }
}

/// What the settings call old at this moment of the wall clock, if anything.
fn old(room: &Room, now_ms: i64) -> Option<Old> {
    let days = room.settings.as_ref().map(|settings| settings.archive_after_days).filter(|days| *days > 0)?;
    Some(Old { whole_segments: true, ..before(now_ms, days) })
}

fn before(now_ms: i64, days: u32) -> Old {
    let before_ms = now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS));
    Old { through_seq: u64::MAX, before_ms, whole_segments: false }
}

/// Which events somebody wants in the archive.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// Those older than so many days.
    OlderThanDays(u32),
    /// All but the latest so many.
    AllBut(u64),
}

impl Which {
    /// Moves them; how many.
    pub(crate) async fn archive(self, log: &Log, room: RoomId) -> Result<u64, NodeError> {
        let old = match self {
            Self::OlderThanDays(days) => before(crate::wall_clock_ms(), days),
            Self::AllBut(kept) => {
                let through_seq = log.head(room)?.saturating_sub(kept);
                Old { through_seq, before_ms: i64::MAX, whole_segments: false }
            }
        };
        Ok(log.archive(room, old).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_testkit::events::RoomLog;

    #[test]
    fn nothing_is_old_unless_the_settings_say_so() {
        let mut room = RoomLog::open().room().clone();
        assert_eq!(old(&room, 1_000 * DAY_MS), None);
        room.settings.as_mut().unwrap().archive_after_days = 30;
        assert_eq!(old(&room, 1_000 * DAY_MS).map(|old| old.before_ms), Some(970 * DAY_MS));
        assert!(old(&room, i64::MIN).is_some(), "a clock that is far off is no harm");
    }
}
