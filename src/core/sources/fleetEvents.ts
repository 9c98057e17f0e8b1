/** Fleet's webhooks: policies that machines fail, vulnerabilities found on them, machines that it has not seen for days, as alerts. */
import type { Observation } from '../../domain/alerts/alertMoves.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { canonicalHost } from '../../domain/fleet/hostIdentity.ts';
import type { Actor } from '../actor.ts';
import { announce, observeIn } from '../alerts/alerting.ts';
import type { Ports } from '../ports/ports.ts';
import { managedBy } from './managedEndpoints.ts';
import { firingPolicy } from './policyAlerts.ts';

/** A machine as Fleet names it; host status names ids alone. */
interface FleetHostRef {
  id: number;
  hostname: string | null;
}

export type FleetEvent = { hosts: FleetHostRef[] } & (
  | { kind: 'policy'; id: number; name: string; isCritical: boolean; resolution: string }
  | { kind: 'vulnerability'; cve: string; link: string | null }
  | { kind: 'unseen'; days: number }
);

interface FleetEventOutcome {
  received: number;
  created: number;
  updated: number;
  unchanged: number;
  ignored: { host: string; reason: string }[];
}

/** @returns what became of each machine that the delivery names */
export async function takeFleetEvent(ports: Ports, event: FleetEvent, actor: Actor): Promise<FleetEventOutcome> {
  const fleets = ports.sources.current().filter(({ type }) => type === 'fleet');
  const machines: Endpoint[] = [];
  for (const { name } of fleets) machines.push(...(await managedBy(ports, name)));
  const byTarget = Map.groupBy(machines, ({ options }) => options.sourceTarget ?? '');
  const ignored: FleetEventOutcome['ignored'] = [];
  const found = event.hosts.flatMap((host): Endpoint[] => {
    const named = host.hostname === null ? null : canonicalHost(host.hostname);
    // Two Fleets count from 1 both.
    const meant = (byTarget.get(`host/${host.id}`) ?? []).filter(
      ({ hostname }) => named === null || fleets.length === 1 || hostname === named,
    );
    if (meant.length === 1) return meant;
    const reason =
      meant.length === 0 ? 'no source of type fleet has read this host' : 'several sources have a host of this id';
    ignored.push({ host: host.hostname ?? `host/${host.id}`, reason });
    return [];
  });
  const observations = found.map((endpoint) => observationOf(event, endpoint));
  const { outcomes, changes } = await ports.store.transaction((store) => observeIn(ports, store, observations, actor));
  await announce(ports, changes);
  const count = (...kinds: string[]) => outcomes.filter((outcome) => kinds.includes(outcome as string)).length;
  return {
    received: event.hosts.length,
    created: count('created'),
    updated: count('updated', 'reopened'),
    unchanged: count('unchanged'),
    ignored,
  };
}

/** Series of what only webhooks say; the next readings of the source end them. */
export const unseenSeries = (source: string): string => `unseen:${source}`;
const vulnerabilitySeries = (source: string): string => `vulnerability:${source}:`;

/** The CVE that a series is about; null for any other series. */
export function cveOfSeries(source: string, series: string): string | null {
  const start = vulnerabilitySeries(source);
  return series.startsWith(start) ? series.slice(start.length) : null;
}

function observationOf(event: FleetEvent, endpoint: Endpoint): Observation {
  const source = endpoint.options.source ?? '';
  if (event.kind === 'policy') return firingPolicy(source, endpoint, event);
  const subject = { endpointId: endpoint.id, hostname: endpoint.hostname };
  const firing = { state: 'firing', alertType: 'metric', severity: 'warning', startsAt: null } as const;
  if (event.kind === 'unseen')
    return {
      ...subject,
      ...firing,
      alertName: 'Not seen by Fleet',
      series: unseenSeries(source),
      message: `Fleet has not seen it for more than ${event.days} days`,
      labels: { source },
    };
  return {
    ...subject,
    ...firing,
    alertName: `Vulnerability: ${event.cve}`,
    series: `${vulnerabilitySeries(source)}${event.cve}`,
    message: `software on it has the vulnerability ${event.cve}`,
    labels: { source, cve: event.cve, ...(event.link !== null && { details: event.link }) },
  };
}
