import { defineConfig } from 'vitest/config';

/** One file at a time: nodes and browsers want the whole machine. */
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../node_modules/.vite-e2e',
  test: { environment: 'node', include: ['*.test.ts'], fileParallelism: false, testTimeout: 30_000, hookTimeout: 30_000 },
});
