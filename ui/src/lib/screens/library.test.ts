import { cleanup, fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeBackend, scene } from '../backend/fake';
import { Appearance } from '../state';
import Main from './Main.svelte';

async function open(name: string): Promise<FakeBackend> {
  const backend = new FakeBackend(scene(name));
  const appearance = new Appearance(localStorage, matchMedia('(prefers-color-scheme: dark)'), matchMedia('(prefers-contrast: more)'));
  render(Main, { backend, appearance });
  await screen.findByRole(name === 'first-run' ? 'main' : 'navigation');
  if (backend.tracks.length > 0 && !backend.app.room && name !== 'first-run') await screen.findAllByTestId('library-row');
  return backend;
}

beforeEach(() => localStorage.clear());

const get = (id: string) => screen.getByTestId(id);
const type = (id: string, value: string) => fireEvent.input(get(id), { target: { value } });
const press = (id: string) => fireEvent.click(get(id));

it('shows the library as it was left, and keeps how it is shown', async () => {
  const node = new FakeBackend(scene('library'));
  const order = { by: 'title', down: true } as const;
  node.app = { ...node.app, look: { list: { type: 'all' }, list_title: '', search: 'northwater', order, columns: ['title', 'year'], notation: 'musical', covers: true } };
  render(Main, { backend: node, appearance: new Appearance(localStorage, matchMedia('(prefers-color-scheme: dark)'), matchMedia('(prefers-contrast: more)')) });
  await expect.poll(() => screen.queryAllByTestId('library-row').length).toBe(2);
  expect((get('library-filter') as HTMLInputElement).value).toBe('northwater');
  expect(screen.queryByTestId('sort-bpm')).toBeNull();
  expect(node.last('keep_look')).toBeUndefined();
  await press('sort-year');
  await expect.poll(() => node.last('keep_look')?.look.order, { timeout: 3_000 }).toEqual({ by: 'year', down: false });
});

describe('setting by hand', () => {
  it('doubles, taps, shifts and resets the tempo of what plays, and says whose it is', async () => {
    const node = await open('playing');
    await expect.poll(() => get('waveform').dataset.state).toBe('ready');
    await press('bpm');
    expect(screen.getByText('93 % sure.', { exact: false }).textContent).toMatch(/In 4\/4, 90.% sure/u);
    await press('bpm-double');
    expect(node.last('correct_tempo')).toMatchObject({ track: 't1', bpm: 248, first_beat_s: null });
    await expect.poll(() => get('bpm').textContent).toBe('248.0');
    expect(get('bpm').title).toContain('set by you');
    await press('beat-here');
    expect(node.last('correct_tempo')?.first_beat_s).toBeGreaterThan(0);
    await fireEvent.change(get('bpm-value'), { target: { value: '7' } });
    expect((get('bpm-value') as HTMLInputElement).value).toBe('248.0');
    await press('bpm-reset');
    expect(node.last('correct_tempo')).toMatchObject({ bpm: null, first_beat_s: null });
  });

  it('picks a key', async () => {
    const node = await open('playing');
    await expect.poll(() => get('waveform').dataset.state).toBe('ready');
    await press('key');
    await fireEvent.click(within(get('changes')).getByText('5A C minor', { exact: false }));
    expect(node.last('seek')?.position_s).toBeGreaterThan(100);
    await fireEvent.change(get('key-value'), { target: { value: '9A' } });
    expect(node.last('correct_key')).toMatchObject({ track: 't1', key: '9A' });
    await expect.poll(() => get('key').title).toContain('set by you');
  });

  it('is not offered for what is not in the own library', async () => {
    const node = await open('library');
    node.setPlayer({ state: 'playing', track: 'foreign', title: 'Foreign', duration_s: 100 });
    expect((await screen.findByTestId('bpm')).localName).toBe('span');
  });
});

