/**
 * How fast retention rolls up and deletes, how long its longest step is, and what those who read and write beside it wait; with the
 * bare engine's own delete of the same rows in the same run.
 * Usage: retention [--endpoints=N] [--days=N] [--store=sqlite|postgresql]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { type Database, openDatabase } from '../../src/adapters/db/open.ts';
import { createStore } from '../../src/adapters/db/store.ts';
import type { Store } from '../../src/core/ports/storePorts.ts';
import { maintainRetention } from '../../src/core/processes/retention.ts';
import { hourOf } from '../../src/domain/scores/rollUp.ts';
import { startPostgres } from '../helpers/postgres.ts';
import { registration } from '../helpers/rows.ts';
import { figure, percentile } from './figure.ts';

const RETENTION_DAYS = 14;
const SCANS_A_DAY = 96;
const DAY_MS = 86_400_000;
const NOW = new Date();
/** Retention keeps whole hours. */
const CUT = hourOf(new Date(NOW.getTime() - RETENTION_DAYS * DAY_MS));
const FORGOTTEN_AUDIT_DAYS = 500;

/** Statements that delete what retention rolls up or forgets. */
const OLD = [
  ['snapshot', 'collected_at'],
  ['score', 'scored_at'],
  ['audit', 'at'],
] as const;

interface Size {
  endpoints: number;
  days: number;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      endpoints: { type: 'string', default: '200' },
      days: { type: 'string', default: '4' },
      store: { type: 'string' },
    },
  });
  const size = { endpoints: Number(values.endpoints), days: Number(values.days) };
  if (values.store !== 'postgresql') await onSqlite(size);
  if (values.store !== 'sqlite') await onPostgres(size);
}

