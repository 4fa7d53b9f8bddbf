/**
 * Takes pictures of the window in its scenes with the made-up node, to be looked at:
 *   node scripts/look.mjs FOLDER [scene …]
 * Needs a Chromium (CHROMIUM names another than /usr/bin/chromium).
 */
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const [folder = 'test-results/look', ...wanted] = process.argv.slice(2);
const scenes = wanted.length > 0 ? wanted : [
  'first-run', 'empty', 'library', 'playing', 'analyzing', 'no-device', 'errors', 'link', 'at-door', 'room-empty', 'room', 'room50', 'alone',
  'knocks', 'transfers', 'listener', 'reconnecting',
];
const sizes = [{ width: 1280, height: 800 }, { width: 900, height: 600 }];

const server = await createServer({ logLevel: 'error', server: { port: 5199 } });
await server.listen();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (const scheme of ['light', 'dark']) {
  for (const viewport of sizes) {
    const page = await browser.newPage({ viewport, colorScheme: scheme });
    page.on('pageerror', (error) => console.error(error.message));
    page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
    for (const scene of scenes) {
      await page.goto(`http://127.0.0.1:5199/?backend=fake&scene=${scene}`);
      await page.waitForSelector('main');
      await page.waitForFunction("!document.querySelector('[data-testid=waveform][data-state=loading]') || location.search.includes('analyzing')");
      await page.evaluate('document.fonts.ready.then(() => new Promise(requestAnimationFrame))');
      await page.screenshot({ path: `${folder}/${scene}-${scheme}-${viewport.width}.png` });
    }
    await page.close();
  }
}
await browser.close();
await server.close();
