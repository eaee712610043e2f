import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import ts from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}', 'vite.config.ts'],
    extends: [ts.configs.recommendedTypeChecked, hooks.configs.flat.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/only-throw-error': 'off', // the router's redirect() is thrown by design
    },
  },
  {
    files: ['dev/**/*.mjs', 'e2e/**/*.mjs', '*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          // Node's
          ...['process', 'console', 'URL', 'Buffer', 'setTimeout', 'fetch', 'performance'],
          // of the page, inside of page.evaluate
          ...['window', 'document', 'localStorage', 'navigator', 'getComputedStyle'],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
