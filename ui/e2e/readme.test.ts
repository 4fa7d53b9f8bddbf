/**
 * An evening among friends, as the README shows it. With README_PICTURES set the pictures are drawn anew into
 * docs/screenshots; without, it is seen to that there would be something to show.
 */
import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoTrack, Programs } from './programs';
import { serve } from './site';
import { LOOKS, put, Windows } from './windows';

const FOLDER = resolve(import.meta.dirname, '../../docs/screenshots');

let programs: Programs;
let windows: Windows;
let site: { origin: string; server: Server };
let page: Page;

const at = (id: string) => page.getByTestId(id);

async function picture(name: string, look: string): Promise<void> {
  const found = LOOKS.find((one) => one.name === look);
  if (found) await put(page, found);
  await page.evaluate(() => document.fonts.ready.then(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))));
  if (!process.env.README_PICTURES) return;
  await mkdir(FOLDER, { recursive: true });
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
}

beforeAll(async () => {
  programs = await Programs.create();
  const [node, opened] = await Promise.all([programs.node(), Windows.start()]);
  windows = opened;
  site = await serve(node.url);
  page = await windows.openOne(`${site.origin}/?backend=${node.url}&token=${node.token}`, 'wide');
});

afterAll(async () => {
  await windows?.close();
  await programs?.end();
  site?.server.close();
});

it('shows a room of three who hear the same and talk about it', async () => {
  await at('first-run-name').fill('Ana');
  await at('first-run-go').click();
  await at('settings-open').click();
  await at('settings-color').nth(3).locator('..').click();
  await at('settings-save').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  await at('host-room').click();
  await at('host-name').fill('Friday listening');
  await at('room-genres').fill('ambient, dub');
  await at('host-go').click();
  const link = (await at('room-link').getAttribute('data-link')) ?? '';
  const [ben, cleo] = [programs.ask(link, 'Ben'), programs.ask(link, 'Cleo')];
  await Promise.all([ben.first('room_joined'), cleo.first('room_joined')]);
  for (const track of ['paper-lantern.flac', 'tide-line.mp3']) {
    await at('share-files').click();
    await at('share-path').fill(demoTrack(track));
    await at('share-path-go').click();
    await page.locator('[data-testid=queue-row][data-state=ready]').filter({ hasText: track.startsWith('paper') ? 'Paper Lantern' : 'Tide Line' }).waitFor();
  }
  await page.locator('[data-testid=waveform][data-state=ready]').waitFor();
  ben.say({ type: 'chat_message', text: 'Good evening! Loud and clear here.' });
  await at('chat-message').first().waitFor();
  await at('chat-input').fill('Listen to the pad at 0:09, @Cleo.');
  await page.keyboard.press('Enter');
  await expect.poll(() => at('chat-message').count()).toBe(2);
  cleo.say({ type: 'chat_message', text: 'Lovely. Could be twice as long.' });
  await expect.poll(() => at('chat-message').count()).toBe(3);
  await at('play').click();
  await expect.poll(async () => (await at('member-sync').allTextContents()).filter((text) => /\d/u.test(text)).length, { timeout: 10_000 }).toBe(3);
  await page.getByRole('button', { name: '0:09' }).click();
  await expect.poll(() => at('position').textContent()).toMatch(/0:(?:09|1\d)/u);
  await page.keyboard.press('c');
  await at('comment-input').fill('A touch softer from here?');
  await page.keyboard.press('Enter');
  await at('comment-input').waitFor({ state: 'detached' });
  await page.mouse.move(640, 600);
  await picture('room', 'light');
  await picture('room-dark', 'dark');
  expect(windows.problems).toEqual([]);
});
