/**
 * What an endpoint's day of all signals takes in each database, its indexes included: as rows, and packed into blocks; with what
 * the rows of nine figures took before (92 KiB) as the mark to beat.
 * Usage: storage [--endpoints=N] [--days=N] [--store=sqlite|postgresql]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Database, openDatabase } from '../../src/adapters/db/open.ts';
import { createStore } from '../../src/adapters/db/store.ts';
import type { StoredSnapshot } from '../../src/core/ports/endpointPorts.ts';
import { maintainRetention } from '../../src/core/processes/retention.ts';
import { declarationOf, SIGNAL_NAMES, type SignalName } from '../../src/domain/signals/catalogue.ts';
import {
  type AnyReading,
  completeReadings,
  missing,
  type Readings,
  sanitisedReading,
} from '../../src/domain/signals/reading.ts';
import { startPostgres } from '../helpers/postgres.ts';
import { registration, score } from '../helpers/rows.ts';
import { figure } from './figure.ts';

const SCANS_A_DAY = 96;
const SCAN_MS = 86_400_000 / SCANS_A_DAY;
const DAY_MS = 86_400_000;
const RETENTION_DAYS = 30;
/** What nine figures took as rows, their scores included. */
const BEFORE_BYTES = 92 * 1024;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      endpoints: { type: 'string', default: '20' },
      days: { type: 'string', default: '6' },
      store: { type: 'string' },
    },
  });
  const size = { endpoints: Number(values.endpoints), days: Number(values.days) };
  if (values.store !== 'postgresql') {
    const dir = await mkdtemp(join(tmpdir(), 'dexops-bench-storage-'));
    await measure('sqlite', `sqlite:///${join(dir, 'storage.db')}`, size).finally(() =>
      rm(dir, { recursive: true, force: true }),
    );
  }
  if (values.store !== 'sqlite') {
    const postgres = await startPostgres();
    await measure('postgresql', await postgres.createDatabase('storage'), size).finally(() => postgres.stop());
  }
}

async function measure(
  kind: string,
  url: string,
  { endpoints, days }: { endpoints: number; days: number },
): Promise<void> {
  const database = await openDatabase(url);
  const store = createStore(database.em);
  try {
    const empty = await bytesOf(database);
    const end = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    for (let n = 0; n < endpoints; n++) {
      const { id } = await store.endpoints.register(registration(), null, new Date(end - days * DAY_MS));
      const machine = machineOf(id);
      for (let day = days; day > 0; day--) {
        const rows = Array.from({ length: SCANS_A_DAY }, (_, scan) =>
          machine(new Date(end - day * DAY_MS + scan * SCAN_MS), scan),
        );
        await store.snapshots.add(rows);
        await store.scores.add(rows.map((row, i) => scoreOf(row, 70 + ((i * 7 + n) % 30))));
      }
    }
    const endpointDays = endpoints * days;
    const rows = (await bytesOf(database)) - empty;
    const now = new Date(end + 11 * 3_600_000);
    const started = process.cpuUsage();
    await maintainRetention(
      { store, clock: { now: () => now }, settings: { retentionDays: RETENTION_DAYS } },
      new AbortController().signal,
    );
    const { user, system } = process.cpuUsage(started);
    await shrink(database);
    // The newest row of each endpoint stays a row.
    const blocks = (await bytesOf(database)) - empty;
    const perRow = rows / endpointDays / SCANS_A_DAY;
    const signals = SIGNAL_NAMES.length;
    figure('storage', 'bytes_per_endpoint_day', blocks / endpointDays, 'bytes', {
      store: kind,
      kept_as: 'blocks',
      signals,
      before: BEFORE_BYTES,
    });
    figure('storage', 'bytes_per_endpoint_day', rows / endpointDays, 'bytes', {
      store: kind,
      kept_as: 'rows',
      signals,
      before: BEFORE_BYTES,
    });
    // Two to five hours of rows at any time, the rest of thirty days in blocks.
    const mixed = (perRow * 14 + (blocks / endpointDays) * RETENTION_DAYS) / RETENTION_DAYS;
    figure('storage', 'bytes_per_endpoint_day', mixed, 'bytes', {
      store: kind,
      kept_as: 'as the service keeps 30 days',
      signals,
      before: BEFORE_BYTES,
    });
    figure('storage', 'packing, processor time an endpoint day', (user + system) / 1000 / endpointDays, 'ms', {
      store: kind,
    });
  } finally {
    await database.close();
  }
}

