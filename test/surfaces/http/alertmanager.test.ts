/** The Alertmanager webhook through the network, on both databases: who may deliver, and what a delivery does. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestClock, testClock } from '../../helpers/clock.ts';
import { alert, delivery, WEBHOOK_SECRET } from '../../helpers/deliveries.ts';
import { startPostgres } from '../../helpers/postgres.ts';
import { API_KEY, startTestService, type TestService } from '../../helpers/service.ts';
import { SLOW_STORE_KINDS } from '../../helpers/stores.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

const PATH = '/api/v1/webhooks/alertmanager';
const BEARER = { Authorization: `Bearer ${WEBHOOK_SECRET}` };
const MINUTE_MS = 60_000;

describe.each(SLOW_STORE_KINDS)('on %s', (kind) => {
  let service: TestService;
  let clock: TestClock;
  let hosts = 0;

  beforeAll(async () => {
    clock = testClock();
    const database: Record<string, string> = kind === 'postgresql' ? { DATABASE_URL: await createTestDatabase() } : {};
    service = await startTestService({ WEBHOOK_SECRET, ...database }, { clock, healing: null });
  });
  afterAll(async () => {
    await service?.stop();
  });

  const deliver = (body: unknown, headers: Record<string, string> = BEARER) =>
    service.call('POST', PATH, body, { 'X-API-Key': '', ...headers });
  const newHost = async (more: object = {}) => {
    const hostname = `pc-${++hosts}`;
    const { status } = await service.call('POST', '/api/v1/dex/endpoints', { hostname, collector: 'push', ...more });
    expect(status).toBe(201);
    return hostname;
  };
  const alertsOf = async (hostname: string, status = 'all') =>
    (await service.call('GET', `/api/v1/dex/alerts?hostname=${hostname}&status=${status}&limit=1000`)).body.alerts;
  const startedNow = () => clock.now().toISOString();

  test('a firing alert is there when the answer is', async () => {
    const host = await newHost();
    const { status, body } = await deliver(
      delivery(
        alert({ host, labels: { severity: 'critical', service: 'cups' }, startsAt: '2026-03-02T08:58:30.500Z' }),
      ),
    );
    expect(status).toBe(200);
    expect(body).toEqual({ received: 1, created: 1, updated: 0, resolved: 0, unchanged: 0, ignored: [] });
    expect(await alertsOf(host)).toEqual([
      expect.objectContaining({
        hostname: host,
        alert_name: 'HighLoad',
        alert_type: 'prometheus',
        severity: 'critical',
        status: 'active',
        message: `HighLoad on ${host}`,
        labels: { alertname: 'HighLoad', instance: `${host}:9100`, severity: 'critical', service: 'cups' },
        starts_at: '2026-03-02T08:58:30.500Z',
        flaps: 0,
        resolved_at: null,
      }),
    ]);
  });

  test('fifty equal deliveries at once make one alert', async () => {
    const host = await newHost();
    const same = delivery(...Array.from({ length: 5 }, (_, i) => alert({ host, name: `Trouble${i}` })));
    const answers = await Promise.all(Array.from({ length: 50 }, () => deliver(same)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(answers.reduce((sum, { body }) => sum + body.created, 0)).toBe(5);
    expect(await alertsOf(host)).toHaveLength(5);
    const [one] = await alertsOf(host);
    const { body } = await service.call('GET', `/api/v1/dex/alerts/${one.id}`);
    expect(body.timeline).toHaveLength(1);
  });

  test('deliveries that overlap in different orders all get through', async () => {
    const names = await Promise.all(Array.from({ length: 8 }, () => newHost()));
    const shuffled = (by: number) => names.map((_, i) => names[(i * 3 + by) % names.length] as string);
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) => deliver(delivery(...shuffled(i).map((host) => alert({ host }))))),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(24).fill(200));
    for (const host of names) expect(await alertsOf(host)).toHaveLength(1);
  });

  test('the same group a thousand times changes nothing', async () => {
    const host = await newHost();
    const group = delivery(alert({ host, name: 'A' }), alert({ host, name: 'B' }));
    await deliver(group);
    const before = await alertsOf(host);
    clock.advance(MINUTE_MS);
    for (let batch = 0; batch < 20; batch++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => deliver(group)));
      for (const { body } of answers) expect(body).toMatchObject({ created: 0, updated: 0, unchanged: 2 });
    }
    expect(await alertsOf(host)).toEqual(before);
  }, 60_000);

  test('resolved ends it at the time Alertmanager says; again soon is a flap, later a new alert', async () => {
    const host = await newHost();
    const started = startedNow();
    await deliver(delivery(alert({ host, startsAt: started })));
    clock.advance(7 * MINUTE_MS + 1000);
    const endsAt = clock.now().toISOString();
    clock.advance(20_000);
    const end = delivery(alert({ host, status: 'resolved', startsAt: started, endsAt }));
    expect((await deliver(end)).body).toMatchObject({ resolved: 1, ignored: [] });
    expect((await deliver(end)).body).toMatchObject({
      resolved: 0,
      ignored: [{ alertname: 'HighLoad', reason: 'it ended, and no alert is open for it' }],
    });
    expect(await alertsOf(host, 'open')).toEqual([]);
    const [ended] = await alertsOf(host);
    expect(ended).toMatchObject({ status: 'resolved', resolution: 'source', resolved_at: endsAt });

    clock.advance(5 * MINUTE_MS);
    expect((await deliver(delivery(alert({ host, startsAt: startedNow() })))).body).toMatchObject({ updated: 1 });
    const [again] = await alertsOf(host);
    expect(again).toMatchObject({ id: ended.id, status: 'active', flaps: 1, resolved_at: null, resolution: null });

    await deliver(delivery(alert({ host, status: 'resolved', startsAt: startedNow(), endsAt: startedNow() })));
    clock.advance(16 * MINUTE_MS);
    expect((await deliver(delivery(alert({ host, startsAt: startedNow() })))).body).toMatchObject({ created: 1 });
    const [fresh] = await alertsOf(host);
    expect(fresh).toMatchObject({ status: 'active', flaps: 0 });
    expect(fresh.id).not.toBe(ended.id);
  });

  test('two disks behind one alert: it ends with the last of them', async () => {
    const host = await newHost();
    const disk = (mount: string, status: 'firing' | 'resolved' = 'firing') =>
      alert({ host, name: 'DiskFull', status, labels: { mountpoint: mount }, fingerprint: `disk${mount}` });
    await deliver(delivery(disk('/'), disk('/data')));
    expect(await alertsOf(host)).toHaveLength(1);
    expect((await deliver(delivery(disk('/', 'resolved'), disk('/data')))).body).toMatchObject({ resolved: 0 });
    expect(await alertsOf(host, 'open')).toHaveLength(1);
    expect((await deliver(delivery(disk('/', 'resolved'), disk('/data', 'resolved')))).body).toMatchObject({
      resolved: 1,
    });
  });

  test('a host is found by label, by instance without port and by address', async () => {
    const byName = await newHost();
    const byV6 = await newHost({ ip_address: '2001:db8::7' });
    const byV4 = await newHost({ ip_address: '10.0.7.42' });
    const { body } = await deliver(
      delivery(
        alert({ name: 'A', host: 'gateway.example', labels: { hostname: byName.toUpperCase() } }),
        alert({ name: 'A', host: '[2001:db8::7]' }),
        alert({ name: 'A', labels: { instance: '10.0.7.42:9100' } }),
      ),
    );
    expect(body).toMatchObject({ created: 3, ignored: [] });
    for (const host of [byName, byV6, byV4]) expect(await alertsOf(host)).toHaveLength(1);
  });

  test('alerts for unknown hosts are answered 200, counted and listed until the host is registered', async () => {
    const group = delivery(alert({ host: `stranger-${kind}` }), alert({ host: `stranger-${kind}`, name: 'Other' }));
    const { status, body } = await deliver(group);
    expect(status).toBe(200);
    expect(body).toMatchObject({ received: 2, created: 0 });
    expect(body.ignored[0]).toEqual({
      alertname: 'HighLoad',
      reason: `no endpoint stranger-${kind} is registered`,
    });
    await deliver(group);
    const list = async () => (await service.call('GET', '/api/v1/dex/unknown-hosts')).body.unknown_hosts;
    expect(await list()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ hostname: `stranger-${kind}`, alert_name: 'HighLoad', count: 2 }),
      ]),
    );
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: `stranger-${kind}`, collector: 'push' });
    expect((await list()).filter((host: { hostname: string }) => host.hostname === `stranger-${kind}`)).toEqual([]);
  });

  test('ten thousand alerts in one body', async () => {
    const host = await newHost();
    const { status, body } = await deliver(
      delivery(
        ...Array.from({ length: 10_000 }, (_, i) =>
          alert({ host, name: `Bulk${i}`, annotations: { description: 'x'.repeat(200) } }),
        ),
      ),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ received: 10_000, created: 10_000 });
    const { body: page } = await service.call('GET', `/api/v1/dex/alerts?hostname=${host}&limit=1`);
    expect(page.total).toBe(10_000);
  });

  test('hostile text is cut to size and cleaned', async () => {
    const host = await newHost();
    const { status, body } = await deliver(
      delivery(
        alert({
          host,
          name: 'Nul\u0000Name',
          labels: { big: 'x'.repeat(65_536), ctl: 'a\u0000b\u001b[31m\nc', half: '\ud800', __proto__: 'p' },
          annotations: { summary: `\u0007${'s'.repeat(65_536)}` },
        }),
      ),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ created: 1 });
    const [kept] = await alertsOf(host);
    expect(kept.alert_name).toBe('Nul Name');
    expect(kept.labels.big).toHaveLength(1000);
    expect(kept.labels.ctl).toBe('a b [31m c');
    expect(kept.message).toHaveLength(2000);
  });

  test.each([
    ['in the future', '2036-01-01T00:00:00Z'],
    ['in the year 1', '0001-01-01T00:00:00Z'],
    ['no time at all', 'yesterday'],
  ])('a start %s is replaced by now', async (_words, startsAt) => {
    const host = await newHost();
    await deliver(delivery(alert({ host, startsAt })));
    const [kept] = await alertsOf(host);
    expect(kept.starts_at).toBe(clock.now().toISOString());
    expect((await deliver(delivery(alert({ host, startsAt, status: 'resolved' })))).body).toMatchObject({
      resolved: 1,
    });
  });

  test('one bad alert does not cost the others', async () => {
    const host = await newHost();
    const { status, body } = await deliver(
      delivery(
        alert({ host }),
        null,
        'text',
        { status: 'firing' },
        { status: 'firing', labels: { alertname: 'NoHost' } },
        { ...alert({ host, name: 'Odd' }), status: 'melting' },
        { status: 'firing', labels: 7 },
      ),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ received: 7, created: 1 });
    expect(body.ignored.map(({ reason }: { reason: string }) => reason)).toEqual([
      'it is not an object',
      'it is not an object',
      'it has no label alertname',
      'it has none of the labels that name a machine (DEX_HOST_LABELS)',
      'its status is neither firing nor resolved',
      'it has no label alertname',
    ]);
  });

  test('resolved before firing opens nothing', async () => {
    const host = await newHost();
    expect((await deliver(delivery(alert({ host, status: 'resolved' })))).body).toMatchObject({
      created: 0,
      resolved: 0,
      ignored: [{ reason: 'it ended, and no alert is open for it' }],
    });
    expect(await alertsOf(host)).toEqual([]);
  });

  test.each([
    ['no alerts', { status: 'firing' }, 400],
    ['alerts that are no list', { alerts: {} }, 400],
    ['a list', [alert()], 400],
    ['broken JSON', '{"alerts": [', 400],
    ['an empty group', delivery(), 200],
  ])('%s', async (_words, body, expected) => {
    expect((await deliver(body)).status).toBe(expected);
  });

  test('an unregistered endpoint takes its open alerts with it', async () => {
    const host = await newHost();
    await deliver(delivery(alert({ host })));
    await service.call('DELETE', `/api/v1/dex/endpoints/${host}`);
    const [ended] = await alertsOf(host);
    expect(ended).toMatchObject({ status: 'resolved', resolution: 'deregistered' });
    expect((await deliver(delivery(alert({ host })))).body).toMatchObject({ created: 0 });
  });
});

describe('authentication', () => {
  let service: TestService;
  const body = JSON.stringify(delivery(alert()));
  const hmac = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex');
  const status = async (headers: Record<string, string>, path = PATH, text = body) =>
    (await service.call('POST', path, text, { 'X-API-Key': '', ...headers })).status;

  describe('with a secret', () => {
    beforeAll(async () => {
      service = await startTestService({ WEBHOOK_SECRET });
    });
    afterAll(() => service?.stop());

    test.each([
      ['the secret as bearer', { Authorization: `Bearer ${WEBHOOK_SECRET}` }, 200],
      ['the secret as token', { 'X-Webhook-Token': WEBHOOK_SECRET }, 200],
      ['the signature of the body as token', { 'X-Webhook-Token': hmac }, 200],
      ['nothing', {}, 401],
      ['a wrong bearer', { Authorization: `Bearer ${WEBHOOK_SECRET}x` }, 401],
      ['a wrong token', { 'X-Webhook-Token': 'guess' }, 401],
      [
        'the signature of another body',
        { 'X-Webhook-Token': createHmac('sha256', WEBHOOK_SECRET).update('x').digest('hex') },
        401,
      ],
      [
        'a signature by another secret',
        { 'X-Webhook-Token': createHmac('sha256', 'other').update(body).digest('hex') },
        401,
      ],
      ['basic credentials', { Authorization: `Basic ${btoa(`a:${WEBHOOK_SECRET}`)}` }, 401],
      ['the API key', { 'X-API-Key': API_KEY }, 401],
    ])('%s', async (_words, headers, expected) => {
      expect(await status(headers as Record<string, string>)).toBe(expected);
    });

    test('the older path is the same door', async () => {
      expect(await status({ Authorization: `Bearer ${WEBHOOK_SECRET}` }, '/api/v1/webhooks/prometheus')).toBe(200);
      expect(await status({}, '/api/v1/webhooks/prometheus')).toBe(401);
    });

    test('a body beyond the limit is refused', async () => {
      const huge = JSON.stringify({ alerts: [], padding: 'x'.repeat(17 * 1024 * 1024) });
      expect(await status({ Authorization: `Bearer ${WEBHOOK_SECRET}` }, PATH, huge)).toBe(413);
    });

    test('deliveries are counted by outcome, and the audit knows them', async () => {
      const page = await (await fetch(`${service.url}/metrics`)).text();
      expect(page).toMatch(/dex_webhook_deliveries_total\{webhook="alertmanager",outcome="ok"\} [1-9]/);
      expect(page).toMatch(/dex_webhook_deliveries_total\{webhook="alertmanager",outcome="unauthenticated"\} [1-9]/);
      const { items } = await service.app.ports.store.audit.list({ tool: 'ingest_alerts' }, { limit: 1, offset: 0 });
      expect(items[0]).toMatchObject({ actor: 'webhook:alertmanager', via: 'webhook', outcome: 'ok' });
    });
  });

  test('without a secret nobody may deliver', async () => {
    service = await startTestService();
    expect(await status({ Authorization: 'Bearer ' })).toBe(401);
    expect(await status({ 'X-Webhook-Token': '' })).toBe(401);
    expect(await status({ 'X-Webhook-Token': 'anything' })).toBe(401);
    await service.stop();
  });

  test('with WEBHOOK_REQUIRE_AUTH=false everybody may', async () => {
    service = await startTestService({ WEBHOOK_REQUIRE_AUTH: 'false' });
    expect(await status({})).toBe(200);
    await service.stop();
  });
});

// SQLite is never away.
if (SLOW_STORE_KINDS.includes('postgresql')) test('503 while the database is away', databaseAway);

async function databaseAway(): Promise<void> {
  const postgres = await startPostgres();
  const service = await startTestService({ WEBHOOK_SECRET, DATABASE_URL: await postgres.createDatabase('gone') });
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1', collector: 'push' });
  await postgres.stop();
  const { status, body } = await service.call('POST', PATH, delivery(alert()), BEARER);
  expect(status).toBe(503);
  expect(body.error).toMatchObject({ kind: 'unavailable' });
  expect(JSON.stringify(body)).not.toMatch(/ at .*\.(ts|js):/);
  await service.stop();
}
