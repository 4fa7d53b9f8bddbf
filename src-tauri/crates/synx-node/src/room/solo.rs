//! The room of one: local playback with no network and no log, under the same rules as any other room.
//!
//! Must never touch the network or the event log: what one plays alone is nobody's history.

use std::sync::{PoisonError, RwLock};
use synx_domain::{
    Command, CommandEnvelope, CommandId, Envelope, EpochId, EventId, Moment, PlaybackControl, Rejection,
    Room, RoomId, RoomSettings, StorageLimits, TrackMeta, UserId, UserProfile, Visibility,
};
use tokio::sync::watch;
use uuid::Uuid;

/// A button takes effect this far ahead: what is queued for the device (75 ms) is heard first, and a change scheduled
/// into it would be late; the rest is for the feeder to decode the first frames.
const LEAD_US: i64 = 90_000;

/// A room in memory with one member.
pub struct SoloRoom {
    me: UserId,
    epoch: EpochId,
    room: RwLock<Room>,
    changes: watch::Sender<u64>,
}

impl SoloRoom {
    /// An empty one.
    pub fn new(me: UserId) -> Self {
        let solo = Self {
            me,
            epoch: EpochId::from_uuid(Uuid::now_v7()),
            room: RwLock::default(),
            changes: watch::Sender::new(0),
        };
        let profile = UserProfile { name: "me".to_owned(), ..UserProfile::default() };
        let settings = RoomSettings {
            name: "library".to_owned(),
            visibility: Visibility::Private,
            max_participants: 1,
            genres: Vec::new(),
            playback_control: PlaybackControl::Host,
            storage: StorageLimits::default(),
        };
        // Within bounds by construction; a refusal would leave an empty room that refuses to play, and says so.
        drop(solo.execute(Command::CreateRoom { profile, settings }));
        solo
    }

    /// Looks at the room.
    pub fn with<T>(&self, look: impl FnOnce(&Room) -> T) -> T {
        look(&self.room.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The room's seq, as it grows.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Carries out a command at once.
    ///
    /// # Errors
    /// The room's rejection.
    pub fn execute(&self, command: Command) -> Result<u64, Rejection> {
        let mut room = self.room.write().unwrap_or_else(PoisonError::into_inner);
        let command = CommandEnvelope { id: CommandId::from_uuid(Uuid::now_v7()), actor: self.me, command };
        let now = Moment { epoch: self.epoch, room_time_us: synx_playback::monotonic_us(), lead_us: LEAD_US };
        for event in room.decide(&command, now)? {
            let envelope = Envelope {
                seq: room.seq + 1,
                event_id: EventId::from_uuid(Uuid::now_v7()),
                room_id: RoomId::from_uuid(self.me.uuid()),
                actor: self.me,
                command_id: Some(command.id),
                occurred_at_ms: crate::wall_clock_ms(),
                event,
            };
            room.apply(&envelope);
        }
        self.changes.send_replace(room.seq);
        Ok(room.seq)
    }

    /// Plays a track of the library now; the queue becomes it, and then `following`, as far as the queue
    /// takes them.
    ///
    /// # Errors
    /// The room's rejection.
    pub fn play(&self, track: &TrackMeta, following: &[TrackMeta]) -> Result<(), Rejection> {
        self.clear_queue()?;
        for meta in std::iter::once(track).chain(following).take(Room::QUEUE_MAX) {
            self.execute(Command::ShareTrack { track: meta.clone() })?;
        }
        self.execute(Command::Play { track: Some(track.hash) }).map(drop)
    }

    /// Forgets what plays and what would follow.
    fn clear_queue(&self) -> Result<(), Rejection> {
        let (queued, current) = self.with(|room| {
            let queued: Vec<CommandId> = room.queue.items().iter().map(|item| item.id).collect();
            (queued, room.transport.as_ref().and_then(|transport| transport.current))
        });
        // The current one last: removing it first would start each of the others in turn.
        let current = current.map(|current| current.item);
        let (last, others): (Vec<_>, Vec<_>) = queued.into_iter().partition(|id| Some(*id) == current);
        others.into_iter().chain(last).try_for_each(|id| self.execute(Command::Dequeue { id }).map(drop))
    }

    /// This run of the player.
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    #[cfg(test)]
    fn current(&self) -> Option<synx_domain::ContentHash> {
        self.with(|room| Some(room.transport.as_ref()?.current?.track))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synx_domain::ContentHash;

    fn meta(byte: u8) -> TrackMeta {
        TrackMeta {
            hash: ContentHash::from_bytes([byte; 32]),
            file_name: format!("{byte}.wav"),
            size_bytes: 1,
            duration_us: 2_000_000,
            sample_rate_hz: 48_000,
            channels: 2,
            title: byte.to_string(),
            artist: None,
            album: None,
        }
    }

    #[test]
    fn plays_a_track_and_what_follows_it() {
        let solo = SoloRoom::new(UserId::from_bytes([1; 16]));
        solo.play(&meta(1), &[meta(2)]).unwrap();
        assert_eq!(solo.current(), Some(meta(1).hash));
        solo.execute(Command::Skip { to: None }).unwrap();
        assert_eq!(solo.current(), Some(meta(2).hash));
        assert_eq!(solo.execute(Command::Skip { to: None }), Err(Rejection::NothingToPlay));
    }

    #[test]
    fn another_track_takes_the_place_of_all() {
        let solo = SoloRoom::new(UserId::from_bytes([1; 16]));
        solo.play(&meta(1), &[meta(2)]).unwrap();
        solo.play(&meta(3), &[]).unwrap();
        assert_eq!(solo.current(), Some(meta(3).hash));
        assert_eq!(solo.with(|room| room.queue.items().len()), 1);
        assert!(solo.with(|room| room.transport.as_ref().is_some_and(|transport| transport.playing)));
    }
}
