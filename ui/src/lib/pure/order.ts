/**
 * Moving an entry of a list by dragging it.
 */

/** Where an entry lands that was dragged `byPx` down (or, negative, up) over rows of one height. */
export function dropIndex(from: number, byPx: number, rowPx: number, count: number): number {
  return Math.min(count - 1, Math.max(0, from + Math.round(byPx / rowPx)));
}
