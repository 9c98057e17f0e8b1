import { defineConfig } from 'vitest/config';

/** Slow tests against real peers: one file at a time, because each may start several programs. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.e2e.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
