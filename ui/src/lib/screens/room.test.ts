import { fireEvent, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ChatMessageView } from '../backend';
import { scene } from '../backend/fake';
import { all, get, open, press, type } from './testing';

beforeEach(() => localStorage.clear());

const said = (seq: number, text: string, author = 'user-0', name = 'Ben'): ChatMessageView => ({ seq, author, author_name: name, text, posted_at_ms: 1_000 * seq });

describe('the chat', () => {
  it('draws a few of 50,000 messages, and finds one among all', async () => {
    const room = scene('room');
    const chat = Array.from({ length: 50_000 }, (_, index) => said(index + 1, index === 777 ? 'The needle' : `Line ${index}`));
    await open({ ...room, app: { ...room.app, chat } });
    expect(all('chat-message').length).toBeGreaterThan(5);
    expect(all('chat-message').length).toBeLessThan(100);
    await press('chat-search-open');
    await type('chat-search', 'NEEDLE');
    await expect.poll(() => all('chat-message')).toHaveLength(1);
    expect(get('chat-message').textContent).toContain('The needle');
  });

  it('opens an address outside, and leads to a moment', async () => {
    const node = await open('room');
    node.emit({ type: 'chat_appended', messages: [said(90, 'At 1:04, as in https://a.example/x. No javascript:alert(1)')] });
    await fireEvent.click(await screen.findByText('https://a.example/x'));
    expect(node.opened).toEqual(['https://a.example/x']);
    expect(screen.queryAllByRole('link')).toHaveLength(1);
    const moment = screen.getAllByText('1:04').filter((one) => one.localName === 'button').at(-1);
    await fireEvent.click(moment as HTMLElement);
    expect(node.last('seek')?.position_s).toBe(64);
  });

  it('tells who is named, unless they do not want to be told', async () => {
    const node = await open('room');
    node.emit({ type: 'chat_appended', messages: [said(90, 'Hello @Ana!')] });
    expect((await screen.findByTestId('notice')).textContent).toContain('Ben: Hello @Ana!');
    await fireEvent.click(within(get('notice')).getByLabelText('Dismiss'));
    node.emit({ type: 'chat_appended', messages: [said(91, 'Hello Anastasia, hello @Cy'), said(92, '@Ana', 'user-ana', 'Ana')] });
    expect(all('notice')).toEqual([]);
  });

  it('completes a name with Tab', async () => {
    await open('room');
    const input = get('chat-input') as HTMLTextAreaElement;
    input.focus();
    await type('chat-input', '@be');
    input.setSelectionRange(3, 3);
    await fireEvent.input(input);
    expect(get('chat-offer').textContent).toBe('@Ben');
    await fireEvent.keyDown(input, { key: 'Tab' });
    await expect.poll(() => input.value).toBe('@Ben ');
  });

  it('marks where what is new begins, and forgets nothing that was not read', async () => {
    const node = await open('room');
    await fireEvent.click(get('tab-notes'));
    node.emit({ type: 'chat_appended', messages: [said(90, 'One'), said(91, 'Two')] });
    await expect.poll(() => all('unread').map((dot) => dot.textContent)).toContain('2 new messages');
  });

  it('shows what is on its way while the room cannot be reached', async () => {
    const node = await open('reconnecting');
    let answer = () => {};
    const call = node.call.bind(node);
    node.call = (async (request: Parameters<typeof call>[0]) => {
      if (request.type === 'send_chat') await new Promise<void>((resolve) => (answer = resolve));
      return call(request);
    }) as typeof node.call;
    await type('chat-input', 'Still here');
    await fireEvent.keyDown(get('chat-input'), { key: 'Enter' });
    expect((await screen.findByTestId('chat-unsent')).textContent).toContain('Still here');
    expect(get('connection-banner').textContent).toContain('What you did meanwhile goes out then.');
    answer();
    await expect.poll(() => all('chat-unsent')).toEqual([]);
  });
});

describe('a room of one', () => {
  it('offers to invite somebody, and to share from the library', async () => {
    const empty = scene('room-empty');
    const node = await open({ ...empty, app: { ...empty.app, library: { ...empty.app.library, tracks: empty.tracks.length } } });
    await press('invite-first');
    expect(get('invite-link')).toBeTruthy();
    await press('share-from-library');
    expect((await screen.findByTestId('library-count')).textContent).toBe('6 tracks');
    expect(get('shares-into').textContent).toContain('share it with “Friday listening”');
    expect(node.app.room?.members).toHaveLength(1);
    await press('nav-room');
    node.setRoom({ members: scene('room').app.room?.members ?? [] });
    await expect.poll(() => all('invite-first')).toEqual([]);
  });
});

