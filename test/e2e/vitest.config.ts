/** Slow tests against real peers: exporters, sshd, Ansible, Alertmanager, browsers. Each says aloud when its peer is missing. */
import { defineConfig } from 'vitest/config';

/** Quick on SQLite, where `npm test` runs them; here their other half. */
const ON_POSTGRESQL = [
  'adapters/db/backup',
  'core/people/surveys',
  'core/processes/retention',
  'core/processes/retentionKinds',
  'core/scans/fleetScan',
  'surfaces/http/alertmanager',
].map((file) => `test/${file}.test.ts`);

export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts', ...ON_POSTGRESQL],
    env: { DEXOPS_TEST_STORE: 'postgresql' },
    globalSetup: ['test/helpers/sharedPostgres.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Real servers share ports, users and the machine's time.
    fileParallelism: false,
  },
});
