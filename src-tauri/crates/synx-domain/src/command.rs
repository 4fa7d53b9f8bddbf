//! What somebody may ask of a room, and how it says no.

use crate::{
    CommandId, ContentHash, EpochId, InviteId, InviteTerms, LeaveReason, LoopRegion, MusicalPreferences,
    QueueItemId, Role, RoomSettings, SettingsChange, TrackAnalysis, TrackMeta, UserId, UserProfile,
};

/// A command with who sends it and the id under which it is applied once.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandEnvelope {
    /// Kept over retries.
    pub id: CommandId,
    /// Authenticated by the host before it gets here.
    pub actor: UserId,
    /// What is asked.
    pub command: Command,
}

/// The host's present, passed in because this crate has no clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The running epoch.
    pub epoch: EpochId,
    /// Room time now.
    pub room_time_us: i64,
    /// The wall clock now, milliseconds since 1970 UTC: nothing but when an invite ends is decided by it.
    pub wall_clock_ms: i64,
    /// How far ahead a change of the transport is scheduled so that it reaches every peer in time.
    pub lead_us: i64,
}

/// What can be asked of a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open the room. Only on an empty log.
    CreateRoom {
        /// How the host appears.
        profile: UserProfile,
        /// The first settings.
        settings: RoomSettings,
    },
    /// Come in. The role is what the invite or an earlier membership gives.
    Join {
        /// How the actor appears.
        profile: UserProfile,
        /// What is allowed without an invite; an earlier role in this room wins when it is higher, or when the host gave it.
        role: Role,
        /// The invite that was shown, its signature checked. Somebody new uses it; it may raise the role of others.
        invite: Option<InviteTerms>,
    },
    /// Make an invite (host).
    CreateInvite {
        /// What it grants.
        invite: InviteTerms,
    },
    /// Let nobody in by an invite any more (host).
    RevokeInvite {
        /// Which.
        invite: InviteId,
    },
    /// Go (by oneself, or said by the host's server on a lost connection; not for removal).
    Leave {
        /// Why.
        reason: LeaveReason,
    },
    /// Remove somebody else (host).
    RemoveMember {
        /// Whom.
        user: UserId,
        /// Whether they may join again; else they stay out until the ban is lifted.
        may_return: bool,
    },
    /// Let somebody join again who was removed for good (host).
    LiftBan {
        /// Whom.
        user: UserId,
    },
    /// Give somebody another role (host; not for or to the host role).
    ChangeRole {
        /// Whose.
        user: UserId,
        /// The new one.
        role: Role,
    },
    /// Change settings (host).
    UpdateSettings {
        /// What changes.
        change: SettingsChange,
    },
    /// Say something.
    PostChatMessage {
        /// The words.
        text: String,
    },
    /// Pin words to a moment of a track.
    AddComment {
        /// Which track.
        track: ContentHash,
        /// Microseconds into the track.
        position_us: i64,
        /// The end of a range.
        end_us: Option<i64>,
        /// The words.
        text: String,
        /// The comment this answers.
        reply_to: Option<CommandId>,
    },
    /// Say that what a comment asks for is done, or that it is not after all.
    ResolveComment {
        /// Which comment; one that answers another has no say of its own.
        comment: CommandId,
        /// Whether it is done.
        done: bool,
    },
    /// Announce an upload. A track that is shared already is queued at once: there is nothing to upload.
    StartUpload {
        /// Hash of the bytes to come.
        hash: ContentHash,
        /// The file's name.
        file_name: String,
        /// Its length in bytes.
        size_bytes: u64,
    },
    /// Wait for an upload no longer: by who announced it, or who controls the queue.
    GiveUpUpload {
        /// Which.
        hash: ContentHash,
    },
    /// The host's server has all bytes, verified and probed: the track is shared and queued at the end. The
    /// actor is who uploaded it.
    ShareTrack {
        /// What the file says.
        track: TrackMeta,
    },
    /// The host's server could not use a file.
    FailProcessing {
        /// Which.
        hash: ContentHash,
        /// Its name.
        file_name: String,
        /// Stable code.
        code: String,
        /// For a person.
        reason: String,
    },
    /// The host's analyser is done with a shared track.
    RecordAnalysis {
        /// Which.
        hash: ContentHash,
        /// The result.
        analysis: TrackAnalysis,
    },
    /// Put a shared track into the queue.
    Enqueue {
        /// Which.
        track: ContentHash,
        /// Where; none is the end.
        index: Option<usize>,
    },
    /// Take an item out of the queue.
    Dequeue {
        /// Which.
        id: QueueItemId,
    },
    /// Move an item of the queue.
    MoveInQueue {
        /// Which.
        id: QueueItemId,
        /// To where, counted after its removal.
        index: usize,
    },
    /// Play: go on, or from the head of the queue, or a named track (queued at the end if it is not there).
    Play {
        /// A shared track, where one is named.
        track: Option<ContentHash>,
    },
    /// Pause where we are.
    Pause,
    /// Move the position of the current track; playing goes on if it did.
    Seek {
        /// Microseconds into the track; clamped to it.
        position_us: i64,
    },
    /// Repeat a part of the current track, or nothing any more.
    SetLoop {
        /// Which part.
        region: Option<LoopRegion>,
    },
    /// Go to the next item (or a named one).
    Skip {
        /// Which; none is the one after the current.
        to: Option<QueueItemId>,
    },
    /// The host's scheduler: the current track ends soon at its exact end; the next follows without a gap. Asked about a
    /// lead before that end: from then on every change concerns the next track.
    Advance {
        /// The transport revision that the scheduler looked at: an older one changes nothing.
        revision: u64,
        /// Somebody lacks the next track: where the room waits for everybody, it is announced as awaited.
        awaits: bool,
    },
    /// The host's scheduler: nobody holds the awaited track back any more, so it plays.
    Release {
        /// The transport revision that the scheduler looked at: an older one changes nothing.
        revision: u64,
    },
    /// The host process started again: carry the music over into the new epoch.
    ResumeAfterRestart {
        /// Where somebody may have heard the music go on: microseconds of wall-clock time from the transport's event to now.
        heard_us: Option<i64>,
        /// The same to the last event of the earlier run: as far had the music moved on at least.
        known_us: i64,
    },
    /// Present oneself differently.
    UpdateProfile {
        /// How.
        profile: UserProfile,
    },
    /// Change one's taste.
    UpdateMusicalPreferences {
        /// To what.
        preferences: MusicalPreferences,
    },
}

