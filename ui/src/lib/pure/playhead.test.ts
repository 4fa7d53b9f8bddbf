import { describe, expect, it } from 'vitest';
import { follow, isStale, positionAt, type Anchor } from './playhead';

const PLAYING: Anchor = { positionS: 10, atMs: 1_000, playing: true, durationS: 60, loop: null };

describe('the playhead', () => {
  it('moves with time while it plays, and only then', () => {
    expect(positionAt(PLAYING, 3_500)).toBe(12.5);
    expect(positionAt({ ...PLAYING, playing: false }, 3_500)).toBe(10);
  });

  it('stops at the end and never goes before the start', () => {
    expect(positionAt(PLAYING, 1e9)).toBe(60);
    expect(positionAt({ ...PLAYING, positionS: -3 }, 1_000)).toBe(0);
  });

  it('goes round in a loop, unless it began behind it', () => {
    const loop = { begin_s: 8, end_s: 12 };
    expect(positionAt({ ...PLAYING, loop }, 3_500)).toBe(8.5);
    expect(positionAt({ ...PLAYING, positionS: 12, loop }, 3_500)).toBe(14.5);
  });

  it('takes jitter in without a step, and settles on what is reported', () => {
    let anchor = PLAYING;
    for (let report = 1; report <= 40; report++) {
      const nowMs = 1_000 + report * 250;
      const before = positionAt(anchor, nowMs);
      anchor = follow(anchor, { positionS: 10.04 + report * 0.25, playing: true, durationS: 60, loop: null }, nowMs);
      expect(Math.abs(anchor.positionS - before)).toBeLessThan(0.01);
    }
    expect(anchor.positionS).toBeCloseTo(20.04, 3);
  });

  it('jumps at a seek, and stands where a pause left it', () => {
    expect(follow(PLAYING, { positionS: 45, playing: true, durationS: 60, loop: null }, 1_250).positionS).toBe(45);
    expect(follow(PLAYING, { positionS: 10.23, playing: false, durationS: 60, loop: null }, 1_250).positionS).toBe(10.23);
  });

  it('does not go back to where it was while a seek is under way, but believes the node in the end', () => {
    const wish = { positionS: 45, atMs: 1_000 };
    expect(isStale(10.2, wish, 1_200)).toBe(true);
    expect(isStale(45.1, wish, 1_200)).toBe(false);
    expect(isStale(10.2, wish, 3_000)).toBe(false);
    expect(isStale(10.2, null, 1_200)).toBe(false);
  });
});
