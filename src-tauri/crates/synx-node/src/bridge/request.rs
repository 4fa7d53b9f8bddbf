//! What a user interface can ask of a node, and how it is answered.

use super::app::{
    AppView, CalibrationView, DeviceView, DoctorCheckView, LanguageView, LoopView, NetworkView,
    PreferencesView, ProfileView,
};
use super::history::{ExportFormat, HistoryView, LogEntryView, LogKindView, MomentView};
use super::library::{
    AnalysisView, LibraryLookView, TrackList, TrackOrder, TrackPageView, TrackView, WaveformView,
};
use super::room::{ChatMessageView, RoleView, RoomSettingsView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One request. Playback requests go to the room while the node is in one, else to the local player.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export, export_to = "bridge.ts")]
pub enum Request {
    /// Everything that a window needs when it opens. Answer: `app`.
    GetApp,
    /// Speaks a language from now on, also on the desktop; null is the system's. Answer: `done`.
    SetLanguage { language: Option<LanguageView> },
    /// What the window speaks where no language was chosen: what the node writes for people follows. Answer: `done`.
    Speak { language: LanguageView },
    /// How this machine is reached. Answer: `network`.
    GetNetwork,
    /// Changes how it is reached, from the next room on; null takes any port. Answer: `done`.
    SetNetwork { port: Option<u16>, seen: bool },
    /// What of this machine may keep others out. Answer: `doctor`.
    TestNetwork {
        /// The port that is meant to be used, perhaps not kept yet; none: any.
        port: Option<u16>,
    },
    /// Adds audio files (folders are searched) to the library, and plays the first when `play`. Answer: `tracks`.
    OpenFiles { paths: Vec<String>, play: bool },
    /// A part of a list of tracks: those that `search` finds, in an order, or with null in the list's own. Filters such as
    /// `bpm:120-128 key:8A added:<7d` stand among the words. Answer: `track_page`; error `bad_filter` for one that means
    /// nothing.
    ListTracks { list: TrackList, search: String, order: Option<TrackOrder>, from: u32, count: u32 },
    /// A track of the library. Answer: `track`.
    GetTrack { track: String },
    /// Adds what was dropped or chosen: files as in `open_files`, folders to be watched from now on. Answer: `done`.
    AddToLibrary { paths: Vec<String>, play: bool },
    /// Keeps how the library is shown, for the next start. Answer: `done`.
    KeepLook { look: Box<LibraryLookView> },
    /// Watches a folder no more; its tracks leave the library, its files stay. Answer: `done`.
    RemoveFolder { path: String },
    /// Lets scans and analyses rest, but for what is opened or played, or go on. Answer: `done`.
    PauseLibrary { paused: bool },
    /// Analyses so many tracks side by side; with 0, only what is opened or played. Answer: `done`.
    SetAnalysisWorkers { count: u32 },
    /// Looks through all watched folders again. Answer: `done`.
    Rescan,
    /// Sets tempo and beat grid by hand; null is what the analysis found. Answer: `done`.
    CorrectTempo { track: String, bpm: Option<f64>, first_beat_s: Option<f64> },
    /// Sets the key by hand, in any notation; null is the one that the analysis found. Answer: `done`.
    CorrectKey { track: String, key: Option<String> },
    /// Makes a playlist. Answer: `done`.
    CreatePlaylist { name: String, tracks: Vec<String> },
    /// Makes a playlist of what plays and what is queued. Answer: `done`.
    SaveQueue { name: String },
    /// Gives a playlist another name. Answer: `done`.
    RenamePlaylist { playlist: i64, name: String },
    /// Deletes a playlist; its tracks stay. Answer: `done`.
    DeletePlaylist { playlist: i64 },
    /// Puts tracks at the end of a playlist. Answer: `done`.
    AddToPlaylist { playlist: i64, tracks: Vec<String> },
    /// Takes the track at a place, from 0, out of a playlist. Answer: `done`.
    RemoveFromPlaylist { playlist: i64, place: u32 },
    /// Moves a track of a playlist from a place to another. Answer: `done`.
    MoveInPlaylist { playlist: i64, from: u32, to: u32 },
    /// Takes a track out of the library; its file stays. Answer: `done`.
    RemoveTrack { track: String },
    /// The waveform of a part of a track as `columns` columns. Answer: `waveform`; error `not_ready` until analysed.
    GetWaveform { track: String, columns: u32, from_s: f64, to_s: f64 },
    /// The picture of a track of this machine. Answer: `picture`.
    GetPicture { track: String, large: bool },
    /// Everything the analysis found. Answer: `analysis`; error `not_ready` until analysed.
    GetAnalysis { track: String },

