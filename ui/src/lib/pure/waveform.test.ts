import { describe, expect, it } from 'vitest';
import { bands, barsFor, draw, stripFor, type Columns, type Palette, type Strip } from './waveform';

function columns(max: number[]): Columns {
  const same = (value: number) => max.map(() => value);
  return { from_s: 0, to_s: max.length, max, min: max.map((value) => -value), rms: same(0.2), low: same(0.5), mid: same(0.3), high: same(0.2) };
}

const PALETTE: Palette = { low: 'low', mid: 'mid', high: 'high', grid: 'grid', bar: 'bar' };

class Surface {
  fillStyle = '';
  globalAlpha = 1;
  readonly rects: { x: number; y: number; w: number; h: number; colour: string }[] = [];
  clearRect() {}
  fillRect(x: number, y: number, w: number, h: number) {
    this.rects.push({ x, y, w, h, colour: this.fillStyle });
  }
}

describe('columns to pixels', () => {
  it('keeps every peak when columns share a pixel', () => {
    const bars = barsFor(columns([0.1, 0.9, 0.2, 0.3]), { fromS: 0, toS: 4 }, 2);
    expect(bars.map((bar) => bar?.max)).toEqual([0.9, 0.3]);
    expect(bars.map((bar) => bar?.min)).toEqual([-0.9, -0.3]);
  });

  it('repeats a column that spans several pixels', () => {
    const bars = barsFor(columns([0.1, 0.9]), { fromS: 0, toS: 2 }, 4);
    expect(bars.map((bar) => bar?.max)).toEqual([0.1, 0.1, 0.9, 0.9]);
  });

  it('leaves empty what the data do not cover', () => {
    const bars = barsFor(columns([0.5, 0.5]), { fromS: -1, toS: 3 }, 4);
    expect(bars.map((bar) => bar !== null)).toEqual([false, true, true, false]);
  });
});

describe('bands', () => {
  it('reach from the edge inwards', () => {
    expect(bands({ low: 1, mid: 0, high: 0 })).toEqual({ mid: 0, high: 0 });
    expect(bands({ low: 0, mid: 0, high: 1 })).toEqual({ mid: 1, high: 1 });
  });

  it('show a small share of energy as the amplitude that it is', () => {
    expect(bands({ low: 0.81, mid: 0, high: 0.01 }).high).toBeCloseTo(0.1);
  });

  it('are neutral in silence', () => {
    expect(bands({ low: 0, mid: 0, high: 0 })).toEqual({ mid: 1, high: 0 });
  });
});

describe('a strip', () => {
  const data = { from_s: 0, to_s: 100 };

  it('reaches beyond what is seen, and stays while one moves within it', () => {
    const first = stripFor({ fromS: 40, toS: 50 }, data, 300, 1);
    expect([first.fromS, first.toS, first.width, first.columnS]).toEqual([35, 55, 600, 0.1]);
    expect(stripFor({ fromS: 43.21, toS: 53.21 }, data, 300, 1, first)).toBe(first);
    expect(stripFor({ fromS: 43, toS: 48 }, data, 300, 1, first)).not.toBe(first);
    expect(stripFor({ fromS: 46.5, toS: 56.5 }, data, 300, 1, first)).not.toBe(first);
  });

  it('has its columns where any other has them', () => {
    const columns = [0, 3.333, 61.7, 89.99].map((fromS) => stripFor({ fromS, toS: fromS + 10 }, data, 301, 2));
    for (const strip of columns) {
      const before = strip.fromS / strip.columnS;
      expect(before).toBeCloseTo(Math.round(before), 6);
      expect(strip.width).toBe(Math.round((strip.toS - strip.fromS) / strip.columnS) * 6);
    }
  });

  it('is no wider than the sound, but as wide as what is seen', () => {
    const ends = (strip: Strip) => [strip.fromS, strip.toS].map((at) => Number(at.toFixed(3)));
    expect(ends(stripFor({ fromS: 0, toS: 100 }, data, 300, 1))).toEqual([0, 100]);
    expect(ends(stripFor({ fromS: 10, toS: 20 }, { from_s: 12, to_s: 18 }, 300, 1))).toEqual([10, 20]);
  });
});

describe('drawing', () => {
  const strip = (toS: number, width: number): Strip => ({ fromS: 0, toS, width, columnS: (toS / width) * 3 });

  it('stays inside of the canvas and centred on its middle', () => {
    const surface = new Surface();
    draw(surface as unknown as CanvasRenderingContext2D, columns([1, 1, 1]), strip(3, 9), [], PALETTE, 100, 1);
    expect(surface.rects).not.toHaveLength(0);
    for (const { y, h } of surface.rects) {
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y + h / 2).toBeCloseTo(50);
    }
  });

  it('puts the grid under the sound, bars stronger than beats', () => {
    const surface = new Surface();
    const lines = [{ x: 1, strong: true }, { x: 5, strong: false }];
    draw(surface as unknown as CanvasRenderingContext2D, columns([1]), strip(1, 9), lines, PALETTE, 100, 2);
    expect(surface.rects.slice(0, 2)).toEqual([
      { x: 2, y: 0, w: 2, h: 100, colour: 'bar' },
      { x: 10, y: 0, w: 2, h: 100, colour: 'grid' },
    ]);
  });

  it('still shows silence as a line', () => {
    const surface = new Surface();
    draw(surface as unknown as CanvasRenderingContext2D, { ...columns([0]), rms: [0] }, strip(1, 3), [], PALETTE, 100, 1);
    expect(surface.rects[0]?.h).toBeGreaterThan(0);
  });
});
