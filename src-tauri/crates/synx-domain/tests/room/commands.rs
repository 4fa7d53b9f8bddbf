//! Random commands, of people and of the host process, over few ids so that they meet.

use proptest::prelude::*;
use synx_domain::{
    Command, ContentHash, LeaveReason, LoopRegion, MusicalPreferences, PlaybackControl, QueueItemId, Role,
    SettingsChange, TrackMeta, UserId,
};
use synx_testkit::events::{
    ADA, BEN, CLEO, DAN, LEAD_US, RoomLog, TRACK_US, analysis, command_id, hash, profile, track,
};

/// One thing that happens to a room.
#[derive(Debug, Clone)]
pub enum Step {
    /// Somebody asks for something.
    Ask(UserId, Command),
    /// The same command id comes again, from whomever: a retry, or a forgery.
    AskAgain(u64, UserId, Command),
    /// The host's scheduler looks at the transport of now: its track ends soon.
    Advance {
        /// Somebody lacks the next track.
        awaits: bool,
    },
    /// It finds that what is awaited is held back no longer.
    Release,
    /// Room time moves on.
    Wait(i64),
    /// The host process starts again and carries the music over.
    Restart { heard_us: Option<i64>, known_us: i64 },
}

impl Step {
    /// Lets the step happen; refused commands are part of it.
    pub fn run(self, log: &mut RoomLog, nth: usize) {
        match self {
            Self::Ask(actor, command) => drop(log.send(actor, command)),
            Self::AskAgain(id, actor, command) => drop(log.send_as(command_id(id), actor, command)),
            Self::Advance { awaits } => {
                drop(log.send(ADA, Command::Advance { revision: revision(log), awaits }));
            }
            Self::Release => drop(log.send(ADA, Command::Release { revision: revision(log) })),
            Self::Wait(elapsed_us) => *log = log.clone().after_us(elapsed_us),
            Self::Restart { heard_us, known_us } => {
                *log = log.clone().restarted(1000 + nth as u64);
                drop(log.send(ADA, Command::ResumeAfterRestart { heard_us, known_us }));
            }
        }
    }
}

fn revision(log: &RoomLog) -> u64 {
    log.room().transport.as_ref().map_or(0, |transport| transport.revision)
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (user(), command()).prop_map(|(user, command)| Step::Ask(user, command)),
        1 => (1..40u64, user(), command()).prop_map(|(id, user, command)| Step::AskAgain(id, user, command)),
        2 => any::<bool>().prop_map(|awaits| Step::Advance { awaits }),
        1 => Just(Step::Release),
        2 => (0..2 * TRACK_US).prop_map(Step::Wait),
        1 => (prop::option::of(prop_oneof![0..2 * TRACK_US, extreme()]), position())
            .prop_map(|(heard_us, known_us)| Step::Restart { heard_us, known_us }),
    ]
}

/// Numbers at which arithmetic breaks.
pub fn extreme() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, LEAD_US, TRACK_US, i64::MAX - 1, i64::MAX])
}

pub fn user() -> impl Strategy<Value = UserId> {
    prop::sample::select(vec![ADA, ADA, BEN, BEN, CLEO, DAN])
}

fn some_hash() -> impl Strategy<Value = ContentHash> {
    (1..5u8).prop_map(hash)
}

/// The scripts number commands from 1: a queue entry or a comment may be there under any of these.
fn some_id() -> impl Strategy<Value = QueueItemId> {
    (1..60u64).prop_map(command_id)
}

fn position() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -1_000_000..TRACK_US + 1_000_000, 1 => extreme()]
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Listener, Role::Dj, Role::Host])
}

/// Any command, most of them sensible.
pub fn command() -> impl Strategy<Value = Command> {
    prop_oneof![3 => of_people(), 3 => of_audio(), 6 => of_playback()]
}

