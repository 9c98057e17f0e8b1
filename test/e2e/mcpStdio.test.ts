/** MCP over stdio: the program as a client starts it, with its data in a temporary folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { StdioClientTransport as ModernStdioTransport } from '@modelcontextprotocol/client/stdio';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { assistant, callTool, newClient } from '../helpers/mcpClient.ts';
import { callModern, MODERN, modernClientThatAnswers } from '../helpers/modernClient.ts';

const PROGRAM = resolve(import.meta.dirname, '../../mcp/stdio.ts');
const INITIALIZE =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}\n';

let dir: string;
/** The service beside it, on the same database. */
let app: App;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-stdio-'));
  app = await createApp(readConfig({ ...environment(), LOG_LEVEL: 'CRITICAL' }));
});
afterAll(async () => {
  await app.close();
  await rm(dir, { recursive: true, force: true });
});

function environment(): Record<string, string> {
  return { DATA_DIR: dir, LLM_PROVIDER: '', LOG_LEVEL: 'DEBUG', EMBEDDING_MODEL: 'none' };
}

async function connect(env: Record<string, string> = {}) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM, '--structured', '--toolsets', 'all'],
    env: { ...environment(), ...env },
    cwd: dir,
    stderr: 'ignore',
  });
  const client = newClient();
  await client.connect(transport);
  return client;
}

function start(env: Record<string, string> = {}) {
  return spawn(process.execPath, [PROGRAM], { env: { ...environment(), ...env }, cwd: dir });
}

describe('npm run -s mcp', () => {
  test('works on the scans it is asked for, beside a service on the same database', async () => {
    const underWay = await app.ports.store.runs
      .add({ ...RUN_OF_ANOTHER_PROCESS, createdAt: app.ports.clock.now() })
      .then(() => RUN_OF_ANOTHER_PROCESS.id);
    await app.invoke('register_endpoint', { hostname: 'stdio-01', collector: 'local' }, assistant('admin'));

    const client = await connect(); // an operator, unless told otherwise
    const { structuredContent } = await callTool(client, 'scan_endpoint', { hostname: 'stdio-01' });
    const status = async () =>
      (await callTool(client, 'get_run', { run_id: structuredContent?.run_id })).structuredContent?.status;
    await expect.poll(status, { timeout: 15_000, interval: 200 }).toBe('completed');
    await client.close();

    expect(await app.ports.store.endpoints.get('stdio-01')).toMatchObject({ score: expect.any(Number) });
    expect(await app.ports.store.runs.get(underWay)).toMatchObject({ status: 'running' });
  }, 30_000);

  test('speaks 2026-07-28 as well: the same tools, questions to the person, and subscriptions', async () => {
    await app.invoke('register_endpoint', { hostname: 'stdio-gone', collector: 'local' }, assistant('admin'));
    const { client, questions } = modernClientThatAnswers({ action: 'accept', content: { confirm: true } });
    const heard: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
    const env = environment();
    await client.connect(
      new ModernStdioTransport({ command: process.execPath, args: [PROGRAM], env, cwd: dir, stderr: 'ignore' }),
    );
    expect(client.getNegotiatedProtocolVersion()).toBe(MODERN);
    const old = await connect();
    const names = async (of: { listTools(): Promise<{ tools: { name: string }[] }> }) =>
      (await of.listTools()).tools.map(({ name }) => name);
    expect(await names(old)).toEqual(expect.arrayContaining(await names(client)));
    await client.listen({ resourceSubscriptions: ['dexops://fleet'] });
    const answer = await callModern(client, 'deregister_endpoint', { hostname: 'stdio-gone' });
    expect(answer.isError).toBeFalsy();
    expect(questions).toEqual([expect.stringContaining('stdio-gone')]);
    expect(await app.ports.store.endpoints.get('stdio-gone')).toBeNull();
    // The first look at the store comes with the subscription; what changes after it is heard of.
    let count = 0;
    const another = () =>
      app.invoke('register_endpoint', { hostname: `stdio-new-${++count}`, collector: 'local' }, assistant('admin'));
    await expect
      .poll(async () => (await another()) && heard, { timeout: 20_000, interval: 1500 })
      .toContain('dexops://fleet');
    await Promise.all([client.close(), old.close()]);
  }, 120_000);

  test('can change nothing as a viewer', async () => {
    const viewer = await connect({ MCP_STDIO_ROLE: 'viewer' });
    expect((await viewer.listTools()).tools.filter(({ annotations }) => !annotations?.readOnlyHint)).toEqual([]);
    await viewer.close();
  }, 30_000);

  test('says only protocol on stdout, logs on stderr, survives garbage, and ends when its input does', async () => {
    const program = start();
    const [stdout, stderr] = [text(program.stdout), text(program.stderr)];
    program.stdin.write('this is no JSON\n{"neither": "is this"}\n');
    program.stdin.write(INITIALIZE);
    await once(program.stdout, 'data');
    program.stdin.end();
    const [code] = await once(program, 'exit');
    expect(code).toBe(0);
    const said = (await stdout).trim().split('\n');
    expect(said.map((line) => JSON.parse(line).id)).toEqual([1]);
    expect(await stderr).toContain('MCP over stdio is ready');
  }, 30_000);

  test('ends on SIGTERM', async () => {
    const program = start();
    program.stdin.write(INITIALIZE);
    await once(program.stdout, 'data');
    program.kill('SIGTERM');
    expect(await once(program, 'exit')).toEqual([0, null]);
  }, 30_000);

  test('a mistake in the configuration is told on stderr', async () => {
    const program = start({ MCP_STDIO_ROLE: 'root' });
    const stderr = text(program.stderr);
    expect(await once(program, 'exit')).toEqual([1, null]);
    expect(await stderr).toMatch(/MCP_STDIO_ROLE="root": must be viewer, operator, admin/);
  }, 30_000);
});

const RUN_OF_ANOTHER_PROCESS = {
  id: '01HZZZZZZZZZZZZZZZZZZZZZZZ',
  kind: 'fleet_scan' as const,
  status: 'running' as const,
  hostname: null,
  goal: null,
  agentProfile: null,
  requestedBy: 'job:dex_scan_all_endpoints',
  via: 'job' as const,
  startedAt: null,
  finishedAt: null,
  error: null,
  result: null,
  steps: [],
  state: null,
  usage: null,
  costUsd: null,
};
