import { describe, expect, it } from 'vitest';
import { drawnRows, firstDrawn, fitting, nextOrder, nextRow, rowIn, USUAL_COLUMNS } from './library';
import { commaList, errorText, faintness, initials, keyText, tempoTitle } from './music';
import { dropIndex } from './order';

describe('the library', () => {
  it('goes through up, down and as it was', () => {
    const up = nextOrder(null, 'key');
    const down = nextOrder(up, 'key');
    expect([up, down, nextOrder(down, 'key')]).toEqual([{ by: 'key', down: false }, { by: 'key', down: true }, null]);
    expect(nextOrder(down, 'title')).toEqual({ by: 'title', down: false });
  });

  it('gives up the least of its columns where there is no room', () => {
    expect(fitting(USUAL_COLUMNS, 60)).toEqual(USUAL_COLUMNS);
    expect(fitting([...USUAL_COLUMNS, 'album', 'plays'], 45)).toEqual(USUAL_COLUMNS);
    expect(fitting(USUAL_COLUMNS, 30)).toEqual(['title', 'bpm', 'key']);
    expect(fitting([], 5)).toEqual(['title']);
  });

  it('is walked through by keys, never past its ends', () => {
    expect(['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End', 'a'].map((key) => nextRow(key, 1, 100, 20))).toEqual([2, 0, 21, 0, 0, 99, null]);
    expect(nextRow('ArrowDown', 0, 0, 20)).toBe(0);
  });

  it('draws only what is in sight, and as much of it everywhere', () => {
    expect([drawnRows(100_000, 800, 40, 10), drawnRows(3, 800, 40), drawnRows(0, 800, 40)]).toEqual([41, 3, 0]);
    expect([0, 500, 40_000, 4_000_000].map((scrollPx) => firstDrawn(100_000, 41, scrollPx, 40, 10))).toEqual([0, 2, 990, 99_959]);
    expect(firstDrawn(3, 3, 0, 40)).toBe(0);
  });

  it('moves no row but those that come', () => {
    const rows = (first: number) => Array.from({ length: 5 }, (_, place) => rowIn(place, first, 5));
    expect([rows(0), rows(1), rows(7), rows(100)]).toEqual([[0, 1, 2, 3, 4], [5, 1, 2, 3, 4], [10, 11, 7, 8, 9], [100, 101, 102, 103, 104]]);
  });
});

describe('figures', () => {
  it('are fainter the less sure they are, yet always readable', () => {
    expect(faintness({ confidence: 1 })).toBe(1);
    expect(faintness({ confidence: 0 })).toBeGreaterThan(0.6);
    expect(faintness({ confidence: 0.2 })).toBeLessThan(faintness({ confidence: 0.8 }));
  });

  it('write a key as its reader does', () => {
    const key = { name: 'A minor', camelot: '8A', open_key: '1m' };
    expect((['camelot', 'open_key', 'musical'] as const).map((notation) => keyText(key, notation))).toEqual(['8A', '1m', 'A min']);
  });

  it('say what else they may be', () => {
    expect(tempoTitle({ bpm: 87, confidence: 0.6, alternatives: [{ bpm: 174, relation: 'x2' }], by_hand: false })).toBe(
      '87.0 BPM, 60\u00a0% sure. It may also be 174.0 (×2).',
    );
  });

  it('show a sync error as large as it is', () => {
    expect(errorText(-21)).toBe('±0.02 ms');
    expect(errorText(15_400)).toBe('±15 ms');
    expect(errorText(null)).toBe('');
  });

  it('make initials and lists out of what people type', () => {
    expect(initials('Wilhelmina van der Westhuizen')).toBe('WW');
    expect(initials('  ')).toBe('?');
    expect(commaList(' dub, ,jazz,dub ')).toEqual(['dub', 'jazz']);
  });
});

it('drops a dragged entry at the nearest place within the list', () => {
  expect(dropIndex(1, 100, 44, 5)).toBe(3);
  expect(dropIndex(1, -400, 44, 5)).toBe(0);
  expect(dropIndex(1, 4_000, 44, 5)).toBe(4);
});
