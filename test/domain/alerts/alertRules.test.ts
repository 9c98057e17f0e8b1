import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ScoreFile } from '../../../src/core/scores/scoreRules.ts';
import type { Alert } from '../../../src/domain/alerts/alert.ts';
import { findingsOf, judgeMeasurements, judgeScore, LOW_SCORE } from '../../../src/domain/alerts/alertRules.ts';
import { type Snapshot, unreachableSnapshot } from '../../../src/domain/signals/telemetry.ts';
import { type Flat, flatSnapshot } from '../../helpers/flatSnapshot.ts';
import { WELL } from '../../helpers/machines.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const FILE = ScoreFile.parse(parse(readFileSync(join(import.meta.dirname, '../../../config/dex_score.yaml'), 'utf8')));
const THRESHOLDS = { warning: 60, critical: 40 };
const TARGET = { hostname: 'pc-1', ipAddress: null, osPlatform: 'linux', collector: 'local', options: {} } as const;

const snapshot = (found: Partial<Flat> = {}): Snapshot => flatSnapshot(TARGET, NOW, { ...WELL, ...found });
const open = (...names: string[]) => names.map((alertName) => ({ alertName, series: ['scan'] }) as Alert);

function scan(
  seen: Snapshot,
  {
    breaches = {},
    alerts = [],
    score = null,
  }: { breaches?: Record<string, number>; alerts?: Alert[]; score?: number | null } = {},
) {
  const endpoint = { id: 1, hostname: 'pc-1', breaches };
  const { collectedAt } = seen;
  const scored = score === null ? null : { score, status: 'healthy' as const, deductions: [] };
  const { breaches: counted, observations: measured } = judgeMeasurements(
    endpoint,
    collectedAt,
    findingsOf(FILE, seen, 'linux'),
    alerts,
    FILE,
  );
  const observations = [...measured, ...judgeScore(endpoint, collectedAt, scored, alerts, THRESHOLDS)];
  return {
    breaches: counted,
    moves: observations.map(({ alertName, state }) => `${alertName} ${state}`),
    observations,
  };
}

test.each([
  ['DiskFull', { diskPct: 95.1 }, 1, 'critical'],
  ['HighMemory', { memoryPct: 96 }, 2, 'critical'],
  ['HighCpu', { cpuPct: 99 }, 3, 'warning'],
  ['ServiceDown', { servicesDown: ['cups'] }, 1, 'critical'],
  ['HighLatency', { latencyMs: 501 }, 3, 'warning'],
  ['PacketLoss', { packetLossPct: 6 }, 3, 'warning'],
  ['DnsFailure', { dnsFailures: 1, dnsLookups: 4 }, 2, 'warning'],
  ['ErrorLogBurst', { logErrors: 51 }, 2, 'warning'],
])('%s fires at its own count of scans in a row', (name, found, needed, severity) => {
  for (let before = 0; before < needed + 2; before++) {
    const { moves, breaches, observations } = scan(snapshot(found), { breaches: before ? { [name]: before } : {} });
    expect(breaches).toEqual({ [name]: before + 1 });
    expect(moves).toEqual(before + 1 >= needed ? [`${name} firing`] : []);
    if (moves.length > 0) expect(observations[0]).toMatchObject({ severity, alertType: 'metric' });
  }
});

test('silence fires EndpointUnreachable, and says nothing of the metrics', () => {
  const silent = unreachableSnapshot(TARGET, NOW, 'no answer', 5000);
  const { moves, breaches } = scan(silent, {
    breaches: { EndpointUnreachable: 2, HighCpu: 1 },
    alerts: open('DiskFull'),
  });
  expect(moves).toEqual(['EndpointUnreachable firing']);
  expect(breaches).toEqual({ EndpointUnreachable: 3, HighCpu: 1 });
  expect(scan(snapshot(), { alerts: open('EndpointUnreachable') }).moves).toEqual(['EndpointUnreachable clear']);
});

test('a value between the lines neither raises nor clears, and starts the count anew', () => {
  expect(scan(snapshot({ diskPct: 93 }), { alerts: open('DiskFull') }).moves).toEqual([]);
  expect(scan(snapshot({ diskPct: 90 }), { alerts: open('DiskFull') }).moves).toEqual(['DiskFull clear']);
  expect(scan(snapshot({ cpuPct: 90 }), { breaches: { HighCpu: 2 } }).breaches).toEqual({});
});

test('only open alerts are cleared, and only where a scan is behind them', () => {
  expect(scan(snapshot()).moves).toEqual([]);
  const others = [{ alertName: 'DiskFull', series: ['fingerprint'] } as Alert];
  expect(scan(snapshot(), { alerts: others }).moves).toEqual([]);
});

test('several services down are one alert that names them all and offers the first to a remediation', () => {
  const [seen] = scan(snapshot({ servicesDown: ['cups', 'sshd'] })).observations;
  expect(seen).toMatchObject({ message: 'services down: cups, sshd', labels: { service: 'cups' } });
});

test('an alert whose rule is gone is cleared', () => {
  expect(scan(snapshot(), { alerts: open('OldRule') }).moves).toEqual(['OldRule clear']);
});

describe('the score', () => {
  test.each([
    [59.9, ['LowDexScore firing'], 'warning'],
    [40, ['LowDexScore firing'], 'warning'],
    [39.9, ['LowDexScore firing'], 'critical'],
    [60, ['LowDexScore firing'], 'warning'],
    [60.1, ['LowDexScore clear'], null],
  ])('%d', (score, moves, severity) => {
    const result = scan(snapshot(), { score, alerts: open(LOW_SCORE) });
    expect(result.moves).toEqual(moves);
    if (severity) expect(result.observations[0]).toMatchObject({ severity, alertType: 'threshold' });
  });

  test('on the line no alert is raised, and an open one stays', () => {
    expect(scan(snapshot(), { score: 60 }).moves).toEqual([]);
  });

  test('none says nothing', () => {
    expect(scan(snapshot(), { alerts: open(LOW_SCORE) }).moves).toEqual([]);
  });
});
