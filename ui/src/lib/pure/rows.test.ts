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
