/**
 * What the node has told last.
 */
import type {
  AtDoorView, ChatMessageView, LanRoomView, LibraryStateView, PeerSyncView, PlayerView, PreferencesView, ProfileView, RecentRoomView, RoomView, TransferView,
} from '../backend';

export class Known {
  version = $state('');
  profile = $state.raw<ProfileView | null>(null);
  preferences = $state.raw<PreferencesView | null>(null);
  library = $state.raw<LibraryStateView>({ revision: 0, tracks: 0, broken: 0, waiting: 0, analysis_paused: false });
  player = $state.raw<PlayerView | null>(null);
  room = $state.raw<RoomView | null>(null);
  atDoor = $state.raw<AtDoorView | null>(null);
  chat = $state.raw<ChatMessageView[]>([]);
  sync = $state.raw<PeerSyncView[]>([]);
  transfers = $state.raw<TransferView[]>([]);
  lanRooms = $state.raw<LanRoomView[]>([]);
  recentRooms = $state.raw<RecentRoomView[]>([]);
}
