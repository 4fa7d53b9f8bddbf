/**
 * What the window itself shows: which screen, which dialog, which tab. The node knows nothing of it.
 */
import type { CallFailure, TrackView } from '../backend';
import type { View } from '../pure/timeline';

export type Dialog =
  | { type: 'host' }
  /** With what kept one out, if that was tried. */
  | { type: 'join'; link: string; failure?: CallFailure }
  | { type: 'room_settings' }
  | { type: 'invite' }
  | { type: 'settings' }
  | { type: 'leave' }
  | { type: 'shortcuts' }
  | { type: 'add_to_playlist'; tracks: string[]; title: string | null }
  | { type: 'rename_playlist'; playlist: number; name: string }
  | { type: 'delete_playlist'; playlist: number; name: string }
  | { type: 'save_queue' }
  | { type: 'remove_member'; user: string; name: string };

/** How far each room's chat was read, kept in this window's own storage. */
const READ_KEY = 'read:';
/** The part of a track that was looked at last, kept there too. */
const VIEW_KEY = 'view';

export class Window {
  screen = $state<'library' | 'room' | 'history'>('library');
  dialog = $state.raw<Dialog | null>(null);
  /** The menu of a track, at a place of the window. */
  menu = $state.raw<{ track: TrackView; place: number; x: number; y: number } | null>(null);
  /** What the shown list is called, where only the window knows. */
  listTitle = $state('');
  /** The right region, where the window is too narrow to show it always. */
  sideOpen = $state(false);
  sideTab = $state<'chat' | 'notes'>('chat');
  /** Whether what is said now is on screen at once. */
  chatInSight = $state(false);
  /** What was said up to here has been on screen. */
  readSeq = $state(0);
  /** Where the line between what was read and what is new stands, if it stands. */
  newAfterSeq = $state<number | null>(null);
  /** What was missed before one came back at this time has been looked at, or put away. */
  missedUntilMs = $state<number | null>(null);
  /** Moment of the track that a comment is being written for. */
  commentAtS = $state<number | null>(null);
  #room: string | null = null;

  /** In another room, or in none: what was read there before is read. Where one never was, all so far is. */
  enter(room: string | null, newestSeq: number): void {
    this.#room = room;
    const kept = room === null ? null : localStorage.getItem(READ_KEY + room);
    this.readSeq = kept === null ? newestSeq : Math.min(Number(kept) || 0, newestSeq);
    this.newAfterSeq = null;
    this.commentAtS = null;
  }

  /** What was said up to here is on screen now. */
  read(seq: number): void {
    if (seq <= this.readSeq) return;
    this.readSeq = seq;
    if (this.#room !== null) localStorage.setItem(READ_KEY + this.#room, String(seq));
  }

  /** Remembers which part of a track is looked at; null is the whole. */
  keepView(track: string, view: View | null): void {
    if (view) localStorage.setItem(VIEW_KEY, JSON.stringify({ track, ...view }));
    else localStorage.removeItem(VIEW_KEY);
  }

  /** The part of a track that was looked at last, if it was that track. What is kept may be anything. */
  keptView(track: string): View | null {
    try {
      const kept = JSON.parse(localStorage.getItem(VIEW_KEY) ?? 'null') as (Partial<View> & { track?: string }) | null;
      const { fromS, toS } = kept ?? {};
      if (kept?.track !== track || typeof fromS !== 'number' || typeof toS !== 'number' || !(fromS >= 0 && toS > fromS)) return null;
      return { fromS, toS };
    } catch {
      return null;
    }
  }

  open(dialog: Dialog): void {
    this.dialog = dialog;
  }

  close(): void {
    this.dialog = null;
  }
}