fn of_people() -> impl Strategy<Value = Command> {
    let reason = prop::sample::select(vec![
        LeaveReason::Left,
        LeaveReason::ConnectionLost,
        LeaveReason::Removed,
        LeaveReason::SentOut,
    ]);
    let control = prop::sample::select(vec![PlaybackControl::Djs, PlaybackControl::Everyone]);
    let change = (prop::option::of(0..6u32), prop::option::of(control), prop::option::of(any::<bool>()));
    let change = change.prop_map(|(limit, control, wait_for_all)| SettingsChange {
        max_participants: limit,
        playback_control: control,
        wait_for_all,
        ..Default::default()
    });
    let preferences = (10.0..420.0f64, 10.0..420.0f64)
        .prop_map(|range| MusicalPreferences { tempo_range_bpm: Some(range), ..Default::default() });
    prop_oneof![
        5 => ("[A-C]{0,2}", role()).prop_map(|(name, role)| Command::Join { profile: profile(&name), role, invite: None }),
        1 => reason.prop_map(|reason| Command::Leave { reason }),
        1 => (user(), any::<bool>()).prop_map(|(user, may_return)| Command::RemoveMember { user, may_return }),
        1 => user().prop_map(|user| Command::LiftBan { user }),
        1 => (user(), role()).prop_map(|(user, role)| Command::ChangeRole { user, role }),
        1 => change.prop_map(|change| Command::UpdateSettings { change }),
        1 => "[ a\n]{0,3}".prop_map(|text| Command::PostChatMessage { text }),
        1 => "[A-C]{0,2}".prop_map(|name| Command::UpdateProfile { profile: profile(&name) }),
        1 => preferences.prop_map(|preferences| Command::UpdateMusicalPreferences { preferences }),
    ]
}

fn of_audio() -> impl Strategy<Value = Command> {
    let comment = (some_hash(), position(), prop::option::of(position()), prop::option::of(some_id()))
        .prop_map(|(track, position_us, end_us, reply_to)| Command::AddComment {
            track,
            position_us,
            end_us,
            text: "here".to_owned(),
            reply_to,
        });
    let resolve =
        (some_id(), any::<bool>()).prop_map(|(comment, done)| Command::ResolveComment { comment, done });
    let length = prop_oneof![4 => Just(TRACK_US), 2 => 1..TRACK_US, 1 => extreme()];
    let share = (1..5u8, length)
        .prop_map(|(n, duration_us)| Command::ShareTrack { track: TrackMeta { duration_us, ..track(n) } });
    prop_oneof![
        2 => comment,
        1 => resolve,
        3 => share,
        1 => some_hash().prop_map(|hash| Command::StartUpload {
            hash, file_name: "a.mp3".to_owned(), size_bytes: 1,
        }),
        1 => some_hash().prop_map(|hash| Command::GiveUpUpload { hash }),
        1 => some_hash().prop_map(|hash| Command::FailProcessing {
            hash, file_name: "a.mp3".to_owned(), code: "decode".to_owned(), reason: "broken".to_owned(),
        }),
        1 => (some_hash(), 0.0..300.0f64).prop_map(|(hash, bpm)| {
            let mut analysis = analysis();
            analysis.bpm = Some(bpm);
            Command::RecordAnalysis { hash, analysis }
        }),
    ]
}

fn of_playback() -> impl Strategy<Value = Command> {
    let index = || prop_oneof![4 => 0..6usize, 1 => Just(usize::MAX)];
    prop_oneof![
        2 => (some_hash(), prop::option::of(index())).prop_map(|(track, index)| Command::Enqueue { track, index }),
        1 => some_id().prop_map(|id| Command::Dequeue { id }),
        1 => (some_id(), index()).prop_map(|(id, index)| Command::MoveInQueue { id, index }),
        2 => prop::option::of(some_hash()).prop_map(|track| Command::Play { track }),
        1 => Just(Command::Pause),
        1 => position().prop_map(|position_us| Command::Seek { position_us }),
        1 => prop::option::of((position(), position())).prop_map(|region| Command::SetLoop {
            region: region.map(|(begin_us, end_us)| LoopRegion { begin_us, end_us }),
        }),
        1 => prop::option::of(some_id()).prop_map(|to| Command::Skip { to }),
        1 => (0..20u64, any::<bool>()).prop_map(|(revision, awaits)| Command::Advance { revision, awaits }),
        1 => (prop::option::of(position()), position())
            .prop_map(|(heard_us, known_us)| Command::ResumeAfterRestart { heard_us, known_us }),
    ]
}
