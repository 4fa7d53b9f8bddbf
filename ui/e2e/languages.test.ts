/**
 * Every screen of the window on a made-up node, in a language that nobody speaks and in German: no text stands in the code,
 * and longer words find their place.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LANGUAGES } from '../src/lib/i18n/names';
import { picture, settle } from './inspect';
import { layoutFaults } from './layout';
import { madeUpWindow, UI } from './made-up';
import { strangers } from './strangers';
import { LOOKS, put, Windows, type Look } from './windows';

/** The machine may be busy with other tests. */
const PATIENCE_MS = 60_000;

let site: Awaited<ReturnType<typeof madeUpWindow>>;
let windows: Windows;

const at = (page: Page, id: string) => page.getByTestId(id).first();
const click = (...ids: string[]) => async (page: Page) => {
  for (const id of ids) await at(page, id).click();
};
/** The side is folded away in a narrow window. */
const side = async (page: Page) => {
  if (await at(page, 'side-toggle').isVisible()) await at(page, 'side-toggle').click();
};

const SCREENS: [name: string, scene: string, reach?: (page: Page) => Promise<void>][] = [
  ['first run', 'first-run'],
  ['empty library', 'empty'],
  ['library', 'library'],
  ['track menu', 'library', (page) => at(page, 'row-menu').click()],
  ['add files', 'library', click('open-files')],
  ['view', 'library', click('view-menu')],
  ['nothing found', 'library', (page) => at(page, 'library-filter').fill('qqqqq')],
  ['new playlist', 'library', async (page) => at(page, 'library-row').press('a')],
  ['host', 'library', click('host-room')],
  ['join', 'library', click('join-room')],
  ['output', 'library', click('output-open', 'calibrate-open')],
  ['up next', 'library', click('up-next')],
  ['settings', 'library', click('settings-open')],
  ['taste', 'library', click('settings-open', 'settings-taste')],
  ['look', 'library', click('settings-open', 'settings-look')],
  ['network', 'room', click('settings-open', 'settings-network', 'network-test')],
  ['privacy', 'library', click('settings-open', 'settings-privacy')],
  ['machine', 'library', click('settings-open', 'settings-machine')],
  ['sound', 'library', click('settings-open', 'settings-sound')],
  ['collection', 'library', click('settings-open', 'settings-collection')],
  ['shortcuts', 'library', (page) => page.keyboard.press('?')],
  ['picture', 'playing', click('sleeve')],
  ['tempo', 'playing', click('bpm')],
  ['key', 'playing', click('key')],
  ['analysing', 'analyzing'],
  ['no device', 'no-device', click('output-open')],
  ['link', 'link', async (page) => at(page, 'join-link').waitFor()],
  ['link in a room', 'link-in-room', async (page) => at(page, 'join-link').waitFor()],
  ['at the door', 'at-door'],
  ['knocks', 'knocks'],
  ['nothing shared', 'room-empty'],
  ['room', 'room', side],
  ['notes', 'room', async (page) => (await side(page), await at(page, 'tab-notes').click())],
  ['commenting', 'room', (page) => page.keyboard.press('c')],
  ['member', 'room', async (page) => (await side(page), await at(page, 'member-menu').click())],
  ['invite', 'room', click('invite-open', 'invites-past', 'new-invite')],
  ['room settings', 'room', click('room-settings')],
  ['leave', 'room', click('leave-room')],
  ['history', 'room', click('history-open')],
  ['history, past', 'room', click('history-open', 'history-entry')],
  ['save history', 'room', click('history-open', 'history-export')],
  ['fifty people', 'room50', side],
  ['listening alone', 'alone', side],
  ['missed', 'missed'],
  ['transfers', 'transfers', side],
  ['listener', 'listener'],
  ['reconnecting', 'reconnecting'],
];

beforeAll(async () => {
  [site, windows] = await Promise.all([madeUpWindow(false), Windows.start()]);
}, PATIENCE_MS * 2);

afterAll(async () => {
  await windows?.close();
  await site?.end();
});

