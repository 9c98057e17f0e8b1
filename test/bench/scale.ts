/**
 * `npm run bench -- scale [--endpoints=2000] [--workers=1,2,4] [--pushes=1000]`: the service and its workers as processes of their
 * own on a real PostgreSQL that is store and queue, against real HTTP exporter pages. Fleet scans with so many workers each, beside the
 * same pages only fetched; reports of push agents; reads; memory of each process; what an endpoint's day weighs in the database.
 * `--endpoints=10000,100000` is the whole of it and takes about as long as eight scans of the fleet. Every line says how loaded the machine was.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'pg';
import { Agent, request } from 'undici';
import { snapshotToWire } from '../../src/domain/signals/agentReport.ts';
import { targetOf } from '../helpers/collecting.ts';
import { endpointPath } from '../helpers/exporterFleet.ts';
import { flatSnapshot } from '../helpers/flatSnapshot.ts';
import { WELL } from '../helpers/machines.ts';
import { startPostgres } from '../helpers/postgres.ts';
import { API_KEY } from '../helpers/service.ts';
import { figure, percentile } from './figure.ts';

const ROOT = join(import.meta.dirname, '../..');
const CONCURRENCY = 64;
const SCANS_A_DAY = 96; // every 15 minutes
const PUSH_AGENTS = 50;
const CLIENTS = 8;
const READS = 100;

interface Running {
  child: ChildProcess;
  /** What it printed that matched. */
  said: string;
  stop(): Promise<void>;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      endpoints: { type: 'string', default: '2000' },
      workers: { type: 'string', default: '1,2,4' },
      pushes: { type: 'string', default: '1000' },
    },
  });
  const numbers = (list: string) => list.split(',').map(Number);
  for (const endpoints of numbers(values.endpoints)) {
    await atScale(endpoints, numbers(values.workers), Number(values.pushes));
  }
}

