/**
 * A node that exists in memory only: for unit tests, and for looking at the window in every state.
 */
import { CallFailure, type Backend, type FileAccess, type ResponseTo, type Unsubscribe } from '../backend';
import type { AppView, LibraryStateView, LogEntryView, LogKindView, NodeEvent, PlayerView, Request, Response, RoomView, TrackView } from '../generated/bridge';
import { page } from './library';
import type { Scene } from './scenes';
import { portrait } from './portrait';
import { analysis, picture, tempo, waveform } from './sound';

export { scene, type Scene } from './scenes';

/** Events of its room's log. */
const PAST = 250;
const KINDS: LogKindView[] = ['chat', 'music', 'tracks', 'notes', 'people', 'room'];
const DONE: Response = { type: 'done' };

export class FakeBackend implements Backend {
  /** All that was asked for, in order. */
  readonly requests: Request[] = [];
  readonly opened: string[] = [];
  /** What the desktop was to say. */
  readonly notified: string[] = [];
  readonly files: FileAccess = {
    pick: async () => ['/music/Tide Line.flac'],
    pickPicture: async () => '/home/ana/me.jpg',
    pickFolder: async () => '/music',
    choosePlace: async (name) => `/home/ana/${name}`,
    onDrop: async () => () => {},
  };
  app: AppView;
  tracks: TrackView[];

  readonly #problem: string | undefined;
  readonly #code: string;
  readonly #link: string | undefined;
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  #startedMs = performance.now();

  constructor(from: Scene) {
    this.tracks = from.tracks;
    const current = from.tracks.find((track) => track.id === from.app.player.track) ?? null;
    this.app = { ...from.app, current, library: { ...from.app.library, tracks: from.tracks.length } };
    this.#problem = from.problem;
    this.#code = from.code ?? 'disk_full';
    this.#link = from.link;
  }

  async call<R extends Request>(request: R): Promise<ResponseTo<R>> {
    this.requests.push(request);
    if (this.#problem && !/^(get|list)_/u.test(request.type)) throw new CallFailure(this.#code, this.#problem);
    return this.#answer(request) as ResponseTo<R>;
  }

  async subscribe(listener: (event: NodeEvent) => void): Promise<Unsubscribe> {
    this.#listeners.add(listener);
    const link = this.#link;
    if (link) setTimeout(() => listener({ type: 'link_opened', link }));
    return () => this.#listeners.delete(listener);
  }

  async openLink(address: string): Promise<void> {
    this.opened.push(address);
  }

  async notify(title: string, message: string): Promise<void> {
    this.notified.push(`${title}: ${message}`);
  }

  onStatus(): Unsubscribe {
    return () => {};
  }

  /** Lets the node say something. */
  emit(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** The request of a kind that came last. */
  last<T extends Request['type']>(type: T): Extract<Request, { type: T }> | undefined {
    return this.requests.findLast((request): request is Extract<Request, { type: T }> => request.type === type);
  }

  setPlayer(change: Partial<PlayerView>): void {
    this.#startedMs = performance.now();
    this.app = { ...this.app, player: { ...this.app.player, ...change } };
    this.emit({ type: 'player_changed', player: this.app.player });
    const { alone, state } = this.app.player;
    if (this.app.room && !alone && this.app.room.playing !== (state === 'playing')) this.setRoom({ playing: state === 'playing' });
  }

  setLibrary(change: Partial<LibraryStateView>): void {
    this.app = { ...this.app, library: { ...this.app.library, ...change } };
    this.emit({ type: 'library_changed', library: this.app.library });
  }

  #changeTrack(track: TrackView): void {
    this.tracks = this.tracks.map((one) => (one.id === track.id ? track : one));
    this.emit({ type: 'track_changed', track });
  }

  setTracks(tracks: TrackView[]): void {
    this.tracks = tracks;
    this.app = { ...this.app, library: { ...this.app.library, revision: this.app.library.revision + 1, tracks: tracks.length } };
    this.emit({ type: 'library_changed', library: this.app.library });
  }

  setRoom(change: Partial<RoomView> | null): void {
    const room = change && this.app.room ? { ...this.app.room, ...change } : null;
    this.app = { ...this.app, room };
    this.emit({ type: 'room_changed', room });
  }

  #entries(before: number | null, limit: number, kinds: LogKindView[]): LogEntryView[] {
    const all = Array.from({ length: PAST }, (_, index): LogEntryView => {
      const kind = KINDS[index % KINDS.length] ?? 'room';
      return { seq: index + 1, kind, name: `room.${kind}`, actor: 'user-0', actor_name: 'Ben', at_ms: 1_000 * (index + 1), summary: `Ben: ${kind} ${index + 1}` };
    });
    const wanted = all.filter((entry) => entry.seq < (before ?? Infinity) && (kinds.length === 0 || kinds.includes(entry.kind)));
    return wanted.slice(-limit).reverse();
  }

