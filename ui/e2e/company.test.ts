/**
 * Two people, each with a node and a window of their own: one hosts, the other comes by the link, goes, and comes back.
 */
import type { Server } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoTrack, Programs } from './programs';
import { serve } from './site';
import { at, LOOKS, put, Windows } from './windows';

let programs: Programs;
let windows: Windows;
let site: { origin: string; server: Server };
let ana: Page;
let ben: Page;

const texts = (page: Page) => at(page, 'chat-message').locator('.text').allTextContents();

async function say(page: Page, text: string): Promise<void> {
  const before = await at(page, 'chat-message').count();
  await at(page, 'chat-input').fill(text);
  await page.keyboard.press('Enter');
  await expect.poll(() => at(page, 'chat-message').count()).toBe(before + 1);
}

/** Answers the question whether one means to go. */
async function leave(page: Page, yes: string): Promise<void> {
  await at(page, 'leave-room').click();
  await page.getByRole('dialog').getByRole('button', { name: yes, exact: true }).click();
  await at(page, 'recent-room').waitFor();
}

async function comeBack(page: Page): Promise<void> {
  await at(page, 'recent-room').click();
  await at(page, 'room-name').waitFor();
}

beforeAll(async () => {
  programs = await Programs.create();
  const [hers, his, opened] = await Promise.all([programs.node(), programs.node(), Windows.start()]);
  windows = opened;
  site = await serve(`${hers.url} ${his.url}`);
  const open = ({ url, token }: typeof hers) => windows.openOne(`${site.origin}/?backend=${url}&token=${token}`, 'wide');
  [ana, ben] = await Promise.all([open(hers), open(his)]);
});

afterAll(async () => {
  await windows?.close();
  await programs?.end();
  site?.server.close();
});

it('begins with a name, which nobody has before', async () => {
  for (const [page, name] of [[ana, 'Ana'], [ben, 'Ben']] as const) {
    await expect.poll(() => at(page, 'first-run-name').inputValue()).toBe('');
    await page.keyboard.type(name);
    await page.keyboard.press('Enter');
    await at(page, 'nav-library').waitFor();
  }
});

it('brings together who has the link', async () => {
  await at(ana, 'host-room').click();
  await ana.keyboard.type('Friday listening');
  await ana.keyboard.press('Enter');
  await at(ana, 'invite-first').click();
  const link = await at(ana, 'invite-link').inputValue();
  await ana.keyboard.press('Escape');
  await say(ana, 'Who comes?');
  await at(ben, 'join-room').click();
  await ben.keyboard.type('hello');
  await ben.keyboard.press('Enter');
  await at(ben, 'form-error').getByText('does not begin with synxsphere://join').waitFor();
  await at(ben, 'join-link').fill(link);
  await ben.keyboard.press('Enter');
  await at(ben, 'room-name').waitFor();
  expect(await texts(ben)).toEqual(['Who comes?']);
  await at(ana, 'invite-first').waitFor({ state: 'detached' });
});

it('shows one waveform to both, in the colours of each look', async () => {
  await at(ana, 'share-files').click();
  await at(ana, 'share-path').fill(demoTrack('paper-lantern.flac'));
  await at(ana, 'share-path-go').click();
  await ben.locator('[data-testid=waveform][data-state=ready]').waitFor();
  const drawn = () => ben.locator('[data-testid=waveform] canvas').first().evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const [light, dark] = LOOKS;
  if (!light || !dark) throw new Error('there are no looks');
  await put(ben, light);
  await expect.poll(drawn).toMatch(/^data:image/u);
  const before = await drawn();
  await put(ben, dark);
  await expect.poll(drawn).not.toBe(before);
  await put(ben, light);
  await expect.poll(drawn).toBe(before);
});

it('shows who comes back what was said meanwhile', async () => {
  await say(ben, 'I am off.');
  await leave(ben, 'Leave');
  await say(ana, 'Come back.');
  await comeBack(ben);
  expect(await texts(ben)).toEqual(['Who comes?', 'I am off.', 'Come back.']);
  await at(ben, 'chat-new').waitFor();
  await at(ben, 'missed').getByText(': 1 message.').waitFor();
  await at(ben, 'missed-look').click();
  await at(ben, 'history-away').getByText('1 message').waitFor();
  await at(ben, 'history-close').click();
  await at(ben, 'room-name').waitFor();
  expect(await at(ben, 'missed').count()).toBe(0);
});

it('says that a room was closed, and why one cannot come in, until one is in again', async () => {
  await leave(ana, 'Close the room');
  await at(ben, 'notice').getByText('The host closed the room').waitFor();
  await at(ben, 'recent-room').click();
  await at(ben, 'join-tries').waitFor();
  await ben.keyboard.press('Escape');
  await comeBack(ana);
  // Nobody is there who went with its end.
  expect(await at(ana, 'member-row').count()).toBe(1);
  expect(await texts(ana)).toEqual(['Who comes?', 'I am off.', 'Come back.']);
  await comeBack(ben);
  expect(await at(ben, 'notice').count()).toBe(0);
  expect(windows.problems).toEqual([]);
});
