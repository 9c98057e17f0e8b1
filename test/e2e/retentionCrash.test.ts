/** Retention in a service that is killed again and again: in the end every hour's roll-up is what its samples come to, each counted once. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { SAMPLE_BLOCK_KINDS } from '../../src/adapters/db/entities/telemetry.ts';
import { blockStore } from '../../src/adapters/db/telemetry/blockStore.ts';
import type { StoredScore, StoredSnapshot } from '../../src/core/ports/endpointPorts.ts';
import { flatOf } from '../helpers/flatSnapshot.ts';
import { type Program, runProgram } from '../helpers/program.ts';
import { registration, score, snapshot } from '../helpers/rows.ts';
import { API_KEY } from '../helpers/service.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../helpers/stores.ts';

const RETENTION_DAYS = 14;
const ENDPOINTS = 100;
const OLD_SAMPLES = 200;
const YOUNG_SAMPLES = 8;
const KILLS = 4;
/** A killing comes at a random moment of so long after the first sign of work. */
const WITHIN_MS = 400;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const CLOCK = pathToFileURL(join(import.meta.dirname, '../chaos/shiftedClock.ts')).href;

/** All lives of the service are lived in this hour of its clock; the job is due in its 22nd minute, and nothing else from the 10th on. */
const HOUR = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
/** Samples leave by whole days. */
const CUT = Math.floor((HOUR - RETENTION_DAYS * DAY_MS) / DAY_MS) * DAY_MS;

type Measured = Record<string, number | null>;

test.concurrent.each(STORE_KINDS)('killed at random moments on %s', { timeout: 180_000 }, async (kind) => {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-retention-'));
  const opened = await openTestStore(kind);
  let service: Program | undefined;
  try {
    const clockFile = join(dir, 'clock');
    const setClock = (minute: number) => writeFile(clockFile, String(HOUR + minute * MINUTE_MS - Date.now()));
    const live = async (): Promise<Program> => {
      await setClock(10);
      const started = runProgram('src/main.ts', [], {
        NODE_OPTIONS: `--import ${CLOCK}`,
        CHAOS_CLOCK_FILE: clockFile,
        HOST: '127.0.0.1',
        PORT: '0',
        API_KEY,
        DATA_DIR: dir,
        RUNBOOKS_DIR: dir,
        DATABASE_URL: opened.url,
        DEX_RETENTION_DAYS: `${RETENTION_DAYS}`,
        DEX_SCAN_INTERVAL_MINUTES: '60',
        DEX_REGISTER_SELF: 'false',
        EMBEDDING_MODEL: 'none',
        LLM_PROVIDER: '',
        LOG_LEVEL: 'INFO',
      });
      service = started;
      await started.said(/ listens on /);
      await setClock(22);
      return started;
    };

    const fleet = await fill(opened);
    const all = await counted(opened);
    expect(all.raw).toBe(2 * fleet.snapshots.length);
    const isKept = ({ endpointId, at }: Sample) => at >= CUT || fleet.latest.get(endpointId) === at;
    const keptCount = 2 * fleet.snapshots.filter(isKept).length;
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await counted(opened);
      if (before.raw === keptCount || before.rows <= ENDPOINTS * 2) break; // a fast machine
      const victim = await live();
      while ((await rowsOf(opened)) === before.rows) await sleep(10);
      await sleep(Math.random() * WITHIN_MS);
      await victim.stop('SIGKILL');
      const after = await counted(opened);
      expect(after.raw + after.rolledUp).toBe(all.raw);
      if (after.raw > keptCount) interrupted++;
    }
    expect(interrupted).toBeGreaterThanOrEqual(2);
    await (await live()).said(/retention is up to date/);
    await service?.stop();

    expect(await keptOf(opened, 'snapshot', 'collected_at')).toEqual(keysOf(fleet.snapshots.filter(isKept)));
    expect(await keptOf(opened, 'score', 'scored_at')).toEqual(keysOf(fleet.scores.filter(isKept)));
    const gone = (sample: Sample) => !isKept(sample);
    expectSame(await rollUpsOf(opened, 'snapshotHour'), straight(fleet.snapshots.filter(gone)));
    expectSame(await rollUpsOf(opened, 'scoreHour'), straight(fleet.scores.filter(gone)));
  } finally {
    await service?.stop('SIGKILL');
    await opened.close();
    await rm(dir, { recursive: true, force: true });
  }
});

interface Sample {
  endpointId: number;
  /** Milliseconds since the epoch. */
  at: number;
  measured: Measured;
}

/** Most endpoints are still looked at; the last one's newest look is old. */
async function fill({ store }: TestStore) {
  const snapshots: Sample[] = [];
  const scores: Sample[] = [];
  const latest = new Map<number, number>();
  for (let n = 0; n < ENDPOINTS; n++) {
    const { id } = await store.endpoints.register(
      registration({ collector: 'push' }),
      null,
      new Date(CUT - 30 * DAY_MS),
    );
    const young = n === ENDPOINTS - 1 ? 0 : YOUNG_SAMPLES;
    const moments = Array.from({ length: OLD_SAMPLES + young }, (_, i) => CUT + (i - OLD_SAMPLES) * 13 * MINUTE_MS);
    const looks = moments.map(
      (at, i): StoredSnapshot =>
        snapshot(id, new Date(at), i % 7 === 0 ? null : (n * 31 + i * 17) % 101, {
          reachable: i % 5 !== 0,
          latencyMs: i % 3 === 0 ? null : 0.5 + ((n + i) % 40),
          dnsFailures: i % 4,
        }),
    );
    const verdicts = moments.map(
      (at, i): Omit<StoredScore, 'id'> => ({
        ...score(id, new Date(at), (n * 13 + i * 7) % 101),
        components: { device: (n + i) % 101, network: i % 2 === 0 ? null : 40, app: null, remediation: 100 },
      }),
    );
    await store.snapshots.add(looks);
    await store.scores.add(verdicts);
    snapshots.push(
      ...looks.map((look) => ({ endpointId: id, at: look.collectedAt.getTime(), measured: measuresOf(look) })),
    );
    scores.push(
      ...verdicts.map(({ score, scoredAt, components }) => ({
        endpointId: id,
        at: scoredAt.getTime(),
        measured: { score, ...components },
      })),
    );
    latest.set(id, moments.at(-1) as number);
  }
  return { snapshots, scores, latest };
}

