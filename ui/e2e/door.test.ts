/**
 * Links that lead into a real room no more, or never did: each says why, and what to try, in the reader's language.
 */
import type { Server } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { silent, speakOtherwise } from './hosts';
import { inspect, picture, settle } from './inspect';
import { Programs, type Program } from './programs';
import { serve } from './site';
import { at, escape, LOOKS, put, Windows } from './windows';

let programs: Programs;
let windows: Windows;
let site: { origin: string; server: Server };
let pages: { language: string; page: Page }[];
let host: Program;
let other: Program;
/** What is to be closed in the end. */
const ends: (() => unknown)[] = [];
const links: Record<string, string> = {};

beforeAll(async () => {
  programs = await Programs.create();
  const hosts = Promise.all(['Kitchen', 'Attic', 'Cellar', 'Garden', 'Loft'].map((name) => programs.host(name)));
  const [[kitchen, attic, cellar, garden, loft], ben, opened] = await Promise.all([hosts, programs.node(), Windows.start()]);
  if (!kitchen || !attic || !cellar || !garden || !loft) throw new Error('five rooms are open');
  windows = opened;
  site = await serve(ben.url);
  const address = `${site.origin}/?backend=${ben.url}&token=${ben.token}`;
  const [english, german] = await Promise.all([windows.openOne(address, 'wide'), windows.openOne(address, 'wide', 'de-DE')]);
  pages = [{ language: 'en', page: english }, { language: 'de', page: german }];
  await at(english, 'first-run-name').fill('Ben');
  await english.keyboard.press('Enter');
  for (const { page } of pages) await at(page, 'join-room').waitFor();

  other = loft.program;
  links.other = loft.link;
  const { program, link } = kitchen;
  host = program;
  await attic.program.end();
  links.unreachable = attic.link;
  for (const [code, from, protocol] of [['host_newer', cellar, 2], ['host_older', garden, 0]] as const) {
    const speaker = await speakOtherwise(from, protocol);
    ends.push(() => speaker.close());
    links[code] = from.link;
  }
  const nobody = await silent(link);
  ends.push(nobody.end);
  links.silent = nobody.link;
  links.knock = await program.invite('--knock');
  links.link_version = link.replace('v=1', 'v=2');
  links.wrong_certificate = link.replace(/fp=\w+/u, `fp=${'0'.repeat(64)}`);
  links.invite_used_up = await program.invite('--uses', '1');
  await programs.ask(links.invite_used_up, 'Cy').first('room_joined');
  program.say({ type: 'revoke_invite', invite: link });
  await program.first('invite_revoked');
  links.invite_revoked = link;
  links.invite_expired = await program.invite('--expires', '1s');
  const madeMs = Date.now();
  await vi.waitUntil(() => Date.now() - madeMs > 1_000, { timeout: 10_000 });
}, 120_000);

afterAll(async () => {
  await windows?.close();
  await programs?.end();
  site?.server.close();
  for (const end of ends) end();
});

async function tryLink(page: Page, link: string): Promise<void> {
  await at(page, 'join-room').click();
  await at(page, 'join-link').fill(link);
  await page.keyboard.press('Enter');
}

/** The window once more, with links that are clicked elsewhere: in a room nothing else leads into another. */
async function clicks(page: Page): Promise<(link: string) => void> {
  let tell: ((text: string) => void) | undefined;
  await page.routeWebSocket(/.*/u, (socket) => {
    socket.connectToServer();
    tell = (text) => socket.send(text);
  });
  await page.reload();
  await at(page, 'room-name').waitFor();
  return (link) => tell?.(JSON.stringify({ event: { type: 'link_opened', link } }));
}

/** As one sees it in each window and look. */
async function draw(page: Page, name: string): Promise<void> {
  for (const [size, width, height] of [['narrow', 900, 600], ['wide', 1280, 800]] as const) {
    await page.setViewportSize({ width, height });
    for (const look of LOOKS.slice(0, 2)) {
      await put(page, look);
      await settle(page);
      await picture(page, `door-${name}-${size}-${look.name}`);
    }
  }
}

/** What one sees while it is not known yet whether one comes in: in each language, and how one gets out of it. */
async function waits(name: string, link: string, sign: (page: Page) => Promise<unknown>, look?: (page: Page) => Promise<unknown>): Promise<void> {
  for (const { language, page } of pages) {
    await tryLink(page, link);
    await sign(page);
    await draw(page, `${name}-${language}`);
    if (language === 'en') await look?.(page);
    await at(page, 'join-cancel').click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await at(page, 'notice').count()).toBe(0);
    expect(await at(page, 'room-name').count()).toBe(0);
  }
}

it.each([
  ['unreachable', 'cannot be reached', 'nicht zu erreichen'],
  ['host_newer', 'newer SynxSphere', 'neueres SynxSphere'],
  ['host_older', 'older SynxSphere', 'älteres SynxSphere'],
  ['invite_expired', 'expired', 'abgelaufen'],
  ['invite_revoked', 'withdrew', 'zurückgezogen'],
  ['invite_used_up', 'as many', 'so viele'],
  ['link_version', 'another version', 'anderen Fassung'],
  ['wrong_certificate', 'did not join', 'nicht beigetreten'],
] as const)('says of a link that ends in %s why, and what to try', async (code, why, warum) => {
  for (const { language, page } of pages) {
    await tryLink(page, links[code] ?? '');
    await page.locator(`[data-testid=form-error][data-code=${code}]`).waitFor();
    await at(page, 'form-error').getByText(language === 'en' ? why : warum).waitFor();
    expect(await at(page, 'join-tries').locator('li').count()).toBeGreaterThan(0);
    await draw(page, `${code}-${language}`);
    if (code === 'invite_expired' && language === 'en') expect(await inspect(page, 'wide', 'door')).toEqual([]);
    await escape(page);
    expect(await at(page, 'room-name').count()).toBe(0);
  }
}, 90_000);

it('shows that a host does not answer yet, and is given up at once', async () => {
  await waits('calling', links.silent ?? '', (page) => page.locator('[data-testid=join-go][aria-busy=true]').waitFor());
}, 90_000);

it('shows that the host is asked, and asks no more when one goes', async () => {
  await waits('asked', links.knock ?? '', (page) => at(page, 'join-waiting').waitFor(), async (page) => {
    await host.first('knocks', ({ knocks }) => (knocks as unknown[]).length === 1);
    expect(await inspect(page, 'wide', 'door-asked')).toEqual([]);
  });
  await host.first('knocks', ({ knocks }) => (knocks as unknown[]).length === 0);
}, 90_000);

it('says that the room one was in has ended while one waits at a door', async () => {
  const [asking] = pages;
  if (!asking) throw new Error('a window is open');
  await tryLink(asking.page, links.other ?? '');
  for (const { page } of pages) await at(page, 'room-name').waitFor();
  for (const { page } of pages) {
    const click = await clicks(page);
    click(links.knock ?? '');
    await at(page, 'join-go').waitFor();
  }
  await asking.page.keyboard.press('Enter');
  for (const { page } of pages) await at(page, 'join-waiting').waitFor();
  other.say({ type: 'leave' });
  for (const { language, page } of pages) {
    await at(page, 'join-ended').getByText(language === 'en' ? 'The host closed the room.' : 'Der Host hat den Raum geschlossen.').waitFor();
    await draw(page, `ended-meanwhile-${language}`);
  }
  expect(await inspect(asking.page, 'wide', 'door-ended-meanwhile')).toEqual([]);
  for (const { page } of pages) {
    await at(page, 'join-cancel').click();
    await page.locator('dialog').waitFor({ state: 'detached' });
  }
}, 90_000);
