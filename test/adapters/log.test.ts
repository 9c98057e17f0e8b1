/** The log of the real service in a process of its own: what is secret never reaches it, at whatever level. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createLog, logProbe } from '../../src/adapters/log.ts';
import { freePort } from '../helpers/freePort.ts';
import { runProgram } from '../helpers/program.ts';

test('no secret of the configuration and of no request reaches the log', { timeout: 120_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-log-'));
  const port = await freePort();
  const secrets = {
    API_KEY: 'secret-of-api-callers',
    METRICS_TOKEN: 'secret-of-metrics',
    WEBHOOK_SECRET: 'secret-of-webhooks',
    OPENAI_API_KEY: 'secret-of-openai',
    SLACK_BOT_TOKEN: 'xoxb-secret-of-bot',
    SLACK_APP_TOKEN: 'xapp-secret-of-app',
    SLACK_SIGNING_SECRET: 'secret-of-signatures',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret-of-traces',
  };
  // Whatever it would call is nobody: failures are what logs are full of.
  const nobody = 'http://127.0.0.1:9';
  const program = runProgram('src/main.ts', [], {
    ...secrets,
    DATA_DIR: dir,
    RUNBOOKS_DIR: dir,
    EMBEDDING_MODEL: 'none',
    HOST: '127.0.0.1',
    PORT: String(port),
    LOG_LEVEL: 'TRACE',
    LLM_PROVIDER: 'openai',
    OPENAI_BASE_URL: `${nobody}/v1`,
    SLACK_API_URL: `${nobody}/api/`,
    DEX_TICKET_WEBHOOK_URL: `${nobody}/tickets?key=secret-of-tickets`,
    OTEL_EXPORTER_OTLP_ENDPOINT: nobody,
    DEX_REGISTER_SELF: 'false',
  });
  onTestFinished(async () => {
    await program.stop('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });
  await program.said(/listens on/);

  const call = async (method: string, path: string, headers: Record<string, string>, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };
  const key = { 'X-API-Key': secrets.API_KEY };
  await call('GET', '/api/v1/dex/endpoints', { 'X-API-Key': 'secret-of-a-stranger' });
  await call('GET', '/api/v1/dex/endpoints', { Authorization: `Bearer ${secrets.API_KEY}` });
  await call('POST', '/api/v1/dex/endpoints', key, '{"token": "secret-of-a-body"');
  await call('GET', '/metrics', { Authorization: `Bearer ${secrets.METRICS_TOKEN}` });
  const webhook = { Authorization: `Bearer ${secrets.WEBHOOK_SECRET}` };
  await call('POST', '/api/v1/webhooks/alertmanager', webhook, { alerts: 'secret-of-a-delivery' });
  const registered = await call('POST', '/api/v1/dex/endpoints', key, { hostname: 'pc-1', collector: 'push' });
  const { token } = JSON.parse(registered.text);
  expect(token).toMatch(/^dex_/);
  await call('POST', '/api/v1/dex/agent/snapshots', { Authorization: `Bearer ${token}` }, {});
  await call('POST', '/api/v1/runs', key, { goal: 'Why?' });
  expect((await call('GET', '/health', {})).text).not.toMatch(/secret-of/);
  program.child.kill('SIGTERM');
  expect(await program.ended).toBe(0);

  const lines = program.output();
  expect(lines.split('\n').length).toBeGreaterThan(10);
  expect(lines).not.toMatch(/secret-of/);
  expect(lines).not.toContain(token);
});

test('in the text format nobody writes a line or a terminal command of their own', () => {
  let lines = '';
  const log = createLog({ level: 'info', format: 'text' }, (text) => {
    lines += text;
    return null;
  });
  log.info({ hostname: 'a\n2026 ERROR forged\x1b[2J\u202e', list: ['\x9b'] }, 'said\r\nby \x07 them');
  log.error({ err: new Error('first\n2026 ERROR forged\x1b]0;x') }, 'failed');
  expect(lines).not.toMatch(/^2026 ERROR forged/m);
  expect(lines).toMatch(/^[\x20-\x7e\n]*$/);
  expect(lines).toContain('a\\n2026 ERROR forged\\x1b[2J\\u202e');
});

/** A program of its own that writes many lines, then says on stdout how many were lost and how long it took. */
const WRITER = `
  import { createLog, logProbe } from './src/adapters/log.ts';
  const log = createLog({ level: 'info', format: 'json' });
  const started = performance.now();
  for (let line = 0; line < 20_000; line++) log.info({ line, text: 'x'.repeat(1000) }, 'written');
  console.log(JSON.stringify({ lost: log.lost().total, ms: performance.now() - started }));
  process.exit(0);
`;

async function writtenTo(stderr: number | 'pipe'): Promise<{ code: number; lost: number; ms: number }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', WRITER], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', stderr],
  });
  const ended = once(child, 'exit');
  const [said] = await Promise.all([text(child.stdout!), ended]);
  return { code: child.exitCode!, ...JSON.parse(said) };
}

test('on a full disk every line is lost and nothing else', async () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  expect(await writtenTo(full)).toMatchObject({ code: 0, lost: 20_000 });
});

test('whoever reads the log and stops costs lines, and holds nobody up', async () => {
  const { code, lost } = await writtenTo('pipe');
  expect(code).toBe(0);
  // What waits in memory is bounded: of 20 MB at least three quarters are given up.
  expect(lost).toBeGreaterThan(15_000);
});

test('what could not be logged is said with the first line that can be', async () => {
  const lines: string[] = [];
  let isFull = false;
  const log = createLog({ level: 'info', format: 'json' }, (line) => {
    if (isFull) return new Error('ENOSPC: no space left on device, write');
    lines.push(line);
    return null;
  });
  const check = () => logProbe(log)();
  log.info({}, 'first');
  expect(await check()).toEqual({ status: 'ok', lost_lines: 0 });
  isFull = true;
  for (let i = 0; i < 375; i++) log.info({ i }, 'request');
  expect(await check()).toMatchObject({
    status: 'degraded',
    lost_lines: 375,
    detail: expect.stringMatching(/375 .*ENOSPC/),
  });
  isFull = false;
  log.info({}, 'after');
  const messages = lines.map((line) => JSON.parse(line));
  expect(messages.map(({ msg }) => msg)).toEqual(['first', 'log lines could not be written', 'after']);
  expect(messages[1]).toMatchObject({ level: 'warn', lost_lines: 375, reason: expect.stringContaining('ENOSPC') });
  expect(await check()).toEqual({ status: 'ok', lost_lines: 375 });
});
