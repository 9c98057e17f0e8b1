import { defineConfig } from 'vitest/config';
import type { Reporter, Vitest } from 'vitest/node';

/** A snapshot that no test asks for any more says nothing, and looks as if it did: it fails the run. */
class StaleSnapshotsFail implements Reporter {
  #vitest: Vitest | null = null;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(): void {
    const { unchecked = 0, filesRemoved = 0 } = this.#vitest?.snapshot.summary ?? {};
    if (unchecked + filesRemoved === 0) return;
    console.error(`${unchecked + filesRemoved} stale snapshots: remove them with vitest run -u FILE`);
    process.exitCode = 1;
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'node_modules/**'],
    reporters: ['default', new StaleSnapshotsFail()],
    globalSetup: ['test/helpers/sharedPostgres.ts'],
    // Loading the application costs more than most tests: files of one worker share it. Nothing of ours keeps state in modules.
    isolate: false,
    // Many tests wait for programs they have started.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      include: ['src/core/**', 'src/domain/**', 'src/surfaces/http/**'],
      reporter: ['text-summary'],
      thresholds: { lines: 85, statements: 85, functions: 85 },
    },
  },
});
