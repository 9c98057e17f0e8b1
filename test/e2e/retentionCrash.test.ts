/** Retention in a service that is killed again and again: in the end every hour's roll-up is what its samples come to, each counted once. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { StoredScore, StoredSnapshot } from '../../src/core/ports/endpointPorts.ts';
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
const CUT = HOUR - RETENTION_DAYS * DAY_MS;

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
      if (before.raw === keptCount) break; // a fast machine
      const victim = await live();
      while ((await counted(opened)).raw === before.raw) await sleep(10);
      await sleep(Math.random() * WITHIN_MS);
      await victim.stop('SIGKILL');
      const after = await counted(opened);
      expect(after.raw + after.rolledUp).toBe(all.raw);
      if (after.raw > keptCount) interrupted++;
    }
    expect(interrupted).toBeGreaterThanOrEqual(2);
    await (await live()).said(/retention tended/);
    await service?.stop();

    expect(await rawOf(opened, 'snapshot', 'collected_at')).toEqual(keysOf(fleet.snapshots.filter(isKept)));
    expect(await rawOf(opened, 'score', 'scored_at')).toEqual(keysOf(fleet.scores.filter(isKept)));
    const gone = (sample: Sample) => !isKept(sample);
    expectSame(await rollUpsOf(opened, 'snapshot_hour'), straight(fleet.snapshots.filter(gone)));
    expectSame(await rollUpsOf(opened, 'score_hour'), straight(fleet.scores.filter(gone)));
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
      (at, i): StoredSnapshot => ({
        ...snapshot(id, new Date(at), i % 7 === 0 ? null : (n * 31 + i * 17) % 101),
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

function measuresOf(look: StoredSnapshot): Measured {
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
      const got = found.get(key)?.[name];
      // Means are kept in single precision; counts are whole.
      const isSame = value === null ? got === null : Math.abs(Number(got) - value) <= 1e-5 * Math.max(1, value);
      if (!isSame) expect.fail(`${name} of ${key} is ${got} instead of ${value}`);
    }
  }
}

function keysOf(samples: readonly Sample[]): string[] {
  return samples.map(({ endpointId, at }) => `${endpointId} ${at}`).sort();
}

async function rawOf({ database }: TestStore, table: string, at: string): Promise<string[]> {
  const rows = await database.em
    .fork()
    .execute<{ id: number; at: number | Date | string }[]>(`select endpoint_id as id, ${at} as at from ${table}`);
  return rows.map(({ id, at }) => `${id} ${new Date(at).getTime()}`).sort();
}

async function rollUpsOf({ database }: TestStore, table: string): Promise<RollUps> {
  type Row = { endpoint_id: number; hour: number | Date | string } & Record<string, number | null>;
  const rows = await database.em.fork().execute<Row[]>(`select * from ${table}`);
  return new Map(rows.map((row) => [`${row.endpoint_id} ${Math.floor(new Date(row.hour).getTime() / HOUR_MS)}`, row]));
}

/** Samples as they are, and samples that roll-ups stand for. */
async function counted({ database }: TestStore): Promise<{ raw: number; rolledUp: number }> {
  const [row] = await database.em.fork().execute<{ raw: number; rolled_up: number }[]>(
    `select (select count(*) from snapshot) + (select count(*) from score) as raw,
       (select coalesce(sum(samples), 0) from snapshot_hour) + (select coalesce(sum(samples), 0) from score_hour) as rolled_up`,
  );
  return { raw: Number(row?.raw), rolledUp: Number(row?.rolled_up) };
}
