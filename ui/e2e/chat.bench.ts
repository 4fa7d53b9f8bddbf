/**
 * How long frames take while one scrolls through a chat of 50,000 messages, and each letter while one searches it.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { madeUpWindow } from './made-up';
import { Windows } from './windows';

let site: Awaited<ReturnType<typeof madeUpWindow>>;
let windows: Windows;

beforeAll(async () => {
  [site, windows] = await Promise.all([madeUpWindow(true), Windows.start()]);
});

afterAll(async () => {
  await windows?.close();
  await site?.end();
});

/** In the page: scrolls a little each frame, from the end up, then jumps about. */
async function scroll(frames: number): Promise<number[]> {
  const list = document.querySelector<HTMLElement>('[role=log]');
  if (!list) return [];
  const next = () => new Promise<number>((drawn) => requestAnimationFrame(drawn));
  const took: number[] = [];
  let before = await next();
  for (let frame = 0; frame < frames; frame += 1) {
    list.scrollTop = frame % 30 === 29 ? Math.abs(Math.sin(frame)) * list.scrollHeight : list.scrollTop - 160;
    const now = await next();
    took.push(now - before);
    before = now;
  }
  return took;
}

/** In the page: one letter more, until what is found has been drawn. */
async function type(text: string): Promise<number> {
  const field = document.querySelector<HTMLInputElement>('[data-testid=chat-search]');
  if (!field) return Number.NaN;
  const begin = performance.now();
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  return performance.now() - begin;
}

function told(took: number[]): Record<string, number> {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed(1));
  return { p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
}

it('scrolls and searches', async () => {
  const page = await windows.openOne(`${site.origin}/?backend=fake&scene=talkative`, 'wide');
  await page.getByTestId('chat-message').first().waitFor();
  const frames = await page.evaluate(scroll, 600);
  expect(frames).toHaveLength(600);
  await page.getByTestId('chat-search-open').click();
  // A hand takes as long from the button to the keys.
  await page.waitForTimeout(300);
  const keys: number[] = [];
  for (const text of ['n', 'ne', 'nee', 'need', 'needl', 'needle', 'needl', 'need', 'line 49', 'line 499']) keys.push(await page.evaluate(type, text));
  process.stdout.write(`${JSON.stringify({ messages: 50_000, frame: told(frames), frames_over_33_ms: frames.filter((ms) => ms > 33).length, first_key_ms: Number(keys[0]?.toFixed(1)), key: told(keys.slice(1)) })}\n`);
});
