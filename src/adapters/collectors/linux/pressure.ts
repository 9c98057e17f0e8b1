/** Reads Linux' pressure stall information (PSI): the share of time in which some task waits for a resource. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

/** Microseconds since boot in which at least one task waited; null when the text is not PSI. */
export function parsePressureTotal(text: string): number | null {
  const micros = /^some .*\btotal=(\d+)/m.exec(text)?.[1];
  return micros === undefined ? null : Number(micros);
}

/** The kernel's own average over the last 5 minutes, 0–100: what a first scan has instead of two totals. */
export function readPressureAverage(text: string): Reading<number> {
  const pct = /^some .*\bavg300=([\d.]+)/m.exec(text)?.[1];
  return pct === undefined ? missing(NO_PRESSURE) : measured(Math.min(100, Number(pct)));
}

export const NO_PRESSURE = 'the kernel keeps no pressure figures (older than 4.20, or started without psi=1)';
