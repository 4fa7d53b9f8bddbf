//! A room's log in the making, people and tracks to fill it with, and one of each event.
//!
//! Ids are small numbers, time stands still until it is moved: equal scripts give equal logs.

use synx_domain::{
    Anchor, Command, CommandEnvelope, CommandId, ContentHash, CurrentTrack, Envelope, EpochId, EventId,
    InviteId, InviteTerms, LeaveReason, Moment, MusicalPreferences, PlaybackControl, QueueChange, QueueItem,
    Rejection, Role, Room, RoomEvent, RoomId, RoomSettings, SettingsChange, StorageLimits, SyncCause,
    TrackAnalysis, TrackMeta, Transport, UserId, UserProfile, Visibility,
};
use uuid::Uuid;

/// The host of every room here.
pub const ADA: UserId = UserId::from_uuid(Uuid::from_u128(0xada));
/// A DJ where he is in the room.
pub const BEN: UserId = UserId::from_uuid(Uuid::from_u128(0xbe4));
/// A listener where she is in the room.
pub const CLEO: UserId = UserId::from_uuid(Uuid::from_u128(0xc1e0));
/// Nobody's member yet.
pub const DAN: UserId = UserId::from_uuid(Uuid::from_u128(0xda4));
/// The room whose log a [`RoomLog`] is.
pub const ROOM: RoomId = RoomId::from_uuid(Uuid::from_u128(0x4004));

/// The wall clock when every log begins, less ten seconds.
const WALL_CLOCK_MS: i64 = 1_767_225_600_000;
/// How far ahead changes of the transport are scheduled here.
pub const LEAD_US: i64 = 200_000;
/// Length of every [`track`].
pub const TRACK_US: i64 = 180_000_000;

/// The audio with this number.
pub const fn hash(n: u8) -> ContentHash {
    ContentHash::from_bytes([n; 32])
}

/// The command with this number.
pub const fn command_id(n: u64) -> CommandId {
    CommandId::from_uuid(Uuid::from_u128(n as u128))
}

/// The host run with this number.
pub const fn epoch(n: u64) -> EpochId {
    EpochId::from_uuid(Uuid::from_u128(n as u128))
}

/// A profile with nothing but a name.
pub fn profile(name: &str) -> UserProfile {
    UserProfile { name: name.to_owned(), ..UserProfile::default() }
}

/// A private room for eight where DJs control playback.
pub fn settings() -> RoomSettings {
    RoomSettings {
        name: "Friday".to_owned(),
        visibility: Visibility::Private,
        max_participants: 8,
        genres: vec!["house".to_owned()],
        playback_control: PlaybackControl::Djs,
        storage: StorageLimits::default(),
        wait_for_all: false,
        archive_after_days: 0,
    }
}

/// A track of [`TRACK_US`].
pub fn track(n: u8) -> TrackMeta {
    TrackMeta {
        hash: hash(n),
        file_name: format!("{n}.flac"),
        size_bytes: 21_000_000,
        duration_us: TRACK_US,
        sample_rate_hz: 44_100,
        channels: 2,
        title: format!("Track {n}"),
        artist: Some("Ada".to_owned()),
        album: None,
    }
}

/// The invite with this number: for three listeners, for an hour.
pub const fn invite(n: u64) -> InviteTerms {
    InviteTerms {
        id: InviteId::from_uuid(Uuid::from_u128(n as u128)),
        role: Role::Listener,
        expires_at_s: WALL_CLOCK_MS as u64 / 1000 + 3600,
        max_uses: Some(3),
        knock: false,
    }
}

/// A confident analysis.
pub fn analysis() -> TrackAnalysis {
    TrackAnalysis {
        analyser_version: 1,
        bpm: Some(124.0),
        bpm_confidence: 0.9,
        first_beat_s: Some(0.25),
        key: Some("A minor".to_owned()),
        camelot: Some("8A".to_owned()),
        key_confidence: 0.7,
        energy: 6,
        loudness_lufs: Some(-9.5),
    }
}

