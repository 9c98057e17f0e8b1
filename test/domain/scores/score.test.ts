import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ScoreFile } from '../../../src/core/scores/scoreRules.ts';
import { type Score, scoreSnapshot } from '../../../src/domain/scores/score.ts';
import { type Flat, flatSnapshot } from '../../helpers/flatSnapshot.ts';
import { WELL } from '../../helpers/machines.ts';

const RULES = ScoreFile.parse(parse(readFileSync('config/dex_score.yaml', 'utf8')));
const UNCAPPED = { ...RULES, capsEnabled: false };
const LINES = { warning: 60, critical: 40 };
const NO_ALERTS = { total: 0, resolved: 0 };
const TARGET = { hostname: 'h', ipAddress: null, osPlatform: 'linux', collector: 'local', options: {} } as const;

function scoreOf(found: Partial<Flat>, rules = UNCAPPED, alerts = NO_ALERTS): Score {
  const snapshot = flatSnapshot(TARGET, new Date(0), { ...WELL, ...found });
  const score = scoreSnapshot({ snapshot, osPlatform: 'linux', persona: 'general' }, alerts, rules, LINES);
  if (!score) throw new Error('there should be a score');
  return score;
}

test('a machine with nothing wrong has 100, all of it measured', () => {
  expect(scoreOf({})).toMatchObject({ score: 100, status: 'healthy', coverage: 1, deductions: [], improvements: [] });
});

describe('deductions hold strictly above their steps', () => {
  test.each<[Partial<Flat>, keyof Score['components'], number]>([
    [{ cpuPct: 80 }, 'device', 100],
    [{ cpuPct: 80.1 }, 'device', 80],
    [{ cpuPct: 95 }, 'device', 80],
    [{ cpuPct: 95.1 }, 'device', 60],
    [{ memoryPct: 85 }, 'device', 100],
    [{ memoryPct: 86 }, 'device', 85],
    [{ memoryPct: 96 }, 'device', 65],
    [{ diskPct: 85 }, 'device', 100],
    [{ diskPct: 90 }, 'device', 80],
    [{ diskPct: 99 }, 'device', 60],
    [{ latencyMs: 100 }, 'network', 100],
    [{ latencyMs: 101 }, 'network', 90],
    [{ latencyMs: 501 }, 'network', 70],
    [{ packetLossPct: 1 }, 'network', 100],
    [{ packetLossPct: 2 }, 'network', 80],
    [{ packetLossPct: 6 }, 'network', 60],
    [{ dnsFailures: 1, dnsLookups: 20 }, 'network', 85],
    [{ dnsFailures: 2, dnsLookups: 20 }, 'network', 85],
    [{ dnsFailures: 3, dnsLookups: 20 }, 'network', 70],
    [{ servicesDown: ['a', 'b'] }, 'app', 70],
    [{ logErrors: 10 }, 'app', 100],
    [{ logErrors: 11 }, 'app', 90],
    [{ logErrors: 51 }, 'app', 70],
  ])('%j → %s %d', (found, component, value) => {
    expect(scoreOf(found).components[component]).toBe(value);
  });
});

test('the components weigh 40, 30, 20 and 10', () => {
  expect(scoreOf({ cpuPct: 99, memoryPct: 99, diskPct: 99 }).score).toBe(60); // device at 0
  expect(scoreOf({ packetLossPct: 99, latencyMs: 999, dnsFailures: 4 }).score).toBe(70); // network at 0
  expect(scoreOf({ servicesDown: Array(7).fill('x') }).score).toBe(80); // app at 0
  expect(scoreOf({}, UNCAPPED, { total: 4, resolved: 0 }).score).toBe(90); // remediation at 0
  expect(scoreOf({}, UNCAPPED, { total: 4, resolved: 3 }).components.remediation).toBe(75);
});

test('a persona may weigh the components otherwise', () => {
  const rules = { ...UNCAPPED, personaWeights: { general: { device: 0, network: 100, app: 0, remediation: 0 } } };
  expect(scoreOf({ diskPct: 99, packetLossPct: 6 }, rules).score).toBe(60);
});

describe('what was not measured', () => {
  test('leaves its component out, and the rest is weighed anew', () => {
    const noNetwork = { latencyMs: null, packetLossPct: null, dnsFailures: null };
    const score = scoreOf({ ...noNetwork, cpuPct: 99 });
    expect(score.components.network).toBeNull();
    expect(score.score).toBeCloseTo((40 * 60 + 20 * 100 + 10 * 100) / 70, 1);
    expect(score.coverage).toBe(0.7);
  });

  test('in part lowers the coverage by its part', () => {
    expect(scoreOf({ cpuPct: null }).coverage).toBeCloseTo(1 - 0.4 / 3, 3);
  });

  test('at all makes no score, even with a good record of alerts', () => {
    const nothing = flatSnapshot(TARGET, new Date(0));
    expect(
      scoreSnapshot(
        { snapshot: nothing, osPlatform: 'linux', persona: 'general' },
        { total: 3, resolved: 3 },
        RULES,
        LINES,
      ),
    ).toBeNull();
  });
});

describe('caps', () => {
  test('a full disk cannot hide behind good averages', () => {
    expect(scoreOf({ diskPct: 99 }).score).toBe(84);
    const capped = scoreOf({ diskPct: 99 }, RULES);
    expect(capped).toMatchObject({ score: 59, status: 'at_risk' });
    expect(capped.caps[0]?.reason).toBe('disk / is 99 %, above 95 %: the score is held to 59');
  });

  test('three services down hold it below the warning line, two do not', () => {
    expect(scoreOf({ servicesDown: ['a', 'b'] }, RULES).caps).toEqual([]);
    expect(scoreOf({ servicesDown: ['a', 'b', 'c'] }, RULES).score).toBe(59);
  });

  test('a component at zero holds it below the critical line', () => {
    const dead = { cpuPct: 99, memoryPct: 99, diskPct: 99 };
    expect(scoreOf(dead, RULES)).toMatchObject({ score: 39, status: 'critical' });
  });

  test('can be turned off in the file', () => {
    expect(scoreOf({ diskPct: 99 }, { ...RULES, capsEnabled: false }).caps).toEqual([]);
  });
});

test('what would raise it most comes first, caps considered', () => {
  const { improvements } = scoreOf({ diskPct: 99, latencyMs: 200 }, RULES);
  expect(improvements.map(({ measure, gain }) => [measure, gain])).toEqual([['disk_pct', 38]]);
  expect(scoreOf({ cpuPct: 99, latencyMs: 200 }, RULES).improvements.map(({ measure }) => measure)).toEqual([
    'cpu_pct',
    'latency_ms',
  ]);
});

test('reasons name the thing', () => {
  const { deductions } = scoreOf({ diskPct: 97.26, diskMount: '/home', servicesDown: ['sshd'], dnsFailures: 1 });
  expect(deductions.map(({ reason }) => reason)).toEqual([
    'disk /home is 97.3 % full (above 95 %)',
    'failed DNS look-ups: 1 of 4',
    'services down: sshd',
  ]);
});
