/**
 * What the user is told once. The same thing said again replaces what was said before.
 */
import type { CallFailure, NoticeLevel } from '../backend';

export interface Notice {
  id: number;
  level: NoticeLevel;
  code: string;
  message: string;
}

/** Long enough to read two lines. Warnings and errors stay until they are dismissed. */
const INFO_STAYS_MS = 6_000;
const MOST = 4;
/** Why one is not in a room any more, by code. */
const ENDS = new Set(['room_closed', 'sent_out', 'removed', 'left', 'ended']);

export class Notices {
  list = $state.raw<Notice[]>([]);
  #next = 1;

  add(level: NoticeLevel, code: string, message: string): void {
    const notice = { id: this.#next++, level, code, message };
    const others = this.list.filter((other) => other.code !== code || other.message !== message);
    this.list = [...others, notice].slice(-MOST);
    if (level === 'info') setTimeout(() => this.dismiss(notice.id), INFO_STAYS_MS);
  }

  /** Why one is not in the room before any more, until that is dismissed. */
  get end(): Notice | undefined {
    return this.list.findLast((notice) => ENDS.has(notice.code));
  }

  /** What one gave up oneself is no news, nor that a room which one is not in any more has ended. */
  fail(failure: CallFailure, inRoom = true): void {
    if (failure.code === 'join_stopped' || (failure.code === 'ended' && !inRoom)) return;
    this.add('error', failure.code, failure.message);
  }

  /** One is in a room: how the one before ended is old news. */
  forgetEnds(): void {
    this.list = this.list.filter((notice) => !ENDS.has(notice.code));
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }
}
