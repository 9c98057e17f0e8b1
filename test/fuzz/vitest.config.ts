/** Property tests (`npm run fuzz`): every parser and every route against inputs nobody thought of. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/fuzz/**/*.fuzz.ts'],
    setupFiles: ['test/fuzz/setup.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    // Both cores are wanted by the services that are fuzzed.
    fileParallelism: false,
  },
});
