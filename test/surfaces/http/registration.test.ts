/** Machines registered one by one, by the hundred and from lists, tested as they are registered. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exporterPage } from '../../helpers/exporterPage.ts';
import { startHttpServer } from '../../helpers/httpServer.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const ENDPOINTS = '/api/v1/dex/endpoints';
const MACHINE = {
  cores: 2,
  cpuBusyPct: 10,
  memoryUsedPct: 40,
  diskUsedPct: 55,
  bootedAt: new Date('2026-02-01T00:00:00Z'),
};

let service: TestService;
let exporter: Awaited<ReturnType<typeof startHttpServer>>;
beforeAll(async () => {
  service = await startTestService();
  exporter = await startHttpServer((_request, response) => void response.end(exporterPage(MACHINE, new Date())));
});
afterAll(async () => {
  await service?.stop();
  await exporter?.stop();
});

const post = (path: string, body: object) => service.call('POST', ENDPOINTS + path, body);
const total = async () => (await service.call('GET', `${ENDPOINTS}?limit=1`)).body.total;
const here = () => ({ ip_address: '127.0.0.1', options: { port: exporter.port, timeout_ms: 2000 } });
const nobody = { ip_address: '127.0.0.1', options: { port: 9, timeout_ms: 2000 } };

describe('one machine', () => {
  test('is tested without being registered', async () => {
    const tested = await post('', { hostname: 'tried', ...here(), dry_run: true });
    expect(tested.body).toMatchObject({ endpoint: null, test: { reachable: true, reason: null, disk_pct: 55 } });
    expect(tested.body.test.measured).toBeGreaterThan(5);
    const failed = await post('', { hostname: 'tried', ...nobody, dry_run: true });
    expect(failed.body.test).toMatchObject({
      reachable: false,
      measured: 0,
      reason: expect.stringMatching(/refused the connection: is the exporter running/),
    });
    expect((await service.call('GET', `${ENDPOINTS}/tried`)).status).toBe(404);
  });

  test('is tested as it is registered, and has its first score at once', async () => {
    const { status, body } = await post('', { hostname: 'first', ...here(), test: true });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { endpoint: { score: expect.any(Number), state: 'fresh' }, test: { reachable: true } },
    });
  });

  test('that does not answer is registered all the same, without an alert', async () => {
    const { body } = await post('', { hostname: 'asleep', ...nobody, test: true });
    expect(body).toMatchObject({ endpoint: { state: 'never_seen' }, test: { reachable: false } });
    expect((await service.call('GET', '/api/v1/dex/alerts?hostname=asleep')).body.total).toBe(0);
  });

  test('may say where the internet is measured to, by an address alone', async () => {
    const to = (target: string) => post('', { hostname: 'aimed', options: { internet_target: target }, dry_run: true });
    for (const target of ['192.0.2.1', '192.0.2.1:443', '2001:db8::1', '[2001:db8::1]:443'])
      expect((await to(target)).status, target).toBe(201);
    for (const target of ['example.com', '192.0.2.1:', ':53', '192.0.2.1:port', '[192.0.2', 'http://192.0.2.1'])
      expect((await to(target)).body.error?.message, target).toContain('internet_target');
  });

  test('with ssh needs a login name, when it is registered and when it is changed', async () => {
    const refused = await post('', { hostname: 'by-ssh', collector: 'ssh' });
    expect(refused).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('username') } } });
    await post('', { hostname: 'by-ssh', ip_address: '127.0.0.1' });
    const changed = await service.call('PATCH', `${ENDPOINTS}/by-ssh`, { collector: 'ssh' });
    expect(changed.status).toBe(400);
    const named = await service.call('PATCH', `${ENDPOINTS}/by-ssh`, { collector: 'ssh', options: { username: 'me' } });
    expect(named.status).toBe(200);
  });
});

describe('several machines', () => {
  test('are registered all or none, told apart by their places', async () => {
    const before = await total();
    const endpoints = [
      'many-1',
      { hostname: 'many-2', collector: 'ssh' },
      { hostname: 'many 3' },
      'MANY-1',
      { hostname: 'many-4', colour: 'red' },
    ];
    const { body } = await post('/batch', { endpoints });
    expect(body).toMatchObject({ ok: false, counts: { registered: 0, refused: 4, skipped: 1 } });
    expect(body.results.map((result: any) => [result.line, result.outcome, result.problem])).toEqual([
      [1, 'skipped', null],
      [2, 'refused', expect.stringContaining('give username')],
      [3, 'refused', expect.stringContaining('must be a hostname')],
      [4, 'refused', 'many-1 stands in line 1 already'],
      [5, 'refused', expect.stringContaining('colour')],
    ]);
    expect(await total()).toBe(before);
    const each = await post('/batch', { endpoints, mode: 'each', defaults: { username: 'me', tags: 'site=berlin' } });
    expect(each.body.counts).toMatchObject({ registered: 2, refused: 3, skipped: 0 });
    const { endpoint } = (await service.call('GET', `${ENDPOINTS}/many-2`)).body;
    expect(endpoint).toMatchObject({ collector: 'ssh', options: { username: 'me' }, tags: { site: 'berlin' } });
    const again = await post('/batch', { endpoints: ['many-1'] });
    expect(again.body.results).toMatchObject([{ outcome: 'refused', problem: expect.stringContaining('already') }]);
  });

  test('are tested together, and those that report by themselves get their tokens', async () => {
    const endpoints = [
      { hostname: 'tested-1', ...here() },
      { hostname: 'tested-2', ...nobody },
      { hostname: 'tested-3', collector: 'push' },
    ];
    const { body } = await post('/batch', { endpoints, test: true });
    expect(body).toMatchObject({
      ok: true,
      results: [
        { outcome: 'registered', score: expect.any(Number), test: { reachable: true } },
        { outcome: 'registered', score: null, test: { reachable: false, reason: expect.stringContaining('refused') } },
        { outcome: 'registered', test: null, token: expect.any(String) },
      ],
    });
  });

  test('are at most a hundred', async () => {
    const { status } = await post('/batch', { endpoints: Array.from({ length: 101 }, (_, i) => `pc-${i}`) });
    expect(status).toBe(400);
  });
});

describe('a list', () => {
  const LIST = [
    'Computer Name;IP;Owner;Role;Tier;OS;Tag: dept;Location',
    'list-1;127.0.0.1;ANN@example.com;Developer;1;Windows 11 Pro;sales;Berlin',
    'list-2;;bob@example.com;;;macOS 15;;',
    'list-3;169.254.169.254;;;;;;',
    'list-4;;not a mail address;;;;;',
    'list-5;"never closed;;;;;;',
    'list-1;127.0.0.2;;;;;;',
  ].join('\r\n');

  test('is tried before it is taken, with a report by line', async () => {
    const before = await total();
    const { body } = await post('/import', { text: `\uFEFF${LIST}` });
    expect(body).toMatchObject({ dry_run: true, counts: { registered: 2, refused: 4 }, ignored_columns: ['Location'] });
    expect(body.results.filter(({ problem }: any) => problem).map(({ line, problem }: any) => [line, problem])).toEqual(
      [
        [4, expect.stringContaining('no endpoint can have it')],
        [5, expect.stringContaining('owner_email')],
        [6, expect.stringContaining('quote')],
        [7, 'list-1 stands in line 2 already'],
      ],
    );
    expect(await total()).toBe(before);
    const none = await post('/import', { text: LIST, apply: true, mode: 'all' });
    expect(none.body).toMatchObject({ ok: false, counts: { refused: 4 } });
    expect(await total()).toBe(before);
  });

  test('changes what is registered, and leaves what it does not say', async () => {
    expect((await post('/import', { text: LIST, apply: true })).body.counts).toMatchObject({
      registered: 2,
      refused: 4,
    });
    expect((await service.call('GET', `${ENDPOINTS}/list-1`)).body.endpoint).toMatchObject({
      ip_address: '127.0.0.1',
      owner_email: 'ann@example.com',
      persona: 'developer',
      criticality_tier: 1,
      os_platform: 'windows',
      collector: 'windows_exporter',
      tags: { dept: 'sales' },
    });
    const changed = 'hostname,persona,owner\nlist-1,executive,\nlist-2,,bob@example.com\n';
    const { body } = await post('/import', { text: changed, apply: true });
    expect(body.results).toMatchObject([
      { outcome: 'updated', changes: ['persona developer → executive'] },
      { outcome: 'unchanged', changes: [] },
    ]);
    expect((await service.call('GET', `${ENDPOINTS}/list-1`)).body.endpoint).toMatchObject({
      persona: 'executive',
      owner_email: 'ann@example.com',
    });
  });

  test('of ten thousand machines is taken in one request', async () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, i) => `bulk-${i},10.${i >> 16}.${(i >> 8) & 255}.${i & 255},general`,
    );
    const { status, body } = await post('/import', { text: ['hostname,ip,persona', ...lines].join('\n'), apply: true });
    expect({ status, counts: body.counts }).toMatchObject({ status: 200, counts: { registered: 10_000, refused: 0 } });
  });

  test('may be what the list of endpoints answers', async () => {
    const { body } = await service.call('GET', `${ENDPOINTS}?prefix=list-`);
    const { body: report } = await post('/import', { text: JSON.stringify(body) });
    expect(report.counts).toMatchObject({ unchanged: body.total, refused: 0 });
  });
});
