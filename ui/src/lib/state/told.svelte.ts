/**
 * What the person wants to be told of, and the telling. Kept in this window's own storage.
 */
import { t } from '../i18n';
import type { ChatMessageView, PlayerView, RoomView } from '../backend';
import { arrivals, finishedAnalyses, knocking } from '../pure/changes';
import { mentions } from '../pure/chat';
import type { Notices } from './notices.svelte';

export const TOLD = ['joined', 'knocked', 'mention', 'analysed', 'playing', 'outside'] as const;
export type Told = (typeof TOLD)[number];

const KEY = 'told';
/** Who skips through tracks is told of the one that stays. */
const STAYS_MS = 1_000;

export class ToldOf {
  #off = $state.raw<Told[]>([]);
  #heard: string | null = null;
  #next: ReturnType<typeof setTimeout> | undefined;

  /** `outside` tells while somebody looks elsewhere: a title and what happened. */
  constructor(
    private readonly storage: Pick<Storage, 'getItem' | 'setItem'>,
    private readonly notices: Notices,
    private readonly outside: (title: string, message: string) => void,
  ) {
    const kept = storage.getItem(KEY)?.split(',') ?? [];
    this.#off = TOLD.filter((one) => kept.includes(one));
  }

  has(what: Told): boolean {
    return !this.#off.includes(what);
  }

  set(what: Told, wanted: boolean): void {
    this.#off = TOLD.filter((one) => (one === what ? !wanted : !this.has(one)));
    this.storage.setItem(KEY, this.#off.join(','));
  }

  /** The room is another than it was. `shown` is the track in sight: what is found out about it is seen there. */
  changed(before: RoomView, now: RoomView, shown: string | null): void {
    for (const name of arrivals(before, now)) this.#tell('joined', t.told.joined(name), now);
    for (const { id, title } of finishedAnalyses(before, now)) this.#tell('analysed', t.told.analysed(title), now, id === shown);
    // In the window they stand at the door, in sight on every screen.
    for (const name of knocking(before, now)) this.#outside('knocked', now.settings.name, t.told.knocks(name));
  }

  /** What plays is in sight in the window: the desktop alone tells of it. What played when the window opened is no news. */
  plays({ state, track, title, artist }: PlayerView, opening: boolean): void {
    if (!opening && state !== 'playing') return;
    const another = track !== this.#heard;
    this.#heard = track;
    if (opening || !another || title === null) return;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#outside('playing', title, artist ?? t.common.unknownArtist), STAYS_MS);
  }

  /** Others said something new, in sight where the chat is. */
  said(messages: ChatMessageView[], room: RoomView, names: string[], inSight: boolean): void {
    const me = room.members.find((member) => member.user === room.me)?.name;
    for (const message of messages) {
      if (me !== undefined && message.author !== room.me && mentions(message.text, me, names)) this.#tell('mention', `${message.author_name}: ${message.text}`, room, inSight);
    }
  }

  #tell(what: Told, message: string, room: RoomView, inSight = false): void {
    if (!this.has(what)) return;
    if (!inSight) this.notices.add('info', what, message);
    this.#outside(what, room.settings.name, message);
  }

  #outside(what: Told, title: string, message: string): void {
    if (this.has(what) && this.has('outside') && !document.hasFocus()) this.outside(title, message);
  }
}
