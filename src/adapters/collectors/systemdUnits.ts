/** Reads systemd's units and says which services are down and which one-shot jobs failed. */
import { measured, missing } from '../../domain/signals/reading.ts';
import type { Collected } from './readings.ts';

/** A unit's ACTIVE state (`active`, `failed`, `inactive`, …) by its full name (`nginx.service`). */
export type UnitStates = Map<string, string>;

/** Arguments of the `systemctl` call whose output `parseUnits` reads. */
export const LIST_UNITS_ARGS = ['list-units', '--all', '--plain', '--no-legend', '--no-pager'];
/** Arguments of the call whose output `parseOneShots` reads: failed services alone. */
export const ONE_SHOT_ARGS = ['show', '--property=Id,Type', '--type=service', '--state=failed', '--no-pager', '*'];

/** Lines of UNIT LOAD ACTIVE SUB DESCRIPTION. */
export function parseUnits(stdout: string): UnitStates {
  const states: UnitStates = new Map();
  for (const line of stdout.split('\n')) {
    const [unit, , active] = line.trim().split(/\s+/);
    if (unit?.includes('.') && active) states.set(unit, active);
  }
  return states;
}

/** Names of one-shot services, of blocks `Type=oneshot` and `Id=fwupd-refresh.service` in either order. */
export function parseOneShots(stdout: string): Set<string> {
  const blocks = stdout.split(/\n\s*\n/).filter((block) => /^Type=oneshot$/m.test(block));
  return new Set(blocks.flatMap((block) => /^Id=(.+)$/m.exec(block)?.[1] ?? []));
}

/**
 * The long-running services that are down and the one-shot jobs that failed. Of the listed `services`, those count as
 * down that neither run nor start; without a list, every service that systemd calls failed. `.service` is left off.
 * @param oneShots full names of units that run once and end
 */
export function unitReadings(
  states: UnitStates,
  oneShots: ReadonlySet<string>,
  services: readonly string[] | undefined,
): Pick<Collected, 'servicesDown' | 'jobsFailed'> {
  if (states.size === 0) {
    const none = missing('the machine does not run systemd');
    return { servicesDown: none, jobsFailed: none };
  }
  const failed = [...states]
    .filter(([unit, state]) => state === 'failed' && unit.endsWith('.service'))
    .map(([unit]) => unit);
  const listed = new Set(services?.map(fullName));
  const isUp = (service: string): boolean => UP_STATES.has(states.get(fullName(service)) ?? 'absent');
  const longRunning = failed
    .filter((unit) => !oneShots.has(unit))
    .map(shortName)
    .sort();
  return {
    servicesDown: measured(services ? services.filter((service) => !isUp(service)).map(shortName) : longRunning),
    jobsFailed: measured(
      failed
        .filter((unit) => oneShots.has(unit) && !listed.has(unit))
        .map(shortName)
        .sort(),
    ),
  };
}

const UP_STATES = new Set(['active', 'activating', 'reloading', 'refreshing']);
const UNIT_SUFFIX = /\.(service|socket|timer|mount|automount|path|target|slice|scope|swap|device)$/;
const fullName = (service: string): string => (UNIT_SUFFIX.test(service) ? service : `${service}.service`);
const shortName = (unit: string): string => unit.replace(/\.service$/, '');
