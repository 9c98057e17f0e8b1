/** Slow tests against real peers: exporters, sshd, Ansible, Alertmanager, browsers. Each says aloud when its peer is missing. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/helpers/sharedPostgres.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Real servers share ports, users and the machine's time.
    fileParallelism: false,
  },
});
