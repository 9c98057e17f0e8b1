/**
 * How many alerts a second the Alertmanager webhook commits: groups of 20 posted by 8 clients to the service as a process of
 * its own, on SQLite and on PostgreSQL, beside the same rows written by bare node:sqlite and pg in the same run.
 * Usage: ingest [--groups=N] [--hosts=N] [--store=sqlite|postgresql]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { openDatabase } from '../../src/adapters/db/open.ts';
import { alert, delivery, WEBHOOK_SECRET } from '../helpers/deliveries.ts';
import { startPostgres } from '../helpers/postgres.ts';
import { cpuMs } from '../helpers/processCpu.ts';
import { API_KEY } from '../helpers/service.ts';
import { startServiceProcess } from '../helpers/serviceProcess.ts';

const GROUP_SIZE = 20;
const CLIENTS = 8;
const TABLES = ['alert', 'alert_event', 'audit'] as const;

type Rows = Record<(typeof TABLES)[number], Record<string, unknown>[]>;

/** The part of the pg package that is used here; it comes without types. */
interface PgPool {
  connect(): Promise<PgClient>;
  query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
  end(): Promise<void>;
}
interface PgClient {
  query(sql: string, values?: unknown[]): Promise<unknown>;
  release(): void;
}
const { Pool } = createRequire(import.meta.url)('pg') as {
  Pool: new (options: { connectionString: string; max: number }) => PgPool;
};

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      groups: { type: 'string', default: '1000' },
      hosts: { type: 'string', default: '500' },
      store: { type: 'string' },
    },
  });
  const groups = Number(values.groups);
  const hosts = Number(values.hosts);
  const dir = await mkdtemp(join(tmpdir(), 'dexops-ingest-'));
  try {
    if (values.store !== 'postgresql') await onSqlite(dir, groups, hosts);
    if (values.store !== 'sqlite') await onPostgres(dir, groups, hosts);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function onSqlite(dir: string, groups: number, hosts: number): Promise<void> {
  const files = { service: join(dir, 'service.db'), bare: join(dir, 'bare.db') };
  const service = await throughService(dir, `sqlite:///${files.service}`, groups, hosts);
  const source = new DatabaseSync(files.service, { readOnly: true });
  const rows = Object.fromEntries(
    TABLES.map((table) => [table, source.prepare(selectOf(table)).all() as Record<string, unknown>[]]),
  ) as Rows;
  source.close();
  await migrated(`sqlite:///${files.bare}`);
  report('sqlite', service, bareSqlite(files.bare, rows));
}

async function onPostgres(dir: string, groups: number, hosts: number): Promise<void> {
  const postgres = await startPostgres();
  try {
    const urls = { service: await postgres.createDatabase('service'), bare: await postgres.createDatabase('bare') };
    const service = await throughService(dir, urls.service, groups, hosts);
    const source = new Pool({ connectionString: urls.service, max: 1 });
    const read = async (table: string) => (await source.query(selectOf(table))).rows;
    const rows: Rows = {
      alert: await read('alert'),
      alert_event: await read('alert_event'),
      audit: await read('audit'),
    };
    await source.end();
    await migrated(urls.bare);
    report('postgresql', service, await barePostgres(urls.bare, rows));
  } finally {
    await postgres.stop();
  }
}

function selectOf(table: string): string {
  return `select * from ${table}${table === 'audit' ? " where tool = 'ingest_alerts'" : ''} order by id`;
}

async function migrated(url: string): Promise<void> {
  await (await openDatabase(url)).close();
}

interface Timing {
  alertsPerS: number;
  /** Processor time of the service, in all its threads. */
  cpuMsPerAlert: number;
  /** How long after the last answer healing had looked at every alert. */
  handledAfterS: number;
  p50Ms: number;
  p99Ms: number;
}

async function throughService(dir: string, url: string, groups: number, hosts: number): Promise<Timing> {
  const service = await startServiceProcess({ DATA_DIR: dir, DATABASE_URL: url, PORT: '0', WEBHOOK_SECRET });
  const dispatcher = new Agent({ connections: CLIENTS });
  const post = async (path: string, body: string) => {
    const { statusCode, body: answer } = await request(service.url + path, {
      dispatcher,
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        ...(path.includes('webhooks') ? { authorization: `Bearer ${WEBHOOK_SECRET}` } : { 'x-api-key': API_KEY }),
      },
    });
    const text = await answer.text();
    if (statusCode >= 300) throw new Error(`${path} answered ${statusCode}: ${text}`);
  };
  const activeAlerts = async () => {
    const { body } = await request(`${service.url}/api/v1/dex/alerts?status=active&limit=1`, {
      dispatcher,
      headers: { 'x-api-key': API_KEY },
    });
    return ((await body.json()) as { total: number }).total;
  };
  try {
    for (let host = 0; host < hosts; host++) {
      await post('/api/v1/dex/endpoints', JSON.stringify({ hostname: `pc-${host}`, collector: 'push' }));
    }
    const bodyOf = (group: number) =>
      JSON.stringify(
        delivery(
          ...Array.from({ length: GROUP_SIZE }, (_, i) =>
            alert({ host: `pc-${(group * GROUP_SIZE + i) % hosts}`, name: `Load${group}` }),
          ),
        ),
      );
    for (let group = 0; group < 50; group++) await post('/api/v1/webhooks/alertmanager', bodyOf(groups + group)); // warm
    const bodies = Array.from({ length: groups }, (_, group) => bodyOf(group));
    const timesMs: number[] = [];
    let next = 0;
    const client = async () => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
        const started = performance.now();
        await post('/api/v1/webhooks/alertmanager', body);
        timesMs.push(performance.now() - started);
      }
    };
    const pid = service.child.pid as number;
    const cpuBefore = cpuMs(pid);
    const started = performance.now();
    await Promise.all(Array.from({ length: CLIENTS }, client));
    const seconds = (performance.now() - started) / 1000;
    const cpuMsPerAlert = (cpuMs(pid) - cpuBefore) / (groups * GROUP_SIZE);
    const ended = performance.now();
    while (await activeAlerts()) await delay(100);
    const handledAfterS = (performance.now() - ended) / 1000;
    timesMs.sort((a, b) => a - b);
    const quantile = (share: number) => timesMs[Math.min(timesMs.length - 1, Math.floor(timesMs.length * share))] ?? 0;
    return {
      alertsPerS: (groups * GROUP_SIZE) / seconds,
      cpuMsPerAlert,
      handledAfterS,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
    };
  } finally {
    await dispatcher.close();
    await service.end();
  }
}

