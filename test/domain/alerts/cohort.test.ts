import { describe, expect, test } from 'vitest';
import type { Alert } from '../../../src/domain/alerts/alert.ts';
import { chanceOfAtLeast, testsThatCount } from '../../../src/domain/alerts/chance.ts';
import { cohortFinder } from '../../../src/domain/alerts/cohort.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { findFault } from '../../bench/rolledOutFaults.ts';

const NOW = new Date('2026-03-02T09:00:00Z');

function alert(endpointId: number, alertName: string): Alert {
  return { endpointId, hostname: `pc-${endpointId}`, alertName, severity: 'warning', createdAt: NOW } as Alert;
}

function endpoint(id: number, tags: Record<string, string>, osPlatform: Endpoint['osPlatform'] = 'linux') {
  return { id, hostname: `pc-${id}`, persona: 'general' as const, osPlatform, tags };
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

test('those who share it and do not have it yet are at risk', () => {
  const [found] = cohorts([1, 2, 3, 4, 5, 6], fleet);
  expect(found?.atRisk).toEqual(['pc-10', 'pc-7', 'pc-8', 'pc-9']);
  expect(found?.expectedByChance).toBeLessThan(0.05);
});

test('a rule that is breached counts before it is an alert, once for each machine', () => {
  const finder = cohortFinder([alert(1, 'VpnDown')], ({ id }) =>
    id <= 5 ? [{ ...alert(id, 'VpnDown'), pending: true as const }] : [],
  );
  finder.add(fleet);
  expect(finder.find()[0]).toMatchObject({ pending: 4, cohortSize: 10, atRiskCount: 5 });
  expect(finder.find()[0]?.hostnames).toHaveLength(5);
});

test('tags that organisations use for models, builds, drivers and updates are named as such', () => {
  const tagged = Array.from({ length: 60 }, (_, i) =>
    endpoint(i + 1, i < 12 ? { os_build: '26100.2', gpu_driver: '31.0', kb: 'KB5050' } : { os_build: '22631.4' }),
  );
  expect(
    cohorts([1, 2, 3, 4, 5, 6, 7, 8], tagged)
      .map(({ attribute, value }) => `${attribute} ${value}`)
      .sort(),
  ).toEqual(['driver gpu_driver=31.0', 'os_build 26100.2', 'update kb=KB5050']);
});

test('a group that holds the whole fleet is compared with nothing', () =>
  expect(
    cohorts(
      [1, 2, 3],
      fleet.map((each) => ({ ...each, tags: {}, osPlatform: 'linux' as const })),
    ),
  ).toEqual([]));

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** 200 machines in 38 groups, eight kinds of alert; the first is `share` frequent where the site is `a`, 5 % elsewhere. */
function lookAtFleet(random: () => number, share: number, rest: number) {
  const pick = (n: number) => String.fromCharCode(97 + Math.floor(random() * n));
  const machines = Array.from({ length: 200 }, (_, i) => ({
    ...endpoint(i + 1, {
      site: i < 40 ? 'a' : `b${Math.floor(random() * 4)}`,
      model: pick(6),
      vpn: pick(3),
      image: pick(8),
      team: pick(10),
      floor: pick(6),
    }),
  }));
  const open = Array.from({ length: 8 }, (_, kind) =>
    machines
      .filter(({ tags }) => random() < (kind === 0 && tags.site === 'a' ? share : rest))
      .map(({ id }) => alert(id, `Kind${kind}`)),
  ).flat();
  const finder = cohortFinder(open);
  finder.add(machines);
  return finder.find();
}

describe('chance', () => {
  test.each([0.02, 0.05, 0.15])(
    'alone names at most one group in twenty looks where %d of machines are affected',
    (rest) => {
      const random = randomFrom(11);
      let named = 0;
      for (let look = 0; look < 150; look++) named += lookAtFleet(random, rest, rest).length;
      // 0.05 a look is 7.5; three standard deviations above it.
      expect(named).toBeLessThan(16);
    },
  );

  test('does not hide that 30 % of 40 machines have what 5 % of 160 have: seven times in ten it is named', () => {
    const random = randomFrom(5);
    let named = 0;
    for (let look = 0; look < 150; look++)
      named += lookAtFleet(random, 0.3, 0.05).some(
        ({ alertName, value }) => alertName === 'Kind0' && value === 'site=a',
      )
        ? 1
        : 0;
    expect(named / 150).toBeGreaterThan(0.66);
  });

  test('p by the exact test, half of the observed outcome counted', () => {
    // 3 of 4 drawn are marked, of 8 with 4 marked: (4·4/70)/2 + 1/70
    expect(chanceOfAtLeast(3, { drawn: 4, marked: 4, all: 8 })).toBeCloseTo((16 / 2 + 1) / 70, 12);
    expect(chanceOfAtLeast(0, { drawn: 4, marked: 4, all: 8 })).toBeCloseTo(1 - 1 / 140, 12);
    expect(chanceOfAtLeast(5, { drawn: 4, marked: 4, all: 8 })).toBe(0);
  });

  test('p of a hundred thousand machines is still a probability', () => {
    const p = chanceOfAtLeast(700, { drawn: 10_000, marked: 5_000, all: 100_000 });
    expect(p).toBeGreaterThan(0);
    expect(p).toBeLessThan(1e-15);
    expect(chanceOfAtLeast(500, { drawn: 10_000, marked: 5_000, all: 100_000 })).toBeCloseTo(0.5, 1);
  });

  test('tests that can never be extreme enough share nothing of the level', () => {
    expect(testsThatCount([0.2, 0.3, 0.4], 0.05)).toBe(1);
    expect(testsThatCount([1e-9, 1e-9, 0.4], 0.05)).toBe(2);
    expect(
      testsThatCount(
        Array.from({ length: 100 }, () => 1e-9),
        0.05,
      ),
    ).toBe(100);
    expect(testsThatCount([], 0.05)).toBe(1);
  });
});

test('faults that were rolled out to a part of 2,000 machines are named, with little else', () => {
  const findings = [1, 2, 3, 4, 5, 6].map((seed) => findFault(seed));
  expect(findings.filter(({ found }) => found)).toHaveLength(findings.length);
  expect(findings.reduce((sum, { falseGroups }) => sum + falseGroups, 0)).toBeLessThanOrEqual(1);
});
