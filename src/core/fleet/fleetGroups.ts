/** A group of machines beside the rest of the fleet: scores and open alerts of both. */
import type { Alert } from '../../domain/alerts/alert.ts';
import { type GroupFigures, groupCounter, groupsOfMachine, isInGroup } from '../../domain/fleet/fleetGroup.ts';
import { didYouMean } from '../commands/didYouMean.ts';
import { AppError } from '../errors.ts';
import type { Store } from '../ports/storePorts.ts';

/** Machines in memory at a time. */
const BATCH = 500;
/** Alert names compared. */
const MOST_NAMES = 8;
/** Groups named to whoever asks for one that is not there. */
const MOST_GROUPS = 20;

export interface Side extends GroupFigures {
  openAlerts: number;
  criticalAlerts: number;
  /** On how many machines each alert is open, most first. */
  alerts: { alertName: string; machines: number }[];
}

/** @throws AppError `not_found` with the groups that there are */
export async function compareGroup(store: Store, name: string): Promise<{ inside: Side; rest: Side }> {
  const sides = { inside: side(), rest: side() };
  const known = new Set<string>();
  const openOf = Map.groupBy(await store.alerts.open(), ({ endpointId }) => endpointId);
  for (let afterId = 0; ; ) {
    const batch = await store.endpoints.batch(afterId, BATCH);
    const last = batch.at(-1);
    if (!last) break;
    afterId = last.id;
    for (const machine of batch) {
      for (const group of groupsOfMachine(machine)) if (known.size < 1000) known.add(group);
      const { counter, alerts } = isInGroup(machine, name) ? sides.inside : sides.rest;
      counter.add(machine);
      alerts.push(...(openOf.get(machine.id) ?? []));
    }
  }
  const inside = summed(sides.inside);
  if (inside.total === 0) throw noSuchGroup(name, [...known]);
  return { inside, rest: summed(sides.rest) };
}

function side() {
  return { counter: groupCounter(), alerts: [] as Alert[] };
}

function summed({ counter, alerts }: ReturnType<typeof side>): Side {
  return {
    ...counter.figures(),
    openAlerts: alerts.length,
    criticalAlerts: alerts.filter(({ severity }) => severity === 'critical').length,
    alerts: [...Map.groupBy(alerts, ({ alertName }) => alertName)]
      .map(([alertName, of]) => ({ alertName, machines: of.length }))
      .sort((a, b) => b.machines - a.machines || a.alertName.localeCompare(b.alertName))
      .slice(0, MOST_NAMES),
  };
}

function noSuchGroup(name: string, known: string[]): AppError {
  const values = known.map((group) => group.slice(group.indexOf('=') + 1));
  const near = [...new Set(didYouMean(name, [...known, ...values]))];
  const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
  const all = known.toSorted().slice(0, MOST_GROUPS).join(', ');
  return new AppError('not_found', `No machine is in the group ${name}.${hint} There are: ${all}.`, { group: name });
}