describe('a track of the list', () => {
  const row = (index: number) => screen.getAllByTestId('library-row')[index] as HTMLElement;

  it('is queued, put into playlists and matched by keys', async () => {
    const node = await open('library');
    await fireEvent.keyDown(row(1), { key: 'q' });
    expect(node.last('queue_track')).toMatchObject({ track: 't2', next: false });
    expect((await screen.findByText('“Tide Line” is in the queue')).closest('[role=status]')).toBeTruthy();
    await fireEvent.keyDown(row(1), { key: 'Q', shiftKey: true });
    expect(node.last('queue_track')?.next).toBe(true);
    await fireEvent.keyDown(row(1), { key: 'a' });
    // What the dialog is for has the keyboard, not the way out.
    expect(document.activeElement).toBe(await screen.findByTestId('playlist-choice'));
    await fireEvent.click(get('playlist-choice'));
    expect(node.last('add_to_playlist')).toMatchObject({ playlist: 1, tracks: ['t2'] });
    await fireEvent.keyDown(row(1), { key: 'g' });
    expect(node.last('list_tracks')?.list).toEqual({ type: 'matching', track: 't2' });
    expect(get('matching-rule').textContent).toContain('within 6 %');
  });

  it('has a menu that the keyboard opens, walks through and closes', async () => {
    const node = await open('library');
    row(0).focus();
    await fireEvent.keyDown(row(0), { key: 'F10', shiftKey: true });
    expect(document.activeElement?.textContent).toContain('Play');
    await fireEvent.keyDown(document.activeElement as HTMLElement, { key: 'ArrowDown' });
    await fireEvent.click(document.activeElement as HTMLElement);
    expect(node.last('queue_track')).toMatchObject({ track: 't1', next: true });
    await fireEvent.keyDown(row(0), { key: 'ContextMenu' });
    await fireEvent.keyDown(document.activeElement as HTMLElement, { key: 'Escape' });
    expect(screen.queryByRole('menu')).toBeNull();
    expect(document.activeElement).toBe(row(0));
  });

  it('that is broken is not played, but taken out', async () => {
    const node = await open('library');
    await fireEvent.keyDown(row(8), { key: 'q' });
    expect(node.last('queue_track')).toBeUndefined();
    await fireEvent.keyDown(row(8), { key: 'Delete' });
    expect(node.last('remove_track')?.track).toBe('t9');
  });

  it('is moved and taken out by its place in a playlist', async () => {
    const node = await open('library');
    await press('nav-playlist');
    await expect.poll(() => node.last('list_tracks')?.list).toEqual({ type: 'playlist', playlist: 1 });
    await fireEvent.keyDown(row(2), { key: 'ArrowUp', altKey: true });
    expect(node.last('move_in_playlist')).toMatchObject({ playlist: 1, from: 2, to: 1 });
    await fireEvent.keyDown(row(2), { key: 'Delete' });
    expect(node.last('remove_from_playlist')).toMatchObject({ playlist: 1, place: 2 });
  });
});

describe('pictures', () => {
  const drawn = (within: HTMLElement) => within.querySelector('[data-testid=cover] img')?.getAttribute('src') ?? null;

  it('are seen of what plays, and with what is known of it, and in the list when one wants to', async () => {
    const node = await open('playing');
    const foot = screen.getByRole('contentinfo');
    await expect.poll(() => drawn(foot)).toMatch(/^data:image/u);
    const row = screen.getAllByTestId('library-row')[0] as HTMLElement;
    expect(drawn(row)).toBeNull();
    await press('view-menu');
    await press('column-covers');
    await expect.poll(() => drawn(row)).toMatch(/^data:image/u);
    expect(drawn(screen.getAllByTestId('library-row')[1] as HTMLElement)).toBeNull();
    await expect.poll(() => node.last('keep_look')?.look.covers).toBe(true);
    await press('sleeve');
    expect(node.last('get_picture')).toMatchObject({ track: 't1', large: true });
    expect(get('track-details').textContent).toContain('File');
    node.setPlayer({ track: 't2', title: 'Tide Line' });
    await expect.poll(() => drawn(foot)).toBeNull();
  });
});

