/** Whose alert is it: names, addresses and aliases through the network, on both databases. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOOLS } from '../../../src/core/tools/index.ts';
import { testClock } from '../../helpers/clock.ts';
import { alert, delivery, WEBHOOK_SECRET } from '../../helpers/deliveries.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';
import { STORE_KINDS } from '../../helpers/stores.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

const ENDPOINTS = '/api/v1/dex/endpoints';

describe.each(STORE_KINDS)('on %s', (kind) => {
  let service: TestService;

  beforeAll(async () => {
    const database: Record<string, string> = kind === 'postgresql' ? { DATABASE_URL: await createTestDatabase() } : {};
    service = await startTestService({ WEBHOOK_SECRET, ...database }, { clock: testClock(), healing: null });
  });
  afterAll(async () => {
    await service?.stop();
  });

  const register = (body: object) => service.call('POST', ENDPOINTS, { collector: 'push', ...body });
  const deliver = (...alerts: unknown[]) =>
    service.call('POST', '/api/v1/webhooks/alertmanager', delivery(...alerts), {
      'X-API-Key': '',
      Authorization: `Bearer ${WEBHOOK_SECRET}`,
    });
  const namesOf = async (hostname: string): Promise<string[]> =>
    (await service.call('GET', `/api/v1/dex/alerts?hostname=${encodeURIComponent(hostname)}&limit=1000`)).body.alerts
      .map(({ alert_name }: { alert_name: string }) => alert_name)
      .sort();
  const about = (name: string, instance: string, labels = {}) => alert({ name, labels: { instance, ...labels } });

  test('"Names and addresses are made canonical once, where they come in (registration too)"', async () => {
    expect((await register({ hostname: 'LAB-PC-07', ip_address: '10.20.0.7' })).body.endpoint).toMatchObject({
      hostname: 'lab-pc-07',
    });
    const second = await register({ hostname: 'LAB-PC-08.corp.example.net.', ip_address: '2001:DB8:0:0::A' });
    expect(second.body.endpoint).toMatchObject({
      hostname: 'lab-pc-08.corp.example.net',
      ip_address: '2001:db8::a',
      aliases: [{ kind: 'name', value: 'lab-pc-08', source: 'derived' }],
      warnings: [],
    });
    await register({ hostname: 'lab-pc-09', ip_address: '::ffff:10.20.0.9' });
    const { body } = await deliver(
      about('FqdnForShort', 'lab-pc-07.corp.example.net:9100'),
      about('Upper', 'LAB-PC-07:9100'),
      about('Zone', '10.20.0.7:9100'),
      about('ShortForFqdn', 'lab-pc-08:9100'),
      about('DotAndPort', 'LAB-PC-08.CORP.EXAMPLE.NET.:9100'),
      about('V6Long', '[2001:0db8:0000:0000:0000:0000:0000:000a]:9100'),
      about('V6Url', 'http://[2001:DB8::A]:9182/metrics'),
      about('Mapped', '[::ffff:0a14:0009]:9100'),
      about('NodeName', 'gateway:9100', { nodename: 'Lab-PC-09' }),
      about('HostName', 'gateway:9100', { 'host.name': 'lab-pc-09.' }),
    );
    expect(body).toMatchObject({ received: 10, created: 10, ignored: [] });
    expect(await namesOf('lab-pc-07')).toEqual(['FqdnForShort', 'Upper', 'Zone']);
    expect(await namesOf('LAB-PC-08')).toEqual(['DotAndPort', 'ShortForFqdn', 'V6Long', 'V6Url']);
    expect(await namesOf('10.20.0.9')).toEqual(['HostName', 'Mapped', 'NodeName']);
  });

  test('"`SALES_PC_01` is a name that Windows has: underscores are allowed", and mean no other character in a prefix', async () => {
    expect((await register({ hostname: 'SALES_PC_01' })).status).toBe(201);
    await register({ hostname: 'salesxpc' });
    const { body } = await service.call('GET', `${ENDPOINTS}?prefix=sales_`);
    expect(body.endpoints.map(({ hostname }: { hostname: string }) => hostname)).toEqual(['sales_pc_01']);
    expect((await service.call('GET', `${ENDPOINTS}/Sales_PC_01.corp.example.net/history`)).body.hostname).toBe(
      'sales_pc_01',
    );
  });

  test('"`dup.json`: three endpoints share one address: said at registration and in the answer"', async () => {
    const ip_address = '10.20.0.99';
    await register({ hostname: 'dup-1', ip_address });
    await register({ hostname: 'dup-2', ip_address });
    const third = await register({ hostname: 'dup-3', ip_address });
    expect(third.body.endpoint.warnings).toEqual([
      '10.20.0.99 is also the address of dup-1, dup-2: alerts that name only this address cannot be assigned to a machine.',
    ]);
    const { body } = await deliver(
      about('ByAddress', '10.20.0.99:9100'),
      about('ByBoth', '10.20.0.99', { host: 'dup-2' }),
    );
    expect(body).toMatchObject({
      created: 1,
      ignored: [{ alertname: 'ByAddress', reason: '10.20.0.99 fits several endpoints: dup-1, dup-2, dup-3.' }],
    });
    expect(await namesOf('dup-2')).toEqual(['ByBoth']);
    const unknown = await service.call('GET', '/api/v1/dex/unknown-hosts');
    expect(unknown.body.unknown_hosts[0]).toMatchObject({ hostname: ip_address, may_be: ['dup-1', 'dup-2', 'dup-3'] });
    const asked = await service.call('GET', `${ENDPOINTS}/${ip_address}`);
    expect(asked.status).toBe(409);
    expect(asked.body.error.message).toMatch(/fits several endpoints: dup-1, dup-2, dup-3/);
  });

  test('an unknown host becomes an alias of the machine that it is', async () => {
    await register({ hostname: 'moved.new.example.net' });
    await register({ hostname: 'other' });
    const first = await deliver(about('BeforeAlias', 'moved.old.example.net:9100'));
    expect(first.body.ignored).toHaveLength(1);
    const [host] = (await service.call('GET', '/api/v1/dex/unknown-hosts')).body.unknown_hosts;
    expect(host).toMatchObject({ hostname: 'moved.old.example.net', may_be: ['moved.new.example.net'] });
    const unknown = TOOLS.find(({ name }) => name === 'list_unknown_hosts');
    expect(unknown?.related?.({ unknown_hosts: [host], total: 1 }).map(({ label, tool }) => [label, tool])).toEqual([
      ['moved.old.example.net is moved.new.example.net', 'add_alias'],
      ['Register moved.old.example.net', 'register_endpoint'],
    ]);

    const kept = await service.call('POST', `${ENDPOINTS}/moved/aliases`, { alias: 'Moved.OLD.example.net.' });
    expect(kept.status).toBe(201);
    expect(kept.body.endpoint.aliases).toContainEqual({ kind: 'name', value: 'moved.old.example.net', source: 'said' });
    expect((await deliver(about('AfterAlias', 'moved.old.example.net:9100'))).body.created).toBe(1);
    expect(await namesOf('moved.new.example.net')).toEqual(['AfterAlias']);
    const { body } = await service.call('GET', '/api/v1/dex/unknown-hosts');
    expect(body.unknown_hosts.map(({ hostname }: { hostname: string }) => hostname)).not.toContain(host.hostname);

    const taken = await service.call('POST', `${ENDPOINTS}/other/aliases`, { alias: 'moved.old.example.net' });
    expect([taken.status, taken.body.error.message]).toEqual([
      409,
      'moved.old.example.net belongs to moved.new.example.net; take it from there first.',
    ]);
    const removed = await service.call('DELETE', `${ENDPOINTS}/moved/aliases/moved.old.example.net`);
    expect(removed.body.endpoint.aliases).toEqual([{ kind: 'name', value: 'moved', source: 'derived' }]);
    expect((await service.call('DELETE', `${ENDPOINTS}/moved/aliases/moved.old.example.net`)).status).toBe(404);
  });

  test('"`DatasourceNoData` of two rules are two alerts, named by `rulename`"', async () => {
    await register({ hostname: 'grafana-pc' });
    const grafana = (rulename: string, fingerprint: string, status: 'firing' | 'resolved' = 'firing') => ({
      status,
      labels: {
        alertname: 'DatasourceNoData',
        rulename,
        datasource_uid: 'abc',
        ref_id: 'A',
        grafana_folder: 'Laptops',
        instance: 'grafana-pc:9100',
      },
      annotations: { summary: rulename },
      startsAt: '2026-03-02T08:59:00Z',
      endsAt: status === 'firing' ? '0001-01-01T00:00:00Z' : '2026-03-02T08:59:30Z',
      generatorURL: '?orgId=1',
      fingerprint,
      silenceURL: 'https://grafana.example.net/alerting/silence/new',
      dashboardURL: '',
      panelURL: '',
      values: { A: 1.5 },
      valueString: "[ var='A' labels={} value=1.5 ]",
      orgId: 1,
    });
    const body = (status: string, alerts: unknown[]) => ({
      ...delivery(...alerts),
      status,
      version: '1',
      orgId: 1,
      title: '[FIRING:2]',
      state: 'alerting',
      message: '**Firing**',
    });
    const send = (sent: object) =>
      service.call('POST', '/api/v1/webhooks/alertmanager', sent, {
        'X-API-Key': '',
        Authorization: `Bearer ${WEBHOOK_SECRET}`,
      });
    const fired = await send(body('firing', [grafana('VPN tunnel down', 'g1'), grafana('Battery worn', 'g2')]));
    expect(fired.body).toMatchObject({ received: 2, created: 2, ignored: [] });
    expect(await namesOf('grafana-pc')).toEqual(['Battery worn', 'VPN tunnel down']);
    const shown = await service.call('GET', '/api/v1/dex/alerts?hostname=grafana-pc');
    expect(shown.body.alerts.map(({ message }: { message: string }) => message)).toContain('No data: Battery worn');
    await send(body('resolved', [grafana('Battery worn', 'g2', 'resolved')]));
    expect(await namesOf('grafana-pc')).toEqual(['VPN tunnel down']);
  });

  test('"A label called `__proto__` must not cost its neighbours"', async () => {
    await register({ hostname: 'proto-pc' });
    const text = JSON.stringify(delivery(alert({ name: 'Proto', host: 'proto-pc', labels: { team: 'desk' } }))).replace(
      '"team":',
      '"__proto__":"x","constructor":"y","team":',
    );
    const { status, body } = await service.call('POST', '/api/v1/webhooks/alertmanager', text, {
      'X-API-Key': '',
      Authorization: `Bearer ${WEBHOOK_SECRET}`,
    });
    expect([status, body]).toMatchObject([200, { created: 1 }]);
    const shown = await service.call('GET', '/api/v1/dex/alerts?hostname=proto-pc');
    expect(shown.body.alerts[0].labels).toMatchObject({ alertname: 'Proto', team: 'desk', instance: 'proto-pc:9100' });
  });

  test('of an alert with too many labels those that name it stay, and the message says how many went', async () => {
    await register({ hostname: 'zz-pc' });
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`a${i}`, 'x']));
    const { labels, ...rest } = alert({ name: 'Wide', host: 'zz-pc' });
    const sent = delivery({ ...rest, labels: { ...many, ...labels } });
    const { body } = await service.call('POST', '/api/v1/webhooks/alertmanager', sent, {
      'X-API-Key': '',
      Authorization: `Bearer ${WEBHOOK_SECRET}`,
    });
    expect(body).toMatchObject({ created: 1 });
    const shown = (await service.call('GET', '/api/v1/dex/alerts?hostname=zz-pc')).body.alerts[0];
    expect(Object.keys(shown.labels)).toHaveLength(64);
    expect(shown.labels).toMatchObject({ alertname: 'Wide', instance: 'zz-pc:9100' });
    expect(shown.message).toMatch(/\(\d+ of its \d+ labels were left out\)$/);
  });

  test('"`truncatedAlerts` is counted, logged, shown in /health with the advice"', async () => {
    await register({ hostname: 'cut-pc' });
    const cut = { ...delivery(alert({ name: 'DiskSlow', host: 'cut-pc' })), truncatedAlerts: 340 };
    const send = (sent: object) =>
      service.call('POST', '/api/v1/webhooks/alertmanager', sent, {
        'X-API-Key': '',
        Authorization: `Bearer ${WEBHOOK_SECRET}`,
      });
    expect((await send(cut)).body).toMatchObject({ received: 1, created: 1, truncated: 340 });
    await send({ ...cut, truncatedAlerts: 'many' });
    await send({ ...cut, truncatedAlerts: -1 });
    await send({ ...cut, status: 'resolved', truncatedAlerts: 1 });
    const { deliveries } = (await service.call('GET', '/health')).body.checks;
    expect(deliveries).toMatchObject({ status: 'degraded', truncated_alerts: 341, truncated_deliveries: 2 });
    expect(deliveries.detail).toMatch(/max_alerts: 0/);
  });
});
