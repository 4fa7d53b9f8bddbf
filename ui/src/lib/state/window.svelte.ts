/**
 * What the window itself shows: which screen, which dialog, which tab. The node knows nothing of it.
 */
export type Dialog =
  | { type: 'host' }
  | { type: 'join'; link: string }
  | { type: 'room_settings' }
  | { type: 'settings' }
  | { type: 'leave' }
  | { type: 'shortcuts' }
  | { type: 'remove_member'; user: string; name: string };

export class Window {
  screen = $state<'library' | 'room'>('library');
  dialog = $state.raw<Dialog | null>(null);
  /** The right region, where the window is too narrow to show it always. */
  sideOpen = $state(false);
  sideTab = $state<'chat' | 'notes'>('chat');
  /** What was said up to here has been on screen. */
  readSeq = $state(0);
  /** Moment of the track that a comment is being written for. */
  commentAtS = $state<number | null>(null);

  open(dialog: Dialog): void {
    this.dialog = dialog;
  }

  close(): void {
    this.dialog = null;
  }
}
