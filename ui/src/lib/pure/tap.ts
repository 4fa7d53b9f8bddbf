/**
 * A tempo from taps.
 */

/** After a pause of this long a tap begins anew. */
const PAUSE_MS = 2_500;
/** Fewer say too little. */
const TAPS_LEAST = 4;
/** The last of them count: who taps gets better. */
const TAPS_MOST = 16;

/** The taps that count, after one more. */
export function tapped(taps: number[], nowMs: number): number[] {
  const last = taps.at(-1);
  if (last !== undefined && nowMs - last > PAUSE_MS) return [nowMs];
  return [...taps, nowMs].slice(-TAPS_MOST);
}

/** The slope of the straight line through the taps; null while there are too few, or where nobody taps so. */
export function tempoOf(taps: number[]): number | null {
  const n = taps.length;
  if (n < TAPS_LEAST) return null;
  const middle = (n - 1) / 2;
  const mean = taps.reduce((sum, tap) => sum + tap, 0) / n;
  const spread = taps.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  const period = taps.reduce((sum, tap, index) => sum + (index - middle) * (tap - mean), 0) / spread;
  const bpm = 60_000 / period;
  return bpm >= 20 && bpm <= 400 ? Math.round(bpm * 10) / 10 : null;
}

/** A beat moved by some milliseconds, as the nearest place of the same grid that lies in the track. */
export function shifted(firstBeatS: number, byMs: number, bpm: number): number {
  const period = 60 / bpm;
  const at = (firstBeatS + byMs / 1_000) % period;
  return at < 0 ? at + period : at;
}
