import { describe, expect, it, vi } from 'vitest';
import { CallFailure, type NodeEvent, type PlayerView, type RoomView, type TrackView } from '../backend';
import { FakeBackend, scene } from '../backend/fake';
import { language } from '../i18n';
import { App } from './app.svelte';
import { currentTrack } from './current';
import { Scrub } from './scrub';

async function started(name: string): Promise<{ app: App; node: FakeBackend }> {
  const node = new FakeBackend(scene(name));
  const app = new App(node);
  await app.start();
  app.playhead.stop();
  return { app, node };
}

describe('opening', () => {
  it('takes in everything the node knows and goes where one is', async () => {
    const { app } = await started('room');
    expect(app.phase).toBe('ready');
    expect(app.window.screen).toBe('room');
    expect(app.current?.title).toBe('Paper Lantern');
  });

  it('loses no event that comes while the snapshot is on its way', async () => {
    const node = new FakeBackend(scene('library'));
    const call = node.call.bind(node);
    vi.spyOn(node, 'call').mockImplementation(async (request) => {
      const answer = await call(request);
      node.emit({ type: 'notice', level: 'info', code: 'early', message: 'Ben joined' });
      return answer;
    });
    const app = new App(node);
    await app.start();
    expect(app.notices.list.map((notice) => notice.code)).toEqual(['early']);
  });

  it('opens the link that the app was started with, which comes as soon as events do', async () => {
    const node = new FakeBackend(scene('library'));
    const subscribe = node.subscribe.bind(node);
    vi.spyOn(node, 'subscribe').mockImplementation(async (listener) => {
      const unsubscribe = await subscribe(listener);
      listener({ type: 'link_opened', link: 'synxsphere://join?r=1' });
      return unsubscribe;
    });
    const app = new App(node);
    await app.start();
    expect(app.window.dialog).toEqual({ type: 'join', link: 'synxsphere://join?r=1' });
  });

  it('tells the node which language it speaks where none was chosen, and again only when that changes', async () => {
    const { app, node } = await started('library');
    const said = () => node.requests.filter((request) => request.type === 'speak');
    expect(said()).toEqual([{ type: 'speak', language: 'en' }]);
    // Another window of the node has said what it speaks.
    node.emit({ type: 'language_changed', language: null });
    node.emit({ type: 'language_changed', language: 'de' });
    await expect.poll(() => language.id).toBe('de');
    expect([said().length, app.language]).toEqual([1, 'de']);
    node.emit({ type: 'language_changed', language: null });
    await expect.poll(() => said().length).toBe(2);
  });

  it('says why when the node does not answer, and can be tried again', async () => {
    const node = new FakeBackend(scene('library'));
    vi.spyOn(node, 'call').mockRejectedValueOnce(new CallFailure('storage', 'The disk cannot be read.'));
    const app = new App(node);
    await app.start();
    expect([app.phase, app.failure?.message]).toEqual(['failed', 'The disk cannot be read.']);
    await app.load();
    expect(app.phase).toBe('ready');
  });
});

describe('events', () => {
  it('tell what the library knows of what is heard', async () => {
    const { app, node } = await started('playing');
    expect(app.own.track?.id).toBe('t1');
    node.emit({ type: 'track_changed', track: { ...(app.own.track as TrackView), energy: 2 } });
    expect(app.current?.energy).toBe(2);
    node.setPlayer({ track: 't3', duration_s: 408 });
    await expect.poll(() => app.own.track?.id).toBe('t3');
    node.setPlayer({ track: 'of somebody else', duration_s: 10 });
    await expect.poll(() => app.own.track).toBeNull();
  });

  it('add each message once and in order', async () => {
    const { app, node } = await started('room');
    const said = (seq: number): Extract<NodeEvent, { type: 'chat_appended' }>['messages'][number] => ({
      seq, author: 'user-0', author_name: 'Ben', text: String(seq), posted_at_ms: 0,
    });
    node.emit({ type: 'chat_appended', messages: [said(60), said(31)] });
    node.emit({ type: 'chat_appended', messages: [said(5), said(60)] });
    expect(app.chat.map((message) => message.seq)).toEqual([5, 11, 31, 32, 33, 35, 60]);
  });

  it('lead into a room and out of it, and forget its conversation', async () => {
    const { app, node } = await started('room');
    node.setRoom(null);
    expect([app.window.screen, app.chat, app.sync]).toEqual(['library', [], []]);
  });

  it('ask before a clicked link joins anything', async () => {
    const { app, node } = await started('library');
    node.emit({ type: 'link_opened', link: 'synxsphere://join?r=1' });
    expect(app.window.dialog).toEqual({ type: 'join', link: 'synxsphere://join?r=1' });
    expect(node.last('join_room')).toBeUndefined();
  });
});

