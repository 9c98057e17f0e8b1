/**
 * `npm run bench -- scan [ENDPOINTS]`: fleet scans over real HTTP exporter pages with SQLite, the same pages scraped by
 * Prometheus where it is installed, and reads at 10,000 endpoints.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import type { Actor } from '../../src/core/actor.ts';
import { startService } from '../../src/service.ts';
import { endpointPath } from '../helpers/exporterFleet.ts';
import { freePort } from '../helpers/freePort.ts';
import { cpuMs } from '../helpers/processCpu.ts';
import { startServiceProcess } from '../helpers/serviceProcess.ts';
import { figure, percentile } from './figure.ts';

const ACTOR: Actor = { id: 'bench', name: 'bench', kind: 'human', via: 'cli', role: 'admin' };
const READ_FLEET = 10_000;

export async function run(args: string[]): Promise<void> {
  const endpoints = Number(args[0] ?? 2000);
  const fleet = await startFleet();
  const dir = mkdtempSync(join(tmpdir(), 'dexops-bench-'));
  try {
    for (const start of ['first', 'later']) await idleMemory(start, dir);
    const perScrapeMs = await prometheusCpuMs(fleet.port, Math.min(endpoints, 500), dir);
    const service = await startService(
      readConfig({
        DATA_DIR: dir,
        PORT: '0',
        LOG_LEVEL: 'ERROR',
        DEX_REGISTER_SELF: 'false',
        LLM_PROVIDER: '',
        EMBEDDING_MODEL: 'none',
      }),
    );
    await register(service.app, fleet.port, 0, endpoints);
    const perScanMs: number[] = [];
    for (const pass of ['first', 'second', 'third']) perScanMs.push(await scanFleet(service.app, endpoints, pass));
    if (perScrapeMs !== null) {
      figure('scan', 'cpu_per_scan_to_prometheus_scrape', percentile(perScanMs.slice(1), 0.5) / perScrapeMs, 'ratio');
    }
    await register(service.app, fleet.port, endpoints, READ_FLEET);
    await scanFleet(service.app, READ_FLEET, 'at_10000');
    figure('scan', 'rss_after_10000', process.memoryUsage.rss() / 2 ** 20, 'MiB');
    await reads(service.url);
    await service.stop();
  } finally {
    fleet.process.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * What the service takes before anybody asks anything of it. In its first start in a folder it has all runbooks indexed, by a
 * process of its own that has ended by then; later starts find that done.
 */
async function idleMemory(start: string, dir: string): Promise<void> {
  const service = await startServiceProcess({ DATA_DIR: dir, PORT: '0' }, process.execArgv);
  for (;;) {
    const health = (await (await fetch(`${service.url}/health`)).json()) as { checks: { vectors: { state: string } } };
    if (health.checks.vectors.state === 'ready') break;
    await sleep(100);
  }
  await sleep(5000);
  figure('scan', `idle_rss_${start}_start`, residentMiB(service.child.pid!), 'MiB');
  await service.end();
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function startFleet(): Promise<{ process: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../helpers/exporterFleet.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { process: child, port: Number(line.split(' ')[1]) };
}

async function register(app: App, port: number, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    const endpoint = {
      hostname: `bench-${i}`,
      ip_address: '127.0.0.1',
      collector: 'node_exporter',
      options: { port, path: endpointPath(i) },
    };
    await app.invoke('register_endpoint', endpoint, ACTOR);
  }
}

/** @returns CPU milliseconds per endpoint */
async function scanFleet(app: App, endpoints: number, pass: string): Promise<number> {
  const started = performance.now();
  const cpu = process.cpuUsage();
  let peakRss = 0;
  const { output } = await app.invoke('scan_fleet', {}, ACTOR);
  for (;;) {
    await sleep(100);
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
    const run = await app.ports.store.runs.get(String(output.run_id));
    if (!run?.finishedAt) continue;
    const counts = run.result as { scanned: number; unreachable: number };
    if (counts.unreachable > 0) throw new Error(`${counts.unreachable} of ${endpoints} exporters were not reached`);
    const seconds = (run.finishedAt.getTime() - (run.startedAt?.getTime() ?? 0)) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuMs = (user + system) / 1000 / endpoints;
    const load = loadavg()[0];
    figure('scan', `rate_${pass}`, endpoints / seconds, 'endpoints/s', {
      ...counts,
      load,
      wall_s: (performance.now() - started) / 1000,
    });
    figure('scan', `cpu_per_scan_${pass}`, cpuMs, 'ms');
    figure('scan', `peak_rss_${pass}`, peakRss / 2 ** 20, 'MiB');
    return cpuMs;
  }
}

async function reads(url: string): Promise<void> {
  const paths = {
    score: (i: number) => `/api/v1/dex/endpoints/bench-${(i * 37) % READ_FLEET}/score`,
    history: (i: number) => `/api/v1/dex/endpoints/bench-${(i * 37) % READ_FLEET}/history?limit=96`,
    fleet: () => '/api/v1/dex/fleet',
    list: (i: number) => `/api/v1/dex/endpoints?limit=100&offset=${(i * 100) % READ_FLEET}`,
  };
  for (const [name, path] of Object.entries(paths)) {
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      const started = performance.now();
      const response = await fetch(url + path(i));
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`${path(i)} answered ${response.status}`);
      times.push(performance.now() - started);
    }
    figure('scan', `read_${name}_p95`, percentile(times, 0.95), 'ms', { endpoints: READ_FLEET, load: loadavg()[0] });
  }
}

/** CPU that Prometheus spends per scrape of the same pages, or null where it is not installed. */
async function prometheusCpuMs(fleetPort: number, targets: number, dir: string): Promise<number | null> {
  if (spawnSync('prometheus', ['--version']).status !== 0) {
    process.stderr.write('Prometheus is not installed: no comparison with it in this run.\n');
    return null;
  }
  const scrapes = Array.from({ length: targets }, (_, i) => ({
    job_name: `bench-${i}`,
    metrics_path: endpointPath(i),
    static_configs: [{ targets: [`127.0.0.1:${fleetPort}`] }],
  }));
  const config = join(dir, 'prometheus.json');
  writeFileSync(
    config,
    JSON.stringify({ global: { scrape_interval: '2s', scrape_timeout: '2s' }, scrape_configs: scrapes }),
  );
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  try {
    await sleep(8000); // past start-up and the first round, in which every series is new
    const before = cpuMs(child.pid!);
    await sleep(10_000);
    const perScrape = (cpuMs(child.pid!) - before) / (targets * 5);
    figure('scan', 'prometheus_cpu_per_scrape', perScrape, 'ms', { targets });
    return perScrape;
  } finally {
    child.kill('SIGKILL');
  }
}