/// A log with the room that it folds to.
#[derive(Debug, Clone)]
pub struct RoomLog {
    room: Room,
    envelopes: Vec<Envelope>,
    now: Moment,
    commands: u64,
}

impl RoomLog {
    /// No event yet.
    pub fn empty() -> Self {
        let now = Moment {
            epoch: epoch(1),
            room_time_us: 10_000_000,
            wall_clock_ms: WALL_CLOCK_MS + 10_000,
            lead_us: LEAD_US,
        };
        Self { room: Room::default(), envelopes: vec![], now, commands: 0 }
    }

    /// [`ADA`]'s room with nobody else in it.
    pub fn open() -> Self {
        Self::empty().did(ADA, Command::CreateRoom { profile: profile("Ada"), settings: settings() })
    }

    /// [`ADA`]'s room with [`BEN`] as DJ and [`CLEO`] as listener.
    pub fn with_people() -> Self {
        Self::open().joined(BEN, "Ben", Role::Dj).joined(CLEO, "Cleo", Role::Listener)
    }

    /// Somebody comes in.
    pub fn joined(self, user: UserId, name: &str, role: Role) -> Self {
        self.did(user, Command::Join { profile: profile(name), role, invite: None })
    }

    /// [`ADA`] shares [`track`]`(n)`, which goes to the end of the queue.
    pub fn shared(self, n: u8) -> Self {
        self.did(ADA, Command::ShareTrack { track: track(n) })
    }

    /// A command that must be accepted, under the next command id.
    ///
    /// # Panics
    /// When it is refused: the script is wrong.
    pub fn did(mut self, actor: UserId, command: Command) -> Self {
        if let Err(rejection) = self.send(actor, command.clone()) {
            panic!("{command:?} was refused: {rejection}");
        }
        self
    }

    /// An event as it is, allowed or not, that no command caused.
    pub fn with(mut self, actor: UserId, event: RoomEvent) -> Self {
        self.append(actor, None, event);
        self
    }

    /// Room time moves on.
    pub fn after_us(mut self, elapsed_us: i64) -> Self {
        self.now.room_time_us = self.now.room_time_us.saturating_add(elapsed_us);
        self.now.wall_clock_ms = self.now.wall_clock_ms.saturating_add(elapsed_us / 1000);
        self
    }

    /// The host process starts again.
    pub fn restarted(mut self, n: u64) -> Self {
        self.now = Moment { epoch: epoch(n), room_time_us: 0, ..self.now };
        self
    }

    /// Decides a command under the next command id and appends what follows.
    ///
    /// # Errors
    /// Those of [`Room::decide`].
    pub fn send(&mut self, actor: UserId, command: Command) -> Result<Vec<RoomEvent>, Rejection> {
        self.commands += 1;
        self.send_as(command_id(self.commands), actor, command)
    }

    /// Decides a command under an id of its own and appends what follows.
    ///
    /// # Errors
    /// Those of [`Room::decide`].
    pub fn send_as(
        &mut self,
        id: CommandId,
        actor: UserId,
        command: Command,
    ) -> Result<Vec<RoomEvent>, Rejection> {
        let events = self.room.decide(&CommandEnvelope { id, actor, command }, self.now)?;
        for event in &events {
            self.append(actor, Some(id), event.clone());
        }
        Ok(events)
    }

    fn append(&mut self, actor: UserId, command_id: Option<CommandId>, event: RoomEvent) {
        let seq = self.room.seq + 1;
        let envelope = Envelope {
            seq,
            event_id: EventId::from_uuid(Uuid::from_u128(u128::from(seq))),
            room_id: ROOM,
            actor,
            command_id,
            occurred_at_ms: self.now.wall_clock_ms,
            event,
        };
        self.room.apply(&envelope);
        self.envelopes.push(envelope);
    }

