import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import { FakeBackend, scene } from '../backend/fake';
import { language } from '../i18n';
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

const get = (id: string) => screen.getByTestId(id);
const type = (id: string, value: string) => fireEvent.input(get(id), { target: { value } });
const press = (id: string) => fireEvent.click(get(id));

describe('first run', () => {
  it('asks for a name, and for nothing before there is one', async () => {
    const node = await open('first-run');
    expect((get('first-run-go') as HTMLButtonElement).disabled).toBe(true);
    await type('first-run-name', '  Ana ');
    await press('first-run-go');
    expect(node.last('update_profile')?.profile).toMatchObject({ name: 'Ana', chosen: true });
    expect(await screen.findByTestId('nav-library')).toBeTruthy();
  });
});

describe('the library', () => {
  it('lists tracks with their figures and broken files with their reason', async () => {
    await open('library');
    const rows = screen.getAllByTestId('library-row');
    expect(rows).toHaveLength(10);
    expect(rows[0]?.textContent).toMatch(/Paper Lantern.*Mira Holm.*4:56.*124\.0.*8A/su);
    expect(screen.getByText(/This file is damaged: it ends too early/u)).toBeTruthy();
  });

  it('says in the reader’s language why a file cannot be used, and its path only in the tooltip', async () => {
    await open('library');
    await language.speak('de');
    const reason = await screen.findByText('Die Datei ist beschädigt: Besorg dir eine andere Kopie.');
    expect(reason.title).toContain('/music/holiday-mix.mp3');
    expect(screen.getByText('Die Datei ist nicht erreichbar').title).toContain('/music/Harbour.flac');
    await language.speak('en');
  });

  it('plays on a double press and on Enter, but not what is broken', async () => {
    const node = await open('library');
    const rows = screen.getAllByTestId('library-row');
    await fireEvent.dblClick(rows[8] as HTMLElement);
    expect(node.last('play_from')).toBeUndefined();
    await fireEvent.dblClick(rows[1] as HTMLElement);
    expect(node.last('play_from')).toMatchObject({ track: 't2', list: { type: 'all' }, search: '', order: null });
    await fireEvent.keyDown(rows[0] as HTMLElement, { key: 'Enter' });
    expect(node.last('play_from')?.track).toBe('t1');
    expect(get('play').dataset.state).toBe('playing');
  });

  it('opens a typed path, and closes the menu', async () => {
    const node = await open('empty');
    await press('open-files');
    await type('open-path', '/music/a.flac');
    await press('open-path-go');
    expect(node.last('add_to_library')).toMatchObject({ paths: ['/music/a.flac'], play: true });
    await expect.poll(() => screen.queryByTestId('open-path')).toBeNull();
  });

  it('says in the menu why a file was not taken, and keeps it open', async () => {
    await open('errors');
    await press('open-files');
    await type('open-path', '/music/a.flac');
    await press('open-path-go');
    expect((await screen.findByTestId('form-error')).textContent).toContain('The disk is full');
    expect((get('open-path') as HTMLInputElement).value).toBe('/music/a.flac');
    expect(screen.queryByTestId('notice')).toBeNull();
  });

  it('closes a menu as the focus moves on', async () => {
    await open('empty');
    await press('open-files');
    await fireEvent.focusIn(get('open-path'));
    expect(screen.queryByTestId('open-path')).toBeTruthy();
    await fireEvent.focusIn(get('host-room'));
    expect(screen.queryByTestId('open-path')).toBeNull();
  });

  it('finds as one types, and says what was typed wrongly', async () => {
    await open('library');
    await type('library-filter', 'northwater');
    await expect.poll(() => screen.getAllByTestId('library-row')).toHaveLength(2);
    await type('library-filter', 'nrothwater');
    expect((await screen.findByTestId('search-read-as')).textContent).toContain('Showing “northwater”');
    await type('library-filter', 'zzz');
    expect(await screen.findByText('Nothing found')).toBeTruthy();
  });

  it('keeps the list while a filter means nothing, and says how it would be written', async () => {
    await open('library');
    await type('library-filter', 'bmp:120');
    expect((await screen.findByTestId('search-problem')).textContent).toContain('no filter “bmp:”');
    expect(screen.getAllByTestId('library-row')).toHaveLength(10);
    expect(get('library-filter').getAttribute('aria-invalid')).toBe('true');
  });

  it('is one stop for Tab, and the arrows go through it', async () => {
    await open('many');
    const rows = () => screen.getAllByTestId('library-row');
    const stops = () => rows().filter((row) => row.tabIndex === 0);
    expect(stops().map((row) => row.dataset.row)).toEqual(['0']);
    rows()[0]?.focus();
    await fireEvent.keyDown(rows()[0] as HTMLElement, { key: 'ArrowDown' });
    await expect.poll(() => document.activeElement?.getAttribute('data-row')).toBe('1');
    await fireEvent.keyDown(document.activeElement as HTMLElement, { key: 'End' });
    await expect.poll(() => document.activeElement?.getAttribute('data-row')).toBe('99999');
    await expect.poll(() => document.activeElement?.textContent).toContain('99999');
    expect(rows().length).toBeLessThan(80);
  });

  it('shows one track after the other in the same rows, which stand in order once it rests', async () => {
    await open('many');
    const table = screen.getByRole('grid');
    const rows = () => [...table.querySelectorAll<HTMLElement>('[data-row]')];
    const places = () => rows().map((row) => Number(row.dataset.row));
    const before = rows();
    before[1]?.focus();
    table.scrollTop = 4_010;
    await fireEvent.scroll(table);
    // The keyboard must not act on a track that came in the place of the one it was on.
    expect(document.activeElement).toBe(document.body);
    expect(Math.min(...places())).toBeGreaterThan(80);
    await expect.poll(places).toEqual(places().toSorted((a, b) => a - b));
    expect(new Set(rows())).toEqual(new Set(before));
    await expect.poll(() => rows()[0]?.textContent).toContain(String(places()[0]));
  });

  it('is sorted by the node, and shows the columns and keys that are chosen', async () => {
    const node = await open('library');
    await press('sort-bpm');
    expect(node.last('list_tracks')).toMatchObject({ order: { by: 'bpm', down: false }, from: 0 });
    await press('view-menu');
    await press('column-loudness');
    expect(await screen.findByTestId('sort-loudness')).toBeTruthy();
    await fireEvent.click(screen.getByLabelText('Open Key'));
    await expect.poll(() => screen.getAllByTestId('library-row').map((row) => row.querySelector('.key')?.textContent)).toContain('1m');
  });

  it('shows tempo and key of what plays, and the waveform once it is there', async () => {
    await open('playing');
    await expect.poll(() => get('waveform').dataset.state).toBe('ready');
    expect(get('waveform').dataset.track).toBe('t1');
    expect([get('bpm').textContent?.trim(), get('key').textContent?.trim()]).toEqual(['124.0', '8A A minor']);
    expect(get('bpm').title).toContain('93\u00a0% sure');
  });
});