function measuresOf(snapshot: StoredSnapshot): Measured {
  const look = flatOf(snapshot);
  return {
    reachable_pct: look.reachable ? 100 : 0,
    cpu_pct: look.cpuPct,
    memory_pct: look.memoryPct,
    latency_ms: look.latencyMs,
    dns_failure_pct: (100 * (look.dnsFailures ?? 0)) / (look.dnsLookups ?? 1),
    services_down: look.servicesDown?.length ?? null,
    log_errors: look.logErrors,
  };
}

/** Roll-ups by `ENDPOINT HOUR`, each a record of columns. */
type RollUps = Map<string, Record<string, number | null>>;

/** What the samples come to, straight from them: no step of it is retention's own. */
function straight(samples: readonly Sample[]): RollUps {
  const hours = Map.groupBy(samples, ({ endpointId, at }) => `${endpointId} ${Math.floor(at / HOUR_MS)}`);
  return new Map(
    [...hours].map(([key, inHour]) => {
      const columns: Record<string, number | null> = { samples: inHour.length };
      for (const name of Object.keys(inHour[0]?.measured ?? {})) {
        const values = inHour.flatMap(({ measured }) => measured[name] ?? []);
        const some = values.length > 0;
        columns[`${name}_mean`] = some ? values.reduce((a, b) => a + b) / values.length : null;
        columns[`${name}_min`] = some ? Math.min(...values) : null;
        columns[`${name}_max`] = some ? Math.max(...values) : null;
        columns[`${name}_count`] = some ? values.length : null;
      }
      return [key, columns];
    }),
  );
}

function expectSame(found: RollUps, wanted: RollUps): void {
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [key, columns] of wanted) {
    for (const [name, value] of Object.entries(columns)) {
      const got = found.get(key)?.[name] ?? null;
      // Means are kept in single precision; counts are whole.
      const isSame = value === null ? got === null : Math.abs(Number(got) - value) <= 1e-5 * Math.max(1, value);
      if (!isSame) expect.fail(`${name} of ${key} is ${got} instead of ${value}`);
    }
  }
}

function keysOf(samples: readonly Sample[]): string[] {
  return samples.map(({ endpointId, at }) => `${endpointId} ${at}`).sort();
}

const blocks = ({ database }: TestStore, kind: keyof typeof SAMPLE_BLOCK_KINDS) =>
  blockStore(() => database.em.fork(), SAMPLE_BLOCK_KINDS[kind]);
const IDS = Array.from({ length: ENDPOINTS }, (_, i) => i + 1);

/** Samples that are kept by themselves, as rows or packed. */
async function keptOf(opened: TestStore, kind: 'snapshot' | 'score', at: string): Promise<string[]> {
  const rows = await opened.database.em
    .fork()
    .execute<{ id: number; at: number | Date | string }[]>(`select endpoint_id as id, ${at} as at from ${kind}`);
  const packed = await blocks(opened, kind).read(IDS);
  return [
    ...rows.map(({ id, at }) => `${id} ${new Date(at).getTime()}`),
    ...packed.map(({ endpointId, atMs }) => `${endpointId} ${atMs}`),
  ].sort();
}

async function rollUpsOf(opened: TestStore, kind: 'snapshotHour' | 'scoreHour'): Promise<RollUps> {
  const hours = await blocks(opened, kind).read(IDS);
  return new Map(
    hours.map(({ endpointId, atMs, tree }) => {
      const columns: Record<string, number | null> = { samples: tree.samples as number };
      for (const [measure, spread] of Object.entries((tree.aggregates ?? {}) as Record<string, Record<string, number>>))
        for (const [part, value] of Object.entries(spread)) columns[`${snake(measure)}_${part}`] = value;
      return [`${endpointId} ${Math.floor(atMs / HOUR_MS)}`, columns];
    }),
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

async function rowsOf({ database }: TestStore): Promise<number> {
  const [row] = await database.em
    .fork()
    .execute<{ n: number }[]>('select (select count(*) from snapshot) + (select count(*) from score) as n');
  return Number(row?.n);
}

/** Samples that are there by themselves, how many of them are rows still, and samples that roll-ups stand for. */
async function counted(opened: TestStore): Promise<{ raw: number; rows: number; rolledUp: number }> {
  const rows = await rowsOf(opened);
  const packed = [...(await blocks(opened, 'snapshot').read(IDS)), ...(await blocks(opened, 'score').read(IDS))];
  const hours = [...(await blocks(opened, 'snapshotHour').read(IDS)), ...(await blocks(opened, 'scoreHour').read(IDS))];
  return {
    raw: rows + packed.length,
    rows,
    rolledUp: hours.reduce((sum, { tree }) => sum + (tree.samples as number), 0),
  };
}
