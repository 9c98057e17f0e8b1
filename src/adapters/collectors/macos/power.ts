/** Reads a Mac's battery: `pmset` for where the power comes from, System Information for its wear. */

import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { type Battery, batteryCycles, batteryHealth, batteryHealthPct, MAX_BATTERIES } from '../machine/batteries.ts';
import { entriesOf, firstNumber, type JsonObject } from './systemProfiler.ts';

/** Output of `pmset -g batt`: `Now drawing from 'Battery Power'`, then a line a battery. */
export function parsePmsetBattery(output: string): Reading<boolean> {
  if (!/^\s*-.*\b(Battery|charged|charging|discharging)/im.test(output)) return missing('the Mac has no battery');
  const source = /drawing from '([^']+)'/.exec(output)?.[1];
  return source === undefined ? missing('pmset does not name the power source') : measured(source === 'Battery Power');
}

/** Output of `system_profiler SPPowerDataType -json`. */
export function parsePowerData(output: string): Reading<Battery[]> {
  const entries = entriesOf(output, 'SPPowerDataType');
  if (entries === null) return missing('system_profiler gives no power data');
  const batteries = entries.filter((entry) => 'sppower_battery_health_info' in entry).slice(0, MAX_BATTERIES);
  return measured(batteries.map(batteryOf));
}

function batteryOf(entry: JsonObject): Battery {
  const health = (entry.sppower_battery_health_info ?? {}) as JsonObject;
  const charge = (entry.sppower_battery_charge_info ?? {}) as JsonObject;
  // Apple silicon gives a share, older Macs the two charges.
  const share = firstNumber(health.sppower_battery_health_maximum_capacity);
  const full = firstNumber(charge.sppower_battery_max_capacity);
  return {
    name: String(entry._name ?? 'battery').slice(0, 64),
    healthPct:
      share === null
        ? batteryHealth(full, firstNumber(charge.sppower_battery_design_capacity))
        : batteryHealthPct(share),
    cycles: batteryCycles(firstNumber(health.sppower_battery_cycle_count)),
  };
}

/** Output of `pmset -g therm`: `CPU_Speed_Limit = 100` while nothing slows the processor down. */
export function parsePmsetThermal(output: string): Reading<boolean> {
  const limit = /CPU_Speed_Limit\s*=\s*(\d+)/.exec(output)?.[1];
  if (limit !== undefined) return measured(Number(limit) < 100);
  if (/No (thermal|performance) warning level has been recorded/i.test(output)) return measured(false);
  return missing('pmset gives no speed limit');
}
