//! The room of one: local playback with no network and no log, under the same rules as any other room.
//!
//! Must never touch the network or the event log: what one plays alone is nobody's history.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use synx_domain::{
    Command, CommandEnvelope, CommandId, Envelope, EpochId, EventId, Moment, PlaybackControl, QueueItem,
    Rejection, Room, RoomId, RoomSettings, StorageLimits, TrackMeta, UserId, UserProfile, Visibility,
};
use tokio::sync::watch;
use uuid::Uuid;

/// A button takes effect this far ahead: what is queued for the device (75 ms) is heard first, and a change scheduled
/// into it would be late; the rest is for the feeder to decode the first frames.
const LEAD_US: i64 = 90_000;

/// The queue is filled up when fewer than these are ahead, and to this many.
const AHEAD_LEAST: usize = 10;
const AHEAD_MOST: usize = 30;

/// What was played stays in the queue for this long, to go back to.
const BEHIND_MOST: usize = 50;

/// What follows once the queue is through: a list of the library, and how much of it has been queued.
#[derive(Debug, Clone, Default)]
pub struct Following {
    /// Ids in order.
    pub ids: Arc<[i64]>,
    /// The first that was not queued yet.
    pub next: usize,
}

impl Following {
    fn take(&mut self, count: usize) -> Vec<i64> {
        let rest = self.ids.get(self.next..).unwrap_or_default();
        let taken = rest[..count.min(rest.len())].to_vec();
        self.next += taken.len();
        taken
    }
}

/// A room in memory with one member.
pub struct SoloRoom {
    me: UserId,
    epoch: EpochId,
    room: RwLock<Room>,
    changes: watch::Sender<u64>,
    following: Mutex<Following>,
    /// Entries that were queued by hand, not because they follow.
    chosen: Mutex<HashSet<CommandId>>,
}

/// An entry that is still to play.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// Of the queue.
    pub id: CommandId,
    /// What it is.
    pub meta: TrackMeta,
    /// Queued by hand.
    pub chosen: bool,
}