describe('notes', () => {
  it('are answered and called done', async () => {
    const node = await open('room');
    await press('tab-notes');
    const first = all('note')[0] as HTMLElement;
    await fireEvent.click(within(first).getByTestId('note-reply'));
    await type('note-answer-input', 'Moved it.');
    await fireEvent.submit(get('note-answer-input').closest('form') as HTMLFormElement);
    expect(node.last('add_comment')).toMatchObject({ track: 't1', position_s: 64.2, text: 'Moved it.', reply_to: 'c1' });
    await expect.poll(() => all('note-answer-input')).toEqual([]);
    await fireEvent.click(within(first).getByTestId('note-resolve'));
    expect(node.last('resolve_comment')).toEqual({ type: 'resolve_comment', comment: 'c1', done: true });
    await expect.poll(() => all('note')).toHaveLength(2);
    await press('notes-done');
    expect(all('note')).toHaveLength(3);
  });

  it('may mean the part that is repeated', async () => {
    const node = await open('room');
    node.setPlayer({ loop_region: { begin_s: 10, end_s: 20 } });
    await fireEvent.keyDown(document.body, { key: 'c' });
    await press('comment-range');
    await type('comment-input', 'All of this');
    await fireEvent.submit(get('comment-input').closest('form') as HTMLFormElement);
    expect(node.last('add_comment')).toMatchObject({ position_s: 10, end_s: 20 });
  });
});

describe('what was missed', () => {
  it('is told in one line, until it is looked at', async () => {
    await open('missed');
    expect(get('missed').textContent).toContain('12 messages, 3 tracks, 1 note, Wilhelmina-Theodora van der Westhuizen-Roux and 2 more came.');
    await press('missed-look');
    await press('history-close');
    expect(all('missed')).toEqual([]);
  });

  it('is put away, and told anew when one comes back another time', async () => {
    const node = await open('missed');
    await press('missed-dismiss');
    expect(all('missed')).toEqual([]);
    node.setRoom({ missed: { since_ms: 5, messages: 0, tracks: 0, notes: 0, came: ['Ben'] } });
    await expect.poll(() => get('missed').textContent).toContain(': Ben came.');
  });
});

describe('the company', () => {
  it('listens while the room plays, but for who listens alone, and else is here', async () => {
    const node = await open('room');
    expect(get('company').textContent).toBe('3 here');
    node.setPlayer({ state: 'playing' });
    await expect.poll(() => get('company').textContent).toBe('3 listening');
    node.app = { ...node.app, sync: node.app.sync.map((peer, index) => (index === 1 ? { ...peer, alone: { track: 't2', position_s: 1, playing: true } } : peer)) };
    node.emit({ type: 'sync_measured', peers: node.app.sync });
    await expect.poll(() => get('company').textContent).toBe('2 listening');
  });
});

describe('a transfer', () => {
  it('is stopped and goes on', async () => {
    const node = await open('transfers');
    const toggle = () => fireEvent.click(all('transfer-toggle')[0] as HTMLElement);
    await toggle();
    expect(node.last('stop_transfer')?.track).toBe('t4');
    await expect.poll(() => all('transfer')[0]?.textContent).toContain('stopped');
    await toggle();
    expect(node.last('resume_transfer')?.track).toBe('t4');
    await expect.poll(() => all('transfer')[0]?.dataset.stopped).toBe('false');
  });

  it('that sends is given up once it is stopped', async () => {
    const node = await open('transfers');
    const own = () => all('transfer').filter((row) => row.querySelector('[data-testid=transfer-toggle]'));
    const giveUps = () => own().map((row) => row.querySelector<HTMLElement>('[data-testid=transfer-give-up]'));
    expect(giveUps()).toEqual([null, expect.anything()]);
    await fireEvent.click(giveUps()[1] as HTMLElement);
    expect(node.last('give_up_transfer')?.track).toBe('t5');
    await expect.poll(own).toHaveLength(1);
  });

  it('that broke off stays, to be gone on with or given up, where its file is not at hand', async () => {
    const node = await open({ ...scene('transfers'), problem: 'this track is not known here: open or share its file first', code: 'no_such_track' });
    const own = () => all('transfer')[1] as HTMLElement;
    await fireEvent.click(own().querySelector('[data-testid=transfer-toggle]') as HTMLElement);
    expect(node.last('resume_transfer')?.track).toBe('t5');
    await expect.poll(() => get('notice').textContent).toContain('open or share its file first');
    expect(own().dataset.stopped).toBe('true');
    expect(own().querySelector('[data-testid=transfer-give-up]')).not.toBeNull();
  });

  it('of somebody else is seen, and given up by who controls the room alone', async () => {
    const node = await open('transfers');
    const others = () => all('transfer')[2] as HTMLElement;
    expect(others().textContent).toContain('sends Tideline stems.flac');
    expect(others().querySelector('[data-testid=transfer-toggle]')).toBeNull();
    await fireEvent.click(others().querySelector('[data-testid=transfer-give-up]') as HTMLElement);
    expect(node.last('give_up_transfer')?.track).toBe('t6');
    await expect.poll(() => all('transfer')).toHaveLength(2);
  });

  it('of somebody else is theirs where one does not control the room', async () => {
    const node = await open('transfers');
    const { room, player } = node.app;
    node.emit({ type: 'room_changed', room: room && { ...room, my_role: 'listener', settings: { ...room.settings, playback_control: 'host' } } });
    node.emit({ type: 'player_changed', player: { ...player, may_control: false } });
    await expect.poll(() => all('transfer-give-up')).toHaveLength(1);
  });
});

