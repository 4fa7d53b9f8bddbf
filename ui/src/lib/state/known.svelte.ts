/**
 * What the node has told last.
 */
import type {
  AppView, AtDoorView, ChatMessageView, LanguageView, LanRoomView, LibraryStateView, PeerSyncView, PlayerView, PreferencesView, ProfileView, QueuedView, RecentRoomView, RoomView, TransferView,
} from '../backend';

const NO_LIBRARY: LibraryStateView = { revision: 0, tracks: 0, broken: 0, waiting: 0, paused: false, workers: 1, workers_most: 1, folders: [], scan: null, playlists: [] };

export class Known {
  version = $state('');
  /** The language that was chosen; null is the system's. */
  language = $state.raw<LanguageView | null>(null);
  profile = $state.raw<ProfileView | null>(null);
  preferences = $state.raw<PreferencesView | null>(null);
  library = $state.raw<LibraryStateView>(NO_LIBRARY);
  player = $state.raw<PlayerView | null>(null);
  /** What plays next when one is alone. */
  queue = $state.raw<QueuedView[]>([]);
  room = $state.raw<RoomView | null>(null);
  atDoor = $state.raw<AtDoorView | null>(null);
  chat = $state.raw<ChatMessageView[]>([]);
  sync = $state.raw<PeerSyncView[]>([]);
  transfers = $state.raw<TransferView[]>([]);
  lanRooms = $state.raw<LanRoomView[]>([]);
  recentRooms = $state.raw<RecentRoomView[]>([]);

  /** All but what plays and the room, whose changes mean more than their new value. */
  protected know(app: AppView): void {
    this.version = app.version;
    this.language = app.language;
    this.profile = app.profile;
    this.preferences = app.preferences;
    this.library = app.library;
    this.queue = app.queue;
    this.atDoor = app.at_door;
    this.chat = app.chat;
    this.sync = app.sync;
    this.transfers = app.transfers;
    this.lanRooms = app.lan_rooms;
    this.recentRooms = app.recent_rooms;
  }
}
