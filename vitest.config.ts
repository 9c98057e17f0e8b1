import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/chaos/**', 'node_modules/**'],
    globalSetup: ['test/helpers/sharedPostgres.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      include: ['src/core/**', 'src/domain/**', 'src/surfaces/http/**'],
      reporter: ['text-summary'],
      thresholds: { lines: 85, statements: 85, functions: 85 },
    },
  },
});
