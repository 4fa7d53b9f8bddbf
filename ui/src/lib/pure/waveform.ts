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

/** A column with its gap, in device pixels. */
function stepPx(scale: number): number {
  return Math.max(2, Math.round((BAR_PX + GAP_PX) * scale));
}

/** What is drawn at once: whole columns from `fromS` on, each of which shows as much of the sound as any other. */
export interface Strip extends View {
  /** In device pixels. */
  width: number;
  columnS: number;
}

/**
 * More than is seen of the sound, so that who moves along it meets what is drawn already: the strip before, as long as it
 * reaches. Columns stand for the same parts of the sound in every strip, so that nothing flickers from one to the next.
 */
export function stripFor(view: View, data: Pick<Columns, 'from_s' | 'to_s'>, width: number, scale: number, before?: Strip): Strip {
  const columnS = (span(view) / (width * scale)) * stepPx(scale);
  const near = columnS / 1_000;
  if (before && Math.abs(before.columnS - columnS) < columnS * 1e-6 && before.fromS <= view.fromS + near && before.toS >= view.toS - near) return before;
  const beside = span(view) / 2;
  const from = Math.floor(Math.min(view.fromS, Math.max(data.from_s, view.fromS - beside)) / columnS + 0.001);
  const to = Math.ceil(Math.max(view.toS, Math.min(data.to_s, view.toS + beside)) / columnS - 0.001);
  return { fromS: from * columnS, toS: to * columnS, width: (to - from) * stepPx(scale), columnS };
}

/** Draws a strip, `tall` and all else in device pixels; `scale` is how many of them make a CSS pixel. */
export function draw(surface: Surface, data: Columns, strip: Strip, lines: GridLine[], palette: Palette, tall: number, scale: number): void {
  surface.clearRect(0, 0, strip.width, tall);
  drawGrid(surface, lines, palette, tall, scale);
  const step = stepPx(scale);
  const thick = Math.max(1, Math.round(BAR_PX * scale));
  const bars = barsFor(data, strip, Math.round(strip.width / step)).map((bar) => bar && shape(bar, tall / 2, scale));
  const strokes = (colour: string, alpha: number, share: (bar: Shape) => number) => {
    surface.globalAlpha = alpha;
    surface.fillStyle = colour;
    bars.forEach((bar, index) => {
      if (bar) surface.fillRect(index * step, tall / 2 - bar.top * share(bar), thick, (bar.top + bar.bottom) * share(bar));
    });
  };
  strokes(palette.low, PEAK_ALPHA, () => 1);
  strokes(palette.low, 1, (bar) => bar.body);
  strokes(palette.mid, 1, (bar) => bar.body * bar.mid);
  strokes(palette.high, 1, (bar) => bar.body * bar.high);
}

/** How far a column reaches from the middle, and which shares of that are body and its inner bands. */
interface Shape {
  top: number;
  bottom: number;
  body: number;
  mid: number;
  high: number;
}

function shape(bar: Bar, half: number, scale: number): Shape {
  const top = Math.max(height(bar.max) * half, scale * 0.5);
  const bottom = Math.max(-height(bar.min) * half, scale * 0.5);
  return { top, bottom, body: Math.min(1, (2 * BODY * height(bar.rms) * half) / (top + bottom)), ...bands(bar) };
}

function drawGrid(surface: Surface, lines: GridLine[], palette: Palette, tall: number, scale: number): void {
  const thin = Math.max(1, Math.round(scale));
  for (const line of lines) {
    surface.globalAlpha = 1;
    surface.fillStyle = line.strong ? palette.bar : palette.grid;
    surface.fillRect(Math.round(line.x * scale), 0, thin, tall);
  }
}
