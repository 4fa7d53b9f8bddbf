/**
 * What the window weighs, as it would come over a network.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

const DIST = resolve(import.meta.dirname, '../dist');
/** Under this the window opens at once even from a slow disk, and there is no room for a framework too many. */
const MOST_BYTES = 300_000;

it('is small', async () => {
  const files = await readdir(DIST, { recursive: true, withFileTypes: true });
  const shown = files.filter((file) => file.isFile() && !file.name.endsWith('.txt'));
  const sizes = await Promise.all(shown.map(async (file) => gzipSync(await readFile(join(file.parentPath, file.name))).length));
  expect(sizes.length).toBeGreaterThan(3);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_BYTES);
});