/** Words of the made-up node, as its sources have them. */
function madeUp(): string[] {
  const sources = join(UI, 'src/lib/backend/fake');
  const texts = readdirSync(sources).flatMap((name) => [...readFileSync(join(sources, name), 'utf8').matchAll(/'([^'\n]*)'|`([^`]*)`/gu)]);
  return [...new Set(texts.flatMap((match) => (match[1] ?? match[2] ?? '').match(/\p{L}+/gu) ?? []))];
}

/** Names of months and weekdays come from the system. */
function dates(): string[] {
  const format = new Intl.DateTimeFormat('en', { weekday: 'long', month: 'long', timeZone: 'UTC' });
  return Array.from({ length: 12 }, (_, month) => format.format(Date.UTC(2026, month, 1 + month))).flatMap((text) => text.split(' '));
}

async function visit(page: Page, scene: string, reach?: (page: Page) => Promise<void>): Promise<void> {
  await page.goto(`${site.origin}/?backend=fake&scene=${scene}`);
  await page.locator('nav, main form').first().waitFor({ timeout: PATIENCE_MS });
  await reach?.(page);
  await settle(page);
}

interface Visit {
  locale: string;
  sizes: ('wide' | 'narrow')[];
  /** As the pictures are named. */
  name?: string;
  /** Once for each window. */
  prepare?: (page: Page) => Promise<unknown>;
  /** On each screen. */
  extra?: (page: Page) => Promise<string[]>;
}

async function inspectAll({ locale, sizes, name: series = locale, prepare, extra }: Visit): Promise<string[]> {
  const found = new Map<string, string>();
  for (const size of sizes) {
    const page = await windows.openOne('about:blank', size, locale);
    await prepare?.(page);
    for (const [name, scene, reach] of SCREENS) {
      await visit(page, scene, reach);
      const faults = [...(await page.evaluate(layoutFaults)), ...((await extra?.(page)) ?? [])];
      // A fault of many screens is told once.
      for (const fault of faults) if (!found.has(fault)) found.set(fault, `${name}, ${size}: ${fault}`);
      await picture(page, `${series}-${name}-${size}`);
    }
    await page.close();
  }
  return [...found.values()];
}

describe('in a language that nobody speaks', () => {
  it('all that is said comes from the catalogue, and has room', async () => {
    const known = [...madeUp(), ...dates(), ...Object.values(LANGUAGES), 'SynxSphere'];
    expect(await inspectAll({ locale: 'en-XA', sizes: ['wide', 'narrow'], extra: (page) => page.evaluate(strangers, known) })).toEqual([]);
  }, 240_000);
});

describe('in German', () => {
  it('all has room, also in a small window', async () => {
    const german = async (page: Page) => ((await page.locator('html').getAttribute('lang')) === 'de' ? [] : ['is not German']);
    expect(await inspectAll({ locale: 'de-DE', sizes: ['narrow'], extra: german })).toEqual([]);
  }, 240_000);

  it('is spoken at once when it is chosen, and no more when that is cancelled', async () => {
    const page = await windows.openOne('about:blank', 'wide');
    await visit(page, 'library', click('settings-open', 'settings-look'));
    await page.getByText('Deutsch', { exact: true }).click();
    await page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
    await at(page, 'settings-cancel').click();
    await page.getByRole('button', { name: 'Host a room' }).waitFor();
    await page.close();
  }, PATIENCE_MS);
});

describe('a quarter larger', () => {
  it('text has room', async () => {
    // As the desktop's setting for larger text has it: 20 px where 16 are usual.
    const larger = async (page: Page) => (await page.context().newCDPSession(page)).send('Page.setFontSizes', { fontSizes: { standard: 20 } });
    expect(await inspectAll({ locale: 'en-GB', sizes: ['wide', 'narrow'], name: 'larger', prepare: larger })).toEqual([]);
  }, 240_000);

  it('all has room, on a screen that does not grow with it', async () => {
    const zoomed = (page: Page) => page.setViewportSize({ width: 1280 / 1.25, height: 800 / 1.25 });
    expect(await inspectAll({ locale: 'de-DE', sizes: ['wide'], name: 'zoomed', prepare: zoomed })).toEqual([]);
  }, 240_000);
});

describe('to be looked at', () => {
  it('fifty people in high contrast', async () => {
    const page = await windows.openOne('about:blank', 'wide');
    await put(page, LOOKS[2] as Look);
    await visit(page, 'room50');
    await picture(page, 'fifty-contrast');
    await page.close();
  }, PATIENCE_MS);
});