async function onSqlite(size: Size): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-bench-retention-'));
  try {
    const ours = await retention(`sqlite:///${join(dir, 'ours.db')}`, size);
    const bare = join(dir, 'bare.db');
    await (await filled(`sqlite:///${bare}`, size)).database.close();
    const db = new DatabaseSync(bare);
    db.exec('pragma synchronous = normal');
    let deleted = 0;
    const started = performance.now();
    for (const [table, at] of OLD) {
      deleted += Number(db.prepare(`delete from ${table} where ${at} < ?`).run(CUT.getTime()).changes);
    }
    const ms = performance.now() - started;
    db.close();
    report('sqlite', ours, { deleted, ms });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function onPostgres(size: Size): Promise<void> {
  const postgres = await startPostgres();
  try {
    const ours = await retention(await postgres.createDatabase('ours'), size);
    const bare = await postgres.createDatabase('bare');
    await (await filled(bare, size)).database.close();
    const client = new Client({ connectionString: bare });
    await client.connect();
    let deleted = 0;
    const started = performance.now();
    for (const [table, at] of OLD) {
      deleted += (await client.query(`delete from ${table} where ${at} < $1`, [CUT])).rowCount ?? 0;
    }
    const ms = performance.now() - started;
    await client.end();
    report('postgresql', ours, { deleted, ms });
  } finally {
    await postgres.stop();
  }
}

interface Timing {
  rolledUp: number;
  forgotten: number;
  rollUpMs: number;
  forgetMs: number;
  stepsMs: number[];
  writesMs: number[];
  readsMs: number[];
}

async function retention(url: string, size: Size): Promise<Timing> {
  const { database, store, ids } = await filled(url, size);
  const stepsMs: number[] = [];
  /** The samples are done when the first step that forgets something whole begins: it comes after all of them. */
  let rolledUpAt = 0;
  const measured: Store = {
    ...store,
    async transaction(work) {
      const started = performance.now();
      try {
        return await store.transaction((inner) =>
          work({
            ...inner,
            retention: {
              ...inner.retention,
              forget: (...given) => {
                rolledUpAt ||= started;
                return inner.retention.forget(...given);
              },
            },
          }),
        );
      } finally {
        stepsMs.push(performance.now() - started);
      }
    },
  };
  const ended = new AbortController();
  const beside = besides(store, ids, ended.signal);
  const started = performance.now();
  const clock = { now: () => new Date() };
  const report = await maintainRetention(
    { store: measured, clock, settings: { retentionDays: RETENTION_DAYS } },
    new AbortController().signal,
  );
  const endedAt = performance.now();
  ended.abort();
  const { writesMs, readsMs } = await beside;
  await database.close();
  if (!report.complete) throw new Error('retention did not get through in its time: choose fewer rows');
  return {
    rolledUp: report.snapshotsRolledUp + report.scoresRolledUp,
    forgotten: Object.values(report.forgotten).reduce((sum, each) => sum + each, 0),
    rollUpMs: rolledUpAt - started,
    forgetMs: endedAt - rolledUpAt,
    stepsMs,
    writesMs,
    readsMs,
  };
}

/** What others of the same process wait for a small write and a small read meanwhile. */
async function besides(store: Store, ids: readonly number[], signal: AbortSignal) {
  const writesMs: number[] = [];
  const readsMs: number[] = [];
  for (let i = 0; !signal.aborted; i++) {
    const started = performance.now();
    await store.fleetScores.add({ at: new Date(), average: 80, endpoints: ids.length });
    const written = performance.now();
    await store.scores.latest(ids[i % ids.length] as number);
    writesMs.push(written - started);
    readsMs.push(performance.now() - written);
    await sleep(5);
  }
  return { writesMs, readsMs };
}

/** A database with old samples of each endpoint, in turns as scans write them, a young one each, and old lines of audit. */
async function filled(url: string, { endpoints, days }: Size) {
  const database = await openDatabase(url);
  const store = createStore(database.em);
  const ids: number[] = [];
  for (let i = 0; i < endpoints; i++) {
    ids.push((await store.endpoints.register(registration({ collector: 'push' }), null, CUT)).id);
  }
  const old = endpoints * days * SCANS_A_DAY;
  const stepMs = DAY_MS / SCANS_A_DAY;
  const turn = `((i - 1) / ${endpoints} + 1)`;
  // The last turn is now; those before it lie before the cut.
  const at = `case when i > ${old} then ${moment(database, NOW, '0')} else ${moment(database, CUT, `${turn} * ${stepMs}`)} end`;
  const subject = `${ids[0]} + (i - 1) % ${endpoints}`;
  await insert(database, 'snapshot', old + endpoints, {
    endpoint_id: subject,
    collected_at: at,
    collector: "'push'",
    duration_ms: '40 + i % 200',
    reachable: 'i % 50 > 0',
    cpu_pct: 'i % 101',
    memory_pct: '30 + i % 60',
    disk_pct: '20 + i % 70',
    latency_ms: '1 + i % 80',
    packet_loss_pct: '0',
    dns_failures: 'i % 2',
    dns_lookups: '4',
    services_down: `'["cups.service"]'`,
    log_errors: 'i % 9',
    unmeasured: "'[]'",
  });
  await insert(database, 'score', old + endpoints, {
    endpoint_id: subject,
    scored_at: at,
    score: 'i % 101',
    status: "'healthy'",
    coverage: '1',
    components: `'{"device":80,"network":70,"app":60,"remediation":100}'`,
    deductions: `'[{"metric":"cpuPct","points":12}]'`,
    caps: "'[]'",
    improvements: "'[]'",
  });
  await insert(database, 'audit', old / 2, {
    at: moment(database, new Date(NOW.getTime() - FORGOTTEN_AUDIT_DAYS * DAY_MS), 'i'),
    actor: "'key:bench'",
    actor_kind: "'human'",
    via: "'rest'",
    role: "'admin'",
    tool: "'get_endpoint'",
    input_digest: "'sha256:0123456789abcdef0123456789abcdef'",
    outcome: "'ok'",
    duration_ms: '3',
  });
  await database.em.fork().execute('analyze');
  return { database, store, ids };
}

/** SQL for a moment so many milliseconds before another. */
function moment({ kind }: Database, from: Date, ms: string): string {
  return kind === 'sqlite'
    ? `(${from.getTime()} - ${ms})`
    : `(timestamptz '${from.toISOString()}' - (${ms}) * interval '1 millisecond')`;
}

/** @param columns SQL over the row's number `i`, from 1 */
async function insert(
  { kind, em }: Database,
  table: string,
  rows: number,
  columns: Record<string, string>,
): Promise<void> {
  const numbers =
    kind === 'sqlite'
      ? `(with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows}) select i from n)`
      : `generate_series(1, ${rows})`;
  const names = Object.keys(columns).map((name) => `"${name}"`);
  await em
    .fork()
    .execute(
      `insert into ${table} (${names.join(', ')}) select ${Object.values(columns).join(', ')} from ${numbers} as numbers${kind === 'sqlite' ? '' : '(i)'}`,
    );
}

function report(store: string, ours: Timing, bare: { deleted: number; ms: number }): void {
  const perS = (rows: number, ms: number) => rows / (ms / 1000);
  const rows = ours.rolledUp + ours.forgotten;
  if (rows !== bare.deleted) throw new Error(`retention took ${rows} rows, the bare engine ${bare.deleted}`);
  const oursPerS = perS(rows, ours.rollUpMs + ours.forgetMs);
  const say = (name: string, value: number, unit: string) =>
    figure('retention', name, value, unit, { store, load: loadavg()[0] });
  say('rolled_up', perS(ours.rolledUp, ours.rollUpMs), 'rows/s');
  say('forgotten', perS(ours.forgotten, ours.forgetMs), 'rows/s');
  say('rows', rows, 'rows');
  say('longest_step', Math.max(...ours.stepsMs), 'ms');
  say('step_p99', percentile(ours.stepsMs, 0.99), 'ms');
  say('write_beside_p99', percentile(ours.writesMs, 0.99), 'ms');
  say('write_beside_max', Math.max(...ours.writesMs), 'ms');
  say('read_beside_p99', percentile(ours.readsMs, 0.99), 'ms');
  say('read_beside_max', Math.max(...ours.readsMs), 'ms');
  say('bare_delete', perS(bare.deleted, bare.ms), 'rows/s');
  say('bare_delete_takes', bare.ms, 'ms');
  say('ratio_to_bare_delete', oursPerS / perS(bare.deleted, bare.ms), 'ratio');
}
