import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  base: './',
  // The font's licence goes wherever the font goes.
  publicDir: '../assets/fonts',
  clearScreen: false,
  server: { port: 5173, strictPort: true, host: '127.0.0.1' },
  build: {
    target: ['es2022', 'safari16'],
    // Nothing inlined as data: URLs, so that the page works under a strict content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 300,
  },
  // Svelte's server build is what Node would resolve; tests mount real components.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/test-setup.ts'],
    restoreMocks: true,
    // The machine may be busy with other tests.
    testTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
  },
});
