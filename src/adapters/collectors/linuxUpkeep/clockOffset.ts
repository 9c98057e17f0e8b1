/** Reads how far a Linux machine's clock is off, from the time service that keeps it. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

const MAX_OFFSET_S = 10 * 366 * 86_400;

/**
 * `chronyc -c -n tracking`: reference id, address, stratum, reference time, offset of the system time (positive when the
 * clock is slow) and nine more fields, by commas. Seconds that the clock is ahead.
 */
export function parseChronyTracking(output: string): Reading<number> {
  const fields = output.trim().split(',');
  if (fields.length < 14) {
    return missing(/Cannot talk to daemon/i.test(output) ? 'chronyd does not run' : 'chronyc gives no tracking data');
  }
  const offsetS = -Number(fields[4]);
  if (/not synchronised/i.test(fields[13] ?? '')) return missing('the time service has not reached a server yet');
  return offsetOf(offsetS);
}

/** `ntpq -c rv` or `-c "rv 0 offset,stratum"`: `offset=-0.412`, in milliseconds that the clock is behind. */
export function parseNtpqOffset(output: string): Reading<number> {
  if (/stratum=16\b/.test(output)) return missing('the time service has not reached a server yet');
  const milliseconds = /\boffset=([+-]?[\d.]+)/.exec(output)?.[1];
  return milliseconds === undefined ? missing('ntpq gives no offset') : offsetOf(-Number(milliseconds) / 1000);
}

/**
 * `timedatectl timesync-status`: `Offset: -1.123ms`, the amount by which systemd-timesyncd found the clock behind the
 * server at its last exchange.
 */
export function parseTimesyncStatus(output: string): Reading<number> {
  const [, sign, amount] = /^\s*Offset: ([+-]?)((?:[\d.]+(?:us|ms|min|s|h|d) ?)+)/m.exec(output) ?? [];
  if (amount === undefined) return missing('systemd-timesyncd has not reached a server yet');
  const seconds = [...amount.matchAll(/([\d.]+)(us|ms|min|s|h|d)/g)].reduce(
    (sum, [, value, unit]) => sum + Number(value) * (TIME_UNITS_S[unit ?? ''] ?? 0),
    0,
  );
  return offsetOf(sign === '-' ? seconds : -seconds);
}

const TIME_UNITS_S: Record<string, number> = { us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 };

function offsetOf(seconds: number): Reading<number> {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > MAX_OFFSET_S)
    return missing('the time service gives an impossible offset');
  // Minus zero would be printed as such.
  return measured(seconds === 0 ? 0 : seconds);
}
