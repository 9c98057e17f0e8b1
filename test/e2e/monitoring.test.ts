/** The shipped files judged by the programs that read them. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { findBinary } from '../helpers/findBinary.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-monitoring-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

interface Case {
  input_series: { series: string; values: string }[];
  at: string;
  fires: string[];
}

const RUN = 'orchestrator_runs_total';
/** Series as promtool writes them: start + step × count, one value a minute. */
const CASES: Record<string, Case> = {
  'all is well': {
    input_series: [
      { series: 'up{job="orchestrator", instance="app"}', values: '1x120' },
      { series: 'dex_workers', values: '1x120' },
      { series: 'dex_queue_waiting', values: '3x120' },
      { series: 'dex_queue_lag_seconds', values: '1 90 30 200 1 1x120' },
      { series: 'dex_dead_messages{messenger="slack"}', values: '0x120' },
      { series: 'dex_fleet_score', values: '88x120' },
      { series: 'dex_job_last_success_timestamp_seconds{job="dex_scan_all_endpoints"}', values: '0+60x120' },
      { series: `${RUN}{kind="scan", status="completed"}`, values: '0+10x120' },
      { series: `${RUN}{kind="scan", status="failed"}`, values: '0+1x120' },
      { series: 'dex_endpoints{status="healthy"}', values: '95x120' },
      { series: 'dex_endpoints{status="critical"}', values: '5x120' },
    ],
    at: '2h',
    fires: [],
  },
  'the service is gone': {
    input_series: [{ series: 'up{job="orchestrator", instance="app"}', values: '1 0x10' }],
    at: '5m',
    fires: ['DexOpsDown'],
  },
  'a restart is no outage': {
    input_series: [{ series: 'up{job="orchestrator", instance="app"}', values: '1 0 1x10' }],
    at: '3m',
    fires: [],
  },
  'the schedule stands still': {
    input_series: [
      { series: 'dex_job_last_success_timestamp_seconds{job="dex_scan_all_endpoints"}', values: '0x120' },
      { series: 'dex_workers', values: '0x120' },
      { series: 'dex_queue_waiting', values: '0+5x120' },
      { series: 'dex_queue_lag_seconds', values: '0+60x120' },
      { series: 'dex_dead_messages{messenger="slack"}', values: '0x20 3x100' },
    ],
    at: '90m',
    fires: [
      'DexOpsFleetScanMissing',
      'DexOpsMessagesGivenUp',
      'DexOpsNoWorker',
      'DexOpsQueueLag',
      'DexOpsQueueWaiting',
    ],
  },
  'runs fail, and take long': {
    input_series: [
      { series: `${RUN}{kind="scan", status="completed"}`, values: '0+4x120' },
      { series: `${RUN}{kind="scan", status="failed"}`, values: '0+1x120' },
      { series: 'orchestrator_run_duration_seconds_bucket{kind="fleet_scan", le="300"}', values: '0+1x120' },
      { series: 'orchestrator_run_duration_seconds_bucket{kind="fleet_scan", le="600"}', values: '0+5x120' },
      { series: 'orchestrator_run_duration_seconds_bucket{kind="fleet_scan", le="+Inf"}', values: '0+5x120' },
    ],
    at: '1h',
    fires: ['DexOpsRunsFailing', 'DexOpsRunsSlow'],
  },
  'two failures of two runs are no trend': {
    input_series: [{ series: `${RUN}{kind="scan", status="failed"}`, values: '0 1 2x60' }],
    at: '20m',
    fires: [],
  },
  'a job and a tool fail, and memory grows': {
    input_series: [
      { series: 'dex_jobs_total{job="dex_check_predictive_alerts", outcome="failed"}', values: '0+1x120' },
      { series: 'dex_tool_calls_total{tool="get_score", interface="rest", outcome="failed"}', values: '0+2x120' },
      { series: 'dex_tool_calls_total{tool="get_score", interface="rest", outcome="ok"}', values: '0+2x120' },
      { series: 'process_resident_memory_bytes{job="orchestrator", instance="app"}', values: '2000000000x120' },
    ],
    at: '1h',
    fires: ['DexOpsCallsFailing', 'DexOpsJobFailing', 'DexOpsMemory'],
  },
  'the fleet is in a bad state': {
    input_series: [
      { series: 'dex_fleet_score', values: '55x120' },
      { series: 'dex_endpoints{status="healthy"}', values: '80x120' },
      { series: 'dex_endpoints{status="critical"}', values: '20x120' },
      { series: 'dex_scans_total{collector="ssh", outcome="unreachable"}', values: '0+5x120' },
      { series: 'dex_scans_total{collector="ssh", outcome="ok"}', values: '0+5x120' },
    ],
    at: '1h30m',
    fires: ['DexFleetCritical', 'DexFleetScoreLow', 'DexFleetUnreachable'],
  },
};

