/** Reads systemd's list of units and says which services are down. */

/** A unit's ACTIVE state (`active`, `failed`, `inactive`, …) by its full name (`nginx.service`). */
export type UnitStates = Map<string, string>;

/** Arguments of the `systemctl` call whose output `parseUnits` reads. */
export const LIST_UNITS_ARGS = ['list-units', '--all', '--plain', '--no-legend', '--no-pager'];

/** Lines of UNIT LOAD ACTIVE SUB DESCRIPTION. */
export function parseUnits(stdout: string): UnitStates {
  const states: UnitStates = new Map();
  for (const line of stdout.split('\n')) {
    const [unit, , active] = line.trim().split(/\s+/);
    if (unit?.includes('.') && active) states.set(unit, active);
  }
  return states;
}

/**
 * Names of the services that are down: of the listed ones, those that neither run nor start; without a list, every
 * service that systemd calls failed. `.service` is left off.
 */
export function downUnits(states: UnitStates, services: readonly string[] | undefined): string[] {
  if (!services) {
    const failed = [...states].filter(([unit, state]) => state === 'failed' && unit.endsWith('.service'));
    return failed.map(([unit]) => shortName(unit)).sort();
  }
  const isUp = (service: string): boolean => UP_STATES.has(states.get(fullName(service)) ?? 'absent');
  return services.filter((service) => !isUp(service)).map(shortName);
}

const UP_STATES = new Set(['active', 'activating', 'reloading', 'refreshing']);
const UNIT_SUFFIX = /\.(service|socket|timer|mount|automount|path|target|slice|scope|swap|device)$/;
const fullName = (service: string): string => (UNIT_SUFFIX.test(service) ? service : `${service}.service`);
const shortName = (unit: string): string => unit.replace(/\.service$/, '');
