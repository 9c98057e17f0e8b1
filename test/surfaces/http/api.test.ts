/** REST as its users call it: through the network, against the whole service. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Collector } from '../../../src/core/ports/ports.ts';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../../helpers/service.ts';

const BASE = '/api/v1/dex/endpoints';
const findings = new Map<string, Findings>();
const fleet = machines(findings);
/** Looks wait for it, so that a test can hold a scan open. */
let gate = Promise.resolve();
let service: TestService;
beforeAll(async () => {
  const collector: Collector = { collect: (target, context) => gate.then(() => fleet.collect(target, context)) };
  service = await startTestService({ METRICS_TOKEN: 'scrape-me' }, { collector });
});
afterAll(() => service.stop());

async function scan(hostname: string) {
  const { status, body } = await service.call('POST', `${BASE}/${hostname}/scan`);
  expect(status).toBe(202);
  expect(body.status).toBe('queued');
  return service.finished(body.run_id);
}

describe('from registration to score', () => {
  test('an endpoint is registered, scanned, scored and counted', async () => {
    const { status, body } = await service.call('POST', BASE, {
      hostname: 'API-one',
      persona: 'developer',
      criticality_tier: 1,
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ ok: true, endpoint: { hostname: 'api-one', state: 'never_seen', score: null } });
    expect((await service.call('GET', `${BASE}/api-one/score`)).status).toBe(404);

    findings.set('api-one', { ...WELL, diskPct: 97, diskMount: '/home' });
    const run = await scan('api-one');
    expect(run).toMatchObject({ kind: 'scan', status: 'completed', hostname: 'api-one', error: null });
    expect(run.result.score.score).toBe(59);

    const { body: score } = await service.call('GET', `${BASE}/api-one/score`);
    expect(score).toMatchObject({ hostname: 'api-one', score: 59, status: 'at_risk', coverage: 1, stale: false });
    expect(score.deductions).toEqual([
      {
        component: 'device',
        metric: 'disk_pct',
        value: 97,
        points: 40,
        reason: 'disk /home is 97 % full (above 95 %)',
      },
    ]);

    findings.set('api-one', WELL);
    await scan('api-one');
    const { body: history } = await service.call('GET', `${BASE}/api-one/history?limit=96`);
    expect(history).toMatchObject({ hostname: 'api-one', count: 2 });
    expect(history.history.map((point: { score: number }) => point.score)).toEqual([100, 59]);

    const { body: fleet } = await service.call('GET', '/api/v1/dex/fleet');
    expect(fleet).toMatchObject({
      total: 1,
      scored: 1,
      healthy: 1,
      at_risk: 0,
      critical: 0,
      unknown: 0,
      stale: 0,
      avg_score: 100,
    });
    expect(fleet.by_persona).toEqual({ developer: { total: 1, scored: 1, avg_score: 100 } });
  });

  test('an endpoint that cannot be reached keeps its last score and says why', async () => {
    await service.call('POST', BASE, { hostname: 'api-gone' });
    await scan('api-gone');
    findings.set('api-gone', 'unreachable');
    const run = await scan('api-gone');
    expect(run).toMatchObject({ status: 'completed', result: { reachable: false, score: null } });
    const { body } = await service.call('GET', `${BASE}/api-gone`);
    expect(body.endpoint).toMatchObject({ score: 100, unreachable_reason: 'no answer within 5 s' });
  });

  test('options come back as they were given, with nothing added', async () => {
    const options = { port: 9100, services: ['sshd.service'] };
    await service.call('POST', BASE, { hostname: 'api-options', options });
    const { body } = await service.call('GET', `${BASE}/api-options`);
    expect(body.endpoint.options).toEqual(options);
    await service.call('DELETE', `${BASE}/api-options`);
  });

  test('a push endpoint gets its token once and cannot be scanned from here', async () => {
    const { body } = await service.call('POST', BASE, { hostname: 'api-laptop', collector: 'push' });
    expect(body.token).toMatch(/^dex_/);
    const { body: read } = await service.call('GET', `${BASE}/api-laptop`);
    expect(JSON.stringify(read)).not.toContain(body.token);
    expect(await service.call('POST', `${BASE}/api-laptop/scan`)).toMatchObject({
      status: 422,
      body: { error: { kind: 'refused' } },
    });
  });

  test('a fleet scan is one run with counts, and never two at once', async () => {
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const [first, second] = await Promise.all([1, 2].map(() => service.call('POST', '/api/v1/dex/fleet/scan')));
    open();
    expect(first!.body.run_id).toBe(second!.body.run_id);
    const run = await service.finished(first!.body.run_id);
    expect(run.result).toEqual({
      total: 3,
      scanned: 2,
      scored: 1,
      unreachable: 1,
      skipped_push: 1,
      missed: 0,
      shards: { total: 1, open: 0, failed: 0 },
      notes: [],
    });
  });

  test('an endpoint is changed and deregistered', async () => {
    await service.call('POST', BASE, { hostname: 'api-two', owner_email: 'Bob@Company.com' });
    const { body } = await service.call('PATCH', `${BASE}/api-two`, {
      persona: 'executive',
      owner_email: null,
      tags: { a: 'b' },
    });
    expect(body.endpoint).toMatchObject({ persona: 'executive', owner_email: null, tags: { a: 'b' } });
    expect((await service.call('DELETE', `${BASE}/api-two`)).status).toBe(200);
    expect((await service.call('GET', `${BASE}/api-two`)).status).toBe(404);
    expect((await service.call('POST', BASE, { hostname: 'api-two' })).status).toBe(201);
  });

  test('a list of runs says in a line what came of each; the result is with the run', async () => {
    const { body } = await service.call('GET', '/api/v1/runs?kind=scan&status=completed');
    const [run] = body.runs;
    expect(run.summary).toMatch(/^[\w-]+: \d+ of 100/);
    expect(run.summary).not.toContain('\n');
    expect(run).not.toHaveProperty('result');
    expect((await service.call('GET', `/api/v1/runs/${run.run_id}`)).body.result).toMatchObject({ reachable: true });
  });

  test('a chart is served to whoever asks for a picture', async () => {
    const response = await fetch(`${service.url}${BASE}/api-one/history`, {
      headers: { 'X-API-Key': API_KEY, Accept: 'image/png' },
    });
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(
      Buffer.from(await response.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });
});

describe('bad input is answered with what is wrong, and changes nothing', () => {
  test.each<[string, unknown, number, string]>([
    ['malformed JSON', '{"hostname": ', 400, 'not JSON'],
    ['a list', [], 400, 'JSON object'],
    ['no hostname', {}, 400, 'hostname'],
    ['an unknown field', { hostname: 'x', colour: 'red' }, 400, 'colour'],
    ['a wrong type', { hostname: 'x', tags: 'dept' }, 400, 'tags'],
    ['a number out of range', { hostname: 'x', criticality_tier: 9 }, 400, 'criticality_tier'],
    ['a slash', { hostname: 'a/b' }, 400, 'must be a hostname'],
    ['dots', { hostname: '..' }, 400, 'must be a hostname'],
    ['SQL', { hostname: "x'; drop table endpoint; --" }, 400, 'must be a hostname'],
    ['a shell', { hostname: '$(reboot)' }, 400, 'must be a hostname'],
    ['an address of cloud metadata', { hostname: 'x', ip_address: '169.254.169.254' }, 400, 'link-local'],
    ['the same inside IPv6', { hostname: 'x', ip_address: '::ffff:169.254.169.254' }, 400, 'no endpoint can have it'],
    ['multicast', { hostname: 'x', ip_address: '224.0.0.1' }, 400, 'multicast'],
    ['no e-mail', { hostname: 'x', owner_email: 'alice' }, 400, 'owner_email'],
    [
      'a key path',
      { hostname: 'x', collector: 'ssh', options: { private_key_file: '../../etc/shadow' } },
      400,
      'SSH_KEYS_DIR',
    ],
    ['an oversized body', { hostname: 'x', tags: { a: 'y'.repeat(1_100_000) } }, 413, '1 MB'],
    ['a name that is taken', { hostname: 'api-one' }, 409, 'registered already'],
  ])('%s', async (_what, body, status, words) => {
    const before = (await service.call('GET', '/api/v1/dex/fleet')).body.total;
    const answer = await service.call('POST', BASE, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(words);
    expect(answer.body.error.request_id).toBeTruthy();
    expect((await service.call('GET', '/api/v1/dex/fleet')).body.total).toBe(before);
  });

  test.each(['/api/v1/nothing', `${BASE}/unknown-host`, `${BASE}/..%2f..%2fetc`, '/api/v1/runs/nope'])(
    '%s is not found',
    async (path) => {
      const { status, body } = await service.call('GET', path);
      expect(status).toBe(404);
      expect(body.error.kind).toBe('not_found');
    },
  );

  test('limits and unknown filters of lists', async () => {
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'offset=-1', 'persona=pirate', 'order=asc']) {
      expect((await service.call('GET', `${BASE}?${query}`)).status, query).toBe(400);
    }
  });
});

describe('the door', () => {
  test('needs a key, and the right one', async () => {
    for (const headers of [{}, { 'X-API-Key': 'wrong' }, { Authorization: 'Bearer wrong' }] as Record<
      string,
      string
    >[]) {
      const response = await fetch(service.url + BASE, { headers });
      expect(response.status).toBe(401);
    }
    const response = await fetch(service.url + BASE, { headers: { Authorization: `Bearer ${API_KEY}` } });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('metrics want their own token', async () => {
    expect((await fetch(`${service.url}/metrics`)).status).toBe(401);
    const response = await fetch(`${service.url}/metrics`, { headers: { Authorization: 'Bearer scrape-me' } });
    const page = await response.text();
    expect(page).toContain('orchestrator_runs_total{kind="scan",status="completed"}');
    expect(page).toContain('dex_scans_total{collector="node_exporter",outcome="unreachable"}');
  });

  test('health is open and tells each part', async () => {
    const response = await fetch(`${service.url}/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'ok',
      checks: { database: { status: 'ok' }, queue: { status: 'ok', backend: 'memory' }, disk: { status: 'ok' } },
    });
  });

  test('the description is OpenAPI 3.1 and the page brings all it needs', async () => {
    const description = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, unknown>;
    };
    expect(description.openapi).toBe('3.1.0');
    expect(description.paths).toHaveProperty(['/api/v1/dex/endpoints/{hostname}/score']);
    const page = await (await fetch(`${service.url}/docs`)).text();
    expect(page).not.toMatch(/https?:\/\//);
    for (const [, asset] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await fetch(service.url + asset)).status, asset).toBe(200);
    }
  });

  test('a NUL, a fraction of a millisecond and the names of every object are answered like any other input', async () => {
    const { status, body } = await service.call('POST', '/api/v1/dex/feedback', { rating: 3, hostname: 'a\0b' });
    expect(status).toBe(400);
    expect(body.error.details.fields).toEqual([{ field: 'hostname', problem: 'must not hold a NUL character' }]);
    expect((await service.call('GET', '/api/v1/runs/none?wait_seconds=0.0001')).status).toBe(404);
    expect((await service.call('GET', `${BASE}?tag=valueOf`)).status).toBe(400);
    const tags = { toString: 'x' };
    expect((await service.call('POST', BASE, { hostname: 'odd-tag', tags })).status).toBe(400);
  });

  test('a request id is taken over when it is harmless', async () => {
    const given = await fetch(`${service.url}/health`, { headers: { 'X-Request-Id': 'abc-1' } });
    expect(given.headers.get('x-request-id')).toBe('abc-1');
    const odd = await fetch(`${service.url}/health`, { headers: { 'X-Request-Id': 'a b<script>' } });
    expect(odd.headers.get('x-request-id')).not.toContain('<');
  });
});

test('without a key only requests addressed to this machine are served', async () => {
  const open = await startTestService({ API_KEY: '' }, { collector: machines(new Map()) });
  try {
    expect((await fetch(`${open.url}${BASE}`)).status).toBe(200);
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const url = new URL(`${open.url}${BASE}`);
      request(
        { host: url.hostname, port: url.port, path: url.pathname, headers: { Host: 'attacker.example' } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  } finally {
    await open.stop();
  }
});
