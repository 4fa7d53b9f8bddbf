import { expect, test } from 'vitest';
import { beginAt, between, endAt, folded } from './loop';

const LOOP = { begin_s: 10, end_s: 14 };

test('one end moves, the other stays where it can', () => {
  expect(beginAt(LOOP, 12, 60)).toEqual({ begin_s: 12, end_s: 14 });
  expect(beginAt(LOOP, 20, 60)).toEqual({ begin_s: 20, end_s: 60 });
  expect(endAt(LOOP, 12, 60)).toEqual({ begin_s: 10, end_s: 12 });
  expect(endAt(LOOP, 5, 60)).toEqual({ begin_s: 0, end_s: 5 });
  expect(endAt(null, 30, 60)).toEqual({ begin_s: 0, end_s: 30 });
});

test('nothing is repeated where nothing would be left', () => {
  expect(beginAt(null, 60, 60)).toBeNull();
  expect(endAt(null, 0, 60)).toBeNull();
  expect(between(7, 7.01, 60)).toBeNull();
});

test('ends may be dragged in either order and beyond the track', () => {
  expect(between(20, 15, 60)).toEqual({ begin_s: 15, end_s: 20 });
  expect(between(-3, 90, 60)).toEqual({ begin_s: 0, end_s: 60 });
});

test('a position that runs over the end comes back to the beginning', () => {
  expect(folded(13.9, LOOP)).toBe(13.9);
  expect(folded(14, LOOP)).toBe(10);
  expect(folded(19, LOOP)).toBe(11);
  expect(folded(3, LOOP)).toBe(3);
  expect(folded(99, null)).toBe(99);
});