/** One transaction a group, by prepared statements, with the pragmas of the service. */
function bareSqlite(file: string, rows: Rows): number {
  const db = new DatabaseSync(file);
  db.exec('pragma journal_mode = wal; pragma synchronous = normal');
  const inserterOf = (table: (typeof TABLES)[number]) => {
    const names = Object.keys(rows[table][0] ?? {});
    const statement = db.prepare(
      `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
    );
    return (row: Record<string, unknown>) => statement.run(...names.map((name) => row[name] as SQLInputValue));
  };
  const insert = { alert: inserterOf('alert'), alert_event: inserterOf('alert_event'), audit: inserterOf('audit') };
  const started = performance.now();
  for (const group of groupsOf(rows)) {
    db.exec('begin immediate');
    for (const table of TABLES) for (const row of group[table]) insert[table](row);
    db.exec('commit');
  }
  const seconds = (performance.now() - started) / 1000;
  db.close();
  return rows.alert.length / seconds;
}

/** One transaction a group, one statement a table, as many connections as clients. */
async function barePostgres(url: string, rows: Rows): Promise<number> {
  const pool = new Pool({ connectionString: url, max: CLIENTS });
  const work = groupsOf(rows);
  const writer = async () => {
    const client = await pool.connect();
    for (let group = work.pop(); group; group = work.pop()) {
      await client.query('begin');
      for (const table of TABLES) if (group[table].length > 0) await client.query(...insertOf(table, group[table]));
      await client.query('commit');
    }
    client.release();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, writer));
  const seconds = (performance.now() - started) / 1000;
  await pool.end();
  return rows.alert.length / seconds;
}

function insertOf(table: string, rows: Record<string, unknown>[]): [string, unknown[]] {
  const names = Object.keys(rows[0] ?? {});
  const marks = rows.map((_row, r) => `(${names.map((_name, n) => `$${r * names.length + n + 1}`).join(', ')})`);
  const values = rows.flatMap((row) =>
    names.map((name) => {
      const value = row[name];
      return typeof value === 'object' && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value;
    }),
  );
  const columns = names.map((name) => `"${name}"`).join(', ');
  return [`insert into ${table} (${columns}) values ${marks.join(', ')}`, values];
}

/** The rows in groups like those of the service: twenty alerts, all events of as many, one audit line. */
function groupsOf(rows: Rows): Rows[] {
  const groups = Math.ceil(rows.alert.length / GROUP_SIZE);
  const events = Math.ceil(rows.alert_event.length / groups);
  const slice = (table: (typeof TABLES)[number], group: number, size: number) =>
    rows[table].slice(group * size, (group + 1) * size);
  return Array.from({ length: groups }, (_, group) => ({
    alert: slice('alert', group, GROUP_SIZE),
    alert_event: slice('alert_event', group, events),
    audit: slice('audit', group, 1),
  }));
}

function report(
  store: string,
  { alertsPerS, cpuMsPerAlert, handledAfterS, p50Ms, p99Ms }: Timing,
  barePerS: number,
): void {
  const figures: [string, number, string][] = [
    ['committed', Math.round(alertsPerS), 'alerts/s'],
    ['cpu_per_alert', Math.round(cpuMsPerAlert * 1000) / 1000, 'ms'],
    ['p50', Math.round(p50Ms * 10) / 10, 'ms'],
    ['p99', Math.round(p99Ms * 10) / 10, 'ms'],
    ['all_handled_after', Math.round(handledAfterS * 10) / 10, 's'],
    ['bare', Math.round(barePerS), 'alerts/s'],
    ['ratio_to_bare', Math.round((alertsPerS / barePerS) * 1000) / 1000, ''],
  ];
  for (const [figure, value, unit] of figures) {
    process.stdout.write(`${JSON.stringify({ bench: 'ingest', store, figure, value, unit })}\n`);
  }
}

if (import.meta.main) await run(process.argv.slice(2));
