/** Who reports with a token: a wrong clock, and two machines that share one. */
import { describe, expect, test } from 'vitest';
import {
  areTwoMachines,
  hasWrongClock,
  offsetText,
  type Reporter,
  type ReportOrigin,
  reporterAfter,
} from '../../../src/domain/fleet/reporter.ts';

const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2026, 10, 25, 12);
const bootAt = (hour: number) => new Date(Date.UTC(2026, 10, 25, hour));
const from = (machineId: string | null, bootHour: number, clockOffsetMs: number | null = 0): ReportOrigin => ({
  clockOffsetMs,
  machineId,
  bootedAt: bootAt(bootHour),
});

function after(origins: readonly ReportOrigin[]): Reporter {
  let reporter: Reporter | null = null;
  for (const [i, origin] of origins.entries()) reporter = reporterAfter(reporter, origin, new Date(NOON + i * 300_000));
  return reporter!;
}
const areTwo = (...origins: ReportOrigin[]) => areTwoMachines(after(origins), new Date(NOON + 3_600_000));

describe('Two machines with one token (one image): noticed by machine id and boot time', () => {
  test('two boot times in turn, one machine id', () => {
    expect(areTwo(from('a', 9), from('a', 10), from('a', 9), from('a', 10), from('a', 9))).toBe(true);
  });
  test('two boot times in turn where both clocks are wrong, each in its way', () => {
    const [one, other] = [from('a', 9, 2 * HOUR_MS), from('a', 10, -3 * HOUR_MS)];
    expect(areTwo(one, other, one, other, one)).toBe(true);
  });
  test('two machine ids in turn', () => {
    expect(areTwo(from('a', 9), from('b', 9), from('a', 9), from('b', 9))).toBe(true);
  });
  test.each([
    ['restarts', [from('a', 7), from('a', 9), from('a', 10), from('a', 11)]],
    [
      'a clock that is set again and again where the system noted its start once',
      [
        from('a', 9),
        from('a', 10, -HOUR_MS),
        from('a', 8, HOUR_MS),
        from('a', 11, -2 * HOUR_MS),
        from('a', 7, 2 * HOUR_MS),
      ],
    ],
    [
      'a clock that is set again and again where the start moves with it',
      [from('a', 9), from('a', 9, -HOUR_MS), from('a', 9, HOUR_MS), from('a', 9, -2 * HOUR_MS)],
    ],
    ['a new installation', [from('a', 9), from('b', 10), from('b', 10)]],
    ['one clock that was set while reports waited', [from('a', 9), from('a', 10), from('a', 9), from('a', 9)]],
    [
      'a clock that nobody compared',
      [from(null, 9, null), from(null, 10, null), from(null, 9, null), from(null, 8, null)],
    ],
  ])('%s are none', (_name, origins) => {
    expect(areTwo(...origins)).toBe(false);
  });
});

test.each([
  [-3_600_000, true, '60 minutes behind'],
  [86_400_000, true, '24 hours ahead'],
  [3 * 86_400_000, true, '3 days ahead'],
  [200_000, false, '3 minutes ahead'],
])('a clock that is off by %s ms', (clockOffsetMs, wrong, text) => {
  expect(hasWrongClock({ clockOffsetMs })).toBe(wrong);
  expect(offsetText(clockOffsetMs)).toBe(text);
});
