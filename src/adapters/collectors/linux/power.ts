/** Reads Linux' power supplies: batteries of the machine itself (not of its mouse), and whether it runs on them. */

import { measured, missing } from '../../../domain/signals/reading.ts';
import { type Battery, batteryCycles, batteryHealth, MAX_BATTERIES, type Power } from '../machine/batteries.ts';
import { parsePathLines } from './pathLines.ts';

/**
 * @param uevents lines `/sys/class/power_supply/NAME/uevent:POWER_SUPPLY_KEY=value`
 */
export function readPowerSupplies(uevents: string): Power {
  const supplies = new Map<string, Map<string, string>>();
  for (const { path, line } of parsePathLines(uevents)) {
    const name = /power_supply\/([^/]+)\//.exec(path)?.[1];
    const [, key, value] = /^POWER_SUPPLY_([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (!name || !key || value === undefined) continue;
    const fields = supplies.get(name) ?? new Map<string, string>();
    supplies.set(name, fields.set(key, value.trim()));
  }
  const own = [...supplies].filter(([, fields]) => fields.get('SCOPE') !== 'Device');
  const batteryFields = own.filter(([, fields]) => fields.get('TYPE') === 'Battery').slice(0, MAX_BATTERIES);
  const mains = own.filter(([, fields]) => /^(Mains|USB)/.test(fields.get('TYPE') ?? ''));
  return {
    batteries: batteryFields.map(([name, fields]) => batteryOf(name, fields)),
    onBattery:
      batteryFields.length === 0 ? missing('the machine has no battery') : measured(isOnBattery(mains, batteryFields)),
  };
}

function batteryOf(name: string, fields: Map<string, string>): Battery {
  const number = (key: string): number | null => {
    const value = Number.parseInt(fields.get(key) ?? '', 10);
    return Number.isFinite(value) ? value : null;
  };
  const inEnergy = number('ENERGY_FULL_DESIGN') !== null;
  return {
    name,
    healthPct: inEnergy
      ? batteryHealth(number('ENERGY_FULL'), number('ENERGY_FULL_DESIGN'))
      : batteryHealth(number('CHARGE_FULL'), number('CHARGE_FULL_DESIGN')),
    cycles: batteryCycles(number('CYCLE_COUNT')),
  };
}

type Supplies = [name: string, fields: Map<string, string>][];

/** A plugged-in supply decides; machines that report none show it by a battery that discharges. */
function isOnBattery(mains: Supplies, batteries: Supplies): boolean {
  if (mains.some(([, fields]) => fields.get('ONLINE') === '1')) return false;
  return mains.length > 0 || batteries.some(([, fields]) => fields.get('STATUS') === 'Discharging');
}
