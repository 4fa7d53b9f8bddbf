/**
 * Situations to look at and to test in: from an empty first start to a room of fifty.
 */
import type {
  AppView, ChatMessageView, InviteView, KnockView, MemberView, PeerSyncView, PlayerView, RoomTrackView, RoomView, TrackView,
} from '../generated/bridge';
import { key, noise, tempo } from './sound';

export type Scene = { app: AppView; tracks: TrackView[]; link?: string; problem?: string; code?: string };

const ME = 'user-ana';
/** A day of its own, so that the pictures are the same at every run. */
const NOW_MS = Date.UTC(2026, 2, 14, 20, 30);

const TRACKS: TrackView[] = [
  track('t1', 'Paper Lantern', 'Mira Holm', 'Lanterns', 296, tempo(124, 0.93), key('A minor', '8A', '1m', 0.88), 7),
  track('t2', 'Tide Line', 'Northwater', 'Estuary', 341, tempo(118.02, 0.97), key('E♭ major', '5B', '10d', 0.72), 6),
  track('t3', 'Glass Arcade', 'Oval Rooms', 'Second Floor', 408, tempo(132, 0.58), key('F♯ minor', '11A', '4m', 0.41), 8),
  track('t4', 'Slow Satellite', 'Mira Holm', 'Lanterns', 512, tempo(86.5, 0.44), key('D minor', '7A', '12m', 0.93), 3),
  track('t5', 'Donaudampfschifffahrtsgesellschaftskapitän', 'Die Kapelle Zwischenwasser und Freunde', null, 223, tempo(174, 0.81), key('G major', '9B', '2d', 0.66), 9),
  track('t6', 'Field Recording, 4 am', null, null, 1_845, null, null, 1),
];

function track(
  id: string, title: string, artist: string | null, album: string | null, durationS: number,
  found: TrackView['tempo'], foundKey: TrackView['key'], energy: number,
): TrackView {
  return {
    id, path: `/music/${title}.flac`, title, artist, album, duration_s: durationS, availability: 'ready', progress: 1,
    tempo: found, key: foundKey, energy, loudness_lufs: -11.4, error: null, year: 2024, added_at_ms: NOW_MS - 86_400_000, plays: 0, played_at_ms: null,
  };
}

const BUSY: TrackView[] = [
  { ...track('t7', 'Morning Chorus', 'Estuary Choir', null, 188, null, null, 5), availability: 'analyzing', progress: 0.42, energy: null },
  { ...track('t8', 'Untitled 3', null, null, 240, null, null, 5), availability: 'waiting', progress: 0, energy: null },
  {
    ...track('t9', 'holiday-mix.mp3', null, null, 0, null, null, 5), availability: 'broken', energy: null, progress: 0,
    error: { code: 'media_corrupt', message: '/music/holiday-mix.mp3.flac is damaged: it ends too early. Get another copy of it' },
  },
  { ...track('t10', 'Harbour', 'Northwater', null, 265, null, null, 4), availability: 'missing' },
];

const STOPPED: PlayerView = {
  state: 'empty', track: null, title: null, artist: null, duration_s: 0, position_s: 0, loop_region: null, volume: 0.8, muted: false, normalise_to_lufs: null,
  device: 'Built-in Audio', audible: true, latency_offset_ms: 0, error_us: null, may_control: true, alone: false,
};

function loaded(track: { id: string; title: string; artist: string | null; duration_s: number }): PlayerView {
  return { ...STOPPED, state: 'paused', track: track.id, title: track.title, artist: track.artist, duration_s: track.duration_s, position_s: 83 };
}

function app(change: Partial<AppView>): AppView {
  return {
    version: '0.1.0',
    language: null,
    profile: { user: ME, name: 'Ana', color: '#1f7a5c', bio: null, picture: null, chosen: true },
    preferences: { genres: [], tempo_range_bpm: null, keys: [], instruments: [] },
    library: { revision: 1, tracks: 0, broken: 0, waiting: 0, paused: false, workers: 1, workers_most: 4, folders: [], scan: null, playlists: [{ id: 1, name: 'Late', tracks: 3 }] }, look: null, current: null, queue: [], player: STOPPED, room: null, at_door: null, chat: [], sync: [], transfers: [],
    lan_rooms: [
      { room: 'lan1', name: 'Kitchen', host_name: 'Jo', participants: 3, genres: ['dub', 'jazz'], address: '192.168.1.20:7420', link: 'synxsphere://join?v=1&room=lan1&name=Kitchen' },
    ],
    recent_rooms: [
      { room: 'old1', name: 'Sunday mixes', hosted_here: true, last_seen_ms: NOW_MS - 86_400_000, link: null },
      { room: 'old2', name: 'Ben’s album, second listen', hosted_here: false, last_seen_ms: NOW_MS - 400_000_000, link: 'synxsphere://join?r=old2' },
    ],
    ...change,
  };
}

const NAMES = ['Ben', 'Cy', 'Wilhelmina-Theodora van der Westhuizen-Roux', 'Dilek', 'Emeka', 'Freja', 'Goro', 'Hana', 'Ines', 'Jonas'];

