/**
 * Everything the window knows of its node: one snapshot when it opens, and every event since.
 */
import { createContext } from 'svelte';
import type {
  AppView, Backend, ChatMessageView, LanRoomView, LibraryStateView, LinkStatus, NodeEvent, PeerSyncView, PlayerView, PreferencesView, ProfileView,
  RecentRoomView, Request, ResponseTo, RoomView, TrackView, TransferView,
} from '../backend';
import { CallFailure } from '../backend';
import type { Loop } from '../pure/loop';
import { currentId, currentTrack, neighbours } from './current';
import { Look } from './look.svelte';
import { Notices } from './notices.svelte';
import { Own } from './own.svelte';
import { Picture } from './picture.svelte';
import { Playhead } from './playhead.svelte';
import { Tracks } from './tracks.svelte';
import { VolumeControl } from './volume';
import { Window } from './window.svelte';

/** A press on "previous" this far into a track goes to its start. */
const RESTART_AFTER_S = 3;

export class App {
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  failure = $state.raw<CallFailure | null>(null);
  link = $state<LinkStatus>('open');

  version = $state('');
  profile = $state.raw<ProfileView | null>(null);
  preferences = $state.raw<PreferencesView | null>(null);
  library = $state.raw<LibraryStateView>({ revision: 0, tracks: 0, broken: 0, waiting: 0, analysis_paused: false });
  player = $state.raw<PlayerView | null>(null);
  room = $state.raw<RoomView | null>(null);
  chat = $state.raw<ChatMessageView[]>([]);
  sync = $state.raw<PeerSyncView[]>([]);
  transfers = $state.raw<TransferView[]>([]);
  lanRooms = $state.raw<LanRoomView[]>([]);
  recentRooms = $state.raw<RecentRoomView[]>([]);

  readonly notices = new Notices();
  readonly playhead = new Playhead();
  readonly window = new Window();
  readonly picture: Picture;
  readonly tracks: Tracks;
  readonly own: Own;
  readonly look = new Look();

  /** What others said and was not on screen yet. */
  unread = $derived(this.chat.filter((message) => message.seq > this.window.readSeq && message.author !== this.room?.me).length);

  current = $derived.by(() => this.player && currentTrack(this.player, this.room, this.own.track));
  playing = $derived(this.player?.state === 'playing' || this.player?.state === 'buffering');
  mayControl = $derived(this.player?.may_control ?? false);

  /** What is only about to be played has no position yet. */
  maySeek = $derived(this.mayControl && this.player?.track !== null && this.player?.track === this.current?.id);

