/**
 * A language for tests: English that nobody could mistake for a text which stands in the code, and longer than any translation.
 */
import { en, type Messages } from './en';
import { language } from './language.svelte';

const PLAIN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const STRANGE = [...'åƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ'];
/** A text is as much longer as German's long ones are. */
const MORE = 0.4;

/** `Save` is `⟦Šåṽé··⟧`. */
export function strange(text: string): string {
  if (text === '') return text;
  // One or two letters are signs: keys of music and of the keyboard, units.
  const letters = text.replaceAll(/\p{L}{3,}/gu, (word) => [...word].map((letter) => STRANGE[PLAIN.indexOf(letter)] ?? letter).join(''));
  return `⟦${letters}${'·'.repeat(Math.ceil([...text].length * MORE))}⟧`;
}

function pseudo(value: unknown): unknown {
  if (typeof value === 'string') return strange(value);
  if (typeof value === 'function') return (...args: unknown[]) => pseudo((value as (...args: unknown[]) => unknown)(...args));
  if (Array.isArray(value)) return value.map(pseudo);
  return Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, pseudo(one)]));
}

/** Spoken where the reader asks for en-XA. */
export function teachPseudo(): void {
  language.teach('en-XA', pseudo(en) as Messages);
}