describe('the waveform', () => {
  it('stays zoomed into whatever else changes, up to the next track', async () => {
    const node = await open('playing');
    await fireEvent.click(await screen.findByLabelText('Zoom in (+)'));
    node.setPlayer({ volume: 0.5 });
    await expect.poll(() => (get('volume') as HTMLInputElement).value).toBe('0.5');
    expect(screen.getByText('Whole')).toBeTruthy();
    node.setPlayer({ track: 't2', duration_s: 341 });
    await expect.poll(() => screen.queryByText('Whole')).toBeNull();
  });
});

describe('hosting and joining', () => {
  it('opens a room with what was chosen and shows its link', async () => {
    const node = await open('library');
    await press('host-room');
    await type('host-name', 'Friday listening');
    await fireEvent.click(screen.getByLabelText('Public nearby'));
    await press('host-go');
    expect(node.last('host_room')?.settings).toEqual({
      name: 'Friday listening', visibility: 'public', max_participants: 16, genres: [], playback_control: 'djs',
    });
    expect((await screen.findByTestId('room-name')).textContent).toBe('Friday listening');
    expect(get('room-link').dataset.link).toMatch(/^synxsphere:/u);
  });

  it('waits for everyone if one wants so', async () => {
    const node = await open('empty');
    await press('host-room');
    await type('host-name', 'Friday listening');
    await press('room-wait');
    await press('host-go');
    expect(node.last('host_room')?.settings.wait_for_all).toBe(true);
  });

  it('joins by link with another address, and shows a refusal where it was asked', async () => {
    const node = await open('errors');
    await press('join-room');
    await type('join-link', ' synxsphere://join?r=1 ');
    await type('join-address', '127.0.0.1:7420');
    await press('join-go');
    expect(node.last('join_room')).toMatchObject({ link: 'synxsphere://join?r=1', address: '127.0.0.1:7420' });
    expect((await screen.findByTestId('form-error')).textContent).toContain('The disk is full');
    expect(screen.queryByTestId('notice')).toBeNull();
  });
});

