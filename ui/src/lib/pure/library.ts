/**
 * How a list of tracks is laid out: its columns, its order, and which of its rows are drawn.
 */
import type { KeyNotation } from './music';

export type Column =
  | 'title' | 'artist' | 'album' | 'duration' | 'bpm' | 'key' | 'energy' | 'loudness' | 'year' | 'added' | 'plays' | 'played';

export interface Order {
  by: Column;
  down: boolean;
}

interface ColumnKind {
  /** In rem. Text takes what is left over, by its share. */
  least: number;
  share?: number;
  number?: boolean;
}

/** In the order in which they stand. */
export const COLUMNS: Record<Column, ColumnKind> = {
  title: { least: 9, share: 5 },
  artist: { least: 7, share: 3 },
  album: { least: 7, share: 3 },
  year: { least: 3.25, number: true },
  duration: { least: 3.75, number: true },
  bpm: { least: 3.75, number: true },
  key: { least: 3.75 },
  energy: { least: 3.75, number: true },
  loudness: { least: 4.75, number: true },
  added: { least: 5.5 },
  plays: { least: 3.5, number: true },
  played: { least: 5.5 },
};

export const ALL_COLUMNS = Object.keys(COLUMNS) as Column[];
export const USUAL_COLUMNS: Column[] = ['title', 'artist', 'duration', 'bpm', 'key', 'energy'];

/** Which are given up first where there is no room for all. */
const GIVEN_UP: Column[] = ['played', 'plays', 'added', 'loudness', 'year', 'album', 'energy', 'duration', 'artist', 'key', 'bpm'];
const GAP_REM = 0.75;
/** What stands beside the columns: the edges and the actions. */
const BESIDE_REM = 3 + 2.5;

/** The chosen columns that there is room for, in their order. The title is always one. */
export function fitting(chosen: Column[], widthRem: number): Column[] {
  let columns = ALL_COLUMNS.filter((column) => column === 'title' || chosen.includes(column));
  const wide = () => columns.reduce((sum, column) => sum + COLUMNS[column].least + GAP_REM, BESIDE_REM);
  for (const column of GIVEN_UP) {
    if (wide() <= widthRem) break;
    columns = columns.filter((other) => other !== column);
  }
  return columns;
}

/** For `grid-template-columns`. */
export function template(columns: Column[], notation: KeyNotation): string {
  const width = (column: Column) => {
    const { least, share } = COLUMNS[column];
    if (column === 'key' && notation === 'musical') return '5.25rem';
    return share ? `minmax(${least}rem, ${share}fr)` : `${least}rem`;
  };
  return [...columns.map(width), '2.5rem'].join(' ');
}

/** The next order when a column's head is pressed: up, down, as it was. */
export function nextOrder(order: Order | null, by: Column): Order | null {
  if (order?.by !== by) return { by, down: false };
  return order.down ? null : { by, down: true };
}

/** Where a key leads from a row; null for a key that leads nowhere. */
export function nextRow(key: string, row: number, count: number, inSight: number): number | null {
  const to = { ArrowDown: row + 1, ArrowUp: row - 1, PageDown: row + inSight, PageUp: row - inSight, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : Math.min(Math.max(0, to), Math.max(0, count - 1));
}

/** Rows that are drawn beyond either edge, so that a quick turn of the wheel meets no gap. */
const SPARE = 6;

/** How many rows are drawn of a list that is `tallPx` in sight: as many wherever it stands. */
export function drawnRows(count: number, tallPx: number, rowPx: number, spare = SPARE): number {
  return Math.min(count, Math.ceil(tallPx / rowPx) + 1 + 2 * spare);
}

/** The first of them for a scroll position. */
export function firstDrawn(count: number, drawn: number, scrollPx: number, rowPx: number, spare = SPARE): number {
  return Math.max(0, Math.min(Math.floor(scrollPx / rowPx) - spare, count - drawn));
}

/**
 * The row that one of the drawn shows: as the list moves on, what has left it on one side comes in on the other, and all else
 * stays as it is.
 */
export function rowIn(place: number, first: number, drawn: number): number {
  return first + ((place - (first % drawn) + drawn) % drawn);
}
