//! A room in the form that is drawn.

use crate::bridge::{
    CallError, ChatMessageView, CommentView, KeyView, KnockView, LoopView, MemberView, MissedView,
    PlaybackControlView, QueueItemView, RoleView, RoomConnection, RoomSettingsView, RoomTrackState,
    RoomTrackView, RoomView, StorageView, TempoView, VisibilityView,
};
use crate::room::invites::invite_views;
use synx_domain::{
    ChatMessage, Comment, ContentHash, InviteId, LeaveReason, LoopRegion, Member, PlaybackControl, Role,
    Room, RoomSettings, SharedTrack, StorageLimits, TrackAnalysis, TrackState, UserId, Visibility,
};

/// What a room's view shows besides the room itself.
pub struct Surroundings<'a> {
    /// Oneself.
    pub me: UserId,
    /// How the node is connected.
    pub connection: RoomConnection,
    /// Why it is not.
    pub connection_problem: Option<String>,
    /// Invite link, with its invite.
    pub link: Option<(InviteId, String)>,
    /// Where the hosted room listens.
    pub addresses: Vec<String>,
    /// Who waits to be let in, where this is the host's.
    pub knocks: Vec<KnockView>,
    /// What happened while one was not here.
    pub missed: Option<MissedView>,
    /// Whether the audio of a track is on this machine.
    pub is_here: &'a dyn Fn(ContentHash) -> bool,
}

/// The whole room but its chat; none before its first event.
pub fn room_view(room: &Room, around: Surroundings<'_>) -> Option<RoomView> {
    let mut members: Vec<MemberView> =
        room.members.iter().map(|(user, member)| member_view(*user, member)).collect();
    members.sort_by_key(|member| (!member.present, member.joined_at_ms));
    let (link_invite, link) = around.link.map(|(id, link)| (id.to_string(), link)).unzip();
    Some(RoomView {
        id: room.id?.to_string(),
        seq: room.seq,
        settings: settings_view(room.settings.as_ref()?),
        connection: around.connection,
        connection_problem: around.connection_problem,
        me: around.me.to_string(),
        my_role: room.members.get(&around.me).map_or(RoleView::Listener, |member| member.role.into()),
        members,
        tracks: room
            .tracks
            .iter()
            .map(|(hash, track)| track_view(*hash, track, (around.is_here)(*hash)))
            .collect(),
        queue: room
            .queue
            .items()
            .iter()
            .map(|item| QueueItemView {
                id: item.id.to_string(),
                track: item.track.to_string(),
                added_by: item.added_by.to_string(),
            })
            .collect(),
        current: room.transport.as_ref().and_then(|transport| Some(transport.current?.item.to_string())),
        playing: room
            .transport
            .as_ref()
            .is_some_and(|transport| transport.playing && transport.current.is_some()),
        comments: room.comments.iter().map(comment_view).collect(),
        link,
        link_invite,
        invites: if around.connection == RoomConnection::Hosting { invite_views(room) } else { Vec::new() },
        knocks: around.knocks,
        missed: around.missed,
        addresses: around.addresses,
    })
}

fn member_view(user: UserId, member: &Member) -> MemberView {
    MemberView {
        user: user.to_string(),
        name: member.profile.name.clone(),
        color: member.profile.color.clone(),
        role: member.role.into(),
        present: member.present,
        banned: member.left == Some(LeaveReason::Removed),
        bio: member.profile.bio.clone(),
        joined_at_ms: member.joined_at_ms,
        picture: member.profile.picture.as_deref().map(mark),
    }
}

/// What tells one picture from another, short enough to be told with every change of the room.
fn mark(picture: &str) -> String {
    const HEX_DIGITS: usize = 16;
    blake3::hash(picture.as_bytes()).to_hex()[..HEX_DIGITS].to_owned()
}

fn track_view(hash: ContentHash, track: &SharedTrack, here: bool) -> RoomTrackView {
    let (state, file_name, size_bytes, error) = match &track.state {
        TrackState::Uploading { file_name, size_bytes } => {
            (RoomTrackState::Uploading, Some(file_name), *size_bytes, None)
        }
        TrackState::Uploaded => (RoomTrackState::Uploading, None, 0, None),
        TrackState::Shared if here => (RoomTrackState::Ready, None, 0, None),
        TrackState::Shared => (RoomTrackState::Downloading, None, 0, None),
        TrackState::Failed { file_name, code, reason } => {
            let error = CallError { code: code.clone(), message: reason.clone() };
            (RoomTrackState::Failed, Some(file_name), 0, Some(error))
        }
    };
    let meta = track.meta.as_ref();
    let analysis = track.analysis.as_ref();
    RoomTrackView {
        id: hash.to_string(),
        title: meta.map(|meta| meta.title.clone()).or(file_name.cloned()).unwrap_or_default(),
        artist: meta.and_then(|meta| meta.artist.clone()),
        duration_s: meta.map_or(0.0, |meta| meta.duration_us as f64 / 1e6),
        size_bytes: meta.map_or(size_bytes, |meta| meta.size_bytes),
        shared_by: track.shared_by.to_string(),
        state,
        tempo: analysis.and_then(tempo_view),
        key: analysis.and_then(key_view),
        energy: analysis.map(|analysis| analysis.energy),
        loudness_lufs: analysis.and_then(|analysis| analysis.loudness_lufs),
        error,
    }
}

