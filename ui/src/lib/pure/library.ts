/**
 * Which tracks a library shows, and in which order.
 */

export interface Row {
  id: string;
  title: string;
  artist: string | null;
  album: string | null;
  duration_s: number;
  tempo: { bpm: number } | null;
  key: { camelot: string; name: string } | null;
  energy: number | null;
}

export type Column = 'title' | 'artist' | 'duration' | 'bpm' | 'key' | 'energy';

export interface Order {
  by: Column;
  down: boolean;
}

/** Every word must be found somewhere; case and accents do not matter. */
export function matching<T extends Row>(rows: T[], words: string): T[] {
  const wanted = plain(words).split(/\s+/u).filter(Boolean);
  if (wanted.length === 0) return rows;
  return rows.filter((row) => {
    const text = plain([row.title, row.artist, row.album, row.key?.camelot, row.key?.name].join(' '));
    return wanted.every((word) => text.includes(word));
  });
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}

/** What is not known comes last, whichever way round. */
export function sorted<T extends Row>(rows: T[], order: Order | null): T[] {
  if (!order) return rows;
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  const sign = order.down ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [valueOf(a, order.by), valueOf(b, order.by)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    const found = typeof left === 'number' && typeof right === 'number' ? left - right : collator.compare(String(left), String(right));
    return sign * found;
  });
}

function valueOf(row: Row, column: Column): string | number | null {
  switch (column) {
    case 'title': return row.title;
    case 'artist': return row.artist;
    case 'duration': return row.duration_s > 0 ? row.duration_s : null;
    case 'bpm': return row.tempo?.bpm ?? null;
    case 'key': return row.key?.camelot ?? null;
    case 'energy': return row.energy;
  }
}

/** The next order when a column's head is pressed: up, down, as it was. */
export function nextOrder(order: Order | null, by: Column): Order | null {
  if (order?.by !== by) return { by, down: false };
  return order.down ? null : { by, down: true };
}

export interface Slice {
  first: number;
  end: number;
}

/** Rows to draw for a scroll position, some more on both sides so that fast scrolling shows no gap. */
export function visible(count: number, scrollPx: number, tallPx: number, rowPx: number, spare = 12): Slice {
  const first = Math.max(0, Math.floor(scrollPx / rowPx) - spare);
  const end = Math.min(count, Math.ceil((scrollPx + tallPx) / rowPx) + spare);
  return { first: Math.min(first, end), end };
}
