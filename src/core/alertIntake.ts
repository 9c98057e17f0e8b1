/** Taking in what Alertmanager delivers: find each alert's endpoint, then observe the whole delivery in one transaction. */
import type { Observation } from '../domain/alertMoves.ts';
import { type IncomingAlert, readAlert, type Unreadable } from '../domain/alertmanager.ts';
import type { Actor } from './actor.ts';
import { announce, observeIn } from './alerting.ts';
import type { Ports, Store } from './ports.ts';

export interface Intake {
  received: number;
  created: number;
  updated: number;
  resolved: number;
  /** Repeats that told nothing new. */
  unchanged: number;
  ignored: { alertName: string; reason: string }[];
}

/** Committed when it resolves; rejects with `unavailable` when the store is down, and then nothing of it is kept. */
export async function takeDelivery(
  ports: Ports,
  delivery: { status?: unknown; alerts: readonly unknown[] },
  actor: Actor,
): Promise<Intake> {
  const now = ports.clock.now();
  const read = delivery.alerts.map((raw) => readAlert(raw, delivery.status, now));
  const incoming = read.filter((alert): alert is IncomingAlert => 'what' in alert);
  const unreadable = read.filter((alert): alert is Unreadable => 'reason' in alert);

  const { observations, unknown, verdicts, changes } = await ports.store.transaction(async (store) => {
    const { observations, unknown } = await withEndpoints(store, incoming);
    const observed = await observeIn(ports, store, observations, actor);
    if (unknown.length > 0) await store.unknownHosts.note(tally(unknown), now);
    return { observations, unknown, ...observed };
  });
  await announce(ports, changes);

  const count = (...kinds: string[]) => verdicts.filter((verdict) => kinds.includes(verdict as string)).length;
  return {
    received: delivery.alerts.length,
    created: count('created'),
    updated: count('updated', 'reopened'),
    resolved: count('resolved'),
    unchanged: count('unchanged'),
    ignored: [
      ...unreadable,
      ...unknown.map(({ alertName, hosts: [host] }) => ({ alertName, reason: `no endpoint ${host} is registered` })),
      ...verdicts.flatMap((verdict, index) =>
        typeof verdict === 'object'
          ? [{ alertName: observations[index]?.alertName as string, reason: verdict.reason }]
          : [],
      ),
    ],
  };
}

/** All endpoints of a delivery in one look-up; an alert's first candidate that is registered wins, names before addresses. */
async function withEndpoints(
  store: Store,
  incoming: IncomingAlert[],
): Promise<{ observations: Observation[]; unknown: IncomingAlert[] }> {
  const endpoints = await store.endpoints.byNamesOrAddresses([...new Set(incoming.flatMap(({ hosts }) => hosts))]);
  const byName = new Map(endpoints.map((endpoint) => [endpoint.hostname, endpoint]));
  const byAddress = new Map(endpoints.map((endpoint) => [endpoint.ipAddress ?? '', endpoint]));
  const observations: Observation[] = [];
  const unknown: IncomingAlert[] = [];
  for (const alert of incoming) {
    const endpoint = firstOf(alert.hosts, byName) ?? firstOf(alert.hosts, byAddress);
    if (!endpoint) {
      unknown.push(alert);
      continue;
    }
    const { alertName, series, what } = alert;
    observations.push({ endpointId: endpoint.id, hostname: endpoint.hostname, alertName, series, ...what });
  }
  return { observations, unknown };
}

function firstOf<T>(hosts: readonly string[], known: ReadonlyMap<string, T>): T | undefined {
  const host = hosts.find((candidate) => known.has(candidate));
  return host === undefined ? undefined : known.get(host);
}

function tally(unknown: IncomingAlert[]): { hostname: string; alertName: string; count: number }[] {
  const groups = Map.groupBy(unknown, ({ hosts: [host], alertName }) => JSON.stringify([host, alertName]));
  return [...groups.values()].map((alerts) => ({
    hostname: alerts[0]?.hosts[0] as string,
    alertName: alerts[0]?.alertName as string,
    count: alerts.length,
  }));
}
