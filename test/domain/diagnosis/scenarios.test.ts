/** A sample of the injected causes of `npm run bench -- judgement`, at a coarser grain: the right cause is found, and healthy machines are left alone. */
import { expect, test } from 'vitest';
import { INJECTED } from '../../bench/diagnosis/causes.ts';
import { diagnosisRates } from '../../bench/diagnosis/scenarios.ts';

test('injected causes are found, and nothing is found on healthy machines', () => {
  expect(INJECTED.length).toBeGreaterThanOrEqual(40);
  const { first, inThree, healthyQuiet, wrong } = diagnosisRates({ days: 8, intervalMinutes: 60, seeds: 1 }, 20);
  const told = wrong.map(({ name, seed, found }) => `${name} ${seed}: ${found.join(', ')}`).join('\n');
  expect(first, told).toBeGreaterThanOrEqual(0.85);
  expect(inThree, told).toBeGreaterThanOrEqual(0.97);
  expect(healthyQuiet, told).toBeGreaterThanOrEqual(0.92);
});