function members(count: number): MemberView[] {
  const others = Array.from({ length: count - 1 }, (_, index): MemberView => ({
    user: `user-${index}`, name: `${NAMES[index % NAMES.length]}${index < NAMES.length ? '' : ` ${Math.floor(index / NAMES.length) + 1}`}`,
    color: null, role: index === 0 ? 'dj' : 'listener', present: true, banned: false, bio: null, picture: index % 4 === 0 ? `p${index}` : null, joined_at_ms: NOW_MS - 600_000,
  }));
  return [{ user: ME, name: 'Ana', color: '#1f7a5c', role: 'host', present: true, banned: false, bio: null, picture: null, joined_at_ms: NOW_MS - 900_000 }, ...others];
}

function syncOf(people: MemberView[]): PeerSyncView[] {
  return people.map((member, index) => ({
    user: member.user, error_us: index === 1 ? -12 : Math.round((noise(3, index) - 0.5) * 60), clock_uncertainty_us: 18,
    in_sync: index % 7 !== 2, has_track: index % 7 !== 2, lacks: index % 7 === 2 ? ['t1', 't2'] : [], alone: null,
  }));
}

const ROOM_TRACKS: RoomTrackView[] = TRACKS.slice(0, 5).map((from, index) => ({
  id: from.id, title: from.title, artist: from.artist, duration_s: from.duration_s, size_bytes: 31_000_000,
  shared_by: index % 2 ? 'user-0' : ME, state: index === 3 ? 'downloading' : 'ready', tempo: from.tempo, key: from.key,
  energy: from.energy, loudness_lufs: -11.4, error: null,
}));

function room(people: number, shared: boolean): RoomView {
  return {
    id: 'room-1', seq: 40, connection: 'hosting', connection_problem: null, me: ME, my_role: 'host',
    settings: { name: 'Friday listening', visibility: 'private', max_participants: Math.max(16, people), genres: ['ambient', 'techno'], playback_control: 'djs' },
    members: members(people),
    tracks: shared ? ROOM_TRACKS : [],
    queue: shared ? ROOM_TRACKS.map((item, index) => ({ id: `q${index}`, track: item.id, added_by: item.shared_by })) : [],
    current: shared ? 'q0' : null, playing: false, missed: null,
    comments: shared ? [
      comment('c1', 64.2, 'user-0', 'The pad comes in a touch early here'),
      comment('c2', 143, ME, 'Love this breakdown. Could be twice as long.'),
      comment('c3', 220.5, 'user-1', 'Clipping?'),
    ] : [],
    link: 'synxsphere://join?v=1&r=room-1&a=192.168.1.12%3A7420&f=3b9f0c5e&i=eyJhbGciOiJFZERTQSJ9', link_invite: 'first',
    addresses: ['192.168.1.12:7420'], knocks: [],
    invites: [
      invite('djs', { role: 'dj', max_uses: 3, uses: 1, expires_at_ms: Date.now() + 7_000_000 }),
      invite('asked', { knock: true, uses: 2 }),
      invite('first', { uses: people - 1 }),
      invite('withdrawn', { revoked: true, usable: false, uses: 4 }),
      invite('spent', { max_uses: 1, uses: 1, usable: false }),
    ],
  };
}

function invite(id: string, change: Partial<InviteView>): InviteView {
  return { id, role: 'listener', expires_at_ms: Date.now() + 2_000_000_000, uses: 0, max_uses: null, knock: false, revoked: false, usable: true, ...change };
}

function comment(id: string, positionS: number, author: string, text: string) {
  return { id, track: 't1', position_s: positionS, end_s: null, author, text, reply_to: null, posted_at_ms: NOW_MS - 60_000, done: false };
}

function said(seq: number, author: string, name: string, text: string, agoMs: number): ChatMessageView {
  return { seq, author, author_name: name, text, posted_at_ms: NOW_MS - agoMs };
}

const CHAT = [
  said(11, 'user-0', 'Ben', 'I’ll bring the new mix tomorrow.', 90_000_000),
  said(31, ME, 'Ana', 'Good evening! Everyone hearing the same thing?', 300_000),
  said(32, 'user-0', 'Ben', 'Loud and clear.', 280_000),
  said(33, 'user-0', 'Ben', 'That bass at 1:04 is lovely on the big speakers.', 270_000),
  said(35, 'user-1', 'Cy', 'One moment, still downloading.', 100_000),
];

function roomScene(people: number): AppView {
  const view = room(people, true);
  return app({ room: view, chat: CHAT, sync: syncOf(view.members), player: loaded(TRACKS[0] as TrackView) });
}

function withRoom(view: AppView, change: Partial<RoomView>): AppView {
  return { ...view, room: view.room && { ...view.room, ...change } };
}

function knock(user: string, name: string, role: KnockView['role']): KnockView {
  return { user, name, role, color: '#2b7cc4', since_ms: NOW_MS };
}

