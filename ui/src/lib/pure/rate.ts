/**
 * How fast a file comes or goes, and how long it will take, from what is told now and then.
 */
export interface Pace {
  bytes: number;
  atMs: number;
  /** Null until two reports are far enough apart. */
  bytesPerS: number | null;
}

/** Reports closer together say more about the clock than about the line. */
const APART_MS = 250;
/** Share of a new measurement: steady enough to be read, quick enough to be true. */
const NEW_SHARE = 0.3;

export function pace(before: Pace | undefined, bytes: number, atMs: number): Pace {
  if (!before || bytes < before.bytes) return { bytes, atMs, bytesPerS: null };
  const elapsedMs = atMs - before.atMs;
  if (elapsedMs < APART_MS) return before;
  const now = ((bytes - before.bytes) * 1_000) / elapsedMs;
  return { bytes, atMs, bytesPerS: before.bytesPerS === null ? now : before.bytesPerS * (1 - NEW_SHARE) + now * NEW_SHARE };
}

/** Seconds to go; null while nobody can tell. */
export function secondsLeft(known: Pace | undefined, bytesTotal: number): number | null {
  if (!known?.bytesPerS) return null;
  return Math.max(0, (bytesTotal - known.bytes) / known.bytesPerS);
}
