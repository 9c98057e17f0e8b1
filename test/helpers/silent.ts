/** A log and metrics that nobody reads, for tests that look elsewhere. */

import { createLog } from '../../src/adapters/log.ts';
import { createMetrics } from '../../src/adapters/metrics.ts';

export const silentLog = createLog({ level: 'silent', format: 'json' });
export const silentMetrics = createMetrics();
