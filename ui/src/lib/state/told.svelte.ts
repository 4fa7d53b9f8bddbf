/**
 * What of a room the person wants to be told of, and the telling. Kept in this window's own storage.
 */
import { t } from '../i18n';
import type { ChatMessageView, RoomView } from '../backend';
import { arrivals, finishedAnalyses, knocking } from '../pure/changes';
import { mentions } from '../pure/chat';
import type { Notices } from './notices.svelte';

export const TOLD = ['joined', 'knocked', 'mention', 'analysed', 'outside'] as const;
export type Told = (typeof TOLD)[number];

const KEY = 'told';

export class ToldOf {
  #off = $state.raw<Told[]>([]);

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

  /** The room is another than it was. */
  changed(before: RoomView, now: RoomView): void {
    for (const name of arrivals(before, now)) this.#tell('joined', t.told.joined(name), now);
    for (const title of finishedAnalyses(before, now)) this.#tell('analysed', t.told.analysed(title), now);
    // In the window they stand at the door, in sight on every screen.
    for (const name of knocking(before, now)) this.#tellOutside('knocked', t.told.knocks(name), now);
  }

  /** Others said something new. */
  said(messages: ChatMessageView[], room: RoomView, names: string[]): void {
    const me = room.members.find((member) => member.user === room.me)?.name;
    for (const message of messages) {
      if (me !== undefined && message.author !== room.me && mentions(message.text, me, names)) this.#tell('mention', `${message.author_name}: ${message.text}`, room);
    }
  }

  #tell(what: Told, message: string, room: RoomView): void {
    if (!this.has(what)) return;
    this.notices.add('info', what, message);
    this.#tellOutside(what, message, room);
  }

  #tellOutside(what: Told, message: string, room: RoomView): void {
    if (this.has(what) && this.has('outside') && !document.hasFocus()) this.outside(room.settings.name, message);
  }
}
