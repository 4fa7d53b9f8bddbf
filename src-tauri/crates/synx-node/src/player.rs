//! What is heard here, in the form that is drawn, and the controls of this machine alone: volume, device, latency.

use crate::bridge::{DeviceView, PlayState, PlayerView, QueuedView, TrackView};
use crate::error::NodeError;
use crate::library::StoredTrack;
use crate::library::search::Wanted;
use crate::node::Inner;
use crate::room::solo::{Ahead, Following, SoloRoom};
use crate::room::stage::Stage;
use synx_domain::{Command, ContentHash};
use synx_playback::{DeviceChoice, PlayState as EngineState, devices, monotonic_us, normalisation_gain_db};

impl Inner {
    /// Playback on this machine now.
    pub fn player_view(&self) -> PlayerView {
        let stage = self.stage();
        let status = self.engine.status();
        let alone = self.alone().is_some();
        let loaded = self.heard(&stage, |room| {
            let transport = room.transport.as_ref()?;
            let track = transport.current?.track;
            Some((track, room.playable(track).cloned(), transport.clone()))
        });
        let settings = self.settings();
        let values = settings.values();
        let device = self.engine.device().name();
        let (track, meta, transport) = match loaded {
            Some((track, meta, transport)) => (Some(track), meta, Some(transport)),
            None => (None, None, None),
        };
        let playing = transport.as_ref().is_some_and(|transport| transport.playing);
        let awaits = transport.as_ref().is_some_and(|transport| transport.awaits);
        let duration_s = meta.as_ref().map_or(0.0, |meta| meta.duration_us as f64 / 1e6);
        let known = status.track.is_some() && status.state != EngineState::Waiting;
        let position_s = match &transport {
            Some(transport) if alone => transport.position_us_at(monotonic_us()) as f64 / 1e6,
            Some(_) if known => status.position_s,
            Some(transport) => transport_position_s(&stage, transport),
            None => 0.0,
        };
        PlayerView {
            state: match (track, playing, status.state) {
                (None, ..) => PlayState::Empty,
                (Some(_), false, _) if awaits => PlayState::Awaiting,
                (Some(_), false, _) => PlayState::Paused,
                (Some(_), true, EngineState::Buffering | EngineState::Idle) => PlayState::Buffering,
                (Some(_), true, _) => PlayState::Playing,
            },
            track: track.map(|track| track.to_string()),
            title: meta.as_ref().map(|meta| meta.title.clone()),
            artist: meta.and_then(|meta| meta.artist),
            duration_s,
            position_s: position_s.clamp(0.0, duration_s),
            loop_region: transport.as_ref().and_then(|transport| transport.loop_region).map(Into::into),
            volume: values.volume_of(&device),
            muted: values.muted,
            normalise_to_lufs: values.normalise_to_lufs,
            audible: status.device_trouble.is_none() && status.device != "null",
            latency_offset_ms: values.latency_offset_us.get(&device).map_or(0.0, |us| *us as f64 / 1e3),
            device,
            error_us: status.error_us.filter(|_| stage.is_room() && !alone),
            may_control: self.may_control(&stage),
            alone,
        }
    }

    fn may_control(&self, stage: &Stage) -> bool {
        stage.with(|room| room.present(self.me()).is_some_and(|member| room.may_control(member.role)))
    }

    /// Sets the volume of this machine.
    ///
    /// # Errors
    /// When the setting cannot be kept; it holds all the same.
    pub fn set_volume(&self, volume: f64, muted: bool) -> Result<(), NodeError> {
        let volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
        self.engine.set_volume(volume as f32);
        self.engine.set_muted(muted);
        self.settings().change(|values| {
            values.volume.insert(self.engine.device().name(), volume);
            values.muted = muted;
        })
    }

    /// The output devices of this machine. Asks the sound system, which may take a moment.
    pub fn device_views(&self) -> Vec<DeviceView> {
        let chosen = match self.engine.device() {
            DeviceChoice::Named(name) => Some(name),
            DeviceChoice::Null => Some("null".to_owned()),
            DeviceChoice::Default => None,
        };
        let default = DeviceView {
            id: "default".to_owned(),
            name: "System default".to_owned(),
            default: true,
            chosen: chosen.is_none(),
        };
        let listed = devices().into_iter().map(|device| DeviceView {
            chosen: chosen.as_ref() == Some(&device.name),
            id: device.name,
            name: device.description,
            default: false,
        });
        std::iter::once(default).chain(listed).collect()
    }

