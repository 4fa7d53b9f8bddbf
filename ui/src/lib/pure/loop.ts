/**
 * A part of a track that is repeated, and how keys and the pointer choose it.
 */

export interface Loop {
  begin_s: number;
  end_s: number;
}

/** The node refuses shorter ones: they are a tone, not music. */
export const SHORTEST_LOOP_S = 0.05;

/** Begins here; the end stays if it lies behind, else it is the end of the track. None where nothing would be left. */
export function beginAt(loop: Loop | null, atS: number, durationS: number): Loop | null {
  const end_s = loop && loop.end_s > atS ? loop.end_s : durationS;
  return long({ begin_s: Math.max(0, atS), end_s });
}

/** Ends here; the beginning stays if it lies before, else it is the start of the track. */
export function endAt(loop: Loop | null, atS: number, durationS: number): Loop | null {
  const begin_s = loop && loop.begin_s < atS ? loop.begin_s : 0;
  return long({ begin_s, end_s: Math.min(atS, durationS) });
}

/** Between two ends in either order. */
export function between(oneS: number, otherS: number, durationS: number): Loop | null {
  return long({ begin_s: Math.max(0, Math.min(oneS, otherS)), end_s: Math.min(durationS, Math.max(oneS, otherS)) });
}

/** Where a position goes that runs over the loop's end. */
export function folded(positionS: number, loop: Loop | null): number {
  if (!loop || positionS < loop.end_s) return positionS;
  return loop.begin_s + ((positionS - loop.begin_s) % (loop.end_s - loop.begin_s));
}

function long(loop: Loop): Loop | null {
  return loop.end_s - loop.begin_s >= SHORTEST_LOOP_S ? loop : null;
}
