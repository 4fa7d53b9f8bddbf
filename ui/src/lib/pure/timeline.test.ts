import { describe, expect, it } from 'vitest';
import { gridLines, isZoomed, labels, pan, secondsAt, SHORTEST_S, span, turnPage, whole, xOf, zoom } from './timeline';

const LONG_S = 300;

describe('seconds and pixels', () => {
  it('are each other’s inverse', () => {
    const view = { fromS: 20, toS: 60 };
    expect(secondsAt(xOf(33, view, 900), view, 900)).toBeCloseTo(33);
    expect(xOf(20, view, 900)).toBe(0);
    expect(xOf(60, view, 900)).toBe(900);
  });
});

describe('zoom', () => {
  it('keeps the moment under the pointer where it is', () => {
    const before = whole(LONG_S);
    const after = zoom(before, 0.25, 120, LONG_S);
    expect(span(after)).toBeCloseTo(75);
    expect(xOf(120, after, 1_000)).toBeCloseTo(xOf(120, before, 1_000));
  });

  it('stops at the track and at the closest look', () => {
    expect(zoom({ fromS: 0, toS: 50 }, 100, 10, LONG_S)).toEqual(whole(LONG_S));
    expect(span(zoom(whole(LONG_S), 1e-9, 10, LONG_S))).toBeCloseTo(SHORTEST_S);
  });

  it('shows a track that is shorter than the closest look whole', () => {
    expect(zoom(whole(2), 0.1, 1, 2)).toEqual(whole(2));
    expect(isZoomed(whole(2), 2)).toBe(false);
  });
});

describe('moving', () => {
  it('never leaves the track', () => {
    expect(pan({ fromS: 0, toS: 50 }, -10, LONG_S)).toEqual({ fromS: 0, toS: 50 });
    expect(pan({ fromS: 200, toS: 250 }, 500, LONG_S)).toEqual({ fromS: 250, toS: 300 });
  });

  it('turns the page just before the playhead leaves it', () => {
    const view = { fromS: 100, toS: 150 };
    expect(turnPage(view, 140, LONG_S)).toBe(view);
    const turned = turnPage(view, 147, LONG_S);
    expect(turned.fromS).toBeGreaterThan(100);
    expect(xOf(147, turned, 100)).toBeCloseTo(8);
  });

  it('follows a seek to before the page, and rests on the last one', () => {
    expect(turnPage({ fromS: 100, toS: 150 }, 20, LONG_S).fromS).toBeLessThan(20);
    const last = { fromS: 250, toS: 300 };
    expect(turnPage(last, 299, LONG_S)).toBe(last);
  });
});

describe('the beat grid', () => {
  const beats = Array.from({ length: 240 }, (_, index) => index * 0.5);
  const bars = beats.map((_, index) => index).filter((index) => index % 4 === 0);

  it('shows beats when they stand apart, bars stronger', () => {
    const lines = gridLines(beats, bars, { fromS: 10, toS: 14 }, 400);
    expect(lines).toHaveLength(9);
    expect(lines.filter((line) => line.strong).map((line) => line.x)).toEqual([0, 200, 400]);
  });

  it('shows bars alone, then nothing, as they crowd', () => {
    expect(gridLines(beats, bars, { fromS: 0, toS: 60 }, 600).every((line) => line.strong)).toBe(true);
    expect(gridLines(beats, bars, { fromS: 0, toS: 120 }, 200)).toEqual([]);
  });
});

describe('labels', () => {
  it('leave room for each other and are not cut off', () => {
    const marks = [0, 4, 50, 97].map((atS) => ({ atS, text: `${atS}` }));
    const seen = labels(marks, { fromS: 0, toS: 100 }, 1_000, 64);
    expect(seen.map((label) => [label.text, label.x])).toEqual([['0', 0], ['50', 500]]);
  });
});
