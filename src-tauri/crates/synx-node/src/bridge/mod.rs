//! What a user interface sees of a node: requests, responses, views and events.
//!
//! One closed set of types for the desktop window, the control socket and the fake backend of the UI's tests; their
//! TypeScript forms are generated from these. Ids and hashes are text, times are seconds as floating point.
//! Must never hold domain types: the log's format and the UI's change apart.

#[macro_use]
mod macros;

mod app;
mod event;
mod history;
mod library;
mod request;
mod room;

pub use app::{
    AppView, CalibrationView, DeviceView, DoctorCheckView, InterfaceView, LanguageView, LoopView,
    NetworkView, PlayState, PlayerView, PreferencesView, ProfileView,
};
pub use event::{NodeEvent, NoticeLevel};
pub use history::{AwayView, ExportFormat, HistoryView, LogEntryView, LogKindView, MomentView};
pub use library::{
    AnalysisView, Availability, FolderView, KeyNotation, KeySectionView, KeyView, LibraryLookView,
    LibraryStateView, MetreView, PlaylistView, QueuedView, ReadAsView, ScanView, TempoAlternative,
    TempoSectionView, TempoView, TrackColumn, TrackList, TrackOrder, TrackPageView, TrackView, WaveformView,
};
pub use request::{CallError, Request, Response};
pub use room::{
    AloneView, AtDoorView, ChatMessageView, CommentView, InviteView, KnockView, LanRoomView, MemberView,
    MissedView, PeerSyncView, PlaybackControlView, QueueItemView, RecentRoomView, RoleView, RoomConnection,
    RoomSettingsView, RoomTrackState, RoomTrackView, RoomView, StorageView, TransferDirection, TransferView,
    VisibilityView,
};