function scoreOf({ endpointId, collectedAt }: StoredSnapshot, value: number) {
  const deductions = [
    {
      component: 'device' as const,
      measure: 'memory_pct' as const,
      value: value / 2 + 40,
      points: 15,
      reason: `memory at ${value / 2 + 40} %`,
    },
    {
      component: 'network' as const,
      measure: 'latency_ms' as const,
      value: value * 3,
      points: 10,
      reason: `latency ${value * 3} ms`,
    },
  ];
  return { ...score(endpointId, collectedAt, value), deductions };
}

/** What is another figure at each scan; the others change now and then. */
const FAST = /cpu|iowait|steal|pressure|memory|busy|swap/i;

/** A machine whose figures wander as those of real ones do: some never change, some slowly, some at each scan. */
function machineOf(id: number): (at: Date, scan: number) => StoredSnapshot {
  let state = id * 2_654_435_761;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const levels = new Map<string, number>();
  const wander = (key: string, step: number) => {
    const next = Math.min(95, Math.max(1, (levels.get(key) ?? 10 + random() * 60) + (random() - 0.5) * step));
    levels.set(key, next);
    return next;
  };
  const value = (name: SignalName, item: string, at: Date, scan: number): unknown => {
    const { kind, unit } = declarationOf(name);
    const every = FAST.test(name) ? 8 : ({ ms: 6, celsius: 3, dbm: 4 }[unit as 'ms'] ?? 0.02);
    if (kind === 'number') return wander(`${name} ${item}`, every);
    if (kind === 'share') return { count: random() < 0.02 ? 1 : 0, of: 3 };
    if (kind === 'flag') return false;
    if (kind === 'time') return new Date(at.getTime() - (at.getTime() % (5 * DAY_MS)));
    return name.startsWith('top')
      ? ['browser', 'mail', 'editor', 'chat', 'sync'].sort(() => random() - 0.5)
      : scan % 40 === 0
        ? ['cups.service']
        : [];
  };
  const items = {
    mount: ['/', '/home', '/data'],
    disk: ['nvme0n1'],
    adapter: ['wlan0', 'eth0'],
    battery: ['BAT0'],
    program: ['browser', 'mail', 'editor', 'chat', 'sync'],
  };
  return (collectedAt, scan) => {
    const readings = SIGNAL_NAMES.map((name, i): [SignalName, AnyReading] => {
      const { per } = declarationOf(name);
      if (i % 9 === 8) return [name, missing('this machine has no such part')];
      if (per === 'machine')
        return [name, sanitisedReading(name, { value: value(name, '', collectedAt, scan) } as AnyReading)];
      return [
        name,
        sanitisedReading(name, {
          items: items[per].map((item) => ({ item, value: value(name, item, collectedAt, scan) })),
        } as AnyReading),
      ];
    });
    return {
      endpointId: id,
      collectedAt,
      collector: 'push',
      durationMs: Math.round(200 + random() * 400),
      reachable: true,
      unreachableReason: null,
      readings: completeReadings(Object.fromEntries(readings) as Partial<Readings>, () => 'not collected'),
      ignoredSignals: 0,
    };
  };
}

async function bytesOf({ kind, em }: Database): Promise<number> {
  const sql =
    kind === 'sqlite'
      ? 'select (page_count - freelist_count) * page_size as bytes from pragma_page_count(), pragma_freelist_count(), pragma_page_size()'
      : "select sum(pg_total_relation_size(c)) as bytes from unnest(array['snapshot', 'score', 'sample_block']::regclass[]) c";
  const [row] = await em.fork().execute<{ bytes: number | string }[]>(sql);
  return Number(row?.bytes);
}

/** PostgreSQL gives space that deleted rows leave back to later ones; here nothing comes later. */
async function shrink({ kind, em }: Database): Promise<void> {
  if (kind === 'sqlite') return;
  for (const table of ['snapshot', 'score', 'sample_block']) await em.fork().execute(`vacuum full ${table}`);
}
