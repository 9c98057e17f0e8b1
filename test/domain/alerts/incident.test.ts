import { expect, test } from 'vitest';
import type { Alert, Severity } from '../../../src/domain/alerts/alert.ts';
import { cohortFinder, incidents } from '../../../src/domain/alerts/incident.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';

const NOW = new Date('2026-03-02T09:00:00Z').getTime();

function alert(endpointId: number, alertName: string, severity: Severity = 'warning', ageMin = 0): Alert {
  return {
    endpointId,
    hostname: `pc-${endpointId}`,
    alertName,
    severity,
    createdAt: new Date(NOW - ageMin * 60_000),
  } as Alert;
}

test('an incident is two or more, worst first, then most, then longest', () => {
  const found = incidents([
    alert(1, 'A'),
    alert(2, 'A', 'warning', 5),
    alert(2, 'B', 'warning', 9),
    alert(3, 'A'),
    alert(3, 'B', 'critical'),
    alert(4, 'A'),
    alert(4, 'B'),
    alert(4, 'C'),
    alert(5, 'A', 'warning', 1),
    alert(5, 'B', 'warning', 1),
  ]);
  expect(found.map(({ hostname }) => hostname)).toEqual(['pc-3', 'pc-4', 'pc-2', 'pc-5']);
  expect(found[0]?.alerts.map(({ alertName }) => alertName)).toEqual(['B', 'A']);
  expect(found[2]?.since).toEqual(new Date(NOW - 9 * 60_000));
});

function endpoint(id: number, tags: Record<string, string>, osPlatform: Endpoint['osPlatform'] = 'linux') {
  return { id, persona: 'general' as const, osPlatform, tags };
}

function cohorts(affected: number[], fleet: ReturnType<typeof endpoint>[]) {
  const finder = cohortFinder(affected.map((id) => alert(id, 'VpnDown')));
  finder.add(fleet.slice(0, 7));
  finder.add(fleet.slice(7));
  return finder.find();
}

const fleet = Array.from({ length: 40 }, (_, i) =>
  endpoint(i + 1, { dept: i < 10 ? 'sales' : 'engineering', location: `site${i % 2}` }, i < 10 ? 'windows' : 'linux'),
);

test('an alert that is more frequent where endpoints share something is a cohort, with its lift', () => {
  const found = cohorts([1, 2, 3, 4, 5, 6, 20], fleet);
  expect(found.map(({ attribute, value }) => `${attribute} ${value}`).sort()).toEqual([
    'department sales',
    'os windows',
  ]);
  // 6 of 10 inside, 1 of 30 outside: 0.6 / 0.0333 = 18
  expect(found[0]).toMatchObject({ alertName: 'VpnDown', cohortSize: 10, restAffected: 1, restSize: 30, lift: 18 });
  expect(found[0]?.hostnames).toHaveLength(6);
});

test('nothing outside means no ratio', () => {
  expect(cohorts([1, 2, 3, 4], fleet)[0]).toMatchObject({ lift: null, restAffected: 0 });
});

test.each([
  ['two endpoints', [1, 2]],
  ['spread evenly', [1, 2, 3, 11, 12, 13, 14, 15, 16, 17, 18, 19]],
  ['everybody', fleet.map(({ id }) => id)],
])('no cohort: %s', (_words, affected) => {
  expect(cohorts(affected, fleet)).toEqual([]);
});
