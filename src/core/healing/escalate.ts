/** Escalating: an alert that self-healing does not end goes to a person, with a ticket. */
import type { Alert, Severity } from '../../domain/alerts/alert.ts';
import { advance, type Move } from '../../domain/alerts/alertMoves.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { type Actor, jobActor } from '../actor.ts';
import { announce, type Changes, requireAlert, writeMoves } from '../alerts/alerting.ts';
import { openTicketIn } from '../alerts/ticketUpdates.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

/** Who acts when healing does. */
export const HEALER: Actor = jobActor('healing');

export interface ForPeople {
  alert: Alert;
  endpoint: Endpoint;
  why: string;
  severity: Severity;
}

export async function giveToPerson(ports: Ports, alertId: number, why: string): Promise<void> {
  const alert = await requireAlert(ports.store, alertId);
  const [endpoint] = await ports.store.endpoints.byIds([alert.endpointId]);
  if (endpoint) await giveToPeople(ports, [{ alert, endpoint, why, severity: alert.severity }]);
}

/** Gives alerts to people, those that are active; all are handled then, but for those that moved meanwhile: their turn comes again. */
export async function giveToPeople(ports: Ports, batch: readonly ForPeople[]): Promise<void> {
  const changes = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([...new Set(batch.map(({ endpoint }) => endpoint.id))]);
    const unmoved = await store.alerts.unmoved(batch.map(({ alert }) => alert));
    const moves: Move<Alert>[] = [];
    for (const { alert, endpoint, why, severity } of batch) {
      if (!unmoved.has(alert.id)) continue;
      const move = alert.status === 'active' && (await escalationIn(ports, store, alert, endpoint, why, severity));
      moves.push(handled(ports, move || unchanged(alert)));
    }
    return writeMoves(ports, store, moves, HEALER);
  });
  await announce(ports, changes);
}

/** The mark goes with the move: an alert that comes back a moment later is new again, and keeps being so. */
export function handled(ports: Ports, move: Move<Alert>): Move<Alert> {
  return { ...move, alert: { ...move.alert, handledAt: ports.clock.now() } };
}

function unchanged(alert: Alert): Move<Alert> {
  return { kind: 'unchanged', alert, event: null };
}

/** Gives an alert to a person, with a ticket. Null when its status does not let it go there. */
export async function escalateIn(
  ports: Ports,
  store: Store,
  alert: Alert,
  endpoint: Endpoint,
  why: string,
): Promise<Changes | null> {
  const move = await escalationIn(ports, store, alert, endpoint, why, alert.severity);
  return move && writeMoves(ports, store, [handled(ports, move)], HEALER);
}

/** The same, with the move left to write. */
async function escalationIn(
  ports: Ports,
  store: Store,
  alert: Alert,
  endpoint: Endpoint,
  why: string,
  severity: Severity,
): Promise<Move<Alert> | null> {
  const move = advance(alert, 'needs_human', why, ports.clock.now());
  if (move.kind === 'refused') return null;
  await openTicketIn(ports, store, alert, endpoint, why, severity);
  return move;
}

export async function endpointOf(store: Store, alert: Pick<Alert, 'endpointId'>): Promise<Endpoint | null> {
  const [endpoint] = await store.endpoints.byIds([alert.endpointId]);
  return endpoint && endpoint.deregisteredAt === null ? endpoint : null;
}
