/** The rules for jobs, with the queue in this process, and how a start ends that cannot be. */
import { expect, test } from 'vitest';
import { JOB_RULES } from '../../../src/adapters/scheduler/scheduler.ts';
import { describeQueue, openScheduler } from './queueRules.ts';

test('the rules are those of the operations guide', () => {
  expect(JOB_RULES).toMatchObject({ timeoutMs: 600_000, keepResultMs: 7_200_000 });
});

test.each([
  ['PostgreSQL', 'postgresql://dexops:dexops@127.0.0.1:9/none'],
  ['MongoDB', 'mongodb://127.0.0.1:9/none?serverSelectionTimeoutMS=100'],
])('a queue in %s that does not answer stops the start and says which', async (name, nobody) => {
  await expect(openScheduler(nobody)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining(`RUN_QUEUE_URL (${name}) does not answer`),
  });
});

test('a time that never comes is refused instead of kept and never run', async () => {
  const { scheduler } = await openScheduler('');
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

describeQueue('in process', () => '');
