/** The queue in Redis, where it is installed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisJobRepository } from '@agendajs/redis-backend';
import { afterAll, beforeAll, test } from 'vitest';
import { describeSharedQueue, type SharedQueue } from '../adapters/scheduler/queueRules.ts';
import { type RunningProgram, startProgram } from '../helpers/childProcess.ts';
import { findBinary } from '../helpers/findBinary.ts';
import { freePort } from '../helpers/freePort.ts';

const BINARY = findBinary('redis-server');

let dir: string;
let url: string;
let server: RunningProgram | undefined;
let redis: ReturnType<RedisJobRepository['getRedis']> | undefined;
beforeAll(async () => {
  if (!BINARY) return;
  dir = await mkdtemp(join(tmpdir(), 'dexops-redis-jobs-'));
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  server = await startProgram(BINARY, args, /Ready to accept connections/);
  url = `redis://127.0.0.1:${port}`;
  redis = new RedisJobRepository({ connectionString: url }).getRedis();
});
afterAll(async () => {
  await redis?.quit();
  await server?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const keysOf = async (name: string) =>
  (await redis!.smembers(`agenda:jobs:by_name:${name}`)).map((id) => `agenda:job:${id}`);
const timestampOf = (text: string | undefined) => (!text || text === 'null' ? null : new Date(Number(text) || text));
const queue: SharedQueue = {
  url: () => url,
  async jobs(name) {
    const jobs = await Promise.all((await keysOf(name)).map((key) => redis!.hgetall(key)));
    return jobs.map(({ data, failReason, lockedAtMs, nextRunAt }) => ({
      data: JSON.parse(data ?? 'null'),
      failReason: failReason ?? null,
      lockedAt: timestampOf(lockedAtMs),
      nextRunAt: timestampOf(nextRunAt),
    }));
  },
  async change(name, { lockedAt, nextRunAt, ...fields }, n) {
    for (const key of await keysOf(name)) {
      if (n !== undefined && JSON.parse((await redis!.hget(key, 'data')) ?? '{}').n !== n) continue;
      const { lastRunAt, ...others } = fields;
      if (lastRunAt) await redis!.hset(key, 'lastRunAt', lastRunAt.toISOString());
      if (lockedAt) await redis!.hset(key, 'lockedAtMs', lockedAt.getTime());
      if (Object.keys(others).length > 0) await redis!.hset(key, others);
      if (!nextRunAt) continue;
      await redis!.hset(key, 'nextRunAt', nextRunAt.toISOString());
      await redis!.zadd('agenda:jobs:by_next_run_at', nextRunAt.getTime(), key.replace('agenda:job:', ''));
    }
  },
};

if (BINARY) describeSharedQueue('Redis', queue);
else test('Redis', ({ skip }) => skip('redis-server is not on this machine (Debian: redis-server)'));
