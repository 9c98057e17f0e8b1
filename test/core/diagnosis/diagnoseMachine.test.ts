/** `why`: a diagnosis over a real database, by HTTP, as text and for bad cases. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import type { StoredSnapshot } from '../../../src/core/ports/endpointPorts.ts';
import { unreachableSnapshot } from '../../../src/domain/signals/telemetry.ts';
import { INJECTED } from '../../bench/diagnosis/causes.ts';
import { type Life, liveThrough, machineOf } from '../../bench/diagnosis/machine.ts';
import { drawFrom } from '../../bench/diagnosis/random.ts';
import { type TestClock, testClock } from '../../helpers/clock.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

let service: TestService;
let clock: TestClock;
const draw = drawFrom(5);

beforeAll(async () => {
  clock = testClock();
  service = await startTestService(
    { RUNBOOKS_DIR: resolve(import.meta.dirname, '../../../runbooks') },
    { clock, healing: null },
  );
  await live('slow', 'dns_failing', 14);
  await live('fine', null, 14);
  await live('imported', null, 0);
  for (let i = 0; i < 6; i++) await live(`peer-${i}`, null, 0);
});
afterAll(() => service.stop());

/** A machine with scans of its last days, registered as its owner's. */
async function live(hostname: string, problem: string | null, days: number, hoursAgo = 3): Promise<void> {
  await service.call('POST', '/api/v1/dex/endpoints', {
    hostname,
    os_platform: 'linux',
    owner_email: 'ada@example.com',
  });
  const cause = INJECTED.find(({ right }) => problem !== null && right.includes(problem));
  const life: Life = {
    nowMs: clock.now().getTime() - 60_000,
    days,
    intervalMinutes: 30,
    ...(cause && { cause: { inject: cause.inject, hoursAgo } }),
  };
  const machine = machineOf(draw, hostname, 'linux', { timeZoneHours: 1 });
  await add(hostname, liveThrough(machine, life, draw));
}

async function add(
  hostname: string,
  records: Omit<StoredSnapshot, 'endpointId' | 'collector' | 'durationMs' | 'ignoredSignals'>[],
) {
  const endpoint = await service.app.ports.store.endpoints.get(hostname);
  await service.app.ports.store.snapshots.add(
    records.map((record) => ({
      collector: 'push' as const,
      durationMs: 5,
      ignoredSignals: 0,
      ...record,
      endpointId: endpoint?.id as number,
    })),
  );
}

const why = (hostname: string) => service.call('GET', `/api/v1/dex/endpoints/${hostname}/diagnosis`);
const asText = async (hostname: string) =>
  (await service.app.invoke('diagnose_machine', { hostname }, jobActor('test'))).text;

describe('a machine with a problem', () => {
  test('gets its cause with evidence, a runbook and what it was compared with', async () => {
    const { status, body } = await why('slow');
    expect(status).toBe(200);
    expect(body).toMatchObject({ hostname: 'slow', verdict: 'cause_found', compared_with: { peers: 8 } });
    expect(body.compared_with.own_days).toBeGreaterThanOrEqual(9);
    const [first] = body.causes;
    expect(first).toMatchObject({
      cause: 'dns_failing',
      runbook: { doc_id: 'dns_failure' },
      remediation: { alert_name: 'DnsFailure', playbook: 'flush_dns', asks_first: false },
    });
    expect(first.confidence).toBeGreaterThan(0.8);
    expect(first.signals).toContain('dns_failure_pct');
    expect(Math.abs(Date.parse(first.since) - (clock.now().getTime() - 3 * 3_600_000))).toBeLessThan(3_600_000);
    expect(first.evidence[0]).toMatchObject({
      kind: 'own_usual',
      text: expect.stringMatching(/usually 0 %.*on its peers/),
    });
  });

  test('is told about as text with what to do', async () => {
    const text = await asText('slow');
    expect(text).toMatch(/^slow: Names are not resolved, or only slowly \(\d\d % sure\)\./);
    expect(text).toContain('What to do: Flush the DNS cache');
    expect(text).toMatch(/Compared with its own usual at this time of day on \d+ earlier days/);
  });
});

test('nothing unusual is said of a healthy machine, with what it was compared with', async () => {
  const { body } = await why('fine');
  expect(body).toMatchObject({ verdict: 'nothing_unusual', causes: [] });
  expect(await asText('fine')).toMatch(/^Nothing unusual on fine\./);
});

test('a machine without an own usual is compared with its peers, and that is said', async () => {
  const { body } = await why('imported');
  expect(body).toMatchObject({ verdict: 'nothing_unusual', compared_with: { own_days: 0, peers: 8 } });
  expect(await asText('imported')).toContain('its own usual is not known yet (0 earlier days, 3 are needed)');
});

test('a machine that was never scanned is not called healthy', async () => {
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'new', os_platform: 'other' });
  const { body } = await why('new');
  expect(body).toMatchObject({ verdict: 'never_scanned', causes: [], measured_at: null });
});

test('the only machine of its kind is not judged by nothing', async () => {
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'alone', os_platform: 'other' });
  const [record] = liveThrough(
    machineOf(draw, 'alone', 'other'),
    { nowMs: clock.now().getTime(), days: 0, intervalMinutes: 30 },
    draw,
  );
  await add('alone', [record as NonNullable<typeof record>]);
  const { body } = await why('alone');
  expect(body).toMatchObject({ verdict: 'too_little_known', compared_with: { own_days: 0, peers: 0 } });
});

test('a machine that does not answer is diagnosed as that', async () => {
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'away', os_platform: 'linux' });
  const target = { hostname: 'away', ipAddress: null, osPlatform: 'linux', collector: 'push', options: {} } as const;
  const { hostname: _name, ...silent } = unreachableSnapshot(target, clock.now(), 'no route to host', 5);
  await add('away', [silent]);
  const { body } = await why('away');
  expect(body).toMatchObject({
    verdict: 'not_reachable',
    causes: [{ cause: 'unreachable', runbook: { doc_id: 'endpoint_unreachable' } }],
  });
});

test('a name that is none is refused', async () => {
  expect((await why('nobody')).status).toBe(404);
});

test('waiting updates are upkeep below “nothing unusual”', async () => {
  await live('unpatched', 'updates_stuck', 14, 240);
  const { body } = await why('unpatched');
  expect(body).toMatchObject({ verdict: 'nothing_unusual', causes: [{ cause: 'updates_stuck', upkeep: true }] });
  expect(await asText('unpatched')).toMatch(
    /^Nothing unusual on unpatched\.\nUpkeep, which nobody at the machine feels:\n1\. Updates/,
  );
});
