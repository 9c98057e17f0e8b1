/** Hourly roll-ups: what they keep of samples, and that joining them is rolling up everything at once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HourlyRollUp, hourOf, joinRollUps, rollUp, type Sample } from '../../../src/domain/scores/rollUp.ts';

const at = (time: string) => new Date(`2026-03-02T${time}Z`);
const sample = (time: string, cpuPct: number | null, subjectId = 1): Sample<'cpuPct'> => ({
  subjectId,
  at: at(time),
  values: { cpuPct },
});

test('an hour begins on the full hour in UTC', () => {
  expect(hourOf(at('09:59:59.999'))).toEqual(at('09:00:00'));
  expect(hourOf(at('10:00:00'))).toEqual(at('10:00:00'));
  expect(hourOf(new Date(-1))).toEqual(new Date(-3_600_000));
});

test('samples are gathered by subject and hour; what was not measured does not count as anything', () => {
  const samples = [
    sample('09:00:00', 10),
    sample('09:15:00', null),
    sample('09:59:59.999', 40),
    sample('10:00:00', null),
    sample('09:30:00', 7, 2),
  ];
  expect(rollUp(samples)).toEqual([
    {
      subjectId: 1,
      hour: at('09:00:00'),
      samples: 3,
      aggregates: { cpuPct: { mean: 25, min: 10, max: 40, count: 2 } },
    },
    { subjectId: 1, hour: at('10:00:00'), samples: 1, aggregates: { cpuPct: null } },
    { subjectId: 2, hour: at('09:00:00'), samples: 1, aggregates: { cpuPct: { mean: 7, min: 7, max: 7, count: 1 } } },
  ]);
  expect(rollUp([])).toEqual([]);
});

test('however samples come in parts, the joined roll-ups say what one of all of them says', () => {
  const values = fc.array(fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: null }), { minLength: 1 });
  fc.assert(
    fc.property(values, values, (first, second) => {
      const of = (measured: (number | null)[]) => rollUp(measured.map((value) => sample('09:01:00', value)))[0];
      const joined = joinRollUps(of(first) as HourlyRollUp<'cpuPct'>, of(second) as HourlyRollUp<'cpuPct'>);
      const whole = of([...first, ...second]) as HourlyRollUp<'cpuPct'>;
      expect(joined.samples).toBe(whole.samples);
      const { cpuPct } = whole.aggregates;
      expect(joined.aggregates.cpuPct).toEqual(cpuPct && { ...cpuPct, mean: expect.closeTo(cpuPct.mean, 9) });
    }),
  );
});
