/** A day of a fleet. */
import type { Chance } from './random.ts';
import type { Outcome } from './storm.ts';

export async function life(_luck: Chance, _say: (line: string) => void): Promise<Outcome> {
  return { broken: [], figures: {} };
}
