/**
 * A headless node's control API: JSON text frames over one WebSocket, which is opened anew when it is lost.
 * A call whose answer was lost with its connection is never repeated by itself: it fails, and the user decides.
 */
import { CallFailure, type Backend, type LinkStatus, type ResponseTo, type Unsubscribe } from './backend';
import type { CallError, NodeEvent, Request, Response } from './generated/bridge';

type Frame =
  | { id: number; response: Response }
  | { id: number; error: CallError }
  | { event: NodeEvent };

interface Pending {
  resolve(response: Response): void;
  reject(failure: CallFailure): void;
}

/** Back-off: short enough that a restarted node is found at once, bounded so that a dead one costs nothing. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

export type SocketFactory = (url: string) => WebSocket;

export class WebSocketBackend implements Backend {
  readonly files = null;
  readonly notify = null;

  #socket: WebSocket | null = null;
  #nextId = 1;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;
  #waiting: string[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #statusListeners = new Set<(status: LinkStatus) => void>();

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly connect: SocketFactory = (address) => new WebSocket(address),
  ) {
    this.#open();
  }

  call<R extends Request>(request: R): Promise<ResponseTo<R>> {
    const id = this.#nextId++;
    const frame = JSON.stringify({ id, request });
    return new Promise<ResponseTo<R>>((resolve, reject) => {
      this.#pending.set(id, { resolve: (response) => resolve(response as ResponseTo<R>), reject });
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame);
      else this.#waiting.push(frame);
    });
  }

  async subscribe(listener: (event: NodeEvent) => void): Promise<Unsubscribe> {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async openLink(address: string): Promise<void> {
    window.open(address, '_blank', 'noopener,noreferrer');
  }

  onStatus(listener: (status: LinkStatus) => void): Unsubscribe {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #open(): void {
    const socket = this.connect(this.url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS;
      socket.send(JSON.stringify({ token: this.token }));
      for (const frame of this.#waiting.splice(0)) socket.send(frame);
      this.#tell('open');
    };
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = () => this.#lost();
  }

  #receive(data: unknown): void {
    const frame = parse(data);
    if (frame === null) return;
    if ('event' in frame) {
      for (const listener of this.#listeners) listener(frame.event);
      return;
    }
    const pending = this.#pending.get(frame.id);
    this.#pending.delete(frame.id);
    if ('error' in frame) pending?.reject(CallFailure.from(frame.error));
    else pending?.resolve(frame.response);
  }

  #lost(): void {
    this.#waiting = [];
    const failure = new CallFailure('node_unreachable', 'The node does not answer. Is it still running?');
    for (const pending of this.#pending.values()) pending.reject(failure);
    this.#pending.clear();
    if (this.#closed) return;
    this.#tell('lost');
    setTimeout(() => !this.#closed && this.#open(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  #tell(status: LinkStatus): void {
    for (const listener of this.#statusListeners) listener(status);
  }
}

/** Null for what is no frame of this protocol: a newer node may send more than we know. */
function parse(data: unknown): Frame | null {
  if (typeof data !== 'string') return null;
  try {
    const frame: unknown = JSON.parse(data);
    if (typeof frame !== 'object' || frame === null) return null;
    if ('event' in frame) return frame as Frame;
    return 'id' in frame && ('response' in frame || 'error' in frame) ? (frame as Frame) : null;
  } catch {
    return null;
  }
}