/** A large library, the same at every run. */
function many(count: number): TrackView[] {
  return Array.from({ length: count }, (_, index): TrackView => {
    const from = TRACKS[index % TRACKS.length] as TrackView;
    return { ...from, id: `m${index}`, title: `${from.title} ${index}`, energy: 1 + (index % 10) };
  });
}

/** A scene by its name; an unknown name is a library. */
export function scene(name: string): Scene {
  const library = app({});
  const tracks = [...TRACKS, ...BUSY];
  switch (name) {
    case 'first-run':
      return { app: app({ profile: { ...library.profile, name: '', chosen: false }, lan_rooms: [], recent_rooms: [] }), tracks: [] };
    case 'empty':
      return { app: app({ lan_rooms: [], recent_rooms: [] }), tracks: [] };
    case 'many':
      return { app: library, tracks: many(100_000) };
    case 'playing':
      return { app: { ...library, player: { ...loaded(TRACKS[0] as TrackView), state: 'playing' } }, tracks };
    case 'analyzing':
      return { app: { ...library, player: loaded(BUSY[0] as TrackView) }, tracks };
    case 'no-device':
      return { app: { ...library, player: { ...loaded(TRACKS[1] as TrackView), audible: false, device: 'No output' } }, tracks };
    case 'link':
      return { app: library, tracks, link: 'synxsphere://join?v=1&r=room-2&a=192.168.1.30%3A7420' };
    case 'link-in-room':
      return { ...scene('room'), link: 'synxsphere://join?v=1&room=room-2&name=Kitchen' };
    case 'errors':
      return { app: library, tracks, problem: 'The disk is full: nothing can be saved. Make room on the disk and try again.' };
    case 'room-empty':
      return { app: app({ room: room(1, false) }), tracks: TRACKS };
    case 'room':
      return { app: roomScene(3), tracks: TRACKS };
    case 'talkative':
      return { app: { ...roomScene(3), chat: Array.from({ length: 50_000 }, (_, index) => said(index + 1, `user-${index % 2}`, NAMES[index % 2] ?? '', index === 777 ? 'The needle' : `Line ${index}, ${TRACKS[index % 5]?.title}`, 90_000_000 - index * 1_000)) }, tracks: TRACKS };
    case 'alone': {
      const view = roomScene(3);
      const where = [{ track: 't2', position_s: 201, playing: true }, { track: 't2', position_s: 74.5, playing: true }, { track: 't5', position_s: 30, playing: false }];
      const sync = view.sync.map((peer, index) => ({ ...peer, error_us: null, in_sync: false, has_track: true, lacks: [], alone: where[index] ?? null }));
      return { app: { ...withRoom(view, { playing: true }), sync, player: { ...loaded(TRACKS[1] as TrackView), state: 'playing', position_s: 201, alone: true } }, tracks: TRACKS };
    }
    case 'missed':
      return { app: withRoom(roomScene(5), { missed: { since_ms: NOW_MS - 86_400_000, messages: 12, tracks: 3, notes: 1, came: ['Wilhelmina-Theodora van der Westhuizen-Roux', 'Dilek', 'Emeka'] } }), tracks: TRACKS };
    case 'room50':
      return { app: roomScene(50), tracks: TRACKS };
    case 'at-door':
      return { app: { ...library, at_door: { room_name: 'Kitchen', message: 'the host is asked', since_ms: NOW_MS } }, tracks };
    case 'knocks':
      return { app: withRoom(roomScene(3), { knocks: [knock('user-k1', 'Freja', 'listener'), knock('user-k2', NAMES[2] ?? '', 'dj')] }), tracks: TRACKS };
    case 'transfers': {
      const view = roomScene(3);
      return { app: { ...view, transfers: [
        { track: 't4', file_name: 'Slow Satellite.flac', direction: 'download', user: ME, bytes_done: 12_400_000, bytes_total: 31_000_000, stopped: false },
        { track: 't5', file_name: 'Rough mix 12.wav', direction: 'upload', user: ME, bytes_done: 9_100_000, bytes_total: 48_000_000, stopped: true },
        { track: 't6', file_name: 'Tideline stems.flac', direction: 'upload', user: 'user-1', bytes_done: 20_300_000, bytes_total: 64_000_000, stopped: false },
      ] }, tracks: TRACKS };
    }
    case 'listener': {
      const view = roomScene(3);
      const asListener = view.room && { ...view.room, me: 'user-1', my_role: 'listener' as const, connection: 'connected' as const, link: null };
      return { app: { ...view, room: asListener && { ...asListener, playing: true }, player: { ...view.player, state: 'playing', may_control: false, error_us: 14 } }, tracks: TRACKS };
    }
    case 'reconnecting': {
      const view = roomScene(3);
      const lost = view.room && {
        ...view.room, me: 'user-1', my_role: 'listener' as const, connection: 'reconnecting' as const, link: null,
        connection_problem: 'Ana’s machine does not answer.',
      };
      return { app: { ...view, room: lost && { ...lost, playing: true }, player: { ...view.player, state: 'playing', may_control: false } }, tracks: TRACKS };
    }
    default:
      return { app: library, tracks };
  }
}
