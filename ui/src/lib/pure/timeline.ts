/**
 * Which part of a track is on screen, and how seconds and pixels relate.
 */

export interface View {
  fromS: number;
  toS: number;
}

/** Closest zoom: two bars at 120 BPM fill the width. */
export const SHORTEST_S = 4;
/** When the playhead comes this near to the right edge, the page turns. */
const TURN_AT = 0.92;
const TURN_TO = 0.08;

export function whole(durationS: number): View {
  return { fromS: 0, toS: Math.max(durationS, 0.001) };
}

export function span(view: View): number {
  return view.toS - view.fromS;
}

export function isZoomed(view: View, durationS: number): boolean {
  return span(view) < durationS * 0.999;
}

export function xOf(seconds: number, view: View, width: number): number {
  return ((seconds - view.fromS) / span(view)) * width;
}

export function secondsAt(x: number, view: View, width: number): number {
  return view.fromS + (x / width) * span(view);
}

/** Zooms so that `atS` stays where it is. A factor under 1 goes closer. */
export function zoom(view: View, factor: number, atS: number, durationS: number): View {
  const length = Math.min(durationS, Math.max(Math.min(SHORTEST_S, durationS), span(view) * factor));
  const share = (atS - view.fromS) / span(view);
  return within({ fromS: atS - share * length, toS: atS + (1 - share) * length }, durationS);
}

export function pan(view: View, byS: number, durationS: number): View {
  return within({ fromS: view.fromS + byS, toS: view.toS + byS }, durationS);
}

/** Turns the page when the playhead has left the view or nearly so; else the same view. */
export function turnPage(view: View, positionS: number, durationS: number): View {
  if (!isZoomed(view, durationS)) return view;
  const share = (positionS - view.fromS) / span(view);
  const atEnd = view.toS >= durationS - 0.001;
  if (share >= 0 && (share <= TURN_AT || (atEnd && share <= 1))) return view;
  return pan(view, positionS - span(view) * TURN_TO - view.fromS, durationS);
}

function within(view: View, durationS: number): View {
  const length = span(view);
  const fromS = Math.min(Math.max(0, view.fromS), Math.max(0, durationS - length));
  return { fromS, toS: fromS + length };
}

export interface GridLine {
  x: number;
  strong: boolean;
}

/** Lines nearer to each other than this are a texture, not a grid. */
const CLOSEST_LINES_PX = 9;

/** Beats as lines; bars alone where beats stand too close, nothing where bars do too. */
export function gridLines(beatsS: number[], downbeats: number[], view: View, width: number): GridLine[] {
  const bars = new Set(downbeats);
  const inView = beatsS.flatMap((at, index) => (at >= view.fromS && at <= view.toS ? [{ at, strong: bars.has(index) }] : []));
  const strong = inView.filter((line) => line.strong);
  const chosen = [inView, strong].find((lines) => lines.length > 0 && width / lines.length >= CLOSEST_LINES_PX);
  return (chosen ?? []).map(({ at, strong: bar }) => ({ x: xOf(at, view, width), strong: bar }));
}

/** Labels at their moments; one that would lie over the one before, or be cut off, is left out. */
export function labels<T extends { atS: number }>(marks: T[], view: View, width: number, labelPx: number): (T & { x: number })[] {
  let free = 0;
  return marks.flatMap((mark) => {
    const x = xOf(mark.atS, view, width);
    if (x < free || x > width - labelPx) return [];
    free = x + labelPx;
    return [{ ...mark, x }];
  });
}
