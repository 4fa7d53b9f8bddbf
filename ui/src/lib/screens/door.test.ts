import { fireEvent, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CallFailure } from '../backend';
import { scene, type FakeBackend } from '../backend/fake';
import { all, get, open, press, type } from './testing';

beforeEach(() => localStorage.clear());

const shownLink = () => (get('invite-link') as HTMLInputElement).value;

describe('an invitation', () => {
  it('is a link and a code that holds it', async () => {
    await open('room');
    await press('invite-open');
    expect((get('invite-link') as HTMLInputElement).value).toMatch(/^synxsphere:/u);
    const [size, drawn] = [Number(get('invite-qr').dataset.size), get('invite-qr').querySelector('path')?.getAttribute('d') ?? ''];
    // The three marks in the corners, seven cells wide, and nothing in the white border.
    for (const [x, y] of [[4, 4], [size - 11, 4], [4, size - 11]]) for (let cell = 0; cell < 7; cell += 1) expect(drawn).toContain(`M${(x ?? 0) + cell} ${y}h`);
    expect(drawn).not.toMatch(/M[0-3] /u);
  });

  it('is chosen among those that still let somebody in', async () => {
    await open('room');
    await press('invite-open');
    expect(shownLink()).toContain('i=eyJ');
    expect(all('invite-row').map((row) => row.dataset.usable)).toEqual(['true', 'true', 'true']);
    await fireEvent.click(all('invite-choose')[0] as HTMLElement);
    await expect.poll(shownLink).toContain('i=djs');
    expect(get('invite-meaning').textContent).toContain('The first 3 with this link can come in as a DJ.');
    await press('invites-past');
    expect(all('invite-row').map((row) => row.textContent).join()).toMatch(/Withdrawn.*Used up/u);
  });

  it('is made for as many as one likes, and shown at once', async () => {
    const node = await open('room');
    await press('invite-open');
    await press('new-invite');
    await fireEvent.click(screen.getByLabelText('DJ'));
    await fireEvent.click(screen.getByLabelText('A week'));
    await type('new-invite-most', '2');
    await press('new-invite-knock');
    await press('new-invite-make');
    expect(node.last('create_invite')).toEqual({ type: 'create_invite', role: 'dj', expires_in_s: 604_800, max_uses: 2, knock: true });
    await expect.poll(() => get('invite-meaning').textContent).toContain('The first 2 with this link can ask to come in as a DJ');
    expect(all('new-invite-most')).toEqual([]);
  });

  it('is taken back only when that is meant, and its link is shown no more', async () => {
    const node = await open('room');
    await press('invite-open');
    await fireEvent.click(all('invite-choose')[0] as HTMLElement);
    await expect.poll(shownLink).toContain('i=djs');
    await fireEvent.click(all('invite-revoke')[0] as HTMLElement);
    expect(node.last('revoke_invite')).toBeUndefined();
    await press('invite-revoke-yes');
    expect(node.last('revoke_invite')?.invite).toBe('djs');
    await expect.poll(() => all('invite-row')).toHaveLength(2);
    expect(shownLink()).toContain('i=eyJ');
  });
});

describe('the desktop', () => {
  const joined = (node: Awaited<ReturnType<typeof open>>) => {
    const members = node.app.room?.members ?? [];
    node.setRoom({ members: members.filter((member) => member.user !== 'user-1') });
    node.setRoom({ members });
  };

  it('tells what happens while nobody looks at the window', async () => {
    const node = await open('room');
    const focus = vi.spyOn(document, 'hasFocus').mockReturnValue(true);
    joined(node);
    expect(node.notified).toEqual([]);
    focus.mockReturnValue(false);
    joined(node);
    const asking = { user: 'user-9', name: 'Ines', role: 'listener' as const, color: null, since_ms: 0 };
    node.setRoom({ knocks: [asking] });
    node.setRoom({ knocks: [asking] });
    expect(node.notified).toEqual(['Friday listening: Cy joined', 'Friday listening: Ines asks to come in']);
  });

  it('tells nothing that is not wanted', async () => {
    localStorage.setItem('told', 'joined');
    const node = await open('room');
    vi.spyOn(document, 'hasFocus').mockReturnValue(false);
    joined(node);
    await press('settings-open');
    await press('settings-look');
    await fireEvent.click(get('told-outside'));
    await press('settings-save');
    await expect.poll(() => localStorage.getItem('told')).toBe('joined,outside');
    node.setRoom({ knocks: [{ user: 'user-9', name: 'Ines', role: 'listener', color: null, since_ms: 0 }] });
    expect(node.notified).toEqual([]);
  });
});