describe('a room', () => {
  it('shows people, queue and chat', async () => {
    await open('room');
    expect(screen.getAllByTestId('member-row')).toHaveLength(3);
    expect(screen.getAllByTestId('member-sync')[0]?.textContent).toMatch(/±0\.0\d ms/u);
    expect(screen.getAllByTestId('queue-row')).toHaveLength(5);
    expect(screen.getAllByTestId('chat-message')).toHaveLength(5);
  });

  it('sends with Enter and keeps a line break with Shift', async () => {
    const node = await open('room');
    await type('chat-input', 'Good evening!');
    await fireEvent.keyDown(get('chat-input'), { key: 'Enter', shiftKey: true });
    expect(node.last('send_chat')).toBeUndefined();
    await fireEvent.keyDown(get('chat-input'), { key: 'Enter' });
    expect(node.last('send_chat')?.text).toBe('Good evening!');
    expect(await screen.findByText('Good evening!')).toBeTruthy();
    expect((get('chat-input') as HTMLTextAreaElement).value).toBe('');
  });

  it('reorders and clears the queue by keyboard', async () => {
    const node = await open('room');
    const second = within(screen.getAllByTestId('queue-row')[1] as HTMLElement).getByRole('group');
    await fireEvent.keyDown(second, { key: 'ArrowUp', altKey: true });
    expect(node.last('queue_move')).toMatchObject({ item: 'q1', index: 0 });
    await fireEvent.keyDown(second, { key: 'Delete' });
    expect(node.last('queue_remove')?.item).toBe('q1');
  });

  it('pins a comment to the moment that is heard', async () => {
    const node = await open('room');
    await fireEvent.keyDown(document.body, { key: 'c' });
    await type('comment-input', 'Clipping?');
    await fireEvent.submit(get('comment-input').closest('form') as HTMLFormElement);
    expect(node.last('add_comment')).toMatchObject({ track: 't1', position_s: 83, text: 'Clipping?' });
  });

  it('asks before it is left', async () => {
    const node = await open('room');
    await press('leave-room');
    expect(node.last('leave_room')).toBeUndefined();
    await press('confirm-yes');
    await expect.poll(() => screen.queryByTestId('room-name')).toBeNull();
  });

  it('disables what one may not do and says why', async () => {
    await open('listener');
    expect((get('play') as HTMLButtonElement).disabled).toBe(true);
    expect((get('seek') as HTMLInputElement).disabled).toBe(true);
    expect(get('play').title).toContain('DJs play');
    expect(screen.queryByTestId('room-link')).toBeNull();
  });

  it('says calmly that it reconnects', async () => {
    await open('reconnecting');
    expect(get('connection-banner').textContent).toBe('The connection to Ana is lost. Reconnecting … The music goes on.');
  });
});

describe('the output', () => {
  it('evens out loudness, or leaves it as it was made', async () => {
    const node = await open('room');
    await fireEvent.click(get('output-open'));
    const select = get('normalise') as HTMLSelectElement;
    expect(select.value).toBe('');
    await fireEvent.change(select, { target: { value: '-18' } });
    expect(node.last('set_normalisation')).toEqual({ type: 'set_normalisation', target_lufs: -18 });
    expect((get('normalise') as HTMLSelectElement).value).toBe('-18');
    await fireEvent.change(get('normalise'), { target: { value: '' } });
    expect(node.last('set_normalisation')).toEqual({ type: 'set_normalisation', target_lufs: null });
  });
});

