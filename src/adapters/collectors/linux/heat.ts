/** Reads Linux' temperatures and how often the processor was slowed down because of them. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { numbersByPath, parsePathLines } from './pathLines.ts';

/** Sensors that are not wired up report these bounds, or anything beyond. */
const MIN_CELSIUS = -30;
const MAX_CELSIUS = 130;

/**
 * The hottest sensor of processor and board in °C.
 * @param zones lines `/sys/class/thermal/thermal_zoneN/temp:47000` and `…/type:x86_pkg_temp`
 * @param hwmon lines `/sys/class/hwmon/hwmonN/tempM_input:47000` and `…/name:coretemp`
 */
export function readTemperature(zones: string, hwmon: string): Reading<number> {
  const ofDrives = new Set(
    parsePathLines(hwmon)
      .filter(({ path, line }) => path.endsWith('/name') && /^(nvme|drivetemp|iwlwifi|BAT|ucsi)/.test(line))
      .map(({ path }) => path.replace(/name$/, '')),
  );
  const zone = [...numbersByPath(zones, /\/temp$/).values()];
  const sensors = [...numbersByPath(hwmon, /\/temp\d+_input$/)]
    .filter(([path]) => !ofDrives.has(path.replace(/temp\d+_input$/, '')))
    .map(([, value]) => value);
  return hottest([...zone, ...sensors].map((millis) => millis / 1000));
}

/** The highest of these readings that a working sensor can give. */
export function hottest(celsius: number[]): Reading<number> {
  const plausible = celsius.filter((value) => value > MIN_CELSIUS && value < MAX_CELSIUS && value !== 0);
  if (plausible.length > 0) return measured(Math.max(...plausible));
  return missing(
    celsius.length === 0
      ? 'the machine shows no temperature sensor, as virtual machines do'
      : 'no temperature sensor gives a plausible value',
  );
}

/**
 * How often any core or package was throttled since boot; null where the processor does not count it.
 * @param counts lines `/sys/devices/system/cpu/cpuN/thermal_throttle/core_throttle_count:3`
 */
export function throttleCount(counts: string): number | null {
  const values = [...numbersByPath(counts, /throttle_count$/).values()].filter((value) => value >= 0);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}
