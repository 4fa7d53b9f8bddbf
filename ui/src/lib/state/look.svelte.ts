/**
 * How the library is shown: its columns, and how keys are written. Kept by the node, with the list that is shown, so that
 * one finds it as one left it.
 */
import type { Backend, LibraryLookView } from '../backend';
import { USUAL_COLUMNS, type Column } from '../pure/library';
import type { KeyNotation } from '../pure/music';

/** What is typed or pressed in a run is kept once. */
const KEEP_AFTER_MS = 600;

export class Look {
  columns = $state.raw<Column[]>(USUAL_COLUMNS);
  notation = $state<KeyNotation>('camelot');
  covers = $state(false);

  #kept = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly backend: Backend) {}

  toggle(column: Column): void {
    const shown = this.columns.includes(column);
    this.columns = shown ? this.columns.filter((other) => other !== column) : [...this.columns, column];
  }

  take(look: LibraryLookView): void {
    this.columns = look.columns;
    this.notation = look.notation;
    this.covers = look.covers;
    this.#kept = JSON.stringify(look);
  }

  /** Keeps it soon, unless it is kept already. What cannot be kept is no trouble to anybody now. */
  keep(look: LibraryLookView): void {
    clearTimeout(this.#timer);
    const text = JSON.stringify(look);
    if (text === this.#kept) return;
    this.#timer = setTimeout(() => {
      this.#kept = text;
      void this.backend.call({ type: 'keep_look', look }).catch(() => {});
    }, KEEP_AFTER_MS);
  }
}