  readonly #volume = new VolumeControl(
    async (wish) => (await this.ask({ type: 'set_volume', ...wish })) !== null,
    (volume) => this.player && (this.player = { ...this.player, ...volume }),
  );

  /** Events that came while the snapshot was on its way: newer than it, or repeated by later ones. */
  #early: NodeEvent[] | null = null;

  constructor(readonly backend: Backend) {
    this.picture = new Picture(backend);
    this.tracks = new Tracks(backend);
    this.own = new Own(backend);
    backend.onStatus((status) => {
      const found = this.link === 'lost' && status === 'open';
      this.link = status;
      if (found) void this.load();
    });
  }

  async start(): Promise<void> {
    try {
      this.#early = [];
      await this.backend.subscribe((event) => (this.#early ? this.#early.push(event) : this.receive(event)));
      await this.load();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  async load(): Promise<void> {
    this.#early = [];
    try {
      const { app } = await this.backend.call({ type: 'get_app' });
      this.#take(app);
      this.phase = 'ready';
    } catch (cause) {
      this.#fail(cause);
    } finally {
      const early = this.#early;
      this.#early = null;
      for (const event of early) this.receive(event);
    }
  }

  #fail(cause: unknown): void {
    this.failure = CallFailure.from(cause);
    if (this.phase === 'loading') this.phase = 'failed';
  }

  #take(app: AppView): void {
    this.version = app.version;
    this.profile = app.profile;
    this.preferences = app.preferences;
    this.library = app.library;
    this.own.take(app.current);
    void this.tracks.reload();
    this.chat = app.chat;
    this.sync = app.sync;
    this.transfers = app.transfers;
    this.lanRooms = app.lan_rooms;
    this.recentRooms = app.recent_rooms;
    this.#setRoom(app.room);
    this.#setPlayer(app.player);
  }

  receive(event: NodeEvent): void {
    switch (event.type) {
      case 'profile_changed': this.profile = event.profile; break;
      case 'library_changed': this.#changeLibrary(event.library); break;
      case 'track_changed': this.#changeTrack(event.track); break;
      case 'room_changed': this.#setRoom(event.room); break;
      case 'chat_appended': this.#say(event.messages); break;
      case 'player_changed': this.#setPlayer(event.player); break;
      case 'sync_measured': this.sync = event.peers; break;
      case 'transfers_changed': this.transfers = event.transfers; break;
      case 'lan_rooms_changed': this.lanRooms = event.rooms; break;
      case 'recent_rooms_changed': this.recentRooms = event.rooms; break;
      case 'notice': this.notices.add(event.level, event.code, event.message); break;
      case 'link_opened': this.window.open({ type: 'join', link: event.link }); break;
    }
  }

  #changeLibrary(library: LibraryStateView): void {
    this.library = library;
    void this.tracks.reload();
  }

  #changeTrack(track: TrackView): void {
    this.tracks.change(track);
    this.own.change(track);
  }

  #learn(): void {
    void this.own.learn(this.player && currentId(this.player, this.room));
  }

  #setRoom(room: RoomView | null): void {
    const before = this.room?.id ?? null;
    this.room = room;
    this.#learn();
    if ((room?.id ?? null) === before) return;
    if (before !== null) {
      this.chat = [];
      this.sync = [];
    }
    this.window.screen = room ? 'room' : 'library';
    this.window.readSeq = this.chat.at(-1)?.seq ?? 0;
    if (room) this.window.close();
  }

  #setPlayer(player: PlayerView): void {
    this.player = this.#volume.over(player);
    this.playhead.report(player);
    this.#learn();
  }

  /** A message may come twice, in the snapshot and as an event. */
  #say(messages: ChatMessageView[]): void {
    const unseen = messages.filter((message) => !this.chat.some((known) => known.seq === message.seq));
    this.chat = [...this.chat, ...unseen].sort((a, b) => a.seq - b.seq);
  }

  /** Calls the node; a failure becomes a notice and null. */
  async ask<R extends Request>(request: R): Promise<ResponseTo<R> | null> {
    try {
      return await this.backend.call(request);
    } catch (cause) {
      this.notices.fail(CallFailure.from(cause));
      return null;
    }
  }

  /** Plays a track of the list that is shown, and then what follows it there; in a room it is shared. */
  playFromList(track: string): void {
    if (this.room) void this.ask({ type: 'share_track', track });
    else void this.ask({ type: 'play_from', track, ...this.tracks.wanted });
  }

  playPause(): void {
    if (!this.player || !this.mayControl) return;
    if (this.playing) void this.ask({ type: 'pause' });
    else if (this.current) void this.ask({ type: 'play', track: null });
  }

  seek(positionS: number): void {
    if (!this.current || !this.maySeek) return;
    const target = Math.min(Math.max(0, positionS), this.current.durationS);
    this.playhead.expect(target);
    void this.ask({ type: 'seek', position_s: target });
  }

  setLoop(region: Loop | null): void {
    if (this.current && this.maySeek) void this.ask({ type: 'set_loop', region });
  }

  /** Repeats the whole track, or nothing any more. */
  toggleLoop(): void {
    if (!this.current) return;
    this.setLoop(this.player?.loop_region ? null : { begin_s: 0, end_s: this.current.durationS });
  }

  next(): void {
    if (this.mayControl) void this.ask({ type: 'skip', to: null });
  }

  previous(): void {
    const before = this.room ? neighbours(this.room).before : null;
    if (before === null || this.playhead.positionS > RESTART_AFTER_S) this.seek(0);
    else if (this.mayControl) void this.ask({ type: 'skip', to: before });
  }

  setVolume(volume: number, muted: boolean): void {
    this.#volume.set(volume, muted);
  }

  toggleMute(): void {
    if (this.player) this.setVolume(this.player.volume, !this.player.muted);
  }

  /** What dropped or chosen files are for: the room when one is shown, else the library. */
  takingFiles(paths: string[]): Request {
    if (this.room && this.window.screen === 'room') return { type: 'share_files', paths };
    return { type: 'open_files', paths, play: this.room === null };
  }
}

export const [useApp, provideApp] = createContext<App>();
