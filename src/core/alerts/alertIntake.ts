/** Taking in what Alertmanager delivers: find each alert's endpoint, then observe the whole delivery in one transaction. */
import type { Observation } from '../../domain/alerts/alertMoves.ts';
import { type IncomingAlert, readAlert, type Unreadable } from '../../domain/alerts/alertmanager.ts';
import { matchEndpoint } from '../../domain/fleet/hostIdentity.ts';
import type { Actor } from '../actor.ts';
import { gathered } from '../concurrency/gathered.ts';
import { ambiguityText, knownEndpoints } from '../fleet/hostLookup.ts';
import type { AlertIntake, Intake } from '../ports/alertPorts.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';
import { announce, type ObservationOutcome, observeIn } from './alerting.ts';
import { createDeliveryLull } from './deliveryLull.ts';
import { createTruncationCounter } from './truncatedDeliveries.ts';

/** Deliveries written in one transaction. */
const MOST_TOGETHER = 32;

/** What a delivery says, before anybody looked at the store. */
interface Read {
  received: number;
  truncated: number;
  incoming: IncomingAlert[];
  unreadable: Unreadable[];
  actor: Actor;
}

/** Deliveries that arrive while another is being written are written together, since a transaction costs more than its rows. */
export function createAlertIntake(ports: Ports): AlertIntake {
  const gather = gathered((reads: Read[]) => takeTogether(ports, reads), MOST_TOGETHER);
  const lull = createDeliveryLull();
  const truncation = createTruncationCounter(ports);
  return {
    take(delivery, actor) {
      lull.deliveryCame();
      const reading = {
        groupStatus: delivery.status,
        hostLabels: ports.settings.hostLabels,
        now: ports.clock.now(),
      };
      const read = delivery.alerts.map((raw) => readAlert(raw, reading));
      return gather({
        received: read.length,
        truncated: truncation.note(delivery.truncatedAlerts),
        incoming: read.filter((alert): alert is IncomingAlert => 'what' in alert),
        unreadable: read.filter((alert): alert is Unreadable => 'reason' in alert),
        actor,
      });
    },
    lull: lull.wait,
    truncation: truncation.report,
  };
}

/** All deliveries of a group come from the same sender by the same route, so the first one's actor speaks for all. */
async function takeTogether(ports: Ports, reads: Read[]): Promise<Intake[]> {
  const [first] = reads;
  if (!first) return [];
  const { sightings, outcomes, changes } = await ports.store.transaction(async (store) => {
    const sightings = await locate(
      store,
      reads.map(({ incoming }) => incoming),
    );
    const observed = await observeIn(
      ports,
      store,
      sightings.flatMap(({ observations }) => observations),
      first.actor,
    );
    const unknown = sightings.flatMap(({ unknown }) => unknown);
    if (unknown.length > 0) await store.unknownHosts.note(tally(unknown), ports.clock.now());
    return { sightings, ...observed };
  });
  await announce(ports, changes);
  const left = outcomes.values();
  return sightings.map((sighting, index) =>
    intakeOf(reads[index] as Read, sighting, [...left.take(sighting.observations.length)]),
  );
}

function intakeOf(
  { received, truncated, unreadable }: Read,
  { observations, unknown }: Sighting,
  outcomes: ObservationOutcome[],
): Intake {
  const count = (...kinds: string[]) => outcomes.filter((outcome) => kinds.includes(outcome as string)).length;
  return {
    received,
    created: count('created'),
    updated: count('updated', 'reopened'),
    resolved: count('resolved'),
    unchanged: count('unchanged'),
    ...(truncated > 0 && { truncated }),
    ignored: [
      ...unreadable,
      ...unknown.map(({ alertName, reason }) => ({ alertName, reason })),
      ...outcomes.flatMap((outcome, index) =>
        typeof outcome === 'object'
          ? [{ alertName: observations[index]?.alertName as string, reason: outcome.reason }]
          : [],
      ),
    ],
  };
}

/** The alerts of one delivery, by whether their endpoint is known. */
interface Sighting {
  observations: Observation[];
  unknown: Unassigned[];
}

/** An alert whose endpoint is not known, or not for certain. */
type Unassigned = IncomingAlert & { reason: string };

/** The endpoints of all deliveries together: one look-up where all are called by their hostnames, two otherwise. */
async function locate(store: Store, deliveries: IncomingAlert[][]): Promise<Sighting[]> {
  const alerts = deliveries.flat();
  const hosts = new Set(alerts.flatMap(({ hosts }) => hosts));
  const known = await knownEndpoints(store, [...hosts], (hostnames) =>
    alerts.every(({ hosts: [first = ''] }) => hostnames.has(first)),
  );
  return deliveries.map((incoming) => {
    const observations: Observation[] = [];
    const unknown: Unassigned[] = [];
    for (const alert of incoming) {
      const match = matchEndpoint(alert.hosts, known);
      if (match.kind !== 'found') {
        const reason =
          match.kind === 'none'
            ? `no endpoint ${alert.hosts[0]} is registered`
            : ambiguityText(
                match.host,
                match.among.map(({ hostname }) => hostname),
              );
        unknown.push({ ...alert, hosts: match.kind === 'none' ? alert.hosts : [match.host], reason });
        continue;
      }
      const { endpoint } = match;
      const { alertName, series, what } = alert;
      observations.push({ endpointId: endpoint.id, hostname: endpoint.hostname, alertName, series, ...what });
    }
    return { observations, unknown };
  });
}

function tally(unknown: readonly IncomingAlert[]): { hostname: string; alertName: string; count: number }[] {
  const groups = Map.groupBy(unknown, ({ hosts: [host], alertName }) => JSON.stringify([host, alertName]));
  return [...groups.values()].map((alerts) => ({
    hostname: alerts[0]?.hosts[0] as string,
    alertName: alerts[0]?.alertName as string,
    count: alerts.length,
  }));
}
