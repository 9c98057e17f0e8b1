/**
 * How long a plan takes: an edit of the score file replayed over the stored samples of a fleet, with what it finds, and beside it
 * what the same costs when every sample is read and judged whole.
 * Usage: plan [--machines=10000] [--days=14] [--pool=40]
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '../../src/adapters/db/open.ts';
import { dayOf } from '../../src/adapters/db/telemetry/blockStore.ts';
import { encodeBlock } from '../../src/adapters/db/telemetry/sampleBlock.ts';
import { snapshotTree } from '../../src/adapters/db/telemetry/sampleTrees.ts';
import { snapshotToRow } from '../../src/adapters/db/telemetry/snapshotRows.ts';
import type { Actor } from '../../src/core/actor.ts';
import { judgeReadings, judgeScan } from '../../src/domain/alerts/judgeScan.ts';
import { registration } from '../helpers/rows.ts';
import { startTestService } from '../helpers/service.ts';
import { INJECTED } from './diagnosis/causes.ts';
import { liveThrough, machineOf } from './diagnosis/machine.ts';
import { drawFrom } from './diagnosis/random.ts';
import { figure } from './figure.ts';

const DAY_MS = 86_400_000;
const MINUTES = 15;
const ACTOR: Actor = { id: 'key:bench', name: 'bench', kind: 'human', via: 'rest', role: 'admin' };
/** Days before the stretch that rules which wait long need. */
const WARM_UP_DAYS = 2;
/** One machine in so many has something wrong. */
const ILL = 5;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      machines: { type: 'string', default: '10000' },
      days: { type: 'string', default: '14' },
      pool: { type: 'string', default: '40' },
    },
  });
  const [machines, days, pool] = [Number(values.machines), Number(values.days), Number(values.pool)];
  const dir = await mkdtemp(join(tmpdir(), 'dexops-bench-plan-'));
  const url = `sqlite:///${join(dir, 'plan.db')}`;
  const now = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS + 12 * 3_600_000);
  await fill(url, { machines, days: days + WARM_UP_DAYS, pool, now });
  const service = await startTestService(
    { DATABASE_URL: url, DATA_DIR: dir, DEX_RETENTION_DAYS: '30' },
    { healing: null, clock: { now: () => now } },
  );
  try {
    const text = readFileSync(new URL('../../config/dex_score.yaml', import.meta.url), 'utf8');
    const score = text.replace('cpu_pct, above: 95, clear: 85, for: 3', 'cpu_pct, above: 90, clear: 80, for: 2');
    const cpu = process.cpuUsage();
    const started = performance.now();
    const { output } = await service.app.invoke('plan_rules', { score, days }, ACTOR);
    const seconds = (performance.now() - started) / 1000;
    const used = process.cpuUsage(cpu);
    const { total, machines: replayed } = output as any;
    figure('plan', 'an edited score file over the stored samples', seconds, 's', {
      machines: replayed.replayed,
      days,
      samples: machines * (days + WARM_UP_DAYS) * (1440 / MINUTES),
      processor_s: Math.round((used.user + used.system) / 10_000) / 100,
      would_fire: total.planned.fired,
      peak_memory_mb: Math.round(process.resourceUsage().maxRSS / 1024),
    });
    await judgeWhole(service.app.ports, machines * (days + WARM_UP_DAYS), now);
  } finally {
    await service.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** What it would cost to read and judge every sample as a scan does. */
async function judgeWhole(
  { store, scoreRules, settings }: Awaited<ReturnType<typeof startTestService>>['app']['ports'],
  machineDays: number,
  now: Date,
): Promise<void> {
  const some = await store.endpoints.batch(0, 10);
  const cpu = process.cpuUsage();
  let judged = 0;
  const rules = scoreRules.current();
  for (const endpoint of some) {
    for (const snapshot of await store.snapshots.since([endpoint.id], new Date(now.getTime() - 2 * DAY_MS))) {
      const readings = judgeReadings(endpoint, snapshot, rules, settings.thresholds);
      const nothing = { total: 0, resolved: 0 };
      judgeScan(endpoint, snapshot.collectedAt, readings, [], nothing, rules, settings.thresholds);
      judged++;
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const perDay = ((user + system) / 1000 / judged) * (1440 / MINUTES);
  figure(
    'plan',
    'processor time of the same, every sample read and judged whole (from some machines)',
    (perDay * machineDays) / 1000,
    's',
  );
}

async function fill(
  url: string,
  { machines, days, pool, now }: { machines: number; days: number; pool: number; now: Date },
): Promise<void> {
  const database = await openDatabase(url);
  const em = database.em.fork();
  const { createStore } = await import('../../src/adapters/db/store.ts');
  const store = createStore(database.em);
  for (let at = 0; at < machines; at += 1000) {
    const some = Array.from({ length: Math.min(1000, machines - at) }, () => ({
      ...registration(),
      agentTokenDigest: null,
    }));
    await store.endpoints.registerAll(some, now);
  }
  for (let id = 1; id <= Math.min(pool, machines); id++) {
    const draw = drawFrom(id * 31);
    const cause = id % ILL === 0 ? INJECTED[(id * 7) % INJECTED.length] : undefined;
    const machine = machineOf(draw, `pool-${id}`, 'linux');
    const records = liveThrough(
      machine,
      {
        nowMs: now.getTime(),
        days,
        intervalMinutes: MINUTES,
        ...(cause && { cause: { inject: cause.inject, hoursAgo: draw.between(24, days * 24) } }),
      },
      draw,
    );
    const trees = records.map(({ collectedAt, readings, reachable }) =>
      snapshotTree({
        ...snapshotToRow({
          endpointId: id,
          collectedAt,
          collector: 'push',
          durationMs: 200,
          reachable,
          unreachableReason: null,
          readings,
          ignoredSignals: 0,
        }),
        id: 0,
      } as unknown as Parameters<typeof snapshotTree>[0]),
    );
    for (const [dayMs, day] of Map.groupBy(trees, ({ atMs }) => dayOf(atMs).getTime())) {
      const data = encodeBlock(day.map(({ atMs, tree }) => ({ '@': atMs - dayMs, ...tree })));
      await em.execute('insert into sample_block (endpoint_id, kind, day, samples, data) values (?, 1, ?, ?, ?)', [
        id,
        new Date(dayMs),
        day.length,
        data,
      ]);
    }
  }
  await em.execute(
    `insert into sample_block (endpoint_id, kind, day, samples, data)
     select e.id, b.kind, b.day, b.samples, b.data from endpoint e join sample_block b on b.endpoint_id = 1 + (e.id - 1) % ${pool}
     where e.id > ${pool}`,
  );
  await database.close();
}
