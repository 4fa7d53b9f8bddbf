/**
 * Everything the window knows of its node: one snapshot when it opens, and every event since.
 */
import { createContext } from 'svelte';
import type {
  AppView, Backend, ChatMessageView, LibraryLookView, LinkStatus, NodeEvent, PlayerView, Request, ResponseTo, RoomView,
} from '../backend';
import { CallFailure } from '../backend';
import { merge, unreadCount } from '../pure/chat';
import type { Loop } from '../pure/loop';
import { Covers } from './covers';
import { currentId, currentTrack } from './current';
import { Known } from './known.svelte';
import { Look } from './look.svelte';
import { Notices } from './notices.svelte';
import { Own } from './own.svelte';
import { Picture } from './picture.svelte';
import { Playhead } from './playhead.svelte';
import { Portraits } from './portraits';
import { ToldOf } from './told.svelte';
import { Tracks } from './tracks.svelte';
import { Unsent } from './unsent.svelte';
import { Scrub } from './scrub';
import { speak } from './speaking';
import { VolumeControl } from './volume';
import { Window } from './window.svelte';

export class App extends Known {
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  failure = $state.raw<CallFailure | null>(null);
  link = $state<LinkStatus>('open');

  readonly notices = new Notices();
  readonly unsent = new Unsent((text) => this.ask({ type: 'send_chat', text }));
  readonly told = new ToldOf(localStorage, this.notices, (title, message) => void this.backend.notify?.(title, message).catch(() => {}));
  readonly playhead = new Playhead();
  readonly window = new Window();
  readonly picture: Picture;
  readonly tracks: Tracks;
  readonly own: Own;
  readonly look: Look;
  readonly covers: Covers;
  readonly portraits: Portraits;

  /** What others said and was not on screen yet. */
  unread = $derived(unreadCount(this.chat, this.window.readSeq, this.room?.me ?? null));

  /** What was asked for and has no answer yet. */
  waiting = $state(0);
  names = $derived(this.room?.members.filter((member) => member.present).map((member) => member.name) ?? []);

  current = $derived.by(() => this.player && currentTrack(this.player, this.room, this.own.track));
  playing = $derived(this.player?.state === 'playing' || this.player?.state === 'buffering');
  mayControl = $derived(this.player?.may_control ?? false);

  /** What is heard is heard here alone, while the room goes on. */
  alone = $derived(this.player?.alone ?? false);
  maySteer = $derived(this.alone || this.mayControl);

  /** What is only about to be played has no position yet. */
  maySeek = $derived(this.maySteer && this.player?.track !== null && this.player?.track === this.current?.id);

  readonly #volume = new VolumeControl(
    async (wish) => (await this.ask({ type: 'set_volume', ...wish })) !== null,
    (volume) => this.player && (this.player = { ...this.player, ...volume }),
  );

  readonly scrub = new Scrub((positionS) => this.playing && this.seek(positionS));

  /** Events that came while the snapshot was on its way: newer than it, or repeated by later ones. */
  #early: NodeEvent[] | null = null;

  constructor(readonly backend: Backend) {
    super();
    this.picture = new Picture(backend);
    this.tracks = new Tracks(backend);
    this.own = new Own(backend);
    this.look = new Look(backend);
    this.covers = new Covers(backend);
    this.portraits = new Portraits(backend);
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
    this.#early ??= []; // A link that the app was started with came with the subscription.
    try {
      const { app } = await this.backend.call({ type: 'get_app' });
      await speak(app.language, this.backend);
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
    this.know(app);
    this.own.take(app.current);
    if (this.phase === 'loading' && app.look) this.#takeLook(app.look);
    void this.tracks.reload();
    this.#setRoom(app.room);
    this.#setPlayer(app.player);
  }

  receive(event: NodeEvent): void {
    switch (event.type) {
      case 'profile_changed': this.profile = event.profile; break;
      case 'library_changed': this.library = event.library; void this.tracks.reload(); break;
      case 'queue_changed': this.queue = event.queue; break;
      case 'track_changed': this.tracks.change(event.track); this.own.change(event.track); break;
      case 'room_changed': this.#setRoom(event.room); break;
      case 'at_door_changed': this.atDoor = event.at_door; break;
      case 'chat_appended': this.#say(event.messages); break;
      case 'player_changed': this.#setPlayer(event.player); break;
      case 'sync_measured': this.sync = event.peers; break;
      case 'transfers_changed': this.transfers = event.transfers; break;
      case 'lan_rooms_changed': this.lanRooms = event.rooms; break;
      case 'recent_rooms_changed': this.recentRooms = event.rooms; break;
      case 'language_changed': if (event.language !== this.language) void speak(event.language, this.backend); this.language = event.language; break;
      case 'notice': this.notices.add(event.level, event.code, event.message); break;
      case 'link_opened': this.window.open({ type: 'join', link: event.link }); break;
    }
  }

  #takeLook(look: LibraryLookView): void {
    this.look.take(look);
    this.tracks.wanted = { list: look.list, search: look.search, order: look.order };
    this.window.listTitle = look.list_title;
  }

  #learn(): void {
    void this.own.learn(this.player && currentId(this.player, this.room));
  }

  #setRoom(room: RoomView | null): void {
    const before = this.room;
    this.room = room;
    this.#learn();
    if (room?.id === before?.id) {
      if (room && before) this.told.changed(before, room, this.window.screen === 'room' ? (this.current?.id ?? null) : null);
      return;
    }
    if (before) [this.chat, this.sync] = [[], []];
    this.window.screen = room ? 'room' : 'library';
    this.window.enter(room?.id ?? null, this.chat.at(-1)?.seq ?? 0);
    if (!room) return;
    this.window.close();
    this.notices.forgetEnds();
  }

  #setPlayer(player: PlayerView): void {
    this.told.plays(player, this.player === null);
    this.player = this.#volume.over(player);
    this.playhead.report(player);
    this.#learn();
  }

  /** A message may come twice, in the snapshot and as an event. */
  #say(messages: ChatMessageView[]): void {
    const newest = this.chat.at(-1)?.seq ?? 0;
    this.chat = merge(this.chat, messages);
    if (this.room) this.told.said(messages.filter((message) => message.seq > newest), this.room, this.names, this.window.chatInSight);
  }

  /** Calls the node; a failure becomes a notice and null. */
  async ask<R extends Request>(request: R): Promise<ResponseTo<R> | null> {
    this.waiting += 1;
    try {
      return await this.backend.call(request);
    } catch (cause) {
      this.notices.fail(CallFailure.from(cause), this.room !== null);
      return null;
    } finally {
      this.waiting -= 1;
    }
  }

  playPause(): void {
    if (!this.player || !this.maySteer) return;
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
    if (this.mayControl && !this.alone) void this.ask({ type: 'skip', to: null });
  }

  previous(): void {
    if (this.maySteer) void this.ask({ type: 'previous' });
  }

  setVolume(volume: number, muted: boolean): void {
    this.#volume.set(volume, muted);
  }

  toggleMute(): void {
    if (this.player) this.setVolume(this.player.volume, !this.player.muted);
  }

  /** What dropped or chosen files are for: the room when one is shown, else the library. */
  takingFiles(paths: string[]): Request {
    if (this.room && this.window.screen !== 'library') return { type: 'share_files', paths };
    return { type: 'add_to_library', paths, play: this.room === null };
  }
}

export const [useApp, provideApp] = createContext<App>();
