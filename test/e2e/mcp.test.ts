/** MCP with clients that are not ours: the inspector calls every tool over both transports, the conformance suite judges the protocol. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMcpHttp } from '../../mcp/http.ts';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { testClock } from '../helpers/clock.ts';
import { createConformanceServer } from '../helpers/conformanceServer.ts';
import { keptLog } from '../helpers/log.ts';
import { assistant } from '../helpers/mcpClient.ts';
import { createModernConformanceServer } from '../helpers/modernConformanceServer.ts';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules/.bin');
const PATH = [BIN, process.env.PATH].join(delimiter);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-mcp-e2e-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs the inspector and returns what it printed; its exit code is 5 when a tool answered with an error. */
async function inspect(target: string[], ...args: string[]): Promise<{ code: number; out: any }> {
  // A process that starts beside other tests on a small machine takes longer than the inspector's own 15 s.
  const how = ['--format', 'json', '-q', '--connect-timeout', '120000'];
  const settled = await run(join(BIN, 'mcp-inspector'), ['--cli', ...target, ...args, ...how], {
    cwd: dir,
    env: { ...process.env, PATH, HOME: dir },
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: { code: number; stdout: string; stderr: string }) => error);
  const code = 'code' in settled ? settled.code : 0;
  if (settled.stdout === '') throw new Error(`the inspector failed with ${code}: ${settled.stderr}`);
  return { code, out: JSON.parse(settled.stdout).result };
}

/** What each tool is called with; together they are a machine's life with us. */
const CALLS: [tool: string, input: Record<string, unknown>, answer: object][] = [
  ['register_endpoint', { hostname: 'inspected-01', collector: 'local' }, { endpoint: { hostname: 'inspected-01' } }],
  ['list_endpoints', { prefix: 'inspected' }, { total: 1 }],
  ['get_endpoint', { hostname: 'inspected-01' }, { endpoint: { collector: 'local' } }],
  ['update_endpoint', { hostname: 'inspected-01', persona: 'tech' }, { endpoint: { persona: 'tech' } }],
  ['scan_endpoint', { hostname: 'inspected-01' }, { status: 'queued' }],
  ['list_runs', { kind: 'scan' }, { total: 1 }],
  ['get_run', { run_id: 'of the scan' }, { kind: 'scan', hostname: 'inspected-01' }],
  ['get_score', { hostname: 'inspected-01' }, { hostname: 'inspected-01', score: expect.any(Number) }],
  ['get_score_history', { hostname: 'inspected-01' }, { hostname: 'inspected-01' }],
  ['get_fleet', {}, { total: 1 }],
  ['index_runbook', { doc_id: 'inspected', content: '# Inspector stuck\n\nTurn it around.' }, { ok: true, chunks: 1 }],
  ['search_runbooks', { q: 'inspector stuck', k: 1 }, { results: [{ doc_id: 'inspected' }] }],
  ['endpoint_runbooks', { hostname: 'inspected-01', alert: 'Inspector stuck', k: 1 }, { runbooks: [{ score: 1 }] }],
  ['rate_runbook', { doc_id: 'inspected', helped: true }, { fix_rate_pct: 100 }],
  ['get_runbook', { doc_id: 'inspected' }, { title: 'Inspector stuck', votes: 1 }],
  ['list_runbooks', {}, { runbooks: expect.arrayContaining([expect.objectContaining({ doc_id: 'inspected' })]) }],
];
/** Needs a person's yes, and the inspector's command line has no person behind it. */
const REFUSED = ['deregister_endpoint', { hostname: 'inspected-01' }] as const;

/**
 * @param prepare what has to be true before the tool is called, for what one call cannot wait for
 * @returns the tools that were offered and not called
 */
async function callEach(target: string[], prepare: (tool: string) => Promise<void>): Promise<string[]> {
  const { out } = await inspect(target, '--method', 'tools/list');
  const listed: string[] = out.tools.map(({ name }: { name: string }) => name);
  expect(listed).toEqual(expect.arrayContaining([...CALLS.map(([name]) => name), REFUSED[0]]));
  let scanRun = '';
  for (const [tool, input, answer] of CALLS) {
    await prepare(tool);
    const given = tool === 'get_run' ? { run_id: scanRun } : input;
    const { code, out } = await inspect(target, ...callOf(tool, given));
    expect(out.isError, `${tool}: ${JSON.stringify(out.content)}`).toBeFalsy();
    expect(code).toBe(0);
    expect(out.structuredContent).toMatchObject(answer);
    expect(out.content[0]).toMatchObject({ type: 'text', text: expect.stringMatching(/./) });
    if (tool === 'scan_endpoint') scanRun = out.structuredContent.run_id;
  }
  const refused = await inspect(target, ...callOf(REFUSED[0], REFUSED[1]));
  expect(refused.out.isError).toBe(true);
  expect(refused.out.content[0].text).toMatch(/waits for approval by a person .* Nothing was done yet/);
  return listed.filter((name) => name !== REFUSED[0] && !CALLS.some(([called]) => called === name));
}