describe('a room nearby', () => {
  it('is entered by a click, and says what keeps one out where its link can be tried again', async () => {
    const node = await open({ ...scene('library'), problem: 'nobody answers', code: 'unreachable' });
    const kitchen = all('lan-room').find((room) => room.textContent?.includes('Kitchen'));
    await fireEvent.click(kitchen as HTMLElement);
    expect(node.last('join_lan_room')?.room).toBe('lan1');
    await screen.findByTestId('join-tries');
    expect((get('join-link') as HTMLInputElement).value).toContain('room=lan1');
  });
});

describe('at the door', () => {
  it('somebody is let in, or is not', async () => {
    const node = await open('knocks');
    await press('nav-library');
    expect(all('knock').map((one) => one.textContent)).toHaveLength(2);
    await fireEvent.click(within(all('knock')[1] as HTMLElement).getByTestId('knock-yes'));
    expect(node.last('answer_knock')).toEqual({ type: 'answer_knock', user: 'user-k2', let_in: true });
    await press('knock-no');
    expect(node.last('answer_knock')).toEqual({ type: 'answer_knock', user: 'user-k1', let_in: false });
    await expect.poll(() => all('knock')).toEqual([]);
  });

  it('one can stop waiting', async () => {
    const node = await open('at-door');
    expect(get('at-door').textContent).toContain('Kitchen');
    await press('at-door-stop');
    expect(node.last('leave_room')).toBeTruthy();
    await expect.poll(() => all('at-door')).toEqual([]);
  });

  /** Has the host take their time; what it is like when one does not wait for them. */
  function asksFirst(node: FakeBackend): { giveUp: () => void } {
    const asked = { giveUp: () => {} };
    const call = node.call.bind(node);
    node.call = (async (request: Parameters<typeof call>[0]) => {
      if (request.type === 'join_room') await new Promise((_, no) => (asked.giveUp = () => no(new CallFailure('join_stopped', 'you do not wait any more'))));
      return call(request);
    }) as typeof node.call;
    return asked;
  }

  it('one hears in the dialog that the room where one is has ended', async () => {
    const node = await open('link-in-room');
    asksFirst(node);
    await screen.findByTestId('join-link');
    await press('join-go');
    node.emit({ type: 'at_door_changed', at_door: { room_name: 'Kitchen', message: 'asked', since_ms: 0 } });
    await screen.findByTestId('join-waiting');
    expect(all('join-ended')).toEqual([]);
    node.setRoom(null);
    node.emit({ type: 'notice', level: 'warning', code: 'room_closed', message: 'the host closed the room' });
    expect((await screen.findByTestId('join-ended')).textContent).toBe('You are not in “Friday listening” any more. The host closed the room.');
    expect(get('join-waiting')).toBeTruthy();
  });

  it('a dialog that is closed asks nobody any more, and what one gave up is no error', async () => {
    const node = await open('library');
    const asked = asksFirst(node);
    await press('join-room');
    await type('join-link', 'synxsphere://join?v=1&name=Kitchen');
    await press('join-go');
    node.emit({ type: 'at_door_changed', at_door: { room_name: 'Kitchen', message: 'asked', since_ms: 0 } });
    expect((await screen.findByTestId('join-waiting')).textContent).toContain('asked');
    await press('join-cancel');
    expect(node.last('leave_room')).toBeTruthy();
    asked.giveUp();
    await expect.poll(() => all('join-link')).toEqual([]);
    expect(all('notice')).toEqual([]);
  });
});
