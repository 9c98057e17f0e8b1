import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'node_modules/**'],
    globalSetup: ['test/helpers/sharedPostgres.ts'],
    // Loading the application costs more than most tests: files of one worker share it. Nothing of ours keeps state in modules.
    isolate: false,
    // Many tests wait for programs they have started.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      include: ['src/core/**', 'src/domain/**', 'src/surfaces/http/**'],
      reporter: ['text-summary'],
      thresholds: { lines: 85, statements: 85, functions: 85 },
    },
  },
});