fn tempo_view(analysis: &TrackAnalysis) -> Option<TempoView> {
    Some(TempoView {
        bpm: analysis.bpm?,
        confidence: analysis.bpm_confidence,
        alternatives: Vec::new(),
        by_hand: false,
    })
}

fn key_view(analysis: &TrackAnalysis) -> Option<KeyView> {
    let name = analysis.key.as_deref()?;
    let key = name.parse::<synx_analysis::Key>().ok();
    Some(KeyView {
        name: name.to_owned(),
        camelot: analysis.camelot.clone().unwrap_or_default(),
        open_key: key.map(|key| key.open_key()).unwrap_or_default(),
        confidence: analysis.key_confidence,
        by_hand: false,
    })
}

fn comment_view(comment: &Comment) -> CommentView {
    CommentView {
        id: comment.id.to_string(),
        track: comment.track.to_string(),
        position_s: comment.position_us as f64 / 1e6,
        end_s: comment.end_us.map(|end_us| end_us as f64 / 1e6),
        author: comment.author.to_string(),
        text: comment.text.clone(),
        reply_to: comment.reply_to.map(|id| id.to_string()),
        posted_at_ms: comment.posted_at_ms,
        done: comment.done,
    }
}

/// Who said something and left so long ago that the room has forgotten their name.
const FORGOTTEN: &str = "Somebody who left";

/// A chat message with its author's present name.
pub fn chat_view(room: &Room, message: &ChatMessage) -> ChatMessageView {
    ChatMessageView {
        seq: message.seq,
        author: message.author.to_string(),
        author_name: room
            .members
            .get(&message.author)
            .map_or_else(|| FORGOTTEN.to_owned(), |member| member.profile.name.clone()),
        text: message.text.clone(),
        posted_at_ms: message.posted_at_ms,
    }
}

/// A room's settings as they are drawn.
pub fn settings_view(settings: &RoomSettings) -> RoomSettingsView {
    RoomSettingsView {
        name: settings.name.clone(),
        visibility: match settings.visibility {
            Visibility::Public => VisibilityView::Public,
            Visibility::Private => VisibilityView::Private,
        },
        max_participants: settings.max_participants,
        genres: settings.genres.clone(),
        playback_control: match settings.playback_control {
            PlaybackControl::Host => PlaybackControlView::Host,
            PlaybackControl::Djs => PlaybackControlView::Djs,
            PlaybackControl::Everyone => PlaybackControlView::Everyone,
        },
        storage: Some(StorageView {
            member_bytes: settings.storage.member_bytes,
            room_bytes: settings.storage.room_bytes,
        }),
        wait_for_all: Some(settings.wait_for_all),
        archive_after_days: Some(settings.archive_after_days),
    }
}

/// Settings as the room has them.
pub fn settings_of(view: RoomSettingsView) -> RoomSettings {
    RoomSettings {
        name: view.name,
        visibility: match view.visibility {
            VisibilityView::Public => Visibility::Public,
            VisibilityView::Private => Visibility::Private,
        },
        max_participants: view.max_participants,
        genres: view.genres,
        playback_control: match view.playback_control {
            PlaybackControlView::Host => PlaybackControl::Host,
            PlaybackControlView::Djs => PlaybackControl::Djs,
            PlaybackControlView::Everyone => PlaybackControl::Everyone,
        },
        storage: view.storage.map(StorageLimits::from).unwrap_or_default(),
        wait_for_all: view.wait_for_all.unwrap_or_default(),
        archive_after_days: view.archive_after_days.unwrap_or_default(),
    }
}

impl From<StorageView> for StorageLimits {
    fn from(view: StorageView) -> Self {
        Self { member_bytes: view.member_bytes, room_bytes: view.room_bytes }
    }
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        match role {
            Role::Listener => Self::Listener,
            Role::Dj => Self::Dj,
            Role::Host => Self::Host,
        }
    }
}

impl From<RoleView> for Role {
    fn from(role: RoleView) -> Self {
        match role {
            RoleView::Listener => Self::Listener,
            RoleView::Dj => Self::Dj,
            RoleView::Host => Self::Host,
        }
    }
}

impl From<LoopRegion> for LoopView {
    fn from(region: LoopRegion) -> Self {
        Self { begin_s: region.begin_us as f64 / 1e6, end_s: region.end_us as f64 / 1e6 }
    }
}

impl From<LoopView> for LoopRegion {
    fn from(view: LoopView) -> Self {
        let us = |seconds: f64| (seconds * 1e6).round() as i64;
        Self { begin_us: us(view.begin_s), end_us: us(view.end_s) }
    }
}
