/**
 * The one way from the window to a node. What is above this folder knows neither Tauri nor sockets.
 */
import type { CallError, NodeEvent, Request, Response } from './generated/bridge';

/** The answer that belongs to a request, where a request has one of its own; else `done`. */
type Answers = {
  get_app: 'app';
  open_files: 'tracks';
  list_tracks: 'track_page';
  get_track: 'track';
  get_waveform: 'waveform';
  get_picture: 'picture';
  get_analysis: 'analysis';
  list_devices: 'devices';
  list_microphones: 'devices';
  calibrate: 'calibration';
  create_invite: 'link';
  get_invite_link: 'link';
  get_chat: 'chat';
  get_log: 'log';
  get_history: 'history';
  get_moment: 'moment';
  export_log: 'saved';
  doctor: 'doctor';
  make_portrait: 'portrait';
  get_portrait: 'portrait';
  get_network: 'network';
  test_network: 'doctor';
};

export type ResponseTo<R extends Request> = Extract<
  Response,
  { type: R['type'] extends keyof Answers ? Answers[R['type']] : 'done' }
>;

/** Whether the node can be heard at all. Not the room's connection: that is part of the room. */
export type LinkStatus = 'open' | 'lost';

export type Unsubscribe = () => void;

export type DropEvent =
  | { type: 'over' }
  | { type: 'leave' }
  | { type: 'drop'; paths: string[] };

/** Files of this machine, where the window can name them by path. */
export interface FileAccess {
  /** Lets the user choose files. Empty when none were chosen. */
  pick(): Promise<string[]>;
  /** Lets the user choose where a new file goes. Null when none was chosen. */
  choosePlace(name: string): Promise<string | null>;
  /** Lets the user choose a picture. Null when none was chosen. */
  pickPicture(): Promise<string | null>;
  /** Lets the user choose a folder. Null when none was chosen. */
  pickFolder(): Promise<string | null>;
  onDrop(listener: (event: DropEvent) => void): Promise<Unsubscribe>;
}

export interface Backend {
  /** Rejects with a {@link CallFailure}, and with nothing else. */
  call<R extends Request>(request: R): Promise<ResponseTo<R>>;
  subscribe(listener: (event: NodeEvent) => void): Promise<Unsubscribe>;
  /** Tells when the node is lost and found again; whoever listens must then ask for everything anew. */
  onStatus(listener: (status: LinkStatus) => void): Unsubscribe;
  /** Opens a web address in the system's browser. */
  openLink(address: string): Promise<void>;
  /** Lets the desktop say something; null where the window has no way to. */
  readonly notify: ((title: string, message: string) => Promise<void>) | null;
  /** Null where the node may run on another machine than the window. */
  readonly files: FileAccess | null;
}

/** Why a call failed, with a stable code for the program and a sentence for the person. */
export class CallFailure extends Error implements CallError {
  override readonly name = 'CallFailure';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  static from(cause: unknown): CallFailure {
    if (cause instanceof CallFailure) return cause;
    if (isCallError(cause)) return new CallFailure(cause.code, cause.message);
    const message = cause instanceof Error ? cause.message : String(cause);
    return new CallFailure('internal', message);
  }
}

function isCallError(value: unknown): value is CallError {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Record<string, unknown>;
  return typeof code === 'string' && typeof message === 'string';
}
