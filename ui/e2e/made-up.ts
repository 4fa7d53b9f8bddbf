/**
 * The window as while developing, with the made-up node in it: every screen without a program behind it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { serve } from './site';

export const UI = resolve(import.meta.dirname, '..');

export async function madeUpWindow(minify: boolean): Promise<{ origin: string; end: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'synx-window-'));
  process.env.NODE_ENV = 'development';
  await build({ root: UI, configFile: join(UI, 'vite.config.ts'), mode: 'development', logLevel: 'error', build: { outDir: folder, emptyOutDir: true, minify } });
  const { origin, server } = await serve("'self'", folder);
  const end = async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { origin, end };
}