/// Why a command changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The log has no `room.created` yet.
    #[error("this room does not exist")]
    NoSuchRoom,
    /// `room.created` exists already.
    #[error("this room exists already")]
    RoomExists,
    /// The actor is not in the room.
    #[error("you are not in this room: join it first")]
    NotAMember,
    /// The room is full.
    #[error("the room is full: {limit} people at most; ask the host to raise the limit")]
    RoomFull {
        /// The limit.
        limit: u32,
    },
    /// The actor was removed by the host, for good until the host lifts that.
    #[error("the host removed you from this room: only the host can let you in again")]
    Removed,
    /// The actor's role is not enough.
    #[error("only {needed} may do this: ask the host to do it, or for another role")]
    NotAllowed {
        /// Who may, in words.
        needed: &'static str,
    },
    /// The host was to be removed or changed, or somebody else to be made host.
    #[error("a room has one host, who can be neither removed nor replaced")]
    HostStays,
    /// Somebody who is not in the room was named.
    #[error("no such person in this room")]
    NoSuchMember,
    /// A track that is not shared here was named.
    #[error("this track is not shared in the room: share its file first")]
    NoSuchTrack,
    /// An upload that has ended, or never began, was named.
    #[error("this file is not on its way: it has come already, or was never announced")]
    NoSuchUpload,
    /// A queue item that is not there was named.
    #[error("this entry is no longer in the queue")]
    NoSuchQueueItem,
    /// A comment that is not there was named.
    #[error("this comment does not exist")]
    NoSuchComment,
    /// There is nothing to play.
    #[error("nothing to play: the queue holds no further track; add one first")]
    NothingToPlay,
    /// The room's state holds no more of something.
    #[error("the room holds at most {limit} {what}: {remedy}")]
    TooMany {
        /// Of what, in words.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// No more audio is taken in.
    #[error("{whose} storage is full: it takes {limit_bytes} bytes in all; ask the host to raise the limit")]
    StorageFull {
        /// Whose: the room's or the member's own, in words.
        whose: &'static str,
        /// The limit.
        limit_bytes: u64,
    },
    /// Somebody else has this name, or one that looks like it.
    #[error("somebody in this room has this name, or one that looks like it: choose another")]
    NameTaken,
    /// The invite is past its time.
    #[error("this invite has expired: ask the host for a new link")]
    InviteExpired,
    /// The host took the invite back.
    #[error("the host has withdrawn this invite: ask for a new link")]
    InviteRevoked,
    /// As many people as may have come in by the invite.
    #[error("this invite has been used as often as it may be: ask the host for a new link")]
    InviteUsedUp,
    /// An invite that is not known was named.
    #[error("no such invite in this room: it may have expired")]
    NoSuchInvite,
    /// A value is out of its bounds.
    #[error("{field} {problem}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
}

impl Rejection {
    /// Stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRoom => "no_such_room",
            Self::RoomExists => "room_exists",
            Self::NotAMember => "not_a_member",
            Self::RoomFull { .. } => "room_full",
            Self::Removed => "removed",
            Self::NotAllowed { .. } => "not_allowed",
            Self::HostStays => "host_stays",
            Self::NoSuchMember => "no_such_member",
            Self::NoSuchTrack => "no_such_track",
            Self::NoSuchUpload => "no_such_upload",
            Self::NoSuchQueueItem => "no_such_queue_item",
            Self::NoSuchComment => "no_such_comment",
            Self::NothingToPlay => "nothing_to_play",
            Self::TooMany { .. } => "too_many",
            Self::StorageFull { .. } => "storage_full",
            Self::NameTaken => "name_taken",
            Self::InviteExpired => "invite_expired",
            Self::InviteRevoked => "invite_revoked",
            Self::InviteUsedUp => "invite_used_up",
            Self::NoSuchInvite => "no_such_invite",
            Self::Invalid { .. } => "invalid",
        }
    }
}
