import { fireEvent, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { scene } from '../backend/fake';
import { all, get, open, press, type } from './testing';

beforeEach(() => localStorage.clear());

describe('the settings', () => {
  it('keep nothing that is cancelled', async () => {
    const node = await open('room');
    await press('settings-open');
    await type('settings-name', 'Anastasia');
    await press('settings-look');
    await fireEvent.click(screen.getByLabelText('Dark'));
    await fireEvent.click(get('told-joined'));
    expect(JSON.parse(localStorage.getItem('appearance') ?? '{}')).toMatchObject({ theme: 'dark' });
    await press('settings-cancel');
    expect(JSON.parse(localStorage.getItem('appearance') ?? '{}')).toMatchObject({ theme: 'system' });
    expect(localStorage.getItem('told')).toBeNull();
    expect(node.last('update_profile')).toBeUndefined();
  });

  it('are saved together', async () => {
    const node = await open('room');
    await press('settings-open');
    await fireEvent.click(all('settings-color')[2] as HTMLElement);
    await press('settings-taste');
    await type('taste-genres', 'dub, ambient');
    await type('taste-from', '90');
    await press('settings-look');
    await fireEvent.click(get('told-joined'));
    await press('settings-save');
    await expect.poll(() => node.last('update_preferences')?.preferences).toMatchObject({ genres: ['dub', 'ambient'], tempo_range_bpm: [90, 400] });
    expect(node.last('update_profile')?.profile.color).toMatch(/^#[0-9a-f]{6}$/u);
    const room = node.app.room;
    if (room) node.setRoom({ members: room.members.map((member) => ({ ...member, present: member.user !== 'user-1' })) });
    if (room) node.setRoom({ members: room.members });
    expect(all('notice')).toEqual([]);
  });

  it('have a picture of oneself, which others see with the name', async () => {
    const node = await open('room');
    await press('settings-open');
    await press('settings-picture');
    await press('settings-picture');
    expect(node.last('make_portrait')?.path).toBe('/home/ana/me.jpg');
    await screen.findByTestId('settings-picture-none');
    await press('settings-save');
    await expect.poll(() => node.last('update_profile')?.profile.picture?.length).toBe(4268);
    await expect.poll(() => within(all('member-row')[1] as HTMLElement).queryAllByTestId('portrait').length).toBe(1);
    expect(node.last('get_portrait')?.user).toBe('user-0');
    expect(within(all('member-row')[2] as HTMLElement).queryAllByTestId('portrait')).toEqual([]);
  });

  it('speak another language at once, and keep it when they are saved', async () => {
    const node = await open('room');
    await press('settings-open');
    await press('settings-look');
    await fireEvent.click(screen.getByLabelText('Deutsch'));
    await screen.findByText('Tastenkürzel');
    await press('settings-cancel');
    await screen.findByText('Settings');
    expect(node.last('set_language')).toBeUndefined();
    await press('settings-open');
    await press('settings-look');
    await fireEvent.click(screen.getByLabelText('Deutsch'));
    await press('settings-save');
    await expect.poll(() => node.last('set_language')?.language).toBe('de');
    await screen.findByText('Einstellungen');
    node.emit({ type: 'language_changed', language: null });
    await screen.findByText('Settings');
  });

  it('say how this machine is reached, test it, and keep what is changed', async () => {
    const node = await open('room');
    await press('settings-open');
    await press('settings-network');
    expect((await screen.findByTestId('network-addresses')).textContent).toContain('192.168.1.12');
    await press('network-test');
    await expect.poll(() => all('doctor-check').map((check) => check.dataset.ok)).toEqual(['true', 'true', 'false']);
    await type('network-port', '7421');
    await press('settings-privacy');
    await fireEvent.click(get('privacy-seen'));
    await press('settings-save');
    await expect.poll(() => node.last('set_network')).toMatchObject({ port: 7421, seen: false });
  });

  it('show what is wrong with this machine', async () => {
    await open('room');
    await press('settings-open');
    await press('settings-machine');
    await expect.poll(() => all('doctor-check').map((check) => check.dataset.ok)).toEqual(['true', 'false']);
    expect(get('doctor-copy')).toBeTruthy();
  });

  it('are for sound as well: output, loudness with its target, latency', async () => {
    const node = await open('playing');
    await press('settings-open');
    await press('settings-sound');
    const dialog = within(screen.getByRole('dialog'));
    await expect.poll(() => dialog.getByTestId('output-device').querySelectorAll('option').length).toBe(3);
    await fireEvent.change(dialog.getByTestId('output-device'), { target: { value: 'alsa:usb' } });
    expect(node.last('set_device')?.id).toBe('alsa:usb');
    await fireEvent.change(dialog.getByTestId('normalise'), { target: { value: '-18' } });
    const target = await dialog.findByTestId('target-lufs');
    await fireEvent.change(target, { target: { value: '-16.5' } });
    expect(node.last('set_normalisation')?.target_lufs).toBe(-16.5);
    await fireEvent.change(target, { target: { value: '-90' } });
    expect(node.last('set_normalisation')?.target_lufs).toBe(-16.5);
    await fireEvent.change(dialog.getByTestId('latency'), { target: { value: '40' } });
    expect(node.last('set_latency_offset')?.offset_ms).toBe(40);
  });

  it('are for the library as well: folders, workers, and what cannot be used', async () => {
    const node = await open('library');
    node.setLibrary({ folders: [{ path: '/music', reachable: true }, { path: '/nas', reachable: false }], broken: 1 });
    await press('settings-open');
    await press('settings-collection');
    expect(all('folder').map((folder) => folder.textContent?.trim())).toEqual(['/music', '/nas']);
    await press('collection-add');
    await expect.poll(() => node.last('add_to_library')).toMatchObject({ paths: ['/music'], play: false });
    await press('collection-rescan');
    expect(node.last('rescan')).toBeTruthy();
    await fireEvent.change(get('collection-workers'), { target: { value: '0' } });
    expect(node.last('set_analysis_workers')?.count).toBe(0);
    await fireEvent.click(get('collection-pause'));
    expect(node.last('pause_library')?.paused).toBe(true);
    await fireEvent.click(all('folder-remove')[1] as HTMLElement);
    expect(node.last('remove_folder')?.path).toBe('/nas');
    await press('collection-broken');
    await expect.poll(() => node.last('list_tracks')?.search).toBe('is:broken');
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('go from page to page by the arrows', async () => {
    await open('room');
    await press('settings-open');
    await fireEvent.keyDown(get('settings-you'), { key: 'ArrowRight' });
    expect(get('settings-taste').getAttribute('aria-selected')).toBe('true');
    await fireEvent.keyDown(get('settings-taste'), { key: 'ArrowLeft' });
    await fireEvent.keyDown(get('settings-you'), { key: 'ArrowLeft' });
    expect(get('settings-machine').getAttribute('aria-selected')).toBe('true');
  });
});

describe('a link that does not work', () => {
  it('says what to try', async () => {
    const library = scene('library');
    const node = await open({ ...library, problem: 'the invite has expired', code: 'invite_expired' });
    await press('join-room');
    await type('join-link', 'synxsphere://join?v=1');
    await press('join-go');
    expect((await screen.findByTestId('join-tries')).textContent).toContain('Ask the host for a new link');
    expect(node.last('join_room')).toBeTruthy();
  });

  it('costs nobody the room that they are in', async () => {
    const node = await open({ ...scene('room'), problem: 'the invite has expired', code: 'invite_expired' });
    node.emit({ type: 'link_opened', link: 'synxsphere://join?v=1&room=room-2&name=Kitchen' });
    await screen.findByText('Your room “Friday listening” closes for everybody when you join.');
    await press('join-go');
    await screen.findByTestId('join-tries');
    expect(node.last('join_room')).toMatchObject({ leaving: true });
    expect(node.last('leave_room')).toBeUndefined();
    expect(get('room-name').textContent).toContain('Friday listening');
  });

  it('is none to the room that one is in: that is shown', async () => {
    const node = await open('room');
    await press('nav-library');
    node.emit({ type: 'link_opened', link: 'synxsphere://join?v=1&room=room-1&name=Friday+listening' });
    expect((await screen.findByTestId('join-here')).textContent).toContain('You are in this room');
    await press('join-go');
    await expect.poll(() => all('join-link')).toEqual([]);
    expect(get('room-name')).toBeTruthy();
    expect(node.last('join_room')).toBeUndefined();
  });

  it('does so too when one comes back to a room, and lets one try again', async () => {
    const said = 'the room cannot be reached: 192.0.2.2:7420: Connection refused';
    const node = await open({ ...scene('library'), problem: said, code: 'unreachable' });
    await fireEvent.click(all('recent-room')[1] as HTMLElement);
    expect((await screen.findByTestId('join-tries')).textContent).toContain('Ask whether the host’s app is open');
    expect(get('form-error').textContent).toContain('The room cannot be reached: is it open');
    expect((get('join-link') as HTMLInputElement).value).toBe('synxsphere://join?r=old2');
    expect(all('notice')).toEqual([]);
    await press('join-go');
    expect(node.requests.filter((request) => request.type === 'join_room')).toHaveLength(2);
  });
});