    /// Plays: goes on, or starts the named track. Answer: `done`.
    Play { track: Option<String> },
    /// Alone: plays a track of a list, as in `list_tracks`, and then what follows it there. Answer: `done`.
    PlayFrom { track: String, list: TrackList, search: String, order: Option<TrackOrder> },
    /// Alone: puts a track of the library right after what plays (`next`), or after what was queued before. Answer: `done`.
    QueueTrack { track: String, next: bool },
    /// Pauses. Answer: `done`.
    Pause,
    /// Moves the position. Answer: `done`.
    Seek { position_s: f64 },
    /// Repeats a part of what plays, or nothing any more. Answer: `done`.
    SetLoop { region: Option<LoopView> },
    /// Goes to the next track, or a named queue entry. Answer: `done`.
    Skip { to: Option<String> },
    /// Goes to the start of the track or, near it, to the one before. Answer: `done`.
    Previous,
    /// Sets volume (0 to 1, perceptual) and mute of this machine. Answer: `done`.
    SetVolume { volume: f64, muted: bool },
    /// Brings every track to one loudness in LUFS on this machine, or, with null, plays them as they are. Answer: `done`.
    SetNormalisation { target_lufs: Option<f64> },
    /// Output devices. Answer: `devices`.
    ListDevices,
    /// Chooses the output device by id; null is the system's default. Answer: `done`.
    SetDevice { id: Option<String> },
    /// By how much this device plays late, in milliseconds; negative plays early. Kept per device. Answer: `done`.
    SetLatencyOffset { offset_ms: f64 },
    /// Clicks at every whole second of room time in place of the music, on this machine alone: where two machines click as
    /// one they are together. Answer: `done`.
    SetClicks { on: bool },
    /// Microphones. Answer: `devices`.
    ListMicrophones,
    /// Plays chirps for ten seconds, listens with a microphone (null is the system's default), and says how late they
    /// came. Changes nothing. Answer: `calibration`.
    Calibrate { microphone: Option<String> },

    /// Opens a new room on this machine. Answer: `done`, and the room in `room_changed`.
    HostRoom { settings: RoomSettingsView },
    /// Opens a room again that this machine hosted before. Answer: `done`.
    ReopenRoom { room: String },
    /// Joins by invite link; `address` (`host:port`) stands in for those of the link. With `leaving` also from another
    /// room, which is left (a host closes it) once this one has let one in, and not before. Answer: `done`.
    JoinRoom {
        link: String,
        address: Option<String>,
        #[serde(default)]
        #[ts(optional)]
        leaving: Option<bool>,
    },
    /// Joins a public room of the local network. Answer: `done`.
    JoinLanRoom { room: String },
    /// Leaves the room; a host closes it for everybody. A join that is under way ends in place of that, also while the
    /// host is asked, with `join_stopped`. Answer: `done`.
    LeaveRoom,
    /// A new invite link to the hosted room, for so many people (absent: any number), asking the host about each or not.
    /// Answer: `link`.
    CreateInvite {
        role: RoleView,
        expires_in_s: f64,
        #[serde(default)]
        #[ts(optional)]
        max_uses: Option<u32>,
        #[serde(default)]
        #[ts(optional)]
        knock: Option<bool>,
    },
    /// The link with an invite that the room lists. Answer: `link`.
    GetInviteLink { invite: String },
    /// Lets nobody in by an invite any more; `invite` is its id or its link. Answer: `done`.
    RevokeInvite { invite: String },
    /// Lets somebody in who waits, or does not. Answer: `done`.
    AnswerKnock { user: String, let_in: bool },
    /// Changes the room's settings. Answer: `done`.
    UpdateRoomSettings { settings: RoomSettingsView },
    /// Changes somebody's role. Answer: `done`.
    ChangeRole { user: String, role: RoleView },
    /// Removes somebody from the room, for good unless they may return. Answer: `done`.
    RemoveMember { user: String, may_return: bool },
    /// Lets somebody join again who was removed for good. Answer: `done`.
    LiftBan { user: String },
    /// Says something. Answer: `done`.
    SendChat { text: String },
    /// Messages before `before_seq` (null: the newest), oldest first, `limit` at most. Answer: `chat`.
    GetChat { before_seq: Option<u64>, limit: u32 },
    /// Pins words to a moment of a track. Answer: `done`.
    AddComment { track: String, position_s: f64, end_s: Option<f64>, text: String, reply_to: Option<String> },
    /// Says that what a comment asks for is done, or not after all. Answer: `done`.
    ResolveComment { comment: String, done: bool },
    /// Shares files with the room; each is queued. Answer: `done` once all transfers have begun.
    ShareFiles { paths: Vec<String> },
    /// Shares a track of the library. Answer: `done`.
    ShareTrack { track: String },
    /// Stops sending or getting a track; what has come so far stays. Answer: `done`.
    StopTransfer { track: String },
    /// Goes on with a transfer that was stopped or broke off. Answer: `done`.
    ResumeTransfer { track: String },
    /// Does not go on with an upload that was stopped, or awaits one of somebody else no longer. Answer: `done`.
    GiveUpTransfer { track: String },
    /// Queues a shared track again. Answer: `done`.
    QueueAdd { track: String },
    /// Takes an entry out of the queue. Answer: `done`.
    QueueRemove { item: String },
    /// Moves an entry of the queue to `index`. Answer: `done`.
    QueueMove { item: String, index: u32 },
    /// The room's log, newest first: `limit` entries before `before_seq`, of some kinds or (none named) of all. Answer:
    /// `log`.
    GetLog { before_seq: Option<u64>, limit: u32, kinds: Vec<LogKindView> },
    /// How far the room's log goes back, and what happened while one was away. Answer: `history`.
    GetHistory,
    /// The room as it was after an event. Answer: `moment`.
    GetMoment { seq: u64 },
    /// Writes the room's whole log to a file: at `path`, or among this machine's exports. Answer: `saved`.
    ExportLog { format: ExportFormat, path: Option<String> },

