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

export interface Palette {
  low: string;
  mid: string;
  high: string;
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

/**
 * How far up a column's height the bands reach, from the outside in: low to the edge, mid to `mid`, high to `high`.
 * Shares are of energy, what is seen is amplitude, hence the root: without it hats and voices would never show.
 */
export function bands(bar: Pick<Bar, 'low' | 'mid' | 'high'>): { mid: number; high: number } {
  const [low, mid, high] = [bar.low, bar.mid, bar.high].map((share) => Math.sqrt(Math.max(0, share))) as [number, number, number];
  const sum = low + mid + high;
  return sum === 0 ? { mid: 1, high: 0 } : { mid: (mid + high) / sum, high: high / sum };
}

/** Quiet passages stay visible, loud ones keep their shape. */
function height(value: number): number {
  return Math.sign(value) * Math.abs(value) ** 0.85;
}

type Surface = Pick<CanvasRenderingContext2D, 'fillStyle' | 'globalAlpha' | 'fillRect' | 'clearRect'>;

/** A column and the gap beside it, in CSS pixels: separate strokes read as sound, a solid shape as a mountain. */
const BAR_PX = 2;
const GAP_PX = 1;

/** The body of a column reaches this many times its effective value: about the crest of dense music. */
const BODY = 1.7;
/** What only short peaks reach is fainter than what lasts. */
const PEAK_ALPHA = 0.42;

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
    const top = Math.max(height(bar.max) * half, scale * 0.5);
    const bottom = Math.max(-height(bar.min) * half, scale * 0.5);
    const stroke = (colour: string, share: number, alpha: number) => {
      surface.globalAlpha = alpha;
      surface.fillStyle = colour;
      surface.fillRect(index * step, half - top * share, thick, (top + bottom) * share);
    };
    const body = Math.min(1, (2 * BODY * height(bar.rms) * half) / (top + bottom));
    const reach = bands(bar);
    stroke(palette.low, 1, PEAK_ALPHA);
    stroke(palette.low, body, 1);
    stroke(palette.mid, body * reach.mid, 1);
    stroke(palette.high, body * reach.high, 1);
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
