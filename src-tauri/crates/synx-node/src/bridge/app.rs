//! This instance in the form that is drawn: its person, its player, its machine.

use super::library::{LibraryLookView, LibraryStateView, QueuedView, TrackView};
use super::room::{
    AtDoorView, ChatMessageView, LanRoomView, PeerSyncView, RecentRoomView, RoomView, TransferView,
};
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

    /// One check of this machine.
    record DoctorCheckView {
        name: String,
        ok: bool,
        /// What was found, and what to do when it is not good.
        message: String,
    }
}