    /// Plays on another device from now on, with the latency offset that was kept for it.
    ///
    /// # Errors
    /// When the setting cannot be kept; it holds all the same.
    pub fn set_device(&self, id: Option<String>) -> Result<(), NodeError> {
        let device = id.map_or(DeviceChoice::Default, |id| DeviceChoice::from_name(&id));
        let name = device.name();
        let offset_us = self.settings().values().latency_offset_us.get(&name).copied().unwrap_or(0);
        let volume = self.settings().values().volume_of(&name);
        self.engine.set_device(device);
        self.engine.set_latency_offset_us(offset_us);
        self.engine.set_volume(volume as f32);
        self.settings().change(|values| values.device = Some(name))
    }

    /// Brings every track to one loudness from now on, or plays them as they are.
    ///
    /// # Errors
    /// When the setting cannot be kept; it holds all the same.
    pub fn set_normalisation(&self, target_lufs: Option<f64>) -> Result<(), NodeError> {
        /// Louder than the loudest masters, and quieter than film.
        const RANGE_LUFS: std::ops::RangeInclusive<f64> = -31.0..=-8.0;
        let target_lufs = target_lufs.filter(|lufs| lufs.is_finite());
        let target_lufs = target_lufs.map(|lufs| lufs.clamp(*RANGE_LUFS.start(), *RANGE_LUFS.end()));
        let kept = self.settings().change(|values| values.normalise_to_lufs = target_lufs);
        self.arrivals.send_modify(|count| *count += 1);
        kept
    }

    /// Gain in decibels that normalisation gives a track; 0 while it is off or the track's loudness is not known.
    pub fn normalisation_db(&self, hash: ContentHash) -> f32 {
        let Some(target_lufs) = self.settings().values().normalise_to_lufs else { return 0.0 };
        let Some(analysis) = self.library.analyses().get(hash) else { return 0.0 };
        match (analysis.loudness.integrated_lufs, analysis.loudness.true_peak_dbtp) {
            (Some(lufs), Some(peak_dbtp)) => normalisation_gain_db(lufs, peak_dbtp, target_lufs),
            _ => 0.0,
        }
    }

    /// Says by how much the present device plays late.
    ///
    /// # Errors
    /// When the setting cannot be kept; it holds all the same.
    pub fn set_latency_offset(&self, offset_ms: f64) -> Result<(), NodeError> {
        /// No device is later than this; more is a slip of the hand.
        const LIMIT_MS: f64 = 2_000.0;
        let offset_us = (offset_ms.clamp(-LIMIT_MS, LIMIT_MS) * 1e3) as i64;
        self.engine.set_latency_offset_us(offset_us);
        let device = self.engine.device().name();
        self.settings().change(|values| {
            values.latency_offset_us.insert(device, offset_us);
        })
    }

    /// What the library knows of the track that is loaded.
    pub fn current_track(&self) -> Option<TrackView> {
        let hash = self.heard(&self.stage(), |room| Some(room.transport.as_ref()?.current?.track))?;
        let track = self.library.store().get(hash).ok().flatten()?;
        Some(self.library.view(&track))
    }

    /// Plays a track alone, and then what follows it in a list.
    ///
    /// # Errors
    /// When the track is not in the list, or cannot be used, or the list cannot be made.
    pub fn play_alone(&self, stage: &Stage, wanted: &Wanted, hash: ContentHash) -> Result<(), NodeError> {
        let Stage::Solo(solo) = stage else { return Err(NodeError::InRoom) };
        let store = self.library.store();
        let track = store.get(hash)?.ok_or(NodeError::NoSuchTrack)?;
        self.usable(&track)?;
        self.library.analyze_first(hash);
        solo.play(&track.meta, self.following(wanted, hash)?)?;
        self.refill(solo);
        Ok(())
    }

    /// What follows a track in a list; nothing where it is not in it.
    ///
    /// # Errors
    /// When the list cannot be made.
    pub fn following(&self, wanted: &Wanted, hash: ContentHash) -> Result<Following, NodeError> {
        let listed = self.library.list(wanted)?;
        let next = listed.place_of(self.library.store(), hash)?.map_or(listed.ids.len(), |at| at + 1);
        Ok(Following { ids: listed.ids, next })
    }

