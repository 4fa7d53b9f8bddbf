/**
 * Drawing a waveform on a canvas. Colour says which frequencies carry a column: low warm, mid neutral, high cool.
 */
import { span, type GridLine, type View } from './timeline';

export interface Columns {
  from_s: number;
  to_s: number;
  min: number[];
  max: number[];
  rms: number[];
  low: number[];
  mid: number[];
  high: number[];
}

export type Rgb = [number, number, number];

export interface Palette {
  low: Rgb;
  mid: Rgb;
  high: Rgb;
  grid: string;
  bar: string;
}

export interface Bar {
  max: number;
  min: number;
  rms: number;
  low: number;
  mid: number;
  high: number;
}

/**
 * The columns of `data` that fall on `pixels` pixels of `view`: peaks by their extremes, energies by their mean, so that
 * a transient is never lost when several columns share a pixel. Pixels outside of `data` are null.
 */
export function barsFor(data: Columns, view: View, pixels: number): (Bar | null)[] {
  const count = data.max.length;
  const perSecond = count / (data.to_s - data.from_s);
  return Array.from({ length: pixels }, (_, pixel) => {
    const startS = view.fromS + (pixel / pixels) * span(view);
    const endS = view.fromS + ((pixel + 1) / pixels) * span(view);
    const first = Math.floor((startS - data.from_s) * perSecond);
    const last = Math.max(first + 1, Math.floor((endS - data.from_s) * perSecond));
    if (last <= 0 || first >= count) return null;
    return merge(data, Math.max(0, first), Math.min(count, last));
  });
}

function merge(data: Columns, first: number, end: number): Bar {
  const bar: Bar = { max: -1, min: 1, rms: 0, low: 0, mid: 0, high: 0 };
  for (let i = first; i < end; i++) {
    bar.max = Math.max(bar.max, data.max[i] ?? 0);
    bar.min = Math.min(bar.min, data.min[i] ?? 0);
    bar.rms += data.rms[i] ?? 0;
    bar.low += data.low[i] ?? 0;
    bar.mid += data.mid[i] ?? 0;
    bar.high += data.high[i] ?? 0;
  }
  const n = end - first;
  return { ...bar, rms: bar.rms / n, low: bar.low / n, mid: bar.mid / n, high: bar.high / n };
}

/** Music leans to the lows; lifting the highs before mixing makes hats and voices visible. */
const WEIGHT = { low: 1, mid: 0.9, high: 1.7 };
/** Raising the shares before mixing keeps colours apart that plain averaging would turn to mud. */
const PURITY = 1.6;

export function mix(bar: Pick<Bar, 'low' | 'mid' | 'high'>, palette: Palette): Rgb {
  const low = (Math.max(0, bar.low) * WEIGHT.low) ** PURITY;
  const mid = (Math.max(0, bar.mid) * WEIGHT.mid) ** PURITY;
  const high = (Math.max(0, bar.high) * WEIGHT.high) ** PURITY;
  const sum = low + mid + high;
  if (sum === 0) return palette.mid;
  const channel = (i: 0 | 1 | 2) =>
    Math.round((low * palette.low[i] + mid * palette.mid[i] + high * palette.high[i]) / sum);
  return [channel(0), channel(1), channel(2)];
}

/** Quiet passages stay visible, loud ones keep their shape. */
function height(value: number): number {
  return Math.sign(value) * Math.abs(value) ** 0.85;
}

type Surface = Pick<CanvasRenderingContext2D, 'fillStyle' | 'globalAlpha' | 'fillRect' | 'clearRect'>;

/** A column and the gap beside it, in CSS pixels: separate strokes read as sound, a solid shape as a mountain. */
const BAR_PX = 2;
const GAP_PX = 1;

/** Draws in device pixels; `scale` is how many of them make a CSS pixel. */
export function draw(
  surface: Surface, data: Columns, view: View, lines: GridLine[], palette: Palette, width: number, tall: number, scale: number,
): void {
  surface.clearRect(0, 0, width, tall);
  drawGrid(surface, lines, palette, tall, scale);
  const step = Math.max(2, Math.round((BAR_PX + GAP_PX) * scale));
  const thick = Math.max(1, Math.round(BAR_PX * scale));
  const half = tall / 2;
  barsFor(data, view, Math.ceil(width / step)).forEach((bar, index) => {
    if (!bar) return;
    const [r, g, b] = mix(bar, palette);
    surface.fillStyle = `rgb(${r} ${g} ${b})`;
    const top = Math.max(height(bar.max) * half * 0.94, scale * 0.5);
    const bottom = Math.max(-height(bar.min) * half * 0.94, scale * 0.5);
    surface.globalAlpha = 0.5;
    surface.fillRect(index * step, half - top, thick, top + bottom);
    const body = Math.min(height(bar.rms) * half * 0.94, top, bottom);
    surface.globalAlpha = 1;
    surface.fillRect(index * step, half - body, thick, body * 2);
  });
}

function drawGrid(surface: Surface, lines: GridLine[], palette: Palette, tall: number, scale: number): void {
  const thin = Math.max(1, Math.round(scale));
  for (const line of lines) {
    surface.globalAlpha = 1;
    surface.fillStyle = line.strong ? palette.bar : palette.grid;
    surface.fillRect(Math.round(line.x * scale), 0, thin, tall);
  }
}

/** `#rrggbb` as numbers; what is no such colour is grey. */
export function rgb(hex: string): Rgb {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex.trim());
  if (!found) return [128, 128, 128];
  return [1, 2, 3].map((i) => parseInt(found[i] ?? '80', 16)) as Rgb;
}
