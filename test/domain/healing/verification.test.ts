/** What a look after a remediation proves. */
import { describe, expect, test } from 'vitest';
import type { AlertRule } from '../../../src/domain/alerts/alertRules.ts';
import type { SeriesPoint } from '../../../src/domain/forecasts/seriesShape.ts';
import { forecastProof, ruleProof } from '../../../src/domain/healing/verification.ts';
import { endpointOf } from '../../helpers/facts.ts';
import { flatSnapshot } from '../../helpers/flatSnapshot.ts';

const HOUR_MS = 3_600_000;

const full = (diskPct: number | null) => flatSnapshot(endpointOf(), new Date(0), { diskPct, diskMount: '/' });

describe('of a problem that another source reported', () => {
  const rule: AlertRule = { name: 'DiskFull', measure: 'disk_pct', above: 95, clear: 90, for: 1, severity: 'critical' };
  test.each([
    [97, 40, 'over'],
    [97, 90, 'over'],
    [97, 92, 'holds'],
    [97, 98, 'holds'],
    [97, null, 'unknown'],
    // It was never over the line: whatever the other source measures, it is something else.
    [60, 40, 'unknown'],
    [93, 40, 'unknown'],
    [null, 40, 'unknown'],
  ])('%s before and %s after: %s', (before, after, finding) => {
    expect(ruleProof(rule, full(before), full(after), 'linux').finding).toBe(finding);
  });

  test('it says what is found', () => {
    const proof = ruleProof(rule, full(97), full(92), 'linux');
    expect(proof).toEqual({ finding: 'holds', text: 'disk /: 92 %, not below 90 % again' });
  });
});

describe('of a predicted problem', () => {
  const climb = (slopePerHour: number, noise = 0): SeriesPoint[] =>
    Array.from({ length: 48 * 4 }, (_, i) => ({
      atMs: (i / 4) * HOUR_MS,
      value: 20 + slopePerHour * (i / 4) + noise * Math.sin(i * 37.1),
    }));

  test.each([
    ['a fall of half', climb(1), 1, 33, 'over'],
    ['a fall of four points', climb(1), 1, 62, 'over'],
    ['a fall of one point', climb(1), 1, 66, 'holds'],
    ['no fall', climb(1), 1, 68, 'holds'],
    ['a fall that the noise makes too', climb(1, 8), 1, 62, 'holds'],
    ['a slow climb that is far from its limit now', climb(0.2), 0.2, 27, 'over'],
    ['nothing measured', climb(1), 1, null, 'unknown'],
    ['nothing known of before', [], 1, 30, 'unknown'],
  ] as const)('%s: %s', (_name, history, slopePerHour, after, finding) => {
    expect(forecastProof('diskPct', history, slopePerHour, after).finding).toBe(finding);
  });
});
