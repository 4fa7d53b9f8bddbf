/**
 * How the library is shown: its columns, and how keys are written.
 */
import { USUAL_COLUMNS, type Column } from '../pure/library';
import type { KeyNotation } from '../pure/music';

export class Look {
  columns = $state.raw<Column[]>(USUAL_COLUMNS);
  notation = $state<KeyNotation>('camelot');

  toggle(column: Column): void {
    const shown = this.columns.includes(column);
    this.columns = shown ? this.columns.filter((other) => other !== column) : [...this.columns, column];
  }
}
