/**
 * Made-up music: a waveform and an analysis that look like a track, the same for the same id.
 */
import type { AnalysisView, KeyView, TempoView, WaveformView } from '../generated/bridge';

/** A number from 0 to 1 that depends on its arguments alone. */
export function noise(seed: number, index: number): number {
  const value = Math.sin(seed * 127.1 + index * 311.7) * 43_758.5453;
  return value - Math.floor(value);
}

export function seedOf(id: string): number {
  let seed = 7;
  for (const letter of id) seed = (seed * 31 + letter.charCodeAt(0)) % 9_973;
  return seed;
}

/** How loud and how bright a section of a song is. */
const SECTIONS = [
  { until: 0.08, level: 0.35, bright: 0.2 },
  { until: 0.3, level: 0.7, bright: 0.45 },
  { until: 0.38, level: 0.5, bright: 0.75 },
  { until: 0.6, level: 0.95, bright: 0.5 },
  { until: 0.7, level: 0.3, bright: 0.8 },
  { until: 0.93, level: 1, bright: 0.55 },
  { until: 1.01, level: 0.3, bright: 0.25 },
];

export function waveform(id: string, durationS: number, bpm: number, columns: number, fromS: number, toS: number): WaveformView {
  const seed = seedOf(id);
  const view: WaveformView = { from_s: fromS, to_s: toS, min: [], max: [], rms: [], low: [], mid: [], high: [] };
  for (let column = 0; column < columns; column++) {
    const at = fromS + ((column + 0.5) / columns) * (toS - fromS);
    const section = SECTIONS.find((part) => at / durationS < part.until) ?? { level: 0.3, bright: 0.3 };
    const beat = (at * bpm) / 60;
    const kick = Math.exp(-(beat % 1) * 5);
    const hat = Math.exp(-((beat * 2) % 1) * 7);
    const grain = noise(seed, Math.round(at * 200));
    const rms = section.level * (0.2 + 0.28 * kick + 0.1 * hat + 0.14 * grain);
    const peak = Math.min(1, rms * (1.5 + 0.5 * noise(seed + 1, Math.round(at * 200))));
    const low = 0.15 + kick * (1 - section.bright);
    const high = 0.1 + hat * section.bright * 0.8;
    const mid = 0.35 + grain * 0.25;
    const sum = low + mid + high;
    view.rms.push(rms);
    view.max.push(peak);
    view.min.push(-peak * (0.85 + 0.15 * grain));
    view.low.push(low / sum);
    view.mid.push(mid / sum);
    view.high.push(high / sum);
  }
  return view;
}

export function tempo(bpm: number, confidence: number): TempoView {
  return {
    bpm,
    confidence,
    alternatives: [
      { bpm: bpm * 2, relation: 'x2' },
      { bpm: bpm / 2, relation: '/2' },
    ],
    by_hand: false,
  };
}

export function key(name: string, camelot: string, openKey: string, confidence: number): KeyView {
  return { name, camelot, open_key: openKey, confidence, by_hand: false };
}

export function analysis(durationS: number, found: TempoView | null, foundKey: KeyView | null, energy: number): AnalysisView {
  const period = 60 / (found?.bpm ?? 120);
  const beats = found ? Array.from({ length: Math.floor(durationS / period) }, (_, index) => 0.12 + index * period) : [];
  return {
    tempo: found,
    key: foundKey,
    found_tempo: found,
    found_key: foundKey,
    second_key: foundKey ? key('C major', '8B', '1d', 0.31) : null,
    energy,
    loudness_lufs: -11.4,
    loudness_range_lu: 6.2,
    true_peak_dbtp: -0.8,
    beats_s: beats,
    downbeats: beats.map((_, index) => index).filter((index) => index % 4 === 0),
    metre: found ? { name: '4/4', confidence: 0.9 } : null,
    tempo_sections: [],
    key_sections: foundKey ? [
      { start_s: 0, name: foundKey.name, camelot: foundKey.camelot },
      { start_s: durationS * 0.7, name: 'C minor', camelot: '5A' },
    ] : [],
  };
}

/** A sleeve for a track: two colours that its id gives. */
export function picture(track: string): string {
  const hue = [...track].reduce((sum, letter) => (sum * 131 + letter.charCodeAt(0) * 47) % 360, 7);
  const ground = `<rect width="8" height="8" fill="hsl(${hue} 45% 45%)"/><circle cx="5" cy="3.4" r="2.4" fill="hsl(${(hue + 60) % 360} 70% 70%)"/>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">${ground}</svg>`)}`;
}
