//! Turns a room's transport into what the engine plays, and, where this machine leads, the end of a track into the next and
//! the end of waiting into its beginning.
//!
//! Must never decide what plays: that is the room's. A track that is not here yet is silence until it comes; nobody waits.

use crate::room::engine_time::EngineTime;
use crate::room::solo::SoloRoom;
use crate::room::stage::Stage;
use crate::room::upcoming::{Upcoming, next_track};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use synx_domain::{Anchor, Command, ContentHash, EpochId, Transport};
use synx_playback::{AudioFile, Engine, Plan, TrackHandle, monotonic_us};
use tokio::sync::watch;

/// How soon an advance that failed (the log was busy or full) is tried again.
const ADVANCE_RETRY: Duration = Duration::from_millis(500);

/// Finds the file of an audio on this machine, whole or still coming.
pub type Locate = Arc<dyn Fn(ContentHash) -> Option<AudioFile> + Send + Sync>;

/// Gain of an audio in decibels: what loudness normalisation makes of it.
pub type Gain = Arc<dyn Fn(ContentHash) -> f32 + Send + Sync>;

/// What besides the stage has a say in what is heard.
pub struct Inputs {
    /// Rises when a file has come to this machine, or more of it, or its gain may have changed.
    pub arrivals: watch::Receiver<u64>,
    /// What sounds in place of all music, for calibration.
    pub signal: watch::Receiver<Option<TrackHandle>>,
    /// What one listens to by oneself, in place of what the stage plays.
    pub alone: watch::Receiver<Option<Arc<SoloRoom>>>,
}

/// Plays one stage until it is dropped.
pub struct Conductor {
    stage: Arc<Stage>,
    engine: Arc<Engine>,
    locate: Locate,
    gain: Gain,
    inputs: Inputs,
    /// Counts the engine's plans over all stages of this process.
    plans: Arc<AtomicU64>,
    loaded: HashMap<ContentHash, TrackHandle>,
    time: EngineTime,
    seam: SeamWatch,
}

impl Conductor {
    /// A conductor for `stage`; run it with [`Conductor::run`].
    pub fn new(
        stage: Arc<Stage>,
        engine: Arc<Engine>,
        locate: Locate,
        gain: Gain,
        inputs: Inputs,
        plans: Arc<AtomicU64>,
    ) -> Self {
        Self {
            stage,
            engine,
            locate,
            gain,
            inputs,
            plans,
            loaded: HashMap::new(),
            time: EngineTime::default(),
            seam: SeamWatch::default(),
        }
    }

    /// Follows the stage until it ends. Aborting the task is the way to stop it earlier.
    pub async fn run(mut self) {
        let mut changes = self.stage.changes();
        let mut clock = self.stage.clock();
        clock.mark_changed();
        let mut follows_clock = true;
        let mut files = self.stage.files();
        let mut follows_files = true;
        loop {
            let due = self.due();
            tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => return,
                },
                changed = clock.changed(), if follows_clock => {
                    // Alone or as the host the clock is known for good: its sender is gone.
                    follows_clock = changed.is_ok();
                    let known = *clock.borrow_and_update();
                    let followed = self.time.epoch();
                    if let Some(estimate) = known.estimate {
                        let local_us = monotonic_us() as f64;
                        self.engine.set_clock(self.time.follow(known.epoch, estimate, local_us));
                    }
                    if self.time.epoch() != followed {
                        self.follow();
                    }
                }
                changed = self.inputs.arrivals.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => return,
                },
                changed = self.inputs.signal.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => return,
                },
                changed = self.inputs.alone.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => return,
                },
                // Whoever is waited for may have what was missing.
                changed = files.changed(), if follows_files => follows_files = changed.is_ok(),
                () = tokio::time::sleep(due.as_ref().map_or(Duration::MAX, |(wait, _)| *wait)), if due.is_some() => {
                    self.lead().await;
                }
            }
        }
    }

    /// Gives the engine what the room's transport says, or what takes its place.
    fn follow(&mut self) {
        let signal = self.inputs.signal.borrow_and_update().clone();
        let alone = self.inputs.alone.borrow_and_update().clone();
        let plan = match (signal, alone) {
            (Some(signal), _) => Some(self.signal_plan(signal)),
            (None, Some(alone)) => self.alone_plan(&alone),
            (None, None) => self.music_plan(),
        };
        if let Some(Err(error)) = plan.map(|plan| self.engine.set_plan(plan)) {
            tracing::warn!(%error, "nothing can be played");
        }
    }

    /// The signal, so that it sounds at every whole second of room time, here and wherever else it is played.
    fn signal_plan(&self, signal: TrackHandle) -> Plan {
        Plan {
            track: Some(signal),
            playing: true,
            ..Plan::silence(self.next_plan(), self.time.of_room_us(0))
        }
    }

    /// What one listens to by oneself: a room of one counts by this machine's own clock.
    fn alone_plan(&mut self, alone: &SoloRoom) -> Option<Plan> {
        let transport = alone.with(|room| room.transport.clone())?;
        let track = self.load(transport.current?.track);
        if let (Some(current), Some(track)) = (transport.current, &track) {
            track.set_gain_db((self.gain)(current.track));
        }
        Some(Plan {
            revision: self.next_plan(),
            track,
            anchor_room_us: self.time.of_local_us(transport.anchor.room_time_us),
            anchor_position_us: transport.anchor.position_us,
            playing: transport.playing,
            loop_region: transport.repeats().map(|region| (region.begin_us, region.end_us)),
            gapless: false,
        })
    }

    fn next_plan(&self) -> u64 {
        self.plans.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What the transport says; none while the host has started again and has not said yet where the music is: then what
    /// plays goes on.
    fn music_plan(&mut self) -> Option<Plan> {
        let stage = Arc::clone(&self.stage);
        let Some((transport, next, duration_us)) = stage.with(|room| {
            let transport = room.transport.clone()?;
            let next = next_track(room, &transport);
            let duration_us = transport
                .current
                .and_then(|current| room.playable(current.track))
                .map(|meta| meta.duration_us);
            Some((transport, next, duration_us))
        }) else {
            return Some(Plan::silence(self.next_plan(), self.time.of_room_us(0)));
        };
        if self.time.epoch() != Some(transport.epoch) {
            return None;
        }
        let current = transport.current.map(|current| current.track);
        self.loaded.retain(|hash, _| Some(*hash) == current || Some(*hash) == next);
        let track = current.and_then(|hash| self.load(hash));
        next.and_then(|hash| self.load(hash));
        self.loaded.iter().for_each(|(hash, handle)| handle.set_gain_db((self.gain)(*hash)));
        Some(Plan {
            revision: self.next_plan(),
            track,
            anchor_room_us: self.time.of_room_us(transport.anchor.room_time_us),
            anchor_position_us: transport.anchor.position_us,
            playing: transport.playing,
            loop_region: transport.repeats().map(|region| (region.begin_us, region.end_us)),
            gapless: self.seam.follows(&transport, duration_us),
        })
    }

    fn load(&mut self, hash: ContentHash) -> Option<TrackHandle> {
        if let Some(handle) = self.loaded.get(&hash) {
            return Some(handle.clone());
        }
        let file = (self.locate)(hash)?;
        let growing = matches!(file, AudioFile::Growing(_));
        let opened = if growing {
            let locate = Arc::clone(&self.locate);
            TrackHandle::open_growing(file.path(), move || locate(hash))
        } else {
            self.engine.load(file.path())
        };
        match opened {
            Ok(handle) => {
                self.loaded.insert(hash, handle.clone());
                Some(handle)
            }
            // Tried again as more of it comes.
            Err(error) if growing => {
                tracing::debug!(%hash, %error, "not enough of the track is here");
                None
            }
            Err(error) => {
                tracing::warn!(%hash, %error, "track cannot be played");
                None
            }
        }
    }

    /// How long to wait before there is something to announce, and what.
    fn due(&self) -> Option<(Duration, Command)> {
        let upcoming = if self.stage.leads() { self.stage.with(Upcoming::of) } else { None };
        Some(upcoming?.due(monotonic_us(), |track| self.stage.held_until(track)))
    }

    /// Announces what is due, if it still is.
    async fn lead(&self) {
        let Some((Duration::ZERO, command)) = self.due() else { return };
        if let Err(error) = self.stage.execute(command).await {
            tracing::warn!(%error, "what plays next could not be announced");
            tokio::time::sleep(ADVANCE_RETRY).await;
        }
    }
}