    /// Goes to the start of what plays or, near it, to what was played before.
    ///
    /// # Errors
    /// The room's rejection.
    pub async fn previous(&self) -> Result<(), NodeError> {
        /// Further into a track than this, its start is meant.
        const NEAR_S: f64 = 3.0;
        let stage = self.stage();
        let before = stage.with(|room| {
            let current = room.transport.as_ref()?.current?.item;
            let items = room.queue.items();
            let at = items.iter().position(|item| item.id == current)?;
            Some(items[at.checked_sub(1)?].id)
        });
        let near = self.player_view().position_s <= NEAR_S && self.alone().is_none();
        let command = match before.filter(|_| near) {
            Some(id) => Command::Skip { to: Some(id) },
            None => Command::Seek { position_us: 0 },
        };
        self.steer(command).await
    }

    /// Puts a track into the queue of who is alone: right after what plays, or after what was queued before. Where nothing
    /// is loaded it plays.
    ///
    /// # Errors
    /// When the track cannot be used, or one is in a room.
    pub fn queue_alone(&self, hash: ContentHash, next: bool) -> Result<(), NodeError> {
        let stage = self.stage();
        let Stage::Solo(solo) = &*stage else { return Err(NodeError::InRoom) };
        let track = self.library.store().get(hash)?.ok_or(NodeError::NoSuchTrack)?;
        self.usable(&track)?;
        Ok(solo.choose(track.meta, next)?)
    }

    /// Remembers that a track of the library was played.
    pub fn was_played(&self, track: &str) {
        let Ok(hash) = track.parse() else { return };
        if let Err(error) = self.library.store().put_play(hash, crate::wall_clock_ms()) {
            tracing::warn!(%error, "it is not remembered what was played");
        }
        self.library.changed();
    }

    /// That a track can be played.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn usable(&self, track: &StoredTrack) -> Result<(), NodeError> {
        if let Some(reason) = &track.error {
            return Err(reason.clone().into());
        }
        if !track.path.is_file() {
            self.library.is_missing(track.meta.hash);
            return Err(NodeError::FileMissing { path: track.path.clone() });
        }
        Ok(())
    }

    /// What plays next when one is alone; nothing in a room, which has its own queue.
    pub fn queue_views(&self) -> Vec<QueuedView> {
        match &*self.stage() {
            Stage::Solo(solo) => solo.ahead().iter().map(queued_view).collect(),
            _ => Vec::new(),
        }
    }

    /// What plays, and what is queued after it.
    pub fn queued_tracks(&self) -> Vec<ContentHash> {
        let stage = self.stage();
        let current = stage.with(|room| Some(room.transport.as_ref()?.current?.track));
        let ahead = match &*stage {
            Stage::Solo(solo) => solo.ahead().into_iter().map(|ahead| ahead.meta.hash).collect(),
            _ => Vec::new(),
        };
        current.into_iter().chain(ahead).collect()
    }

    /// Puts what follows into the queue before it runs short.
    pub fn refill(&self, solo: &SoloRoom) {
        let ids = solo.wants();
        if ids.is_empty() {
            return;
        }
        let filled = self.library.store().by_ids(&ids).and_then(|tracks| {
            let usable = tracks.into_iter().filter(|track| track.error.is_none());
            Ok(usable.map(|track| track.meta).try_for_each(|meta| solo.follow_with(meta))?)
        });
        if let Err(error) = filled {
            tracing::warn!(%error, "what follows is not in the queue");
        }
    }
}

fn queued_view(ahead: &Ahead) -> QueuedView {
    QueuedView {
        id: ahead.id.to_string(),
        track: ahead.meta.hash.to_string(),
        title: ahead.meta.title.clone(),
        artist: ahead.meta.artist.clone(),
        duration_s: ahead.meta.duration_us as f64 / 1e6,
        chosen: ahead.chosen,
    }
}

/// Where the room is, for who does not hear it.
fn transport_position_s(stage: &Stage, transport: &synx_domain::Transport) -> f64 {
    let now_us = monotonic_us() as f64;
    let room_us = stage.clock().borrow().estimate.map(|clock| clock.room_us(now_us).round() as i64);
    let position_us =
        room_us.map_or(transport.anchor.position_us, |room_us| transport.position_us_at(room_us));
    position_us as f64 / 1e6
}
