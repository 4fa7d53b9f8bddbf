/**
 * Chromium without a screen: the window at its usual and at its smallest size, both on the same node.
 */
import { accessSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 900, height: 600 } };
/** Debian's name first. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const QUIET = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
/** What must happen in the window happens at once, or after one answer of the node. */
const PATIENCE_MS = 8_000;

export interface Look {
  name: string;
  scheme: 'light' | 'dark';
  contrast: 'no-preference' | 'more';
}

export const LOOKS: Look[] = [
  { name: 'light', scheme: 'light', contrast: 'no-preference' },
  { name: 'dark', scheme: 'dark', contrast: 'no-preference' },
  { name: 'light, more contrast', scheme: 'light', contrast: 'more' },
  { name: 'dark, more contrast', scheme: 'dark', contrast: 'more' },
];

function executable(): string {
  const named = process.env.CHROMIUM;
  if (named) return named;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => exists(path));
  if (!found) throw new Error('There is no `chromium`: install it (`cargo xtask setup`), or name one in CHROMIUM.');
  return found;
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

export class Windows {
  readonly pages: { size: string; page: Page }[] = [];
  /** Every address that was asked for, and everything that went wrong in a page. */
  readonly asked = new Set<string>();
  readonly problems: string[] = [];

  private constructor(private readonly browser: Browser) {}

  static async start(): Promise<Windows> {
    return new Windows(await chromium.launch({ executablePath: executable(), args: QUIET }));
  }

  async open(address: string): Promise<void> {
    for (const size of ['wide', 'narrow'] as const) this.pages.push({ size, page: await this.openOne(address, size) });
  }

  async openOne(address: string, size: keyof typeof SIZES, locale = 'en-GB'): Promise<Page> {
    const page = await this.browser.newPage({ viewport: SIZES[size], reducedMotion: 'reduce', locale, timezoneId: 'UTC' });
    page.setDefaultTimeout(PATIENCE_MS);
    // What comes and goes by itself would change a screen while it is inspected; its own tests look at it.
    await page.addInitScript(() => localStorage.setItem('told', 'joined,mention,analysed'));
    page.on('request', (request) => this.asked.add(request.url()));
    page.on('websocket', (socket) => this.asked.add(socket.url()));
    page.on('pageerror', (error) => this.problems.push(`${size}: ${error.message}`));
    page.on('console', (message) => message.type() === 'error' && this.problems.push(`${size}: ${message.text()}`));
    await page.goto(address);
    return page;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

export async function put(page: Page, look: Look): Promise<void> {
  await page.emulateMedia({ colorScheme: look.scheme, contrast: look.contrast, reducedMotion: 'reduce' });
}

/** What a test knows by its id. */
export const at = (page: Page, id: string) => page.getByTestId(id);

/** Leaves a dialog by the keyboard. */
export async function escape(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
}