describe('people', () => {
  it('are shown with what they have yet to get', async () => {
    await open('room');
    const [, ben, cy] = all('member-row');
    expect(ben?.title).toContain('Ben plays');
    expect(cy?.title).toBe('Cy has yet to get “Paper Lantern” and “Tide Line”');
    expect(all('member-sync')[2]?.textContent).toBe('loading');
  });

  it('are handed the controls, also where only the host played', async () => {
    const node = await open('room');
    const settings = node.app.room?.settings;
    if (settings) node.setRoom({ settings: { ...settings, playback_control: 'host' } });
    await fireEvent.click(all('member-menu')[1] as HTMLElement);
    await press('hand-over');
    await expect.poll(() => node.last('change_role')).toEqual({ type: 'change_role', user: 'user-1', role: 'dj' });
    expect(node.last('update_room_settings')?.settings.playback_control).toBe('djs');
  });

  it('are sent out, or kept out until they are let in again', async () => {
    const node = await open('room');
    await fireEvent.click(all('member-menu')[1] as HTMLElement);
    await press('remove-member');
    await fireEvent.click(screen.getByLabelText('Stays out'));
    await press('confirm-yes');
    expect(node.last('remove_member')).toEqual({ type: 'remove_member', user: 'user-1', may_return: false });
    await fireEvent.click(await screen.findByTestId('lift-ban'));
    expect(node.last('lift_ban')?.user).toBe('user-1');
    await expect.poll(() => all('banned-row')).toEqual([]);
  });
});

describe('listening by oneself', () => {
  it('is begun and ended at an entry of the queue, by mouse and by key', async () => {
    const node = await open('room');
    await fireEvent.click(all('listen-alone')[1] as HTMLElement);
    expect(node.last('listen_alone')?.track).toBe('t2');
    expect((await screen.findByTestId('alone')).textContent).toContain('You listen to Tide Line by yourself');
    expect(get('waveform').dataset.track).toBe('t2');
    await press('alone-end');
    await expect.poll(() => all('alone').length).toBe(0);
    expect(get('waveform').dataset.track).toBe('t1');
    const entry = within(all('queue-row')[1] as HTMLElement).getAllByRole('group')[0] as HTMLElement;
    await fireEvent.keyDown(entry, { key: 'v' });
    await screen.findByTestId('alone');
    await fireEvent.keyDown(entry, { key: 'v' });
    await expect.poll(() => all('alone').length).toBe(0);
  });

  it('gives who may not steer the room buttons for what they hear', async () => {
    const node = await open('listener');
    expect((get('play') as HTMLButtonElement).disabled).toBe(true);
    node.setPlayer({ track: 't2', alone: true });
    await expect.poll(() => (get('play') as HTMLButtonElement).disabled).toBe(false);
    await press('play');
    expect(node.last('pause')).toBeTruthy();
  });

  it('shows where others are, on the waveform and in the list of people', async () => {
    const node = await open('room');
    const sync = (track: string) => node.app.sync.map((peer) => (peer.user === 'user-0' ? { ...peer, error_us: null, alone: { track, position_s: 148, playing: true } } : peer));
    node.emit({ type: 'sync_measured', peers: sync('t1') });
    await expect.poll(() => all('other-head').map((head) => head.dataset.user)).toEqual(['user-0']);
    expect(get('member-alone').textContent).toContain('2:28');
    expect(screen.getByTitle('Ben listens to Paper Lantern alone, at 2:28')).toBeTruthy();
    node.emit({ type: 'sync_measured', peers: sync('t2') });
    await expect.poll(() => all('other-head').length).toBe(0);
    expect(screen.getByTitle('Ben listens to Tide Line alone, at 2:28')).toBeTruthy();
  });
});