function callOf(tool: string, input: Record<string, unknown>): string[] {
  return ['--method', 'tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(input)];
}

// Each call starts a program of its own, and the two services have nothing in common.
describe.concurrent('the inspector', () => {
  test('calls every tool over HTTP', async () => {
    const service = await startTestService();
    try {
      const underWay = async () => (await service.app.ports.store.runs.inStatus(['queued', 'running'])).length;
      const target = [
        `${service.url}/mcp?structured=1&toolsets=all`,
        '--transport',
        'http',
        '--header',
        `Authorization: Bearer ${API_KEY}`,
      ];
      const others = await callEach(target, async (tool) => {
        if (tool === 'get_score') await expect.poll(underWay, { timeout: 30_000 }).toBe(0);
      });
      // A tool without an example above is called with nothing: it answers, or says what it needs.
      for (const tool of others) {
        const { out } = await inspect(target, ...callOf(tool, {}));
        expect(out.content[0], tool).toMatchObject({
          type: 'text',
          text: expect.not.stringMatching(/internal error/i),
        });
      }
    } finally {
      await service.stop();
    }
  }, 900_000);

  test('calls every tool over stdio', async () => {
    const env = { DATA_DIR: join(dir, 'stdio'), LOG_LEVEL: 'CRITICAL', EMBEDDING_MODEL: 'none' };
    // The inspector would take the program's options for its own, so that they stand in a file.
    const config = join(dir, 'inspector.json');
    const args = ['--prefix', ROOT, 'run', '-s', 'mcp', '--', '--structured', '--toolsets', 'all'];
    await writeFile(config, JSON.stringify({ mcpServers: { dexops: { command: 'npm', args, env } } }));
    const target = ['--config', config, '--server', 'dexops'];
    // Each call starts and ends a process, which may be too short for a scan: one that waits makes the score.
    const scanHere = async () => {
      const app = await createApp(readConfig(env));
      try {
        await app.startWorking({ recover: true });
        const { output } = await app.invoke('scan_endpoint', { hostname: 'inspected-01' }, assistant('operator'));
        const finished = async () => (await app.ports.store.runs.get(String(output.run_id)))?.finishedAt ?? null;
        await expect.poll(finished, { timeout: 30_000 }).not.toBeNull();
      } finally {
        await app.close();
      }
    };
    await callEach(target, async (tool) => {
      if (tool === 'get_score') await scanHere();
    });
  }, 900_000);
});

interface Check {
  id: string;
  status: string;
  errorMessage?: string;
}

/** The suite's release that knows the revisions up to 2025-11-25, and the one that knows 2026-07-28. */
const SUITES = { old: join(BIN, 'conformance'), modern: join(ROOT, 'node_modules/conformance-next/dist/index.js') };

/** Scenarios of extensions: tasks, and parameters in headers, which no tool of ours declares. The revision requires neither. */
const NOT_OFFERED = /server-(tasks-|http-custom-header)/;

/** Runs one scenario of a suite, or those that are chosen otherwise, and returns its checks. */
async function conform(suite: keyof typeof SUITES, url: string, ...choice: string[]): Promise<Check[]> {
  const output = await mkdtemp(join(dir, 'conformance-'));
  await run(process.execPath, [SUITES[suite], 'server', '--url', url, ...choice, '-o', output], {
    env: { ...process.env, PATH },
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: { stdout: string }) => error.stdout); // its checks say what failed
  const files = (await readdir(output, { recursive: true })).filter(
    (name) => name.endsWith('checks.json') && !NOT_OFFERED.test(name),
  );
  const checks = await Promise.all(files.map(async (name) => JSON.parse(await readFile(join(output, name), 'utf8'))));
  return checks.flat();
}

function failuresOf(checks: Check[]): string[] {
  return checks.filter(({ status }) => status === 'FAILURE').map(({ id, errorMessage }) => `${id}: ${errorMessage}`);
}

describe('the conformance suite', () => {
  let service: TestService;
  beforeAll(async () => {
    // Without a key, as on a developer's machine: that is where a rebinding page would strike.
    service = await startTestService({ API_KEY: '' });
  });
  afterAll(() => service.stop());

  test.each([
    'server-initialize',
    'ping',
    'tools-list',
    'resources-list',
    'prompts-list',
    'completion-complete',
    'logging-set-level',
    'dns-rebinding-protection',
  ])('finds nothing wrong with the service in %s', async (scenario) => {
    const checks = await conform('old', `${service.url}/mcp`, '--scenario', scenario);
    expect(checks.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(0);
    expect(failuresOf(checks)).toEqual([]);
  });

  test.each([
    'tools-list',
    'resources-list',
    'prompts-list',
    'completion-complete',
    'server-sse-multiple-streams',
    'sep-2164-resource-not-found',
    'dns-rebinding-protection',
    'caching',
    'http-header-validation',
  ])('finds nothing wrong with the service in %s of 2026-07-28', async (scenario) => {
    const choice = ['--scenario', scenario, '--spec-version', '2026-07-28'];
    const checks = await conform('modern', `${service.url}/mcp`, ...choice);
    expect(checks.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(0);
    expect(failuresOf(checks)).toEqual([]);
  });

  test.each([
    ['old', ['--suite', 'active'], 25],
    ['modern', ['--requirements', '2026-07-28'], 60],
  ] as const)(
    'finds nothing wrong with our transport in the whole %s suite, over its own fixtures',
    async (suite, choice, least) => {
      const mcp = createMcpHttp({
        createServer: createConformanceServer,
        createModernServer: createModernConformanceServer,
        changes: { subscribe: () => () => {} },
        authenticate: async () => assistant('admin'),
        allowedOrigins: [],
        toolsets: [],
        clock: testClock(),
        log: keptLog(),
      });
      const http = createServer(mcp.handle);
      await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready));
      try {
        const checks = await conform(suite, `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, ...choice);
        expect(checks.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(least);
        expect(failuresOf(checks)).toEqual([]);
      } finally {
        await mcp.close();
        http.closeAllConnections();
        http.close();
      }
    },
  );
});
