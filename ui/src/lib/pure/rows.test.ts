import { expect, it } from 'vitest';
import { Rows } from './rows';

it('finds the row at any height, measured or guessed', () => {
  const rows = new Rows(20);
  rows.resize(0, 50_000);
  expect([rows.totalPx, rows.at(0), rows.at(19), rows.at(20), rows.at(999_999_999)]).toEqual([1_000_000, 0, 0, 1, 49_999]);
  expect(rows.measure(1, 50)).toBe(30);
  expect([rows.at(69), rows.at(70), rows.topOf(2), rows.totalPx]).toEqual([1, 2, 70, 1_000_030]);
});

it('keeps what was measured when rows come above or below', () => {
  const rows = new Rows(10);
  rows.resize(0, 2);
  rows.measure(0, 30);
  rows.resize(3, 6);
  expect([0, 1, 2, 3, 4, 5, 6].map((index) => rows.topOf(index))).toEqual([0, 10, 20, 30, 60, 70, 80]);
  rows.resize(0, 4);
  expect([rows.count, rows.totalPx]).toEqual([4, 60]);
});

it('has nothing to say of an empty list', () => {
  const rows = new Rows(10);
  expect([rows.count, rows.totalPx, rows.at(5), rows.measure(0, 4)]).toEqual([0, 0, 0, 0]);
});

it('stands where the heights say, whatever changed in which order', () => {
  // As one scrolls, reads on, looks back and searches: numbers without a pattern, the same each time.
  let seed = 7;
  const some = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const rows = new Rows(10);
  let heights: number[] = [];
  for (let step = 0; step < 500; step += 1) {
    if (some(3) === 0) {
      const [above, count] = [some(4), some(40)];
      heights = [...Array<number>(above).fill(10), ...heights, ...Array<number>(count).fill(10)].slice(0, count);
      rows.resize(above, count);
    } else if (heights.length > 0) {
      const [index, px] = [some(heights.length), 1 + some(60)];
      expect(rows.measure(index, px)).toBe(px - (heights[index] ?? 0));
      heights[index] = px;
    }
    const tops = [0];
    for (const px of heights) tops.push((tops.at(-1) ?? 0) + px);
    const [index, total] = [some(tops.length), tops.at(-1) ?? 0];
    expect([rows.count, rows.topOf(index), rows.totalPx]).toEqual([heights.length, tops[index], total]);
    const px = some(total + 1);
    expect(rows.at(px)).toBe(Math.max(0, tops.slice(0, -1).findLastIndex((top) => top <= px)));
  }
});
