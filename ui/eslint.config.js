import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Layers import downwards only: i18n, pure, backend, state, components, screens. */
const LAYERS = ['i18n', 'pure', 'backend', 'state', 'components', 'screens'];

const layerRules = LAYERS.map((layer, index) => ({
  files: [`src/lib/${layer}/**/*.{ts,svelte}`],
  ignores: ['**/*.test.ts'],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [
        ...LAYERS.slice(index + 1).map((above) => ({
          regex: `(^|/)${above}(/|$)`,
          message: `${layer} lies under ${above} and must not import it.`,
        })),
        ...(layer === 'backend' ? [] : [{ group: ['@tauri-apps/*'], message: 'Only the backend may know Tauri.' }]),
      ],
    }],
  },
}));

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/lib/backend/generated/'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig, extraFileExtensions: ['.svelte'] } },
    rules: { 'max-lines': ['error', { max: 250 }], 'svelte/require-each-key': 'error' },
  },
  ...layerRules,
  { files: ['**/*.svelte', '**/*.svelte.ts', '**/*.ts'], rules: { 'no-undef': 'off' } },
  { files: ['scripts/**'], rules: { 'no-console': 'off' } },
);
