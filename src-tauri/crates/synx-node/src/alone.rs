//! Listening to a track by oneself while the room goes on: a room of one beside it, with controls of its own.
//!
//! Must never reach the room's log, and tell others of no track but those that the room shares.

use crate::bridge::NodeEvent;
use crate::error::NodeError;
use crate::node::Inner;
use crate::room::solo::{Following, SoloRoom};
use crate::room::stage::Stage;
use std::sync::Arc;
use synx_domain::{Command, ContentHash, Room, TrackMeta};
use synx_net::wire::Alone;
use synx_playback::monotonic_us;

impl Inner {
    /// What one listens to by oneself, if one does.
    pub fn alone(&self) -> Option<Arc<SoloRoom>> {
        self.alone.borrow().clone()
    }

    /// Looks at what is heard here: what one listens to by oneself, or else what the stage plays.
    pub fn heard<T>(&self, stage: &Stage, look: impl FnOnce(&Room) -> T) -> T {
        match self.alone() {
            Some(alone) => alone.with(look),
            None => stage.with(look),
        }
    }

    /// Plays a track on this machine alone, from where the room is in it if it plays there, until it ends or one comes back.
    ///
    /// # Errors
    /// Outside of a room, or when the track is not here.
    pub fn listen_alone(&self, hash: ContentHash) -> Result<(), NodeError> {
        let stage = self.stage();
        if !stage.is_room() {
            return Err(NodeError::NoRoom);
        }
        let meta = self.meta_of(&stage, hash)?;
        if self.locate(hash).is_none() {
            return Err(NodeError::NotReady { what: "this track" });
        }
        let player = self.player_view();
        let alone = SoloRoom::new(self.me());
        alone.play(&meta, Following::default())?;
        if player.track.as_deref() == Some(hash.to_string().as_str()) {
            alone.execute(Command::Seek { position_us: (player.position_s * 1e6) as i64 })?;
        }
        self.alone.send_replace(Some(Arc::new(alone)));
        self.tell_player();
        Ok(())
    }

    /// Hears what the room hears again.
    pub fn listen_together(&self) {
        if self.alone.send_replace(None).is_some() {
            self.tell_player();
        }
    }

    /// Carries out what concerns the music, where one listens alone; none where it is for the stage.
    pub fn steer_alone(&self, command: &Command) -> Option<Result<(), NodeError>> {
        let alone = self.alone()?;
        match command {
            Command::Play { track: None }
            | Command::Pause
            | Command::Seek { .. }
            | Command::SetLoop { .. } => {
                let outcome = alone.execute(command.clone());
                // Its conductor is the room's, and follows what it is told to.
                self.alone.send_modify(|_| ());
                self.tell_player();
                Some(outcome.map(drop).map_err(NodeError::from))
            }
            Command::Skip { to: None } => {
                self.listen_together();
                Some(Ok(()))
            }
            // Who starts something for all wants to hear it.
            Command::Play { .. } | Command::Skip { .. } => {
                self.listen_together();
                None
            }
            _ => None,
        }
    }

    /// Whether what one listens to by oneself has played to its end.
    pub fn alone_is_over(&self) -> bool {
        let over = |room: &Room| {
            let transport = room.transport.as_ref()?;
            let length_us = room.playable(transport.current?.track)?.duration_us;
            Some(transport.playing && transport.position_us_at(monotonic_us()) >= length_us)
        };
        self.alone().is_some_and(|alone| alone.with(over).unwrap_or(true))
    }

    /// Where one listens by oneself, as the others are told.
    pub fn alone_report(&self, stage: &Stage) -> Option<Alone> {
        let alone = self.alone()?;
        let report = alone.with(|room| {
            let transport = room.transport.as_ref()?;
            let track = transport.current?.track;
            let length_us = room.playable(track)?.duration_us;
            let position_us = transport.position_us_at(monotonic_us()).clamp(0, length_us);
            Some(Alone { track, position_us, playing: transport.playing })
        });
        report.filter(|report| stage.with(|room| room.playable(report.track).is_some()))
    }

    fn meta_of(&self, stage: &Stage, hash: ContentHash) -> Result<TrackMeta, NodeError> {
        if let Some(meta) = stage.with(|room| room.playable(hash).cloned()) {
            return Ok(meta);
        }
        let track = self.library.store().get(hash)?.ok_or(NodeError::NoSuchTrack)?;
        self.usable(&track)?;
        Ok(track.meta)
    }

    fn tell_player(&self) {
        self.tell(NodeEvent::PlayerChanged { player: Box::new(self.player_view()) });
    }
}
