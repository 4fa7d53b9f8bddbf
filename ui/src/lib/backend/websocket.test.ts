import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CallFailure } from './backend';
import { WebSocketBackend } from './websocket';

class MockSocket {
  readyState: number = WebSocket.CONNECTING;
  readonly sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.();
  }

  accept() {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }

  say(frame: unknown) {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }
}

const sockets: MockSocket[] = [];
const newest = () => sockets.at(-1) as MockSocket;

function backend(): WebSocketBackend {
  return new WebSocketBackend('ws://127.0.0.1:1/control', 'secret', () => {
    sockets.push(new MockSocket());
    return newest() as unknown as WebSocket;
  });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  sockets.length = 0;
});

describe('the control API over a socket', () => {
  it('says its token first, then what was asked before it was open', async () => {
    const node = backend();
    const answer = node.call({ type: 'pause' });
    newest().accept();
    expect(newest().sent).toEqual([{ token: 'secret' }, { id: 1, request: { type: 'pause' } }]);
    newest().say({ id: 1, response: { type: 'done' } });
    await expect(answer).resolves.toEqual({ type: 'done' });
  });

  it('gives each answer to its own question, in whatever order they come', async () => {
    const node = backend();
    newest().accept();
    const [link, devices] = [node.call({ type: 'create_invite', role: 'dj', expires_in_s: 60 }), node.call({ type: 'list_devices' })];
    newest().say({ id: 2, response: { type: 'devices', devices: [] } });
    newest().say({ id: 1, response: { type: 'link', link: 'synxsphere://x', invite: 'i' } });
    expect((await devices).devices).toEqual([]);
    expect((await link).link).toBe('synxsphere://x');
  });

  it('rejects with code and message of the node', async () => {
    const node = backend();
    newest().accept();
    const answer = node.call({ type: 'pause' });
    newest().say({ id: 1, error: { code: 'not_allowed', message: 'Only the host may pause.' } });
    await expect(answer).rejects.toMatchObject({ code: 'not_allowed', message: 'Only the host may pause.' });
  });

  it('hands events to all who listen until they stop', async () => {
    const node = backend();
    newest().accept();
    const [heard, alsoHeard] = [vi.fn(), vi.fn()];
    const stop = await node.subscribe(heard);
    await node.subscribe(alsoHeard);
    newest().say({ event: { type: 'lan_rooms_changed', rooms: [] } });
    stop();
    newest().say({ event: { type: 'transfers_changed', transfers: [] } });
    expect(heard).toHaveBeenCalledExactlyOnceWith({ type: 'lan_rooms_changed', rooms: [] });
    expect(alsoHeard).toHaveBeenCalledTimes(2);
  });

  it('outlives frames that are none of its own', async () => {
    const node = backend();
    newest().accept();
    const answer = node.call({ type: 'pause' });
    for (const strange of ['', '{', 'null', '[1]', '{"hello":1}', '{"id":99,"response":{"type":"done"}}']) newest().say(strange);
    newest().say({ id: 1, response: { type: 'done' } });
    await expect(answer).resolves.toEqual({ type: 'done' });
  });
});

describe('a lost node', () => {
  it('fails what was under way, tells so, and is looked for again with growing pauses', async () => {
    const node = backend();
    const status = vi.fn();
    node.onStatus(status);
    newest().accept();
    const failure = node.call({ type: 'pause' }).catch((cause: CallFailure) => cause.code);
    newest().close();
    expect(await failure).toBe('node_unreachable');
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
    newest().close();
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(2);
    vi.advanceTimersByTime(250);
    expect(sockets).toHaveLength(3);
    newest().accept();
    expect(status.mock.calls.flat()).toEqual(['open', 'lost', 'lost', 'open']);
    expect(newest().sent).toEqual([{ token: 'secret' }]);
  });

  it('is not looked for once the window has closed the connection', () => {
    const node = backend();
    newest().accept();
    node.close();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });
});
