/**
 * A list of tracks of which only the parts in sight are here: searched and sorted by the node, fetched page by page.
 */
import { CallFailure, type Backend, type ReadAsView, type TrackList, type TrackOrder, type TrackPageView, type TrackView } from '../backend';
import { Latest } from './latest';

const PAGE_ROWS = 100;
/** Pages that are kept: what is in sight, and some of the way back. */
const PAGES_KEPT = 12;
/** Asked for at a time, so that who pulls the list along waits for what is in sight at the end, and for nothing that went by. */
const ASKED_MOST = 2;

type Page = [page: number, rows: TrackView[]];
type Pages = readonly Page[];

export interface Wanted {
  list: TrackList;
  search: string;
  order: TrackOrder | null;
}

export class Tracks {
  wanted = $state.raw<Wanted>({ list: { type: 'all' }, search: '', order: null });
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  total = $state(0);
  readAs = $state.raw<ReadAsView[]>([]);
  /** Why the list is not what was asked for. What was there before stays. */
  failure = $state.raw<CallFailure | null>(null);

  #pages = $state.raw<Pages>([]);
  #inSight = { first: 0, end: 1 };
  #asked: number[] = [];
  readonly #renewal = new Latest((wanted: Wanted) => this.#renew(wanted));

  constructor(private readonly backend: Backend) {}

  row(index: number): TrackView | undefined {
    return this.#rows(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  }

  /** Another list, search or order, from its beginning. */
  want(change: Partial<Wanted>): Promise<void> {
    this.wanted = { ...this.wanted, ...change };
    this.#inSight = { first: 0, end: 1 };
    return this.#renewal.set(this.wanted);
  }

  /** The same again, as the library is now. */
  reload(): Promise<void> {
    // Another object, so that what is asked already is not taken for the answer to this.
    return this.#renewal.set({ ...this.wanted });
  }

  /** These rows are in sight. */
  see(first: number, end: number): void {
    this.#inSight = { first, end };
    for (const page of pagesOf(first, end)) if (!this.#rows(page) && this.#asked.length < ASKED_MOST) void this.#fetch(page);
  }

  change(track: TrackView): void {
    if (!this.#pages.some(([, rows]) => rows.some((row) => row.id === track.id))) return;
    this.#pages = this.#pages.map(([page, rows]) => [page, rows.map((row) => (row.id === track.id ? track : row))]);
  }

  #rows(page: number): TrackView[] | undefined {
    return this.#pages.find(([at]) => at === page)?.[1];
  }

  /** Fetches all that is in sight anew; what is out of sight is forgotten. */
  async #renew(wanted: Wanted): Promise<void> {
    const { first, end } = this.#inSight;
    try {
      const pages = await Promise.all(pagesOf(first, end).map(async (page) => [page, await this.#ask(wanted, page)] as const));
      this.#asked = [];
      this.#pages = pages.map(([page, answer]) => [page, answer.rows]);
      const [, one] = pages[0] ?? [];
      this.total = one?.total ?? 0;
      this.readAs = one?.read_as ?? [];
      this.failure = null;
      this.phase = 'ready';
    } catch (cause) {
      this.failure = CallFailure.from(cause);
      if (this.phase === 'loading') this.phase = 'failed';
    }
  }

  async #fetch(page: number): Promise<void> {
    if (this.#asked.includes(page)) return;
    this.#asked = [...this.#asked, page];
    const wanted = this.wanted;
    try {
      const answer = await this.#ask(wanted, page);
      if (this.wanted !== wanted) return;
      this.total = answer.total;
      const others = this.#pages.filter(([at]) => at !== page);
      this.#pages = [...others.slice(1 - PAGES_KEPT), [page, answer.rows]];
    } catch (cause) {
      this.failure = CallFailure.from(cause);
      return;
    } finally {
      this.#asked = this.#asked.filter((asked) => asked !== page);
    }
    this.see(this.#inSight.first, this.#inSight.end);
  }

  async #ask(wanted: Wanted, page: number): Promise<TrackPageView> {
    const request = { type: 'list_tracks', ...wanted, from: page * PAGE_ROWS, count: PAGE_ROWS } as const;
    return (await this.backend.call(request)).page;
  }
}

function pagesOf(first: number, end: number): number[] {
  const from = Math.floor(first / PAGE_ROWS);
  const to = Math.floor(Math.max(first, end - 1) / PAGE_ROWS);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
