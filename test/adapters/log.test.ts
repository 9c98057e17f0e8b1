/** The log of the real service in a process of its own: what is secret never reaches it, at whatever level. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLog } from '../../src/adapters/log.ts';
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
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    lines += chunk;
    return true;
  });
  onTestFinished(() => write.mockRestore());
  const log = createLog({ level: 'info', format: 'text' });
  log.info({ hostname: 'a\n2026 ERROR forged\x1b[2J\u202e', list: ['\x9b'] }, 'said\r\nby \x07 them');
  log.error({ err: new Error('first\n2026 ERROR forged\x1b]0;x') }, 'failed');
  expect(lines).not.toMatch(/^2026 ERROR forged/m);
  expect(lines).toMatch(/^[\x20-\x7e\n]*$/);
  expect(lines).toContain('a\\n2026 ERROR forged\\x1b[2J\\u202e');
});
