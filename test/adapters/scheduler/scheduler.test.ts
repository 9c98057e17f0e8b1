/** What the scheduler takes for a schedule. */
import { expect, test } from 'vitest';
import { createScheduler } from '../../../src/adapters/scheduler/scheduler.ts';
import { NO_TRACING } from '../../../src/core/tracing.ts';
import { keptLog } from '../../helpers/log.ts';

test('a time that never comes is refused instead of kept and never run', async () => {
  const scheduler = await createScheduler({
    url: '',
    name: 'test',
    log: keptLog(),
    tracing: NO_TRACING,
    onEnd: async () => {},
  });
  scheduler.define('survey', async () => {}, 1);
  await scheduler.start();
  try {
    for (const cron of ['99 * * * *', '0 0 31 2 *', 'x y z a b'])
      await expect(scheduler.every(cron, 'survey')).rejects.toMatchObject({ kind: 'invalid' });
    await scheduler.every('0 8 * * MON', 'survey');
  } finally {
    await scheduler.stop(0);
  }
});
