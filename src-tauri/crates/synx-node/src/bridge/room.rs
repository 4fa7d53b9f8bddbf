//! Rooms in the form that is drawn: the one that is open, those that were seen, and who and what is in them.

use super::library::{KeyView, TempoView};
use super::request::CallError;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

views! {
    /// What a member may do.
    choice RoleView {
        Listener,
        Dj,
        Host,
    }

    /// Who can find the room.
    choice VisibilityView {
        Public,
        Private,
    }

    /// Who controls playback.
    choice PlaybackControlView {
        Host,
        Djs,
        Everyone,
    }

    /// A room's settings.
    record RoomSettingsView {
        name: String,
        visibility: VisibilityView,
        max_participants: u32,
        genres: Vec<String>,
        playback_control: PlaybackControlView,
        /// How much audio it takes in; absent, what it has or the default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        storage: Option<StorageView>,
        /// Whether a track begins only when everybody has it; absent, what it has or false.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        wait_for_all: Option<bool>,
        /// After how many days events go to the archive; 0 for never; absent, what it has or never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        archive_after_days: Option<u32>,
    }

    /// How much audio a room takes in.
    record StorageView {
        /// Of each member.
        member_bytes: u64,
        /// In all.
        room_bytes: u64,
    }

    /// How the node is connected to its room.
    choice RoomConnection {
        /// This machine hosts it.
        Hosting,
        Connected,
        /// The connection is lost and is being made anew; the music goes on.
        Reconnecting,
    }

    /// The room. Its chat comes apart.
    record RoomView {
        id: String,
        /// Last event that is in this view.
        seq: u64,
        settings: RoomSettingsView,
        connection: RoomConnection,
        /// Why it reconnects, for a person.
        connection_problem: Option<String>,
        /// The own id.
        me: String,
        my_role: RoleView,
        /// Present members first, then those who were here.
        members: Vec<MemberView>,
        tracks: Vec<RoomTrackView>,
        queue: Vec<QueueItemView>,
        /// Queue entry that is loaded.
        current: Option<String>,
        /// Its music plays, whatever one listens to by oneself.
        playing: bool,
        comments: Vec<CommentView>,
        /// Invite link, for who may invite.
        link: Option<String>,
        /// The invite in it.
        link_invite: Option<String>,
        /// Addresses (`host:port`) where the hosted room listens.
        addresses: Vec<String>,
        /// Invites to the hosted room, newest first; none at a peer.
        invites: Vec<InviteView>,
        /// Who waits to be let in to the hosted room, oldest first.
        knocks: Vec<KnockView>,
        /// What others did while one was not here, if they did anything.
        missed: Option<MissedView>,
    }

    /// What happened in a room between two times that one was in it.
    record MissedView {
        /// When one was here last, milliseconds since 1970 UTC.
        since_ms: i64,
        messages: u32,
        /// Tracks that can be played now.
        tracks: u32,
        notes: u32,
        /// Who came, and is here.
        came: Vec<String>,
    }

    /// An invite to the hosted room. Its link is asked for apart.
    record InviteView {
        id: String,
        role: RoleView,
        /// Milliseconds since 1970 UTC.
        expires_at_ms: i64,
        /// How many people came in by it.
        uses: u32,
        /// How many may; null: any number.
        max_uses: Option<u32>,
        /// Whether the host is asked about each of them.
        knock: bool,
        revoked: bool,
        /// Neither revoked nor used up nor past its time, when this was drawn.
        usable: bool,
    }

    /// A room whose host is asked whether one may come in.
    record AtDoorView {
        /// As the link tells it.
        room_name: String,
        /// The host's words.
        message: String,
        /// Milliseconds since 1970 UTC.
        since_ms: i64,
    }

    /// Somebody who asks to be let in.
    record KnockView {
        user: String,
        name: String,
        color: Option<String>,
        /// What their invite gives.
        role: RoleView,
        /// Milliseconds since 1970 UTC.
        since_ms: i64,
    }

    /// Somebody in the room.
    record MemberView {
        user: String,
        name: String,
        color: Option<String>,
        role: RoleView,
        present: bool,
        /// Was removed for good.
        banned: bool,
        /// Milliseconds since 1970 UTC.
        joined_at_ms: i64,
        bio: Option<String>,
        /// Another one for another picture: `get_portrait` gives it.
        picture: Option<String>,
    }

    /// How far a track of the room is.
    choice RoomTrackState {
        /// On its way to the host.
        Uploading,
        /// At the host, not yet here.
        Downloading,
        /// Here and playable.
        Ready,
        /// Unusable: see `error`.
        Failed,
    }

    /// A track of the room.
    record RoomTrackView {
        id: String,
        title: String,
        artist: Option<String>,
        duration_s: f64,
        size_bytes: u64,
        shared_by: String,
        state: RoomTrackState,
        tempo: Option<TempoView>,
        key: Option<KeyView>,
        energy: Option<u8>,
        loudness_lufs: Option<f64>,
        error: Option<CallError>,
    }

    /// A queue entry.
    record QueueItemView {
        id: String,
        track: String,
        added_by: String,
    }

    /// Words at a moment of a track.
    record CommentView {
        id: String,
        track: String,
        position_s: f64,
        end_s: Option<f64>,
        author: String,
        text: String,
        reply_to: Option<String>,
        posted_at_ms: i64,
        /// What it asks for is done.
        done: bool,
    }

    /// Something that was said.
    record ChatMessageView {
        seq: u64,
        author: String,
        /// The author's name when the message was drawn up.
        author_name: String,
        text: String,
        posted_at_ms: i64,
    }

    /// How well a peer plays in time, as it measures itself at its DAC.
    record PeerSyncView {
        user: String,
        /// Positive plays late. Null while it does not play.
        error_us: Option<f64>,
        /// How far off the peer's idea of room time may be. Null while it does not play, as its error: it changes all the time.
        clock_uncertainty_us: Option<f64>,
        /// Error and uncertainty together are small enough to call it so.
        in_sync: bool,
        /// It has the current track.
        has_track: bool,
        /// What it has not yet of the tracks that are needed soonest: the current and the next.
        lacks: Vec<String>,
        /// Where it listens by itself, while the room goes on.
        alone: Option<AloneView>,
    }

    /// Where somebody is in a track of the room that they listen to by themselves.
    record AloneView {
        track: String,
        /// When it was told, which is about once a second.
        position_s: f64,
        /// It goes on from there.
        playing: bool,
    }

    /// Which way a file goes.
    choice TransferDirection {
        Upload,
        Download,
    }

    /// A file on its way.
    record TransferView {
        track: String,
        file_name: String,
        direction: TransferDirection,
        user: String,
        bytes_done: u64,
        bytes_total: u64,
        /// Stopped by the person, or broken off as one left; it goes on from here when it is let.
        stopped: bool,
    }

    /// A public room of the local network.
    record LanRoomView {
        room: String,
        name: String,
        host_name: Option<String>,
        participants: Option<u32>,
        genres: Vec<String>,
        address: String,
        /// Link to join by.
        link: String,
    }

    /// A room this machine hosted or joined.
    record RecentRoomView {
        room: String,
        name: String,
        hosted_here: bool,
        last_seen_ms: i64,
        /// Link to join again, for rooms of others.
        link: Option<String>,
    }
}