describe('the part of a track that is looked at', () => {
  /** The way back to the whole, which is there only while a part is shown. */
  const back = () => screen.queryByRole('button', { name: 'Whole' });

  it('is found again when the window opens', async () => {
    await open('playing');
    await fireEvent.keyDown(document.body, { key: '+' });
    await expect.poll(() => JSON.parse(localStorage.getItem('view') ?? '{}')).toMatchObject({ track: 't1' });
    const kept = localStorage.getItem('view');
    cleanup();
    await open('playing');
    await expect.poll(back).toBeTruthy();
    expect(localStorage.getItem('view')).toBe(kept);
    await fireEvent.keyDown(document.body, { key: '0' });
    await expect.poll(() => localStorage.getItem('view')).toBeNull();
  });

  it.each(['{', 'null', '{"track":"t1","fromS":"x","toS":3}', '{"track":"t1","fromS":5,"toS":2}', '{"track":"t1","fromS":5,"toS":1e9}'])('is the whole where %s is kept', async (kept) => {
    localStorage.setItem('view', kept);
    await open('playing');
    await expect.poll(() => get('waveform').dataset.state).toBe('ready');
    expect(back()).toBeNull();
  });
});

describe('the desktop', () => {
  const looksAway = () => vi.spyOn(document, 'hasFocus').mockReturnValue(false);

  it('is told what plays while one looks at something else, once and of what stays', async () => {
    const node = await open('playing');
    looksAway();
    vi.useFakeTimers();
    node.setPlayer({ track: 't2', title: 'Tide Line', artist: null });
    node.setPlayer({ track: 't3', title: 'Glass Arcade', artist: 'Oval Rooms' });
    node.setPlayer({ position_s: 3 });
    vi.advanceTimersByTime(2_000);
    node.setPlayer({ state: 'paused' });
    node.setPlayer({ state: 'playing' });
    vi.advanceTimersByTime(2_000);
    vi.useRealTimers();
    expect(node.notified).toEqual(['Glass Arcade: Oval Rooms']);
  });

  it('is not told when one looks, nor when one does not want it', async () => {
    const node = await open('playing');
    const next = (track: string) => {
      vi.useFakeTimers();
      node.setPlayer({ track, title: track });
      vi.advanceTimersByTime(2_000);
      vi.useRealTimers();
    };
    vi.spyOn(document, 'hasFocus').mockReturnValue(true);
    next('t2');
    await press('settings-open');
    await press('settings-look');
    await fireEvent.click(get('told-playing'));
    await press('settings-save');
    await expect.poll(() => localStorage.getItem('told')).toBe('playing');
    looksAway();
    next('t3');
    expect(node.notified).toEqual([]);
  });
});

describe('what plays next', () => {
  it('is seen, moved, taken out and kept', async () => {
    const node = await open('playing');
    await fireEvent.keyDown(screen.getAllByTestId('library-row')[1] as HTMLElement, { key: 'q' });
    await fireEvent.keyDown(screen.getAllByTestId('library-row')[2] as HTMLElement, { key: 'q' });
    await press('up-next');
    const queued = await screen.findAllByTestId('queued');
    expect(queued.map((entry) => entry.getAttribute('aria-label'))).toEqual(['Tide Line, queued by you', 'Glass Arcade, queued by you']);
    await fireEvent.keyDown(queued[1] as HTMLElement, { key: 'ArrowUp', altKey: true });
    expect(node.last('queue_move')?.index).toBe(0);
    await fireEvent.keyDown(queued[0] as HTMLElement, { key: 'Delete' });
    expect(node.last('queue_remove')?.item).toBe(node.app.queue[0]?.id);
    await press('save-queue');
    await type('name-value', 'Tonight');
    await press('name-save');
    await expect.poll(() => node.last('save_queue')?.name).toBe('Tonight');
  });
});

describe('the work of the library', () => {
  it('is shown, and rests when asked to', async () => {
    const node = await open('library');
    node.setLibrary({ scan: { folder: '/music', done: 1_234, total: 10_000 } });
    expect((await screen.findByTestId('library-work')).textContent).toMatch(/Looking through \/music: 1.234 of 10.000/u);
    await press('library-pause');
    expect(node.last('pause_library')?.paused).toBe(true);
    expect(await screen.findByText('Go on')).toBeTruthy();
    node.setLibrary({ scan: null, folders: [{ path: '/nas', reachable: false }] });
    expect(await screen.findByText(/\/nas cannot be reached. Its tracks stay here/u)).toBeTruthy();
  });
});
