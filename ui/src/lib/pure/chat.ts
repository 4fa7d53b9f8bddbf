/**
 * A conversation as it is laid out: days, runs of messages by one author, and what a message's words lead to.
 */
import { dayName, startOfDay } from './time';

export interface Said {
  seq: number;
  author: string;
  posted_at_ms: number;
}

export interface Line<T> {
  message: T;
  /** Set on the first message of a day. */
  day: string | null;
  /** Whether the author and time are shown: not again within a few minutes of the same person. */
  head: boolean;
}

const RUN_MS = 5 * 60_000;

/** One line of the conversation; only its neighbour is looked at, so that a long one costs no more. */
export function lineAt<T extends Said>(messages: T[], index: number, nowMs: number): Line<T> | null {
  const message = messages[index];
  if (!message) return null;
  const before = messages[index - 1];
  const newDay = !before || startOfDay(before.posted_at_ms) !== startOfDay(message.posted_at_ms);
  const goesOn = !newDay && before.author === message.author && message.posted_at_ms - before.posted_at_ms < RUN_MS;
  return { message, day: newDay ? dayName(message.posted_at_ms, nowMs) : null, head: !goesOn };
}

/** Messages by their place in the log, each once, whichever way they came. */
export function merge<T extends Said>(known: T[], more: T[]): T[] {
  const first = more[0];
  if (!first) return known;
  const last = known.at(-1);
  if (!last || more.every((message, index) => message.seq > (more[index - 1]?.seq ?? last.seq))) return [...known, ...more];
  const bySeq = new Map([...known, ...more].map((message) => [message.seq, message]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** How many others' messages stand behind the one that was read last. */
export function unreadCount(messages: Said[], readSeq: number, me: string | null): number {
  let unread = 0;
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index];
    if (!message || message.seq <= readSeq) break;
    if (message.author !== me) unread += 1;
  }
  return unread;
}

export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'moment'; text: string; seconds: number }
  | { kind: 'link'; text: string; address: string }
  | { kind: 'mention'; text: string; name: string };

const LINK = String.raw`https?:\/\/[^\s<>"]+`;
const MOMENT = String.raw`(?<![\d:])(?:\d{1,2}:)?\d{1,2}:[0-5]\d(?![\d:])`;
/** What ends a sentence rather than an address. */
const TRAILING = /[.,;:!?'”’»\]]+$/u;

/** Splits a message at what leads somewhere: web addresses, moments of the track such as `1:23`, and people. */
export function partsOf(text: string, names: string[] = []): Part[] {
  const people = names.filter(Boolean).toSorted((a, b) => b.length - a.length).map(escaped);
  const person = people.length > 0 ? `|(?<![\\p{L}\\p{N}@])@(?:${people.join('|')})(?![\\p{L}\\p{N}])` : '';
  const parts: Part[] = [];
  const plain = (piece: string) => piece && parts.push({ kind: 'text', text: piece });
  let end = 0;
  for (const found of text.matchAll(new RegExp(`${LINK}|${MOMENT}${person}`, 'giu'))) {
    const part = partOf(found[0]);
    plain(text.slice(end, found.index));
    parts.push(part);
    end = found.index + part.text.length;
  }
  plain(text.slice(end));
  return parts;
}

function partOf(found: string): Part {
  if (found.startsWith('@')) return { kind: 'mention', text: found, name: found.slice(1) };
  if (/^https?:/iu.test(found)) return linkPart(found);
  const seconds = found.split(':').reduce((sum, digits) => sum * 60 + Number(digits), 0);
  return { kind: 'moment', text: found, seconds };
}

function linkPart(found: string): Part {
  let text = found.replace(TRAILING, '');
  // A closing bracket belongs to the sentence unless it was opened in the address.
  if (text.endsWith(')') && !text.includes('(')) text = text.slice(0, -1).replace(TRAILING, '');
  const address = URL.canParse(text) ? new URL(text).href : null;
  return address === null ? { kind: 'text', text } : { kind: 'link', text, address };
}

function escaped(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\/]/gu, String.raw`\$&`);
}

export function mentions(text: string, name: string, names: string[]): boolean {
  return partsOf(text, names).some((part) => part.kind === 'mention' && part.name.toLowerCase() === name.toLowerCase());
}

/** Whether a message is nothing but a few emoji, which are shown larger. */
export function isEmojiOnly(text: string): boolean {
  return /^(?:\p{Extended_Pictographic}(?:[\p{Emoji_Modifier}\uFE0F]|\u200D\p{Extended_Pictographic})*\s*){1,3}$/u.test(text.trim());
}

const EMOJI: Record<string, string> = {
  fire: '🔥', heart: '❤️', thumbsup: '👍', thumbsdown: '👎', clap: '👏', laugh: '😂', smile: '🙂', wink: '😉', cry: '😢', wow: '😮',
  thinking: '🤔', party: '🎉', eyes: '👀', ok: '👌', pray: '🙏', rocket: '🚀', ear: '👂', headphones: '🎧', note: '🎵', notes: '🎶',
  mic: '🎤', drum: '🥁', guitar: '🎸', piano: '🎹', sax: '🎷', violin: '🎻', trumpet: '🎺', speaker: '🔊', mute: '🔇', star: '⭐', check: '✅',
};

export interface Completion {
  /** Shown. */
  label: string;
  /** What takes the place of what was typed. */
  text: string;
  /** Where what was typed begins. */
  from: number;
}

const COMPLETIONS_MAX = 6;

/** What may be meant by `@na` or `:fi` before the caret. */
export function completions(text: string, caret: number, names: string[]): Completion[] {
  const typed = /(?<![\p{L}\p{N}@:/])([@:])([\p{L}\p{N}][\p{L}\p{N} _-]{0,39}|)$/u.exec(text.slice(0, caret));
  if (!typed) return [];
  const [whole, sign, words = ''] = typed;
  const from = caret - whole.length;
  const begins = (name: string) => name.toLowerCase().startsWith(words.toLowerCase());
  const found = sign === '@'
    ? names.filter(begins).map((name) => ({ label: `@${name}`, text: `@${name} `, from }))
    : words.length < 2 ? [] : Object.entries(EMOJI).filter(([name]) => begins(name)).map(([name, emoji]) => ({ label: `${emoji} ${name}`, text: `${emoji} `, from }));
  return found.slice(0, COMPLETIONS_MAX);
}
