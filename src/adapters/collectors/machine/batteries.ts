/** What every platform says about a machine's batteries, made comparable: wear, cycles, and where the power comes from. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

export interface Battery {
  /** As the system names it: `BAT0`, `InternalBattery-0`. */
  name: string;
  /** What a full charge holds of what it was designed to hold, 0–100. */
  healthPct: Reading<number>;
  cycles: Reading<number>;
}

export interface Power {
  batteries: Battery[];
  /** Whether the machine runs on its battery now. */
  onBattery: Reading<boolean>;
}

/** New batteries hold a little more than they promise; a figure beyond this is no measurement. */
const MAX_HEALTH_PCT = 125;
const MAX_CYCLES = 20_000;
export const MAX_BATTERIES = 8;

/** Health from the full and the designed charge, in whatever unit both have. */
export function batteryHealth(full: number | null, design: number | null): Reading<number> {
  if (full === null || design === null || !(design > 0) || !(full >= 0)) {
    return missing('the battery does not report its full and its design charge');
  }
  return batteryHealthPct((100 * full) / design);
}

/** Health as a share that the system computed; more than 125 % is no measurement, up to that counts as 100 %. */
export function batteryHealthPct(pct: number): Reading<number> {
  if (!(pct >= 0 && pct <= MAX_HEALTH_PCT)) {
    return missing(`the battery reports ${Math.round(pct)} % of its design charge, which no battery has`);
  }
  return measured(Math.min(100, pct));
}

/** Charge cycles; firmware that does not count them reports 0. */
export function batteryCycles(cycles: number | null): Reading<number> {
  if (cycles === null || cycles === 0) return missing('the battery does not count its cycles');
  return Number.isInteger(cycles) && cycles > 0 && cycles <= MAX_CYCLES
    ? measured(cycles)
    : missing(`the battery reports ${cycles} charge cycles, which no battery reaches`);
}
