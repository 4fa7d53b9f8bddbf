/**
 * Looking back at a room: its log, newest first and by kind, and the room as it was at the moment that is chosen.
 */
import { CallFailure, type Backend, type HistoryView, type LogEntryView, type LogKindView, type MomentView } from '../backend';
import { Latest } from './latest';

const PAGE = 100;

export class History {
  about = $state.raw<HistoryView | null>(null);
  entries = $state.raw<LogEntryView[]>([]);
  kinds = $state.raw<LogKindView[]>([]);
  /** The event after which the room is shown; null is now. */
  seq = $state<number | null>(null);
  moment = $state.raw<MomentView | null>(null);
  failure = $state.raw<CallFailure | null>(null);
  complete = $state(false);
  #loading = false;
  /** Each choice of kinds makes what was asked for before it void. */
  #asked = 0;

  readonly #travel = new Latest(async (seq: number) => {
    const moment = await this.#ask(async () => (await this.backend.call({ type: 'get_moment', seq })).moment);
    if (moment && this.seq !== null) this.moment = moment;
  });

  constructor(private readonly backend: Backend) {}

  async open(): Promise<void> {
    this.about = await this.#ask(async () => (await this.backend.call({ type: 'get_history' })).history);
    await this.#restart();
  }

  async choose(kind: LogKindView, wanted: boolean): Promise<void> {
    const others = this.kinds.filter((one) => one !== kind);
    this.kinds = wanted ? [...others, kind] : others;
    await this.#restart();
  }

  /** The room was changed: what is new stands at the top. */
  async goOn(): Promise<void> {
    const newest = this.entries[0]?.seq;
    if (this.about === null || newest === undefined || this.#loading) return;
    const asked = this.#asked;
    const about = await this.#ask(async () => (await this.backend.call({ type: 'get_history' })).history);
    const page = await this.#page(null);
    if (asked !== this.#asked || !about || !page) return;
    this.about = about;
    // More is new than a page holds: then the list begins again.
    const all = page.some((entry) => entry.seq <= newest) ? this.entries : [];
    if (all.length === 0) this.complete = page.length < PAGE;
    this.entries = [...page.filter((entry) => all.length === 0 || entry.seq > newest), ...all];
  }

  async earlier(): Promise<void> {
    const last = this.entries.at(-1);
    if (this.#loading || this.complete || !last) return;
    await this.#load(last.seq);
  }

  /** To any moment; null is now. */
  travel(seq: number | null): void {
    const head = this.about?.head ?? 0;
    this.seq = seq === null || seq >= head ? null : Math.max(1, seq);
    if (this.seq === null) this.moment = null;
    else void this.#travel.set(this.seq);
  }

  async #restart(): Promise<void> {
    this.#asked += 1;
    this.#loading = false;
    this.complete = false;
    await this.#load(null);
  }

  async #load(before: number | null): Promise<void> {
    this.#loading = true;
    const asked = this.#asked;
    const page = await this.#page(before);
    if (asked !== this.#asked) return;
    this.#loading = false;
    if (!page) return;
    this.entries = before === null ? page : [...this.entries, ...page];
    this.complete = page.length < PAGE;
  }

  #page(before: number | null): Promise<LogEntryView[] | null> {
    return this.#ask(async () => (await this.backend.call({ type: 'get_log', before_seq: before, limit: PAGE, kinds: this.kinds })).entries);
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      const found = await ask();
      this.failure = null;
      return found;
    } catch (cause) {
      this.failure = CallFailure.from(cause);
      return null;
    }
  }
}