  #positionS(): number {
    const { state, position_s, duration_s } = this.app.player;
    const moved = state === 'playing' ? (performance.now() - this.#startedMs) / 1_000 : 0;
    return Math.min(position_s + moved, duration_s);
  }

  #track(id: string) {
    const track = this.tracks.find((one) => one.id === id);
    if (!track) throw new CallFailure('unknown_track', 'This track is not in the library any more.');
    if (track.availability === 'analyzing' || track.availability === 'waiting') {
      throw new CallFailure('not_ready', `${track.title} is still being analysed.`);
    }
    return track;
  }

  #answer(request: Request): Response {
    switch (request.type) {
      case 'get_app':
        return { type: 'app', app: this.app };
      case 'get_waveform': {
        const track = this.#track(request.track);
        const bpm = track.tempo?.bpm ?? 60;
        return { type: 'waveform', waveform: waveform(track.id, track.duration_s, bpm, request.columns, request.from_s, request.to_s) };
      }
      case 'get_analysis': {
        const track = this.#track(request.track);
        return { type: 'analysis', analysis: analysis(track.duration_s, track.tempo ?? tempo(60, 0.2), track.key, track.energy ?? 5) };
      }
      case 'list_tracks':
        return { type: 'track_page', page: page(this.tracks, this.app.library.revision, request.search, request.order, request.from, request.count) };
      case 'get_track':
        return { type: 'track', track: this.tracks.find((one) => one.id === request.track) ?? null };
      case 'get_picture':
        return { type: 'picture', address: request.track === 't2' ? null : picture(request.track) };
      case 'make_portrait':
      case 'get_portrait':
        return { type: 'portrait', picture: portrait(request.type === 'make_portrait' ? this.app.profile.user : request.user) };
      case 'open_files': {
        if (request.play) this.#play(this.tracks[0]?.id ?? null);
        return { type: 'tracks', tracks: this.tracks };
      }
      case 'list_devices':
        return { type: 'devices', devices: [
          { id: 'alsa:default', name: 'Built-in Audio', default: true, chosen: true },
          { id: 'alsa:usb', name: 'Scarlett 2i2 USB', default: false, chosen: false },
        ] };
      case 'list_microphones':
        return { type: 'devices', devices: [{ id: 'alsa:mic', name: 'Built-in Microphone', default: true, chosen: false }] };
      case 'calibrate':
        return { type: 'calibration', calibration: { device: 'Built-in Audio', late_by_ms: 41.3, spread_ms: 0.1, heard: 6, played: 6, offset_ms: 41.3 } };
      case 'create_invite': {
        const { role, max_uses = null, knock = false, expires_in_s } = request;
        const made = { id: `i${this.requests.length}`, role, max_uses, knock, expires_at_ms: Date.now() + 1_000 * expires_in_s, uses: 0, revoked: false, usable: true };
        this.setRoom({ invites: [made, ...(this.app.room?.invites ?? [])] });
        return { type: 'link', link: inviteLink(made.id), invite: made.id };
      }
      case 'get_invite_link':
        return { type: 'link', link: inviteLink(request.invite), invite: request.invite };
      case 'get_chat':
        return { type: 'chat', messages: [] };
      case 'get_log':
        return { type: 'log', entries: this.#entries(request.before_seq, request.limit, request.kinds) };
      case 'get_history':
        return { type: 'history', history: { head: PAST, first_ms: 1_000, last_ms: 1_000 * PAST, away: { left_seq: 10, back_seq: 20, left_at_ms: 10_000, messages: 3, tracks: 1, notes: 0 } } };
      case 'get_moment': {
        const [entry] = this.#entries(request.seq + 1, 1, []);
        if (!entry || !this.app.room) throw new CallFailure('not_ready', 'the history is not ready yet');
        const moment = { entry, room: this.app.room, chat: this.app.chat, title: 'Paper Lantern', playing: true, position_s: request.seq };
        return { type: 'moment', moment };
      }
      case 'export_log':
        return { type: 'saved', path: request.path ?? '/data/exports/room.html' };
      case 'get_network':
        return { type: 'network', network: { port: null, seen: true, open_port: this.app.room ? 7420 : null, interfaces: [{ name: 'wlan0', address: '192.168.1.12' }, { name: 'wlan0', address: 'fd12:3456:789a:1::c' }] } };
      case 'test_network':
        return { type: 'doctor', checks: [
          { name: 'port', ok: true, message: 'a port can be opened' },
          { name: 'interfaces', ok: true, message: 'this machine answers at each of its addresses' },
          { name: 'firewall', ok: false, message: 'a firewall is on and may keep others out; give rooms a port of their own, and let it through: sudo ufw allow PORT/tcp' },
        ] };
      case 'doctor':
        return { type: 'doctor', checks: [
          { name: 'audio', ok: true, message: 'Built-in Audio at 48000 Hz, 12 ms' },
          { name: 'network', ok: false, message: 'no port can be opened: permission denied' },
        ] };
      default:
        this.#change(request);
        return DONE;
    }
  }

  #play(id: string | null): void {
    const track = this.tracks.find((one) => one.id === id);
    const started = track && { track: track.id, title: track.title, artist: track.artist, duration_s: track.duration_s, position_s: 0 };
    this.setPlayer({ position_s: this.#positionS(), ...started, state: 'playing' });
  }

  #change(request: Request): void {
    const { room } = this.app;
    switch (request.type) {
      case 'add_to_library': return request.play ? this.#play(this.tracks[0]?.id ?? null) : undefined;
      case 'correct_tempo': {
        const found = this.tracks.find((track) => track.id === request.track);
        if (!found?.tempo) return;
        const by_hand = request.bpm !== null || request.first_beat_s !== null;
        return this.#changeTrack({ ...found, tempo: { ...found.tempo, bpm: request.bpm ?? found.tempo.bpm, by_hand } });
      }
      case 'correct_key': {
        const found = this.tracks.find((track) => track.id === request.track);
        if (!found?.key) return;
        return this.#changeTrack({ ...found, key: { ...found.key, camelot: request.key ?? found.key.camelot, by_hand: request.key !== null } });
      }
      case 'set_analysis_workers': return this.setLibrary({ workers: request.count });
      case 'remove_folder': return this.setLibrary({ folders: this.app.library.folders.filter((folder) => folder.path !== request.path) });
      case 'pause_library': return this.setLibrary({ paused: request.paused });
      case 'queue_track': {
        const found = this.tracks.find((track) => track.id === request.track);
        if (!found) return;
        const queued = { id: `queued-${this.requests.length}`, track: found.id, title: found.title, artist: found.artist, duration_s: found.duration_s, chosen: true };
        this.app = { ...this.app, queue: request.next ? [queued, ...this.app.queue] : [...this.app.queue, queued] };
        return this.emit({ type: 'queue_changed', queue: this.app.queue });
      }
      case 'create_playlist':
        return this.setLibrary({ playlists: [...this.app.library.playlists, { id: 10 + this.requests.length, name: request.name, tracks: request.tracks.length }] });
      case 'play':
      case 'play_from': return this.#play(request.track);
      case 'listen_alone': {
        this.#play(request.track);
        return this.setPlayer({ alone: true });
      }
      case 'listen_together': {
        const current = room?.queue.find((item) => item.id === room.current)?.track;
        this.#play(current ?? null);
        return this.setPlayer({ alone: false });
      }
      case 'previous': return this.setPlayer({ position_s: 0 });
      case 'pause': return this.setPlayer({ position_s: this.#positionS(), state: 'paused' });
      case 'seek': return this.setPlayer({ position_s: request.position_s });
      case 'set_normalisation': return this.setPlayer({ position_s: this.#positionS(), normalise_to_lufs: request.target_lufs });
      case 'set_loop': return this.setPlayer({ position_s: this.#positionS(), loop_region: request.region });
      case 'set_volume': return this.setPlayer({ position_s: this.#positionS(), volume: request.volume, muted: request.muted });
      case 'speak': return undefined;
      case 'set_language':
        this.app = { ...this.app, language: request.language };
        return this.emit({ type: 'language_changed', language: request.language });
      case 'update_profile':
        this.app = { ...this.app, profile: { ...request.profile, chosen: true } };
        return this.emit({ type: 'profile_changed', profile: this.app.profile });
      case 'give_up_transfer': {
        this.app = { ...this.app, transfers: this.app.transfers.filter((one) => one.track !== request.track) };
        return this.emit({ type: 'transfers_changed', transfers: this.app.transfers });
      }
      case 'stop_transfer':
      case 'resume_transfer': {
        const stopped = request.type === 'stop_transfer';
        const transfers = this.app.transfers.map((one) => (one.track === request.track ? { ...one, stopped } : one));
        this.app = { ...this.app, transfers };
        return this.emit({ type: 'transfers_changed', transfers });
      }
      case 'update_preferences':
        this.app = { ...this.app, preferences: request.preferences };
        return;
      case 'host_room':
        this.app = { ...this.app, room: { ...emptyRoom(this.app.profile.user, this.app.profile.name), settings: request.settings } };
        return this.setRoom({});
      case 'leave_room':
        this.emit({ type: 'at_door_changed', at_door: null });
        return this.setRoom(null);
      case 'revoke_invite':
        return this.setRoom({ invites: (room?.invites ?? []).map((one) => (one.id === request.invite ? { ...one, revoked: true, usable: false } : one)) });
      case 'answer_knock': return this.setRoom({ knocks: (room?.knocks ?? []).filter((one) => one.user !== request.user) });
      case 'queue_remove': return this.setRoom({ queue: (room?.queue ?? []).filter((item) => item.id !== request.item) });
      case 'queue_move': {
        const moved = room?.queue.find((item) => item.id === request.item);
        const rest = (room?.queue ?? []).filter((item) => item.id !== request.item);
        return this.setRoom({ queue: moved ? rest.toSpliced(request.index, 0, moved) : rest });
      }
      case 'resolve_comment':
        return this.setRoom({ comments: (room?.comments ?? []).map((one) => (one.id === request.comment ? { ...one, done: request.done } : one)) });
      case 'change_role':
        return this.setRoom({ members: (room?.members ?? []).map((one) => (one.user === request.user ? { ...one, role: request.role } : one)) });
      case 'remove_member':
        return this.setRoom({ members: (room?.members ?? []).map((one) => (one.user === request.user ? { ...one, present: false, banned: !request.may_return } : one)) });
      case 'lift_ban':
        return this.setRoom({ members: (room?.members ?? []).map((one) => (one.user === request.user ? { ...one, banned: false } : one)) });
      case 'update_room_settings': return this.setRoom({ settings: request.settings });
      case 'send_chat': {
        const { user, name } = this.app.profile;
        const message = { seq: 100 + this.requests.length, author: user, author_name: name, text: request.text, posted_at_ms: Date.now() };
        return this.emit({ type: 'chat_appended', messages: [message] });
      }
      case 'remove_track':
        return this.setTracks(this.tracks.filter((track) => track.id !== request.track));
      default: return;
    }
  }
}

const inviteLink = (id: string) => `synxsphere://join?v=1&r=room-1&i=${id}`;

function emptyRoom(me: string, name: string): RoomView {
  return {
    id: 'room-new', seq: 1, connection: 'hosting', connection_problem: null, me, my_role: 'host',
    settings: { name: '', visibility: 'private', max_participants: 16, genres: [], playback_control: 'djs' },
    members: [{ user: me, name, color: null, role: 'host', present: true, banned: false, bio: null, picture: null, joined_at_ms: Date.now() }],
    tracks: [], queue: [], current: null, playing: false, comments: [], link: 'synxsphere://join?v=1&r=room-new', link_invite: null, addresses: [], invites: [], knocks: [], missed: null,
  };
}
