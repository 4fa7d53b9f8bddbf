import { describe, expect, it } from 'vitest';
import { shifted, tapped, tempoOf } from './tap';

const taps = (...times: number[]) => times.reduce(tapped, [] as number[]);

describe('a tapped tempo', () => {
  it('is the line through all taps, not the last gap', () => {
    expect(tempoOf(taps(0, 500, 1_000, 1_500))).toBe(120);
    expect(tempoOf(taps(0, 510, 990, 1_505, 2_000))).toBeCloseTo(120, 0);
  });

  it('says nothing after too few taps, and begins anew after a pause', () => {
    expect(tempoOf(taps(0, 500, 1_000))).toBeNull();
    expect(taps(0, 500, 9_000)).toEqual([9_000]);
    expect(tempoOf(taps(0, 1, 2, 3))).toBeNull();
  });

  it('counts the last sixteen', () => {
    expect(taps(...Array.from({ length: 40 }, (_, index) => index * 400))).toHaveLength(16);
  });
});

it('shifts a grid within one beat, either way', () => {
  expect(shifted(0.25, 10, 120)).toBeCloseTo(0.26);
  expect(shifted(0, -10, 120)).toBeCloseTo(0.49);
  expect(shifted(10.1, 0, 120)).toBeCloseTo(0.1);
});