    /// Changes how one appears. Answer: `done`.
    UpdateProfile { profile: ProfileView },
    /// Makes a picture for one's profile of a file. Answer: `portrait`; error `not_a_picture`.
    MakePortrait { path: String },
    /// The picture of somebody in the room. Answer: `portrait`.
    GetPortrait { user: String },
    /// Changes one's taste. Answer: `done`.
    UpdatePreferences { preferences: PreferencesView },
    /// Plays a track on this machine alone while the room goes on, until it ends. Answer: `done`.
    ListenAlone { track: String },
    /// Hears what the room hears again. Answer: `done`.
    ListenTogether,
    /// Checks of this machine: audio, network, storage. Answer: `doctor`.
    Doctor,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export, export_to = "bridge.ts")]
pub enum Response {
    /// It is done, or under way with its outcome in the events.
    Done,
    /// Everything.
    App { app: Box<AppView> },
    /// Tracks of the library.
    Tracks { tracks: Vec<TrackView> },
    /// A part of a list.
    TrackPage { page: Box<TrackPageView> },
    /// A track of the library; null where the library does not have it.
    Track { track: Option<Box<TrackView>> },
    /// A waveform.
    Waveform { waveform: WaveformView },
    /// A picture as a `data:` address; null where the track has none, or is not on this machine.
    Picture { address: Option<String> },
    /// An analysis.
    Analysis { analysis: Box<AnalysisView> },
    /// Output devices.
    Devices { devices: Vec<DeviceView> },
    /// How late the output device is.
    Calibration { calibration: CalibrationView },
    /// An invite link, and the invite in it.
    Link { link: String, invite: String },
    /// Chat messages.
    Chat { messages: Vec<ChatMessageView> },
    /// Log entries.
    Log { entries: Vec<LogEntryView> },
    /// How far back the log goes.
    History { history: HistoryView },
    /// A room as it was.
    Moment { moment: Box<MomentView> },
    /// Where a file was written.
    Saved { path: String },
    /// How this machine is reached.
    Network { network: NetworkView },
    /// Somebody's picture, as in a profile; null where they have none.
    Portrait { picture: Option<String> },
    /// Checks.
    Doctor { checks: Vec<DoctorCheckView> },
}

/// Why a request was not carried out: what failed, on what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS, thiserror::Error)]
#[error("{message}")]
#[ts(export, export_to = "bridge.ts")]
pub struct CallError {
    /// Stable code for programs.
    pub code: String,
    /// A sentence for a person.
    pub message: String,
}