describe('controls', () => {
  it('ask for nothing that one may not', async () => {
    const { app, node } = await started('listener');
    app.playPause();
    app.seek(10);
    app.next();
    app.previous();
    expect(node.requests.filter((request) => !/^(get_|list_|speak$)/u.test(request.type))).toEqual([]);
  });

  it('keep a seek within the track and show it at once', async () => {
    const { app, node } = await started('room');
    app.seek(1e6);
    expect(app.playhead.positionS).toBe(296);
    expect(node.last('seek')?.position_s).toBe(296);
  });

  it('follow a drag while music plays', async () => {
    const { app, node } = await started('room');
    app.scrub.to(5);
    expect(node.last('seek')).toBeUndefined();
    if (app.player) app.player = { ...app.player, state: 'playing' };
    await vi.waitFor(() => {
      app.scrub.to(7);
      expect(node.last('seek')?.position_s).toBe(7);
    });
  });

  it('follow it a few times a second', () => {
    const sought: number[] = [];
    let now = 0;
    const scrub = new Scrub((positionS) => sought.push(positionS), () => now);
    for (let step = 1; step <= 50; step += 1) {
      scrub.to(step);
      now += 20;
    }
    expect(sought).toEqual([1, 11, 21, 31, 41]);
  });

  it('turn a refusal into a notice', async () => {
    const { app } = await started('errors');
    expect(await app.ask({ type: 'pause' })).toBeNull();
    expect(app.notices.list[0]).toMatchObject({ level: 'error', code: 'disk_full' });
  });

  it('show the volume at once, and as it was when it could not be set', async () => {
    const { app } = await started('errors');
    app.setVolume(0.3, true);
    expect(app.player).toMatchObject({ volume: 0.3, muted: true });
    await expect.poll(() => app.player).toMatchObject({ volume: 0.8, muted: false });
  });

  it('say the same thing once', async () => {
    const { app } = await started('errors');
    await app.ask({ type: 'pause' });
    await app.ask({ type: 'pause' });
    expect(app.notices.list).toHaveLength(1);
  });

  it('are unread until they were on screen, but for one\'s own', async () => {
    const { app, node } = await started('room');
    expect(app.unread).toBe(0);
    const said = { author_name: 'Ben', text: 'Here', posted_at_ms: 0 };
    node.emit({ type: 'chat_appended', messages: [{ seq: 90, author: 'user-0', ...said }, { seq: 91, author: app.room?.me ?? '', ...said }] });
    expect(app.unread).toBe(1);
    app.window.readSeq = 91;
    expect(app.unread).toBe(0);
  });

  it('are no notice where the chat is in sight', async () => {
    const { app, node } = await started('room');
    const naming = (seq: number): NodeEvent => ({ type: 'chat_appended', messages: [{ seq, author: 'user-0', author_name: 'Ben', text: '@Ana', posted_at_ms: 0 }] });
    app.window.chatInSight = true;
    node.emit(naming(90));
    expect(app.notices.list).toEqual([]);
    app.window.chatInSight = false;
    node.emit(naming(91));
    expect(app.notices.list.map((notice) => notice.code)).toEqual(['mention']);
  });

  it('are told of the analysis of a track, unless they look at it', async () => {
    const { app, node } = await started('room');
    const tracks = app.room?.tracks ?? [];
    const analysed = (id: string) => {
      node.setRoom({ tracks: tracks.map((track) => (track.id === id ? { ...track, energy: null } : track)) });
      node.setRoom({ tracks });
      return app.notices.list.map((notice) => notice.message);
    };
    expect(analysed('t1')).toEqual([]);
    expect(analysed('t2')).toEqual(['“Tide Line” is analysed']);
    app.window.screen = 'library';
    expect(analysed('t1')).toContain('“Paper Lantern” is analysed');
  });

  it('who leaves while something waits is not told that the room has ended', async () => {
    const { app, node } = await started('room');
    let fail = () => {};
    vi.spyOn(node, 'call').mockImplementation(() => new Promise((_, no) => (fail = () => no(new CallFailure('ended', 'the connection has ended')))));
    const asked = app.ask({ type: 'pause' });
    node.setRoom(null);
    fail();
    expect(await asked).toBeNull();
    expect(app.notices.list).toEqual([]);
  });

  it('share files in a room and add them to the library', async () => {
    const { app, node } = await started('room');
    await app.ask(app.takingFiles(['/a.mp3']));
    expect(node.last('share_files')?.paths).toEqual(['/a.mp3']);
    app.window.screen = 'library';
    await app.ask(app.takingFiles(['/b.mp3']));
    expect(node.last('add_to_library')).toMatchObject({ paths: ['/b.mp3'], play: false });
  });
});

describe('the current track', () => {
  const { player, room } = scene('room').app as { player: PlayerView; room: RoomView };
  const silent: PlayerView = { ...player, track: null, title: null, duration_s: 0 };

  it('is what plays', () => {
    expect(currentTrack({ ...player, track: 't2', duration_s: 341 }, room, null)?.title).toBe('Tide Line');
  });

  it('is the head of the queue before anything plays, and nothing in an empty room', () => {
    expect(currentTrack(silent, { ...room, current: null }, null)?.title).toBe('Paper Lantern');
    expect(currentTrack(silent, { ...room, current: null, queue: [] }, null)).toBeNull();
  });

  it('has a name even when nobody knows the track', () => {
    expect(currentTrack({ ...player, track: 'gone', title: null, artist: null }, null, null)?.title).toBe('Untitled');
  });
});
