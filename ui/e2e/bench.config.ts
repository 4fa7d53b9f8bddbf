import { defineConfig } from 'vitest/config';

/** Measurements: they print figures and judge none. */
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../node_modules/.vite-bench',
  test: { environment: 'node', include: ['*.bench.ts'], fileParallelism: false, testTimeout: 120_000, hookTimeout: 60_000 },
});