/// Sees whether a transport begins where the one before it runs out.
#[derive(Default)]
struct SeamWatch {
    revision: u64,
    runs_out: Option<(EpochId, i64)>,
    gapless: bool,
}

impl SeamWatch {
    /// Whether `transport` follows without a gap; the same answer for as long as it holds. `duration_us` is its track's.
    fn follows(&mut self, transport: &Transport, duration_us: Option<i64>) -> bool {
        if self.revision == transport.revision {
            return self.gapless;
        }
        let Anchor { room_time_us, position_us } = transport.anchor;
        self.gapless = self.runs_out == Some((transport.epoch, room_time_us)) && position_us == 0;
        self.revision = transport.revision;
        // Nothing sounds while a track is awaited: it may yet begin where the one before it runs out.
        if transport.awaits {
            return self.gapless;
        }
        let runs_out = duration_us.filter(|_| transport.playing && transport.repeats().is_none());
        self.runs_out =
            runs_out.map(|duration_us| (transport.epoch, room_time_us + duration_us - position_us));
        self.gapless
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn only_what_begins_at_the_end_of_the_track_before_is_gapless() {
        let epoch = EpochId::from_uuid(Uuid::from_u128(1));
        let transport = |revision, room_time_us, position_us| Transport {
            revision,
            epoch,
            current: None,
            anchor: Anchor { room_time_us, position_us },
            playing: true,
            awaits: false,
            loop_region: None,
        };
        let mut seam = SeamWatch::default();
        assert!(!seam.follows(&transport(1, 1_000, 0), Some(5_000)));
        assert!(!seam.follows(&transport(2, 3_000, 4_000), Some(5_000)), "a seek");
        assert!(seam.follows(&transport(3, 4_000, 0), Some(7_000)), "the next track");
        assert!(seam.follows(&transport(3, 4_000, 0), Some(7_000)), "and so it stays");
        assert!(!seam.follows(&transport(4, 9_000, 0), Some(7_000)), "a skip");
        assert!(
            !seam.follows(&Transport { playing: false, ..transport(5, 16_000, 7_000) }, None),
            "the last end"
        );
    }

    #[test]
    fn what_was_awaited_is_gapless_if_it_begins_in_time() {
        let epoch = EpochId::from_uuid(Uuid::from_u128(1));
        let transport = |revision, room_time_us, playing| Transport {
            revision,
            epoch,
            current: None,
            anchor: Anchor { room_time_us, position_us: 0 },
            playing,
            awaits: !playing,
            loop_region: None,
        };
        for (began_us, gapless) in [(5_000, true), (9_000, false)] {
            let mut seam = SeamWatch::default();
            assert!(!seam.follows(&transport(1, 0, true), Some(5_000)));
            assert!(seam.follows(&transport(2, 5_000, false), Some(7_000)), "the end before it is not faded");
            assert_eq!(seam.follows(&transport(3, began_us, true), Some(7_000)), gapless);
        }
    }
}
