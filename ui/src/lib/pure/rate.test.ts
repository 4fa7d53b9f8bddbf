import { expect, it } from 'vitest';
import { pace, secondsLeft } from './rate';

it('follows the speed of a file without jumping', () => {
  const first = pace(undefined, 0, 0);
  expect([first.bytesPerS, secondsLeft(first, 100)]).toEqual([null, null]);
  expect(pace(first, 50, 100)).toBe(first);
  const second = pace(first, 1_000, 1_000);
  expect([second.bytesPerS, secondsLeft(second, 3_000)]).toEqual([1_000, 2]);
  const third = pace(second, 3_000, 2_000);
  expect(third.bytesPerS).toBeCloseTo(1_300);
  expect(pace(third, 10, 3_000).bytesPerS).toBeNull();
});
