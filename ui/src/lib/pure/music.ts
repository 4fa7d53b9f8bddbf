/**
 * Musical and technical figures as people read them.
 */
import { figure, t } from '../i18n';


export interface Guess {
  confidence: number;
}

/** A less certain figure is fainter, but never so faint that it falls under readable contrast. */
export function faintness(guess: Guess | null): number {
  if (!guess) return 1;
  const sure = Math.min(1, Math.max(0, guess.confidence));
  return 0.68 + 0.32 * sure;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}\u00a0%`;
}

/** One decimal always: figures that line up are easier to compare. */
export function bpmText(bpm: number): string {
  return figure(bpm, 1);
}

function inBpm(bpm: number): string {
  return `${bpmText(bpm)} ${t.music.bpm}`;
}

interface Tempo extends Guess {
  bpm: number;
  alternatives: { bpm: number; relation: string }[];
  by_hand: boolean;
}

export function tempoTitle(tempo: Tempo): string {
  if (tempo.by_hand) return t.music.valueSetByYou(inBpm(tempo.bpm));
  const others = tempo.alternatives.map((other) => `${bpmText(other.bpm)} (${other.relation.replace('x', '×')})`);
  const sure = t.music.valueSure(inBpm(tempo.bpm), percent(tempo.confidence));
  return others.length ? `${sure} ${t.music.mayBe(others)}` : sure;
}

interface Key extends Guess {
  name: string;
  camelot: string;
  open_key: string;
  by_hand: boolean;
}

export function keyTitle(key: Key, second?: { name: string; camelot: string } | null): string {
  const names = t.music.keyNames(t.music.keyName(key.name), key.camelot, key.open_key);
  if (key.by_hand) return t.music.valueSetByYou(names);
  const sure = t.music.valueSure(names, percent(key.confidence));
  return second ? `${sure} ${t.music.mayBe([`${t.music.keyName(second.name)} (${second.camelot})`])}` : sure;
}

/** `±0.02 ms`, with as many digits as matter. */
export function errorText(errorUs: number | null): string {
  if (errorUs === null) return '';
  const ms = Math.abs(errorUs) / 1_000;
  return `±${figure(ms, ms < 10 ? 2 : 0)} ms`;
}

export function bytes(n: number): string {
  if (n < 1_000_000) return `${Math.round(n / 1_000)} kB`;
  return `${figure(n / 1_000_000, n < 10_000_000 ? 1 : 0)} MB`;
}

/** Two letters at most, to stand for a person. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toLocaleUpperCase() || '?';
}

export interface Change {
  atS: number;
  text: string;
}

/** Where the tempo changes; nothing where it holds. */
export function tempoChanges(sections: { start_s: number; bpm: number }[]): Change[] {
  return sections.map((section) => ({ atS: section.start_s, text: inBpm(section.bpm) }));
}

/** Where the key changes; nothing where it holds. */
export function keyChanges(sections: { start_s: number; camelot: string }[], notation: KeyNotation): Change[] {
  return sections.flatMap((section) => {
    const key = ALL_KEYS.find((one) => one.camelot === section.camelot);
    if (!key) return [];
    return [{ atS: section.start_s, text: notation === 'musical' ? t.music.keyName(key.name) : `${keyText(key, notation)} ${t.music.keyName(key.name)}` }];
  });
}

/** Words that a person typed with commas between them. */
export function commaList(text: string): string[] {
  return [...new Set(text.split(',').map((part) => part.trim()).filter(Boolean))];
}

/** All keys, as they stand on the wheel. */
export const ALL_KEYS: { name: string; camelot: string; open_key: string }[] = [
  ['G# minor', 'B major'], ['Eb minor', 'F# major'], ['Bb minor', 'Db major'], ['F minor', 'Ab major'], ['C minor', 'Eb major'], ['G minor', 'Bb major'],
  ['D minor', 'F major'], ['A minor', 'C major'], ['E minor', 'G major'], ['B minor', 'D major'], ['F# minor', 'A major'], ['C# minor', 'E major'],
].flatMap(([minor = '', major = ''], index) => [
  { name: minor, camelot: `${index + 1}A`, open_key: `${((index + 5) % 12) + 1}m` },
  { name: major, camelot: `${index + 1}B`, open_key: `${((index + 5) % 12) + 1}d` },
]);

export type KeyNotation = 'camelot' | 'open_key' | 'musical';

/** A key as its reader writes keys. */
export function keyText(key: { name: string; camelot: string; open_key: string }, notation: KeyNotation): string {
  if (notation === 'musical') return t.music.keyShort(key.name);
  return notation === 'camelot' ? key.camelot : key.open_key;
}
