/**
 * A conversation as it is laid out: days, and runs of messages by one author.
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

export function lay<T extends Said>(messages: T[], nowMs: number): Line<T>[] {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const newDay = !before || startOfDay(before.posted_at_ms) !== startOfDay(message.posted_at_ms);
    const goesOn = !newDay && before.author === message.author && message.posted_at_ms - before.posted_at_ms < RUN_MS;
    return { message, day: newDay ? dayName(message.posted_at_ms, nowMs) : null, head: !goesOn };
  });
}

export type Part = { text: string } | { text: string; seconds: number };

/** Splits a message at moments of the track, such as `1:23`. */
export function moments(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(/(?<![\d:])(?:(\d{1,2}):)?(\d{1,2}):([0-5]\d)(?![\d:])/gu)) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index) });
    const [whole, hours, minutes, seconds] = found;
    parts.push({ text: whole, seconds: Number(hours ?? 0) * 3_600 + Number(minutes) * 60 + Number(seconds) });
    end = found.index + whole.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}