impl SoloRoom {
    /// An empty one.
    pub fn new(me: UserId) -> Self {
        let solo = Self {
            me,
            epoch: EpochId::from_uuid(Uuid::now_v7()),
            room: RwLock::default(),
            changes: watch::Sender::new(0),
            following: Mutex::default(),
            chosen: Mutex::default(),
        };
        let profile = UserProfile { name: "me".to_owned(), ..UserProfile::default() };
        let settings = RoomSettings {
            name: "library".to_owned(),
            visibility: Visibility::Private,
            max_participants: 1,
            genres: Vec::new(),
            playback_control: PlaybackControl::Host,
            storage: StorageLimits::default(),
            wait_for_all: false,
            archive_after_days: 0,
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
        let now = Moment {
            epoch: self.epoch,
            room_time_us: synx_playback::monotonic_us(),
            wall_clock_ms: crate::wall_clock_ms(),
            lead_us: LEAD_US,
        };
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

    /// Plays a track now; then, as the queue empties, what is in `following`.
    ///
    /// # Errors
    /// The room's rejection.
    pub fn play(&self, track: &TrackMeta, following: Following) -> Result<(), Rejection> {
        *self.following() = Following::default();
        self.clear_queue()?;
        self.execute(Command::ShareTrack { track: track.clone() })?;
        self.execute(Command::Play { track: Some(track.hash) })?;
        *self.following() = following;
        Ok(())
    }

    /// Loads a track at a place, paused; `following` comes after it.
    ///
    /// # Errors
    /// The room's rejection.
    pub fn load(&self, track: &TrackMeta, position_us: i64, following: Following) -> Result<(), Rejection> {
        self.play(track, following)?;
        self.execute(Command::Pause)?;
        self.execute(Command::Seek { position_us }).map(drop)
    }

    /// What should be put into the queue now, so that there is always some of it in sight. What was played long ago is
    /// forgotten: days of music must not fill a room.
    pub fn wants(&self) -> Vec<i64> {
        self.forget_played();
        let ahead = self.with(|room| room.queue.items().len() - behind(room));
        if ahead >= AHEAD_LEAST { Vec::new() } else { self.following().take(AHEAD_MOST - ahead) }
    }

    /// Puts a track at the end of the queue.
    ///
    /// # Errors
    /// The room's rejection.
    pub fn follow_with(&self, track: TrackMeta) -> Result<(), Rejection> {
        let hash = track.hash;
        let known = self.with(|room| room.playable(hash).is_some());
        let command =
            if known { Command::Enqueue { track: hash, index: None } } else { Command::ShareTrack { track } };
        self.execute(command).map(drop)
    }

    /// What is still to play.
    pub fn ahead(&self) -> Vec<Ahead> {
        let chosen = self.chosen();
        self.with(|room| {
            let items = room.queue.items().iter().skip(behind(room));
            let ahead = |item: &QueueItem| {
                let meta = room.playable(item.track)?.clone();
                Some(Ahead { id: item.id, meta, chosen: chosen.contains(&item.id) })
            };
            items.filter_map(ahead).collect()
        })
    }

    /// Queues a track by hand: right after what plays, or after what was queued by hand before. Where nothing is loaded it
    /// plays.
    ///
    /// # Errors
    /// The room's rejection.
    pub fn choose(&self, track: TrackMeta, next: bool) -> Result<(), Rejection> {
        let (behind, idle) = self.with(|room| {
            let idle = room.transport.as_ref().is_none_or(|transport| transport.current.is_none());
            (behind(room), idle)
        });
        let before = if next { 0 } else { self.ahead().iter().take_while(|ahead| ahead.chosen).count() };
        let hash = track.hash;
        self.follow_with(track)?;
        let Some(id) = self.with(|room| room.queue.items().last().map(|item| item.id)) else { return Ok(()) };
        self.chosen().insert(id);
        if idle {
            return self.execute(Command::Play { track: Some(hash) }).map(drop);
        }
        self.execute(Command::MoveInQueue { id, index: behind + before }).map(drop)
    }

    /// Moves an entry to a place among those that are still to play; there it is as good as queued by hand.
    ///
    /// # Errors
    /// The room's rejection.
    pub fn move_ahead(&self, id: CommandId, index: usize) -> Result<(), Rejection> {
        let behind = self.with(behind);
        self.execute(Command::MoveInQueue { id, index: behind + index })?;
        self.chosen().insert(id);
        Ok(())
    }

    fn chosen(&self) -> MutexGuard<'_, HashSet<CommandId>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_played(&self) {
        let played: Vec<CommandId> = self.with(|room| {
            let long_ago = behind(room).saturating_sub(BEHIND_MOST + 1);
            room.queue.items()[..long_ago].iter().map(|item| item.id).collect()
        });
        if played.is_empty() {
            return;
        }
        for id in played {
            // What is not there any more need not be taken out.
            drop(self.execute(Command::Dequeue { id }));
        }
        let mut room = self.room.write().unwrap_or_else(PoisonError::into_inner);
        let Room { tracks, queue, .. } = &mut *room;
        tracks.retain(|hash, _| queue.items().iter().any(|item| item.track == *hash));
    }

    fn following(&self) -> MutexGuard<'_, Following> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
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

/// How many entries of the queue have been played or play.
fn behind(room: &Room) -> usize {
    let current = room.transport.as_ref().and_then(|transport| transport.current);
    let items = room.queue.items();
    current.and_then(|current| items.iter().position(|item| item.id == current.item)).map_or(0, |at| at + 1)
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

    fn fill(solo: &SoloRoom) -> usize {
        let ids = solo.wants();
        ids.iter().for_each(|id| solo.follow_with(meta(*id as u8)).unwrap());
        ids.len()
    }

    #[test]
    fn plays_a_track_and_what_follows_it() {
        let solo = SoloRoom::new(UserId::from_bytes([1; 16]));
        solo.play(&meta(1), Following { ids: [2].into(), next: 0 }).unwrap();
        assert_eq!(fill(&solo), 1);
        assert_eq!(solo.current(), Some(meta(1).hash));
        solo.execute(Command::Skip { to: None }).unwrap();
        assert_eq!(solo.current(), Some(meta(2).hash));
        assert_eq!(solo.execute(Command::Skip { to: None }), Err(Rejection::NothingToPlay));
    }

    #[test]
    fn another_track_takes_the_place_of_all() {
        let solo = SoloRoom::new(UserId::from_bytes([1; 16]));
        solo.play(&meta(1), Following { ids: [2].into(), next: 0 }).unwrap();
        solo.play(&meta(3), Following::default()).unwrap();
        assert_eq!(fill(&solo), 0);
        assert_eq!(solo.current(), Some(meta(3).hash));
        assert_eq!(solo.with(|room| room.queue.items().len()), 1);
        assert!(solo.with(|room| room.transport.as_ref().is_some_and(|transport| transport.playing)));
    }

    #[test]
    fn what_is_queued_by_hand_comes_before_what_follows() {
        let solo = SoloRoom::new(UserId::from_bytes([1; 16]));
        solo.choose(meta(1), false).unwrap();
        assert_eq!(solo.current(), Some(meta(1).hash));
        solo.play(&meta(1), Following { ids: [2, 3].into(), next: 0 }).unwrap();
        fill(&solo);
        solo.choose(meta(4), false).unwrap();
        solo.choose(meta(5), false).unwrap();
        solo.choose(meta(2), true).unwrap();
        let ahead: Vec<_> = solo.ahead().into_iter().map(|ahead| (ahead.meta.title, ahead.chosen)).collect();
        let expected = [("2", true), ("4", true), ("5", true), ("2", false), ("3", false)];
        assert_eq!(ahead, expected.map(|(title, chosen)| (title.to_owned(), chosen)));
    }

    #[test]
    fn the_queue_of_a_long_list_stays_short_and_never_runs_out() {
        let solo = SoloRoom::new(UserId::from_bytes([1; 16]));
        solo.play(&meta(0), Following { ids: (1..=100).collect(), next: 0 }).unwrap();
        for track in 0..=100 {
            assert_eq!(solo.current(), Some(meta(track).hash));
            fill(&solo);
            assert!(solo.with(|room| room.queue.items().len()) <= BEHIND_MOST + 1 + AHEAD_MOST);
            assert!(solo.with(|room| room.tracks.len()) <= BEHIND_MOST + 1 + AHEAD_MOST);
            assert_eq!(solo.execute(Command::Skip { to: None }).is_ok(), track < 100);
        }
    }
}
