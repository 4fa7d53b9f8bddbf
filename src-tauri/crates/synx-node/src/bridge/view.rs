//! The state of a node in the form that is drawn.

use super::library::{KeyView, LibraryLookView, LibraryStateView, QueuedView, TempoView, TrackView};
use super::request::CallError;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

views! {
    /// Everything that a window needs when it opens.
    record AppView {
        version: String,
        /// The language that was chosen; null is the system's.
        language: Option<LanguageView>,
        profile: ProfileView,
        preferences: PreferencesView,
        library: Box<LibraryStateView>,
        /// How the library was shown last; null before the first time.
        look: Option<LibraryLookView>,
        /// The library's own knowledge of what is loaded in the player.
        current: Option<Box<TrackView>>,
        player: PlayerView,
        /// What plays next when one is alone.
        queue: Vec<QueuedView>,
        room: Option<Box<RoomView>>,
        at_door: Option<AtDoorView>,
        chat: Vec<ChatMessageView>,
        sync: Vec<PeerSyncView>,
        transfers: Vec<TransferView>,
        lan_rooms: Vec<LanRoomView>,
        recent_rooms: Vec<RecentRoomView>,
    }

    /// How this machine is reached.
    record NetworkView {
        /// Port of the rooms that it hosts from the next on; null takes any.
        port: Option<u16>,
        /// Whether it announces public rooms on the local network, and looks for others'.
        seen: bool,
        /// Port of the room that is open here now.
        open_port: Option<u16>,
        interfaces: Vec<InterfaceView>,
    }

    /// One way into this machine.
    record InterfaceView {
        name: String,
        address: String,
    }

    /// The languages that are spoken here.
    choice LanguageView {
        En,
        De,
    }

    /// Oneself.
    record ProfileView {
        user: String,
        name: String,
        /// `#rrggbb`
        color: Option<String>,
        bio: Option<String>,
        /// 40 times 40 pixels from the top left, each two bytes, the lower first, of five bits of red, six of green and five of blue;
        /// as base64.
        picture: Option<String>,
        /// False until the user has chosen a name.
        chosen: bool,
    }

    /// One's taste.
    record PreferencesView {
        genres: Vec<String>,
        tempo_range_bpm: Option<(f64, f64)>,
        keys: Vec<String>,
        instruments: Vec<String>,
    }

    /// What the transport does.
    choice PlayState {
        /// Nothing is loaded.
        Empty,
        Paused,
        Playing,
        /// It should play but waits for audio.
        Buffering,
        /// It stands until everybody in the room has the track.
        Awaiting,
    }

    /// A part of a track that is repeated.
    record LoopView {
        begin_s: f64,
        end_s: f64,
    }

    /// Playback on this machine.
    record PlayerView {
        state: PlayState,
        track: Option<String>,
        title: Option<String>,
        artist: Option<String>,
        duration_s: f64,
        /// What is heard now. The window moves it on by itself between two events.
        position_s: f64,
        /// What is repeated, if anything is.
        loop_region: Option<LoopView>,
        volume: f64,
        muted: bool,
        /// Loudness that every track is brought to, in LUFS; null plays them as they are.
        normalise_to_lufs: Option<f64>,
        /// Name of the output device.
        device: String,
        /// False when nothing can be heard: there is no device, or it is gone.
        audible: bool,
        latency_offset_ms: f64,
        /// Measured error against room time, where there is a room.
        error_us: Option<f64>,
        /// May this person control what is heard?
        may_control: bool,
        /// What is heard is heard on this machine alone, and the room goes on without it: play, pause, seek and loop are for it.
        alone: bool,
    }

    /// An output device.
    record DeviceView {
        id: String,
        name: String,
        default: bool,
        chosen: bool,
    }

    /// How late the chosen output device really is.
    record CalibrationView {
        device: String,
        /// How much later than it should the sound came, with the present offset.
        late_by_ms: f64,
        /// Half of the span of the single chirps.
        spread_ms: f64,
        heard: usize,
        played: usize,
        /// What the offset should be.
        offset_ms: f64,
    }

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
        /// How far off the peer's idea of room time may be.
        clock_uncertainty_us: Option<f64>,
        rtt_us: Option<f64>,
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
        /// Stopped by the person; it goes on from here when it is let.
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

    /// What an entry of the log is about.
    choice LogKindView {
        /// Who came, went, and may do what.
        People,
        Chat,
        /// What was played, paused and moved.
        Music,
        /// What was shared and queued.
        Tracks,
        /// Comments at moments of a track.
        Notes,
        /// The room itself.
        Room,
    }

    /// How a log is written to a file.
    choice ExportFormat {
        /// JSON Lines: one event a line, with its hash.
        Jsonl,
        /// A page to read.
        Page,
    }

    /// How far a room's log goes back.
    record HistoryView {
        /// Its last event.
        head: u64,
        /// Milliseconds since 1970 UTC.
        first_ms: i64,
        last_ms: i64,
        away: Option<AwayView>,
    }

    /// What happened while one was not in the room.
    record AwayView {
        /// The event by which one left, and the one by which one came back.
        left_seq: u64,
        back_seq: u64,
        /// Milliseconds since 1970 UTC.
        left_at_ms: i64,
        messages: u32,
        tracks: u32,
        notes: u32,
    }

    /// A room as it was after an event.
    record MomentView {
        /// The event.
        entry: LogEntryView,
        room: RoomView,
        /// What had been said last.
        chat: Vec<ChatMessageView>,
        title: Option<String>,
        playing: bool,
        /// Where the track was.
        position_s: f64,
    }

    /// An entry of the room's log.
    record LogEntryView {
        seq: u64,
        kind: LogKindView,
        name: String,
        actor: String,
        actor_name: String,
        at_ms: i64,
        /// What happened, as a sentence.
        summary: String,
    }

    /// One check of this machine.
    record DoctorCheckView {
        name: String,
        ok: bool,
        /// What was found, and what to do when it is not good.
        message: String,
    }
}