test('the alert rules fire when they should, and only then', async ({ skip }) => {
  const promtool = findBinary('promtool');
  if (!promtool) return skip('promtool is not on this machine (Debian: prometheus)');
  const rules = join(ROOT, 'config/prometheus-alerts.yml');
  const names = [...(await readFile(rules, 'utf8')).matchAll(/alert: (\w+)/g)].map(([, name]) => name!);
  expect([...new Set(Object.values(CASES).flatMap(({ fires }) => fires))].sort()).toEqual(names.toSorted());
  for (const [name, { input_series, at, fires }] of Object.entries(CASES)) {
    // promtool compares whole alerts; which ones are there is asked through the ALERTS series instead.
    const file = join(dir, 'case.yml');
    const expected = fires.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 }));
    const tests = [
      {
        interval: '1m',
        input_series,
        promql_expr_test: [
          { expr: 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0', eval_time: at, exp_samples: expected },
        ],
      },
    ];
    await writeFile(file, stringify({ rule_files: [rules], evaluation_interval: '1m', tests }));
    const outcome = await run(promtool, ['test', 'rules', file]).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(`${outcome.stdout}${outcome.stderr}`, name).toContain('SUCCESS');
  }
});

test('Prometheus and Alertmanager accept their configuration', async ({ skip }) => {
  const [promtool, amtool] = [findBinary('promtool'), findBinary('amtool')];
  if (!promtool || !amtool)
    return skip('promtool or amtool is not on this machine (Debian: prometheus, prometheus-alertmanager)');
  await writeFile(join(dir, 'token'), 'x');
  await copyFile(join(ROOT, 'config/prometheus-alerts.yml'), join(dir, 'prometheus-alerts.yml'));
  for (const [file, program, args] of [
    ['prometheus.yml', promtool, ['check', 'config']],
    ['alertmanager.yml', amtool, ['check-config']],
  ] as const) {
    const text = await readFile(join(ROOT, 'config', file), 'utf8');
    await writeFile(join(dir, file), text.replaceAll(/\/tmp\/\w+/g, join(dir, 'token')));
    expect((await run(program, [...args, join(dir, file)])).stdout).toContain('SUCCESS');
  }
});

test('Compose accepts its file, with every profile', async ({ skip }) => {
  const plugin = await run('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  );
  const [program, first] = plugin ? ['docker', ['compose']] : [findBinary('docker-compose'), []];
  if (!program) return skip('neither docker compose nor docker-compose is on this machine');
  await copyFile(join(ROOT, 'docker-compose.yml'), join(dir, 'docker-compose.yml'));
  await writeFile(join(dir, '.env'), 'API_KEY=a-key-of-sixteen-or-more\n');
  const profiles = ['queue', 'postgres', 'monitoring'].flatMap((profile) => ['--profile', profile]);
  const { stdout } = await run(program, [...(first as string[]), ...profiles, 'config'], { cwd: dir });
  for (const name of ['app', 'worker', 'mongo', 'postgres', 'prometheus', 'alertmanager', 'grafana']) {
    expect(stdout).toContain(`\n  ${name}:`);
  }
});
