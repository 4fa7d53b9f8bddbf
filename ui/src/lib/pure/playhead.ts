/**
 * Where the music is between two reports of the node.
 */
import { folded, type Loop } from './loop';

export interface Anchor {
  positionS: number;
  /** When that was heard, on the window's own clock (`performance.now()`). */
  atMs: number;
  playing: boolean;
  durationS: number;
  /** What is repeated from the position on; a position behind it plays to the end. */
  loop: Loop | null;
}

export const NOTHING: Anchor = { positionS: 0, atMs: 0, playing: false, durationS: 0, loop: null };

/** Reports come through an event queue and are some milliseconds old: less than this is jitter, not a seek. */
const JITTER_S = 0.06;
/** Share of a jitter that one report corrects: a few reports later the mean is right, and no step was seen. */
const CORRECTION = 0.2;
/** A seek is carried out a little ahead in room time; older positions that arrive meanwhile are not gone back to. */
const SEEK_SETTLES_MS = 1_200;
const SEEK_NEAR_S = 0.75;

export function positionAt(anchor: Anchor, nowMs: number): number {
  const moved = anchor.playing ? Math.max(0, nowMs - anchor.atMs) / 1_000 : 0;
  const loop = anchor.loop && anchor.positionS < anchor.loop.end_s ? anchor.loop : null;
  return Math.min(Math.max(0, folded(anchor.positionS + moved, loop)), anchor.durationS);
}

export interface Wish {
  positionS: number;
  atMs: number;
}

/** True while a report may still be from before the seek that was asked for. */
export function isStale(reportedS: number, wish: Wish | null, nowMs: number): boolean {
  if (!wish || nowMs - wish.atMs > SEEK_SETTLES_MS) return false;
  return Math.abs(reportedS - wish.positionS - (nowMs - wish.atMs) / 1_000) > SEEK_NEAR_S;
}

/** Takes a report in, smoothly where it differs by no more than jitter. */
export function follow(anchor: Anchor, report: Omit<Anchor, 'atMs'>, nowMs: number): Anchor {
  const expected = positionAt(anchor, nowMs);
  const off = report.positionS - expected;
  const smooth = anchor.playing && report.playing && Math.abs(off) < JITTER_S;
  return { ...report, atMs: nowMs, positionS: smooth ? expected + off * CORRECTION : report.positionS };
}
