/**
 * What every screen is held to: found faults as sentences, none when all is well.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { walk } from './keyboard';
import { layoutFaults } from './layout';
import { LOOKS, put } from './windows';

/** Set to a folder to have every screen drawn there in every look, to be looked at. */
const PICTURES = process.env.E2E_PICTURES;

export async function inspect(page: Page, size: string, scene: string): Promise<string[]> {
  const found: string[] = [];
  for (const look of LOOKS) {
    await put(page, look);
    await settle(page);
    await picture(page, `${scene}-${size}-${look.name}`);
    // Colours are all that differs between looks.
    const rules = look === LOOKS[0] ? undefined : ['color-contrast'];
    found.push(...(await axeFaults(page, rules)).map((fault) => `${look.name}: ${fault}`));
  }
  found.push(...(await page.evaluate(layoutFaults)));
  found.push(...(await walk(page)));
  return found.map((fault) => `${scene}, ${size}: ${fault}`);
}

/** Until fonts are there and what changed has been drawn. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  });
}

export async function picture(page: Page, name: string): Promise<void> {
  const folder = PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name.replaceAll(/[^\w-]+/gu, '-')}.png`) });
}

async function axeFaults(page: Page, rules: string[] | undefined): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(
    (only) => (window as unknown as { axe: typeof axe }).axe.run(document, {
      resultTypes: ['violations'],
      ...(only && { runOnly: { type: 'rule' as const, values: only } }),
    }),
    rules,
  )) as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1]?.trim() ?? ''}`));
}