async function atScale(endpoints: number, workerCounts: number[], pushes: number): Promise<void> {
  const about = () => ({ endpoints, cores: availableParallelism(), load: loadavg()[0] });
  const dir = mkdtempSync(join(tmpdir(), 'dexops-scale-'));
  const postgres = await startPostgres();
  const url = await postgres.createDatabase('scale');
  const pool = new Pool({ connectionString: url, max: 1 });
  const running: Running[] = [];
  const start = async (file: string, env: Record<string, string>, ready: RegExp) => {
    const program = await startProcess(file, env, ready);
    running.push(program);
    return program;
  };
  try {
    const fleet = await start('test/helpers/exporterFleet.ts', {}, /listening (\d+)/);
    const port = Number(fleet.said);
    const env = {
      DATABASE_URL: url,
      RUN_QUEUE_URL: url,
      DATA_DIR: dir,
      RUNBOOKS_DIR: dir,
      HOST: '127.0.0.1',
      PORT: '0',
      API_KEY,
      API_RATE_LIMIT_PER_MINUTE: '1000000',
      LLM_PROVIDER: '',
      EMBEDDING_MODEL: 'none',
      DEX_REGISTER_SELF: 'false',
      DEX_SCAN_INTERVAL_MINUTES: '60',
      DEX_SCAN_CONCURRENCY: String(CONCURRENCY),
    };
    const service = await start('src/main.ts', env, / listens on (http:\S+)/);
    const call = caller(service.said);
    await register(pool, endpoints, port);
    figure('scale', 'bare_fetch_rate', await bareFetchRate(port, Math.min(endpoints, 2000)), 'endpoints/s', about());

    const workers: Running[] = [];
    const before = await databaseBytes(pool);
    let looks = 0;
    for (const count of workerCounts) {
      while (workers.length < count) workers.push(await start('src/worker.ts', env, /(worker is ready)/));
      await sleep(1500); // past the beats by which they know of one another
      const cpuBefore = cpuMs([service, ...workers]);
      const { seconds, result } = await scanFleet(call);
      if (result.scanned !== endpoints) throw new Error(JSON.stringify(result));
      looks += endpoints;
      // On a machine that cannot keep up some pages come too late, and their endpoints count as unreachable.
      const { unreachable } = result;
      const how = { ...about(), seconds, unreachable };
      figure('scale', `scan_rate_${count}_workers`, endpoints / seconds, 'endpoints/s', how);
      const perLookMs = (cpuMs([service, ...workers]) - cpuBefore) / endpoints;
      figure('scale', `cpu_per_look_${count}_workers`, perLookMs, 'ms', how);
    }
    for (const [i, worker] of workers.entries()) figure('scale', `rss_worker_${i + 1}`, rssMiB(worker), 'MiB', about());
    figure('scale', 'rss_service', rssMiB(service), 'MiB', about());
    const perLook = ((await databaseBytes(pool)) - before) / looks;
    figure('scale', 'database_per_endpoint_day', (perLook * SCANS_A_DAY) / 1024, 'KiB', { ...about(), looks });

    await reads(call, endpoints, about);
    figure('scale', 'push_rate', await pushRate(call, service.said, pushes), 'snapshots/s', { ...about(), pushes });
  } finally {
    for (const program of running.reverse()) await program.stop();
    await pool.end();
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** With the flags of this process, which are those of `npm start` and `npm run worker`. */
async function startProcess(file: string, env: Record<string, string>, ready: RegExp): Promise<Running> {
  const child = spawn(process.execPath, [...process.execArgv, join(ROOT, file)], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let output = '';
  const read = (chunk: Buffer) => {
    output = `${output}${chunk}`.slice(-20_000);
    const [, found] = ready.exec(output) ?? [];
    if (found) resolve(found);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  child.once('exit', (code) => reject(new Error(`${file} ended with ${code}:\n${output}`)));
  const said = await promise;
  return {
    child,
    said,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

type Call = (
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  headers?: Record<string, string>,
) => Promise<Record<string, any>>;

function caller(url: string): Call {
  const dispatcher = new Agent({ connections: CLIENTS });
  return async (method, path, body, headers = { 'x-api-key': API_KEY }) => {
    const answer = await request(url + path, {
      dispatcher,
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: body ? JSON.stringify(body) : null,
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
    return JSON.parse(text) as Record<string, any>;
  };
}

/** Past the API: a hundred thousand calls would measure something else. */
async function register(pool: Pool, endpoints: number, port: number): Promise<void> {
  await pool.query(
    `insert into endpoint (hostname, ip_address, persona, criticality_tier, os_platform, tags, collector, options, registered_at, updated_at, score_status, breaches)
     select 'bench-' || i, '127.0.0.1', 'general', 2, 'linux', '{}', 'node_exporter',
       jsonb_build_object('port', $2::int, 'path', replace($3, '0', i::text)), now(), now(), 'unknown', '{}'
     from generate_series(0, $1::int - 1) i`,
    [endpoints, port, endpointPath(0)],
  );
  await pool.query('analyze endpoint');
}

/** The same pages, fetched by one process with as many at once, and thrown away. */
async function bareFetchRate(port: number, pages: number): Promise<number> {
  const dispatcher = new Agent({ connections: CONCURRENCY });
  let next = 0;
  const lane = async () => {
    while (next < pages) {
      const path = endpointPath(next++);
      await (await request(`http://127.0.0.1:${port}${path}`, { dispatcher })).body.dump({ limit: 10 ** 7 });
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  await dispatcher.close();
  return pages / ((performance.now() - started) / 1000);
}

async function scanFleet(call: Call): Promise<{ seconds: number; result: { scanned: number; unreachable: number } }> {
  const { run_id } = await call('POST', '/api/v1/dex/fleet/scan');
  for (;;) {
    await sleep(500);
    const { status, started_at, finished_at, result } = await call('GET', `/api/v1/runs/${run_id}`);
    if (!finished_at) continue;
    if (status !== 'completed') throw new Error(`the fleet scan is ${status}`);
    return { seconds: (Date.parse(finished_at) - Date.parse(started_at)) / 1000, result };
  }
}

async function reads(call: Call, endpoints: number, about: () => Record<string, unknown>): Promise<void> {
  const one = (i: number) => `bench-${(i * 37) % endpoints}`;
  const paths = {
    score: (i: number) => `/api/v1/dex/endpoints/${one(i)}/score`,
    history: (i: number) => `/api/v1/dex/endpoints/${one(i)}/history?limit=96`,
    fleet: () => '/api/v1/dex/fleet',
    list: (i: number) => `/api/v1/dex/endpoints?limit=100&offset=${(i * 100) % endpoints}`,
  };
  for (const [name, path] of Object.entries(paths)) {
    const times: number[] = [];
    for (let i = 0; i < READS; i++) {
      const started = performance.now();
      await call('GET', path(i));
      times.push(performance.now() - started);
    }
    figure('scale', `read_${name}_p95`, percentile(times, 0.95), 'ms', about());
  }
}

/** Reports of agents, by so many clients at once, each answered when it is committed. */
async function pushRate(call: Call, url: string, pushes: number): Promise<number> {
  const tokens: string[] = [];
  for (let i = 0; i < PUSH_AGENTS; i++) {
    tokens.push((await call('POST', '/api/v1/dex/endpoints', { hostname: `push-${i}`, collector: 'push' })).token);
  }
  const push = caller(url);
  let next = 0;
  const client = async () => {
    while (next < pushes) {
      const i = next++;
      const at = new Date(Date.now() - 3_600_000 + i * 1000); // a report is newer than the one before
      const report = snapshotToWire(flatSnapshot(targetOf('push', {}, 'any'), at, { ...WELL, durationMs: 3 }));
      await push('POST', '/api/v1/dex/agent/snapshot', report, { authorization: `Bearer ${tokens[i % PUSH_AGENTS]}` });
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return pushes / ((performance.now() - started) / 1000);
}

/** What looks leave behind: snapshots, scores and their indexes. */
async function databaseBytes(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    "select pg_total_relation_size('snapshot') + pg_total_relation_size('score') as bytes",
  );
  return Number(rows[0]?.bytes);
}

/** Processor time that these have used, from proc(5), which counts in ticks of 10 ms; without the database's. */
function cpuMs(programs: Running[]): number {
  return programs.reduce((sum, { child }) => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) * 10;
  }, 0);
}

/** Resident memory, from proc(5). */
function rssMiB({ child }: Running): number {
  const [, kiB] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Number(kiB) / 1024;
}