describe('calibration', () => {
  it('clicks until it is told to stop, or the panel closes', async () => {
    const node = await open('room');
    await fireEvent.click(get('output-open'));
    await fireEvent.click(get('clicks'));
    await vi.waitFor(() => expect(get('clicks').textContent?.trim()).toBe('Stop clicking'));
    expect(node.last('set_clicks')).toEqual({ type: 'set_clicks', on: true });
    await fireEvent.click(get('output-open'));
    await vi.waitFor(() => expect(node.last('set_clicks')).toEqual({ type: 'set_clicks', on: false }));
  });

  it('says what the microphone heard, and keeps it when that is wanted', async () => {
    const node = await open('room');
    await fireEvent.click(get('output-open'));
    await fireEvent.click(get('calibrate'));
    await vi.waitFor(() => expect(get('calibrated').textContent).toContain('It plays 41.3 ms late (± 0.1 ms, 6 of 6 chirps).'));
    expect(node.last('set_latency_offset')).toBeUndefined();
    await fireEvent.click(get('calibrate-keep'));
    expect(node.last('set_latency_offset')).toEqual({ type: 'set_latency_offset', offset_ms: 41.3 });
  });
});

describe('keys', () => {
  it('choose what is repeated', async () => {
    const node = await open('room');
    await fireEvent.keyDown(document.body, { key: 'o' });
    expect(node.last('set_loop')).toMatchObject({ region: { begin_s: 0 } });
    await fireEvent.keyDown(document.body, { key: 'o' });
    expect(node.last('set_loop')).toEqual({ type: 'set_loop', region: null });
  });

  it('play, seek and mute wherever one is, but not while one types', async () => {
    const node = await open('room');
    await fireEvent.keyDown(get('chat-input'), { key: 'm' });
    expect(node.last('set_volume')).toBeUndefined();
    await fireEvent.keyDown(document.body, { key: 'm' });
    expect(node.last('set_volume')).toMatchObject({ volume: 0.8, muted: true });
    await fireEvent.keyDown(get('volume'), { key: 'ArrowRight' });
    expect(node.last('seek')).toBeUndefined();
    await fireEvent.keyDown(document.body, { key: 'ArrowRight' });
    expect(node.last('seek')?.position_s).toBe(88);
    await fireEvent.keyDown(document.body, { key: ' ' });
    expect(node.last('play')).toBeTruthy();
  });

  it('are all listed on ?', async () => {
    await open('library');
    await fireEvent.keyDown(document.body, { key: '?' });
    expect(screen.getByText('Comment on this moment')).toBeTruthy();
  });
});

describe('the transport', () => {
  it('seeks when the slider is let go, once', async () => {
    const node = await open('room');
    await fireEvent.input(get('seek'), { target: { value: '120' } });
    expect(node.last('seek')).toBeUndefined();
    expect(get('position').textContent).toBe('2:00');
    await fireEvent.change(get('seek'), { target: { value: '120' } });
    expect(node.requests.filter((request) => request.type === 'seek')).toHaveLength(1);
  });

  it('says whom it waits for, and starts without them', async () => {
    const node = await open('room');
    node.emit({ type: 'sync_measured', peers: node.app.sync.map((peer, index) => ({ ...peer, has_track: index === 0 })) });
    expect(screen.queryAllByTestId('awaited')).toEqual([]);
    node.setPlayer({ state: 'awaiting', position_s: 0 });
    expect((await screen.findByTestId('awaited')).textContent).toBe('Waiting for Ben and Cy');
    await fireEvent.click(screen.getByRole('button', { name: 'Start without them' }));
    expect(node.last('play')).toEqual({ type: 'play', track: null });
    await expect.poll(() => screen.queryAllByTestId('awaited')).toEqual([]);
  });

  it('says when nothing can be heard', async () => {
    await open('no-device');
    expect(get('output-open').textContent).toContain('No sound');
  });

  it('shows a failed call as a notice that can be dismissed', async () => {
    const node = await open('errors');
    await fireEvent.keyDown(document.body, { key: 'm' });
    expect((await screen.findByTestId('notice')).dataset.code).toBe('disk_full');
    await fireEvent.click(within(get('notice')).getByLabelText('Dismiss'));
    expect(screen.queryByTestId('notice')).toBeNull();
    expect(node.last('set_volume')).toBeTruthy();
  });
});
