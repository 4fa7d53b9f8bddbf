import { describe, expect, it } from 'vitest';
import { lay, moments } from './chat';
import { matching, nextOrder, sorted, visible, type Row } from './library';
import { commaList, errorText, faintness, initials, tempoTitle } from './music';
import { dropIndex } from './order';

function row(title: string, more: Partial<Row> = {}): Row {
  return { id: title, title, artist: null, album: null, duration_s: 60, tempo: null, key: null, energy: null, ...more };
}

describe('the library', () => {
  const rows = [row('Café del Mar', { artist: 'Energy 52' }), row('Tide Line', { key: { camelot: '8A', name: 'A minor' } })];

  it('is searched by all words, whatever case and accents', () => {
    expect(matching(rows, 'CAFE 52').map((one) => one.title)).toEqual(['Café del Mar']);
    expect(matching(rows, '8a tide')).toHaveLength(1);
    expect(matching(rows, 'cafe tide')).toEqual([]);
    expect(matching(rows, '  ')).toBe(rows);
  });

  it('sorts figures as figures, with the unknown last both ways', () => {
    const tempi = [row('none'), row('fast', { tempo: { bpm: 174 } }), row('slow', { tempo: { bpm: 86 } })];
    expect(sorted(tempi, { by: 'bpm', down: false }).map((one) => one.title)).toEqual(['slow', 'fast', 'none']);
    expect(sorted(tempi, { by: 'bpm', down: true }).map((one) => one.title)).toEqual(['fast', 'slow', 'none']);
    expect(sorted(tempi, null)).toBe(tempi);
  });

  it('goes through up, down and as it was', () => {
    const up = nextOrder(null, 'key');
    const down = nextOrder(up, 'key');
    expect([up, down, nextOrder(down, 'key')]).toEqual([{ by: 'key', down: false }, { by: 'key', down: true }, null]);
    expect(nextOrder(down, 'title')).toEqual({ by: 'title', down: false });
  });

  it('draws only what is in sight', () => {
    expect(visible(100_000, 40_000, 800, 40, 10)).toEqual({ first: 990, end: 1_030 });
    expect(visible(3, 0, 800, 40)).toEqual({ first: 0, end: 3 });
    expect(visible(0, 500, 800, 40)).toEqual({ first: 0, end: 0 });
  });
});

describe('chat', () => {
  const say = (seq: number, author: string, at: Date) => ({ seq, author, posted_at_ms: at.getTime() });

  it('names each day once and an author once a run', () => {
    const now = new Date(2026, 2, 14, 20, 0).getTime();
    const lines = lay([
      say(1, 'a', new Date(2026, 2, 13, 19, 0)), say(2, 'a', new Date(2026, 2, 14, 19, 0)), say(3, 'a', new Date(2026, 2, 14, 19, 1)),
      say(4, 'b', new Date(2026, 2, 14, 19, 2)), say(5, 'b', new Date(2026, 2, 14, 19, 30)),
    ], now);
    expect(lines.map((line) => line.day)).toEqual(['Yesterday', 'Today', null, null, null]);
    expect(lines.map((line) => line.head)).toEqual([true, true, false, true, true]);
  });

  it('finds moments of the track and loses no text', () => {
    expect(moments('at 1:23, or 1:02:03?')).toEqual([{ text: 'at ' }, { text: '1:23', seconds: 83 }, { text: ', or ' }, { text: '1:02:03', seconds: 3_723 }, { text: '?' }]);
    expect(moments('ratio 16:9 and 1:99')).toEqual([{ text: 'ratio 16:9 and 1:99' }]);
    expect(moments('')).toEqual([]);
  });
});

describe('figures', () => {
  it('are fainter the less sure they are, yet always readable', () => {
    expect(faintness({ confidence: 1 })).toBe(1);
    expect(faintness({ confidence: 0 })).toBeGreaterThan(0.6);
    expect(faintness({ confidence: 0.2 })).toBeLessThan(faintness({ confidence: 0.8 }));
  });

  it('say what else they may be', () => {
    expect(tempoTitle({ bpm: 87, confidence: 0.6, alternatives: [{ bpm: 174, relation: 'x2' }] })).toBe(
      '87.0 BPM, 60 % sure. It may also be 174.0 (×2).',
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
