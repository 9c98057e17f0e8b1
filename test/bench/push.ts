/**
 * `npm run bench -- push [--reports=6000] [--endpoints=1000] [--wake=5000] [--store=sqlite|postgresql]`: how many reports of push agents a
 * second the service commits, as a process of its own on SQLite and on PostgreSQL, beside a bare HTTP server that reads the same
 * bodies and keeps nothing; then so many agents that wake at once, each with a connection of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import manifest from '../../package.json' with { type: 'json' };
import { openDatabase } from '../../src/adapters/db/open.ts';
import { createStore } from '../../src/adapters/db/store.ts';
import { tokens } from '../../src/adapters/identity.ts';
import { snapshotToWire } from '../../src/domain/signals/agentReport.ts';
import { targetOf } from '../helpers/collecting.ts';
import { flatSnapshot } from '../helpers/flatSnapshot.ts';
import { WELL } from '../helpers/machines.ts';
import { startPostgres } from '../helpers/postgres.ts';
import { cpuMs } from '../helpers/processCpu.ts';
import { startServiceProcess } from '../helpers/serviceProcess.ts';
import { figure, percentile } from './figure.ts';

/** As `npm start` has them: how Node collects garbage decides much of what a report costs. */
const START_FLAGS = (manifest.scripts.start.match(/--\S+/g) ?? []) as string[];

/** Reports under way at once. */
const CLIENTS = 128;

interface Sizes {
  reports: number;
  endpoints: number;
  wake: number;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      reports: { type: 'string', default: '6000' },
      endpoints: { type: 'string', default: '1000' },
      wake: { type: 'string', default: '5000' },
      store: { type: 'string' },
    },
  });
  const sizes = { reports: Number(values.reports), endpoints: Number(values.endpoints), wake: Number(values.wake) };
  await bare(sizes);
  const dir = await mkdtemp(join(tmpdir(), 'dexops-push-'));
  try {
    if (values.store !== 'postgresql') await onStore('sqlite', `sqlite:///${join(dir, 'push.db')}`, dir, sizes);
    if (values.store !== 'sqlite') {
      const postgres = await startPostgres();
      try {
        await onStore('postgresql', await postgres.createDatabase('push'), dir, sizes);
      } finally {
        await postgres.stop();
      }
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const tokenOf = (index: number) => `dexa_bench_${index}`;

/** A report of `minute` minutes ago; what is measured differs a little from machine to machine. */
function reportOf(index: number, minutesAgo: number): string {
  const at = new Date(Date.now() - minutesAgo * 60_000);
  const snapshot = flatSnapshot(targetOf('push', {}, 'any'), at, { ...WELL, cpuPct: 5 + (index % 50), durationMs: 3 });
  return JSON.stringify(snapshotToWire(snapshot));
}

async function bare({ reports, endpoints }: Sizes): Promise<void> {
  const server = createServer(async (incoming, response) => {
    JSON.parse(Buffer.concat(await incoming.toArray()).toString());
    response.writeHead(202).end('{"ok":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { seconds } = await deliver(url, reports, endpoints);
  figure('push', 'bare_http', reports / seconds, 'reports/s', { load: loadavg()[0] });
  server.close();
  server.closeAllConnections();
}

async function onStore(store: string, url: string, dir: string, sizes: Sizes): Promise<void> {
  const fleet = Math.max(sizes.endpoints, sizes.wake);
  const database = await openDatabase(url);
  await createStore(database.em).transaction(async ({ endpoints }) => {
    for (let index = 0; index < fleet; index++)
      await endpoints.register(registration(index), tokens.digest(tokenOf(index)), new Date());
  });
  await database.close();
  const service = await startServiceProcess(
    { DATA_DIR: dir, DATABASE_URL: url, PORT: '0', RUNBOOKS_DIR: dir },
    START_FLAGS,
  );
  const about = { store, load: loadavg()[0] };
  try {
    await deliver(service.url, 1000, sizes.endpoints, 10_000); // warm
    const pid = service.child.pid as number;
    const before = cpuMs(pid);
    const { seconds, timesMs } = await deliver(service.url, sizes.reports, sizes.endpoints);
    figure('push', 'committed', sizes.reports / seconds, 'reports/s', about);
    figure('push', 'cpu_per_report', (cpuMs(pid) - before) / sizes.reports, 'ms', about);
    figure('push', 'p50', percentile(timesMs, 0.5), 'ms', about);
    figure('push', 'p99', percentile(timesMs, 0.99), 'ms', about);
    const woken = await wake(service.url, sizes.wake);
    figure('push', 'all_awake_after', woken.seconds, 's', { ...about, agents: sizes.wake });
    figure('push', 'not_taken', woken.failures, 'reports', { ...about, agents: sizes.wake });
  } finally {
    await service.end();
  }
}

function registration(index: number) {
  return {
    hostname: `pc-${index}`,
    ipAddress: null,
    ownerEmail: null,
    persona: 'general',
    criticalityTier: 2,
    osPlatform: 'linux',
    tags: {},
    collector: 'push',
    options: {},
  } as const;
}

/** @param oldestMinutes how long ago the oldest report was made; later calls have to be nearer to now */
async function deliver(
  url: string,
  reports: number,
  endpoints: number,
  oldestMinutes = 1000,
): Promise<{ seconds: number; timesMs: number[] }> {
  const dispatcher = new Agent({ connections: CLIENTS });
  const oldest = Math.min(oldestMinutes, 2800);
  const bodies = Array.from({ length: reports }, (_, i) => reportOf(i, oldest - Math.floor(i / endpoints)));
  const timesMs: number[] = [];
  let next = 0;
  const client = async () => {
    for (let index = next++; index < reports; index = next++) {
      const started = performance.now();
      const status = await post(url, index % endpoints, bodies[index] as string, dispatcher);
      if (status !== 202) throw new Error(`a report was answered with ${status}`);
      timesMs.push(performance.now() - started);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const seconds = (performance.now() - started) / 1000;
  await dispatcher.close();
  return { seconds, timesMs };
}

/** Everybody at once, each with its own connection, as after a power cut. */
async function wake(url: string, agents: number): Promise<{ seconds: number; failures: number }> {
  const dispatcher = new Agent({ connections: agents, pipelining: 0 });
  const bodies = Array.from({ length: agents }, (_, index) => reportOf(index, 0));
  const started = performance.now();
  const statuses = await Promise.all(bodies.map((body, index) => post(url, index, body, dispatcher).catch(() => 0)));
  const seconds = (performance.now() - started) / 1000;
  await dispatcher.destroy();
  return { seconds, failures: statuses.filter((status) => status !== 202).length };
}

async function post(url: string, index: number, body: string, dispatcher: Agent): Promise<number> {
  const { statusCode, body: answer } = await request(`${url}/api/v1/dex/agent/snapshot`, {
    dispatcher,
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf(index)}` },
  });
  await answer.dump();
  return statusCode;
}

if (import.meta.main) await run(process.argv.slice(2));
