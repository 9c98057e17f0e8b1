/** A sample of the injected causes of `npm run bench -- judgement`, at a coarser grain: the right cause is found, and healthy machines are left alone. */
import { expect, test } from 'vitest';
import { INJECTED } from '../../bench/diagnosis/causes.ts';
import { diagnoseScenario, diagnosisRates } from '../../bench/diagnosis/scenarios.ts';

test('injected causes are found, and nothing is found on healthy machines', () => {
  expect(INJECTED.length).toBeGreaterThanOrEqual(40);
  const { first, inThree, healthyQuiet, wrong } = diagnosisRates({ days: 8, intervalMinutes: 60, seeds: 1 }, 20);
  const told = wrong.map(({ name, seed, found }) => `${name} ${seed}: ${found.join(', ')}`).join('\n');
  expect(first, told).toBeGreaterThanOrEqual(0.85);
  expect(inThree, told).toBeGreaterThanOrEqual(0.97);
  expect(healthyQuiet, told).toBeGreaterThanOrEqual(0.92);
});

test('what nobody feels is upkeep below “nothing unusual”, and a felt cause stands before it', () => {
  const scale = { days: 8, intervalMinutes: 60, seeds: 1 };
  const injected = (right: string) => INJECTED.filter((cause) => cause.right[0] === right);
  for (const name of ['restart_overdue', 'updates_stuck']) {
    const outcomes = injected(name).flatMap((cause) => [1, 2, 3].map((seed) => diagnoseScenario(cause, seed, scale)));
    expect(outcomes.length).toBeGreaterThan(2);
    for (const { diagnosis, found } of outcomes) {
      const felt = diagnosis.causes.filter(({ isUpkeep }) => !isUpkeep);
      expect(found).toContain(name);
      expect(diagnosis.verdict).toBe(felt.length > 0 ? 'cause_found' : 'nothing_unusual');
      expect(found.indexOf(name)).toBeGreaterThanOrEqual(felt.length);
    }
    expect(outcomes.filter(({ diagnosis }) => diagnosis.verdict === 'nothing_unusual').length).toBeGreaterThan(1);
  }
  const [full] = injected('disk_full');
  expect(full && diagnoseScenario(full, 1, scale).diagnosis.verdict).toBe('cause_found');
});
