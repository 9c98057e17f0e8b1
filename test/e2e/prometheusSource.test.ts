/** A real Prometheus with a real node_exporter and thousands of generated targets becomes a scored fleet; prints the seconds of a cycle. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProgram, startProgram } from '../helpers/childProcess.ts';
import { findBinary } from '../helpers/findBinary.ts';
import { freePort } from '../helpers/freePort.ts';
import { NODE_EXPORTER_MISSING, nodeExporterBinary, startNodeExporter } from '../helpers/nodeExporter.ts';
import { startTestService, type TestService } from '../helpers/service.ts';

const MACHINES = Number(process.env.DEXOPS_TEST_TARGETS ?? 10_000);
/** A large fleet is scraped once a minute; a small one often enough that the test need not wait for minutes. */
const SCRAPE_SECONDS = MACHINES > 1000 ? 60 : 10;
/** Prometheus calls a removed target's series stale after two more intervals. */
const STALE_MS = 3 * SCRAPE_SECONDS * 1000;
const SYNC = '/api/v1/dex/sources/sync';
const prometheus = findBinary('prometheus');
const missing = prometheus && nodeExporterBinary() ? null : `no prometheus here, or ${NODE_EXPORTER_MISSING}`;

let dir: string;
let url: string;
let programs: { stop(): Promise<void> }[] = [];
let server: RunningProgram;
let targetsPort: number;
let service: TestService;

beforeAll(async () => {
  if (missing) return;
  dir = await mkdtemp(join(tmpdir(), 'dexops-prometheus-'));
  const exporter = await startNodeExporter();
  const targets = await startProgram(
    process.execPath,
    [join(import.meta.dirname, '../helpers/machineTargets.ts')],
    /listening \d+/,
  );
  targetsPort = Number(/listening (\d+)/.exec(targets.output())?.[1]);
  programs = [exporter, targets];
  await listTargets(MACHINES);
  await writeFile(
    join(dir, 'prometheus.yml'),
    `global: { scrape_interval: ${SCRAPE_SECONDS}s, scrape_timeout: ${SCRAPE_SECONDS / 2}s }
scrape_configs:
  - job_name: real
    static_configs: [{ targets: ['127.0.0.1:${exporter.port}'], labels: { hostname: real-machine, owner: Ann@Example.com } }]
  - job_name: generated
    file_sd_configs: [{ files: ['${join(dir, 'targets.json')}'], refresh_interval: 5s }]
`,
  );
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  server = await startProgram(
    prometheus as string,
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    /ready to receive web requests/,
  );
  programs.push(server);
  await cp(join(import.meta.dirname, '../../config'), join(dir, 'config'), { recursive: true });
  await configure('leave_after_days: 7');
  service = await startTestService({ CONFIG_DIR: join(dir, 'config') });
  await scraped(MACHINES + 1);
}, 400_000);

afterAll(async () => {
  await service?.stop();
  for (const program of programs.reverse()) await program.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
}, 60_000);

async function listTargets(count: number): Promise<void> {
  const entries = Array.from({ length: count }, (_, index) => ({
    targets: [`127.0.0.1:${targetsPort}`],
    labels: {
      __metrics_path__: `/machine/${index}/metrics`,
      instance: `generated-${index}:9100`,
      site: index % 2 === 0 ? 'berlin' : 'porto',
    },
  }));
  await writeFile(join(dir, 'targets.json'), JSON.stringify(entries));
}

async function configure(more: string, place = url): Promise<void> {
  await writeFile(
    join(dir, 'config/sources.yaml'),
    `sources:\n  office:\n    type: prometheus\n    url: ${place}\n    selector: 'job=~"real|generated"'\n    labels: { tags: [site] }\n    ${more}\n`,
  );
  // The file is looked at once a second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
}

/** Waits until so many targets are up. */
async function scraped(count: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`${url}/api/v1/query?query=sum(up)%20or%20vector(0)`);
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
    if (Number(data.result[0]?.value[1]) === count) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(`Prometheus did not come to ${count} targets`);
}

async function sync(body: object = {}) {
  const { status, body: answer } = await service.call('POST', SYNC, body);
  return { status, report: answer.sources?.[0], error: answer.error };
}

test('a Prometheus becomes a scored fleet', { timeout: 300_000 }, async (context) => {
  if (missing) return context.skip(missing);
  const first = await sync();
  expect(first.report).toMatchObject({
    machines: MACHINES + 1,
    reachable: MACHINES + 1,
    registered: MACHINES + 1,
    passed_over: 0,
  });
  await new Promise((resolve) => setTimeout(resolve, (SCRAPE_SECONDS + 1) * 1000));
  const second = await sync();
  expect(second.report).toMatchObject({ machines: MACHINES + 1, registered: 0, changed: 0, gone: 0 });
  process.stdout.write(
    `${MACHINES + 1} machines of a Prometheus: ${first.report.duration_ms / 1000} s with registering, ${second.report.duration_ms / 1000} s a cycle\n`,
  );
  const { endpoint } = (await service.call('GET', '/api/v1/dex/endpoints/real-machine')).body;
  expect(endpoint).toMatchObject({
    collector: 'prometheus',
    owner_email: 'ann@example.com',
    score: expect.any(Number),
    options: { source: 'office' },
  });
  const generated = (await service.call('GET', '/api/v1/dex/endpoints/generated-7')).body.endpoint;
  expect(generated).toMatchObject({ tags: { site: 'porto' }, score: expect.any(Number), state: 'fresh' });
  const [snapshot] = [...(await service.app.ports.store.snapshots.latest([generated.id])).values()];
  // Machine 7 is 49 % busy and 19 % full: see the generator.
  expect(snapshot?.readings).toMatchObject({
    cpuPct: { value: expect.closeTo(49, 0) },
    memoryPct: { value: expect.closeTo(91, 0) },
  });
  const fleet = (await service.call('GET', '/api/v1/dex/fleet')).body;
  expect(fleet).toMatchObject({ total: MACHINES + 1, scored: MACHINES + 1 });
});

test('half of the targets gone costs nobody anything, until a person says that it is right', {
  timeout: STALE_MS + 120_000,
}, async (context) => {
  if (missing) return context.skip(missing);
  const left = Math.floor(MACHINES * 0.4);
  await listTargets(left);
  await scraped(left + 1);
  await configure('leave_after_days: 0');
  const lost = await sync();
  expect(lost.report).toMatchObject({ machines: left + 1, gone: MACHINES - left, deregistered: 0 });
  expect(lost.report.notes[0]).toMatch(/lists \d+ of \d+ machines; nobody leaves/);
  expect((await service.call('GET', '/api/v1/dex/fleet')).body.total).toBe(MACHINES + 1);
  const accepted = await sync({ accept_loss: true });
  expect(accepted.report).toMatchObject({ gone: 0, deregistered: MACHINES - left });
});

test('a source that is down, or no Prometheus, changes nothing', { timeout: 60_000 }, async (context) => {
  if (missing) return context.skip(missing);
  const { total } = (await service.call('GET', '/api/v1/dex/fleet')).body;
  await configure('leave_after_days: 0', `http://127.0.0.1:${targetsPort}`);
  expect(await sync()).toMatchObject({
    status: 503,
    error: { message: expect.stringContaining('is this Prometheus?') },
  });
  await configure('leave_after_days: 0', `http://127.0.0.1:${await freePort()}`);
  expect(await sync()).toMatchObject({ status: 503, error: { message: expect.stringContaining('cannot be reached') } });
  expect((await service.call('GET', '/api/v1/dex/fleet')).body.total).toBe(total);
});