    /// The state after the last event.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// The log.
    pub fn envelopes(&self) -> &[Envelope] {
        &self.envelopes
    }

    /// The host's present.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The id of the last command that was sent by [`RoomLog::send`].
    pub fn last_command(&self) -> CommandId {
        command_id(self.commands)
    }
}

/// One of each event, in the order of their names' first appearance in docs/events.md; three of the queue's.
pub fn one_of_each() -> Vec<RoomEvent> {
    [room_events(), audio_events(), user_events()].concat()
}

fn room_events() -> Vec<RoomEvent> {
    let item = QueueItem { id: command_id(7), track: hash(1), added_by: BEN };
    let change = SettingsChange { max_participants: Some(12), ..SettingsChange::default() };
    vec![
        RoomEvent::RoomCreated { host: ADA, profile: profile("Ada"), settings: settings() },
        RoomEvent::UserJoined {
            user: BEN,
            profile: profile("Ben"),
            role: Role::Listener,
            invite: Some(invite(5)),
        },
        RoomEvent::InviteCreated { invite: invite(5) },
        RoomEvent::InviteRevoked { invite: invite(5).id },
        RoomEvent::UserLeft { user: BEN, reason: LeaveReason::ConnectionLost },
        RoomEvent::BanLifted { user: BEN },
        RoomEvent::RoleChanged { user: BEN, role: Role::Dj },
        RoomEvent::SettingsUpdated { change },
        RoomEvent::ChatMessagePosted { text: "What a bass line!".to_owned() },
        RoomEvent::FileShared { track: track(1) },
        RoomEvent::QueueChanged(QueueChange::Added { item, index: 0 }),
        RoomEvent::QueueChanged(QueueChange::Moved { id: command_id(7), index: 2 }),
        RoomEvent::QueueChanged(QueueChange::Removed { id: command_id(7) }),
        RoomEvent::CommentAdded {
            track: hash(1),
            position_us: 61_500_000,
            end_us: Some(63_000_000),
            text: "The snare is late here".to_owned(),
            reply_to: None,
        },
        RoomEvent::CommentResolved { comment: command_id(9), done: true },
    ]
}

fn audio_events() -> Vec<RoomEvent> {
    let transport = Transport {
        loop_region: None,
        revision: 3,
        epoch: epoch(1),
        current: Some(CurrentTrack { item: command_id(7), track: hash(1) }),
        anchor: Anchor { room_time_us: 10_200_000, position_us: 61_500_000 },
        playing: true,
        awaits: false,
    };
    vec![
        RoomEvent::UploadStarted { hash: hash(1), file_name: "1.flac".to_owned(), size_bytes: 21_000_000 },
        RoomEvent::UploadCompleted { hash: hash(1) },
        RoomEvent::AudioAnalyzed { hash: hash(1), analysis: analysis() },
        RoomEvent::ProcessingFailed {
            hash: hash(2),
            file_name: "notes.txt".to_owned(),
            code: "unsupported_format".to_owned(),
            reason: "This is not a sound file that can be read.".to_owned(),
        },
        RoomEvent::PlaybackSynced { transport, cause: SyncCause::Seek },
    ]
}

fn user_events() -> Vec<RoomEvent> {
    let profile = UserProfile {
        name: "Ben".to_owned(),
        color: Some("#2f9e8f".to_owned()),
        bio: Some("Plays bass".to_owned()),
        picture: None,
    };
    let preferences = MusicalPreferences {
        genres: vec!["house".to_owned(), "soul".to_owned()],
        tempo_range_bpm: Some((110.0, 128.5)),
        keys: vec!["A minor".to_owned()],
        instruments: vec!["bass".to_owned()],
    };
    vec![
        RoomEvent::UserCreated { user: BEN, profile: profile.clone() },
        RoomEvent::ProfileUpdated { user: BEN, profile },
        RoomEvent::MusicalPreferencesUpdated { user: BEN, preferences },
    ]
}
