/** What a reading of a source changes: who comes, is changed, is gone and leaves, and when nobody does. */
import { expect, test } from 'vitest';
import type { SourceMachine } from '../../../src/core/ports/sourcePorts.ts';
import { planSync } from '../../../src/core/sources/syncPlan.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { unreachableSnapshot } from '../../../src/domain/signals/telemetry.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
const OFFICE = { source: 'office', now: NOW, leaveAfterDays: 7, acceptLoss: false };
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000).toISOString();

function machine(hostname: string, more: Partial<SourceMachine> = {}): SourceMachine {
  const target = { hostname, ipAddress: null, osPlatform: 'linux', collector: 'prometheus', options: {} } as const;
  return {
    target: `node/${hostname}:9100`,
    hostname,
    ipAddress: null,
    ownerEmail: null,
    persona: 'general',
    osPlatform: 'linux',
    tags: {},
    policies: null,
    snapshot: unreachableSnapshot(target, NOW, 'not asked', 0),
    ...more,
  };
}

function endpoint(id: number, hostname: string, goneSince?: string): Endpoint {
  const options = { source: 'office', sourceTarget: `node/${hostname}:9100`, ...(goneSince && { goneSince }) };
  return {
    id,
    hostname,
    ipAddress: null,
    ownerEmail: 'ann@example.com',
    persona: 'developer',
    criticalityTier: 1,
    osPlatform: 'linux',
    tags: { floor: '3' },
    collector: 'prometheus',
    options,
  } as unknown as Endpoint;
}

const fleet = (size: number, goneSince?: string) =>
  Array.from({ length: size }, (_, index) => endpoint(index + 1, `pc-${index}`, goneSince));

test('who is new comes, and what people set of those that are there stays', () => {
  const plan = planSync(
    [endpoint(1, 'pc-0')],
    [machine('pc-0', { tags: { site: 'berlin' } }), machine('pc-1')],
    OFFICE,
  );
  expect(plan.added.map(({ registration }) => [registration.hostname, registration.collector])).toEqual([
    ['pc-1', 'prometheus'],
  ]);
  expect(plan.current[0]).toMatchObject({
    isChanged: true,
    endpoint: {
      ownerEmail: 'ann@example.com',
      persona: 'developer',
      criticalityTier: 1,
      tags: { floor: '3', site: 'berlin' },
    },
  });
});

test('a cycle that says nothing new changes nothing', () => {
  const plan = planSync([endpoint(1, 'pc-0')], [machine('pc-0')], OFFICE);
  expect(plan.current.map(({ isChanged }) => isChanged)).toEqual([false]);
});

test('who is gone is noted first, leaves after the days that are given, and comes back before', () => {
  const listed = ['pc-0', 'pc-1', 'pc-2'].map((name) => machine(name));
  const [, , , away] = fleet(4);
  expect(planSync(fleet(4), listed, OFFICE)).toMatchObject({
    gone: [{ hostname: 'pc-3', options: { goneSince: NOW.toISOString() } }],
    leaving: [],
  });
  const since = (days: number) => [...fleet(3), endpoint(4, away?.hostname as string, daysAgo(days))];
  expect(planSync(since(6.9), listed, OFFICE)).toMatchObject({ gone: [], leaving: [] });
  expect(planSync(since(7), listed, OFFICE)).toMatchObject({ leaving: [{ hostname: 'pc-3' }] });
  const back = planSync(since(6), [...listed, machine('pc-3')], OFFICE);
  expect(
    back.current.find(({ endpoint: { hostname } }) => hostname === 'pc-3')?.endpoint.options.goneSince,
  ).toBeUndefined();
});

test.each([
  ['half of them', 5, true],
  ['less than half of them', 6, false],
])('while %s are missing, nobody leaves, unless a person accepts it', (_what, listed, isLoss) => {
  const managed = fleet(10, daysAgo(30));
  const machines = Array.from({ length: listed }, (_, index) => machine(`pc-${index}`));
  const plan = planSync(managed, machines, OFFICE);
  expect({ isLoss: plan.isLoss, leaving: plan.leaving.length }).toEqual({ isLoss, leaving: isLoss ? 0 : 10 - listed });
  expect(planSync(managed, machines, { ...OFFICE, acceptLoss: true }).leaving).toHaveLength(10 - listed);
});
