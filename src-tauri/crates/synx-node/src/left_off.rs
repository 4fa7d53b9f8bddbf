//! Where one left off when alone, so that the next start finds it: what was loaded, how far, what was
//! repeated, and what was queued by hand.
//!
//! Must never play by itself, and never remember a room's music.

use crate::bridge::PlayerView;
use crate::error::NodeError;
use crate::library::search::Wanted;
use crate::node::Inner;
use crate::room::solo::SoloRoom;
use crate::room::stage::Stage;
use crate::settings::LeftOff;
use synx_domain::{Command, TrackMeta};

/// More than anybody queues by hand; what comes after it is left out.
const QUEUED_MAX: usize = 200;

impl Inner {
    /// Loads what was played alone last, paused where it was left, with what was queued and what followed it in the list
    /// that was shown.
    pub fn take_up_again(&self, solo: &SoloRoom) {
        let Some(left_off) = self.settings().values().left_off.clone() else { return };
        if let Err(error) = self.load_again(solo, &left_off) {
            tracing::warn!(%error, "what was played last is not loaded");
        }
    }

    fn load_again(&self, solo: &SoloRoom, left_off: &LeftOff) -> Result<(), NodeError> {
        let Some(track) = self.still_there(&left_off.track)? else { return Ok(()) };
        let look = self.settings().values().look.clone();
        let wanted = look.map_or_else(Wanted::all, |look| Wanted {
            list: look.list,
            search: look.search,
            order: look.order,
        });
        // The list may be gone, or mean nothing any more.
        let following = self.following(&wanted, track.hash).unwrap_or_default();
        solo.load(&track, left_off.position_us, following)?;
        if left_off.loop_region.is_some() {
            solo.execute(Command::SetLoop { region: left_off.loop_region })?;
        }
        for queued in &left_off.queued {
            if let Some(track) = self.still_there(queued)? {
                solo.choose(track, false)?;
            }
        }
        self.refill(solo);
        Ok(())
    }

    fn still_there(&self, track: &str) -> Result<Option<TrackMeta>, NodeError> {
        let Ok(hash) = track.parse() else { return Ok(None) };
        let track = self.library.store().get(hash)?;
        Ok(track.filter(|track| self.usable(track).is_ok()).map(|track| track.meta))
    }

    /// Remembers where one is, for the next start.
    pub fn keep_place(&self, player: &PlayerView) {
        let stage = self.stage();
        let (Stage::Solo(solo), Some(track)) = (&*stage, player.track.clone()) else { return };
        let ended = player.position_s >= player.duration_s;
        let loop_region = solo.with(|room| room.transport.as_ref()?.loop_region);
        let chosen = solo.ahead().into_iter().filter(|ahead| ahead.chosen).take(QUEUED_MAX);
        let left_off = LeftOff {
            track,
            position_us: if ended { 0 } else { (player.position_s * 1e6) as i64 },
            loop_region,
            queued: chosen.map(|ahead| ahead.meta.hash.to_string()).collect(),
        };
        if self.settings().values().left_off.as_ref() == Some(&left_off) {
            return;
        }
        if let Err(error) = self.settings().change(|values| values.left_off = Some(left_off)) {
            tracing::warn!(%error, "it is not remembered where one is");
        }
    }
}
