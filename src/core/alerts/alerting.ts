/** Alerts: observations from every source, people and time move them, each move committed with its timeline and its notifications. */
import { type Alert, type AlertEvent, isWorse, type Resolution } from '../../domain/alerts/alert.ts';
import {
  type AlertDraft,
  acknowledge,
  expireAcknowledgement,
  type Move,
  type Observation,
  observe,
  REOPEN_WINDOW_MS,
  type Refusal,
  resolve,
} from '../../domain/alerts/alertMoves.ts';
import { unacknowledge, undoResolution } from '../../domain/alerts/undo.ts';
import { isUnanswered } from '../../domain/escalation/policy.ts';
import type { Actor } from '../actor.ts';
import { cancelForResolved } from '../approvals.ts';
import { AppError } from '../errors.ts';
import { beginEscalations, endEscalations, escalates } from '../escalation/escalating.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';
import { closeTicketsIn } from './ticketUpdates.ts';

/** Alerts that one step of a job works on. */
const JOB_BATCH = 500;

/** What came of one observation. */
export type ObservationOutcome = Move['kind'] | Refusal;

/** Committed changes, to be announced once the transaction is over. */
export interface Changes {
  events: (AlertEvent & Pick<Alert, 'alertName'>)[];
  /** Whether alerts became active that healing has to handle. */
  raised: boolean;
}

/**
 * Takes observations of any source inside a running transaction; call `announce` after it. The outcomes are in their order. All
 * reading and writing is by batch, and the endpoints are locked meanwhile: of any number of equal deliveries the first makes the alert, the others find it.
 */
export async function observeIn(
  ports: Ports,
  store: Store,
  observations: readonly Observation[],
  actor: Actor,
): Promise<{ outcomes: ObservationOutcome[]; changes: Changes }> {
  const now = ports.clock.now();
  const held = await store.endpoints.hold([...new Set(observations.map(({ endpointId }) => endpointId))]);
  const identities = new Map(observations.map((observation) => [keyOf(observation), observation]));
  const reopenableSince = new Date(now.getTime() - REOPEN_WINDOW_MS);
  const known = new Map<string, AlertDraft>();
  for (const alert of await store.alerts.recent([...identities.values()], reopenableSince)) {
    const other = known.get(keyOf(alert));
    if (!other || isNewer(alert, other)) known.set(keyOf(alert), alert);
  }

  const changed = new Map<string, Change>();
  const outcomes = observations.map((observation): ObservationOutcome => {
    if (!held.has(observation.endpointId))
      return { kind: 'refused', reason: 'its endpoint is not registered any more' };
    const key = keyOf(observation);
    const move = observe(known.get(key) ?? null, observation, now);
    if (move.kind === 'refused') return move;
    if (move.kind !== 'unchanged') {
      const before = known.get(key);
      const earlier = changed.get(key);
      known.set(key, move.alert);
      changed.set(key, {
        alert: move.alert,
        events: [...(earlier?.events ?? []), ...eventsOf(move)],
        isWorse: earlier?.isWorse || (before !== undefined && isWorse(move.alert.severity, before.severity)),
      });
    }
    return move.kind;
  });
  return { outcomes, changes: await write(ports, store, [...changed.values()], actor, now, 'observed') };
}

/** An open alert counts for more than any resolved one, and a later one for more than an earlier. */
function isNewer(a: AlertDraft, b: AlertDraft): boolean {
  if (a.status !== 'resolved') return true;
  return b.status === 'resolved' && (a.resolvedAt?.getTime() ?? 0) > (b.resolvedAt?.getTime() ?? 0);
}

function keyOf({ hostname, alertName }: Pick<Alert, 'hostname' | 'alertName'>): string {
  return `${hostname}\n${alertName}`;
}

interface Change {
  alert: AlertDraft;
  events: NonNullable<Move['event']>[];
  /** Whether its severity went up. */
  isWorse?: boolean;
}

function eventsOf({ event }: Move): NonNullable<Move['event']>[] {
  return event ? [event] : [];
}

/**
 * Writes alerts, their timelines, their notifications, and closes the tickets of those that ended.
 * @param what only a source changes what was observed; people, healing and time change where an alert stands
 */
async function write(
  ports: Ports,
  store: Store,
  changes: Change[],
  actor: Actor,
  now: Date,
  what: 'observed' | 'progress' = 'progress',
): Promise<Changes> {
  const created = changes.filter(({ alert }) => alert.id === null);
  const ids = await store.alerts.add(created.map(({ alert }) => alert));
  const idOf = new Map(created.map(({ alert }, index) => [alert, ids[index] as number]));
  const stored = changes.map(({ alert, events, isWorse = false }) => ({
    alert: { ...alert, id: alert.id ?? (idOf.get(alert) as number) },
    events,
    isWorse,
  }));
  const known = stored.filter((_change, index) => changes[index]?.alert.id !== null).map(({ alert }) => alert);
  await (what === 'observed' ? store.alerts.save(known) : store.alerts.saveProgress(known));

  const events = stored.flatMap(({ alert, events }) =>
    events.map((event) => ({ ...event, alertId: alert.id, at: now, actor: actor.id, via: actor.via })),
  );
  await store.alerts.addEvents(events);
  const ended = stored.flatMap(({ alert, events }) => {
    const end = events.findLast(({ from, to }) => from !== 'resolved' && to === 'resolved');
    return end && alert.status === 'resolved' ? [{ alert, why: end.why }] : [];
  });
  await closeTicketsIn(ports, store, ended);
  const severities = new Map(stored.map(({ alert }) => [alert.id, alert.severity]));
  await store.outbox.add(
    ports.settings.alertMessengers.flatMap((messenger) =>
      events.map(({ alertId, from, to, why }) => ({
        messenger,
        kind: from === null ? ('raised' as const) : ('changed' as const),
        subject: `alert:${alertId}`,
        idempotencyKey: ports.ids.next(),
        payload: { alert_id: alertId, from, to, why, severity: severities.get(alertId) },
      })),
    ),
    now,
  );
  await escalate(ports, store, stored);
  const names = new Map(stored.map(({ alert }) => [alert.id, alert.alertName]));
  return {
    events: events.map((event) => ({ ...event, alertName: names.get(event.alertId) as string })),
    raised: stored.some(({ alert, events }) => alert.handledAt === null && events.some(({ to }) => to === 'active')),
  };
}

/** Reaches people about alerts that begin to wait for somebody, or wait for more than before, and nobody about those that were answered. */
async function escalate(
  ports: Ports,
  store: Store,
  changes: readonly { alert: Alert; events: readonly NonNullable<Move['event']>[]; isWorse: boolean }[],
): Promise<void> {
  if (!escalates(ports)) return;
  const begin: Alert[] = [];
  const answered: number[] = [];
  for (const { alert, events, isWorse } of changes) {
    const [first] = events;
    if (!first) continue;
    const waited = first.from !== null && isUnanswered(first.from);
    const waits = isUnanswered(alert.status);
    if (waits && (!waited || isWorse)) begin.push(alert);
    else if (waited && !waits) answered.push(alert.id);
  }
  await endEscalations(ports, store, 'alert', answered);
  if (begin.length === 0) return;
  const endpoints = await store.endpoints.byIds([...new Set(begin.map(({ endpointId }) => endpointId))]);
  const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
  await beginEscalations(
    ports,
    store,
    begin.map(({ id, severity, endpointId }) => ({
      about: 'alert' as const,
      id,
      severity,
      endpoint: byId.get(endpointId) ?? null,
    })),
  );
}

/** Moves inside a running transaction that holds the alerts' endpoints; call `announce` after it. */
export function writeMoves(ports: Ports, store: Store, moves: readonly Move<Alert>[], actor: Actor): Promise<Changes> {
  const changes = moves.map((move) => ({ alert: move.alert, events: eventsOf(move) }));
  return write(ports, store, changes, actor, ports.clock.now());
}

/** What is only announced and never stored: call it when the transaction is over. */
export async function announce(ports: Ports, { events, raised }: Changes): Promise<void> {
  for (const { alertName, from, to } of events) ports.metrics.alertMoved(alertName, from ?? 'none', to);
  const over = events.filter(({ from, to }) => from === 'pending_approval' && to === 'resolved');
  await cancelForResolved(
    ports,
    over.map(({ alertId }) => alertId),
  );
  if (!raised || !ports.healing) return;
  // The marks on the alerts stand: what the queue does not hear of now is found at the next maintenance.
  await ports.queue.enqueueOnce('handle_alerts').catch((error: unknown) => {
    ports.log.warn({ err: error }, 'new alerts wait for the next maintenance, because the queue does not answer');
  });
}

/**
 * Quiets an alert.
 * @param until null for as long as the problem holds
 * @throws AppError `not_found`, or `conflict` when the alert is not in a state to be acknowledged
 */
export function acknowledgeAlert(
  ports: Ports,
  alertId: number,
  until: Date | null,
  why: string,
  actor: Actor,
): Promise<Alert> {
  return moveOne(ports, alertId, actor, 'acknowledged', (alert, now) => acknowledge(alert, actor.id, until, why, now));
}

/** Ends an alert because a person or a ticket says so. @throws AppError `not_found`, or `conflict` when it is resolved already */
export function resolveAlert(
  ports: Ports,
  alertId: number,
  resolution: Resolution,
  why: string,
  actor: Actor,
): Promise<Alert> {
  return moveOne(ports, alertId, actor, 'resolved', (alert, now) => resolve(alert, resolution, why, now));
}

/** Takes back a resolution by hand within a minute. @throws AppError `not_found`, or `conflict` when there is none or it is too late */
export function reopenAlert(ports: Ports, alertId: number, why: string, actor: Actor): Promise<Alert> {
  return moveOne(ports, alertId, actor, 'opened again', (alert, now) => undoResolution(alert, why, now));
}

/** Ends an acknowledgement before its time. @throws AppError `not_found`, or `conflict` when there is none */
export function unacknowledgeAlert(ports: Ports, alertId: number, why: string, actor: Actor): Promise<Alert> {
  return moveOne(ports, alertId, actor, 'made active', (alert, now) => unacknowledge(alert, why, now));
}

async function moveOne(
  ports: Ports,
  alertId: number,
  actor: Actor,
  wanted: string,
  move: (alert: Alert, now: Date) => Move<Alert> | Refusal,
): Promise<Alert> {
  const { alert, changes } = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([(await requireAlert(store, alertId)).endpointId]);
    const before = await requireAlert(store, alertId);
    const now = ports.clock.now();
    const moved = move(before, now);
    if (moved.kind === 'refused') {
      throw new AppError(
        'conflict',
        `Alert ${alertId} (${before.alertName} on ${before.hostname}) cannot be ${wanted}: ${moved.reason}.`,
        { alert_id: alertId, status: before.status },
      );
    }
    const change = { alert: moved.alert, events: eventsOf(moved) };
    return { alert: moved.alert, changes: await write(ports, store, [change], actor, now) };
  });
  await announce(ports, changes);
  return alert;
}

export async function requireAlert(store: Store, alertId: number): Promise<Alert> {
  const alert = await store.alerts.get(alertId);
  if (!alert) {
    const next = [{ to: 'List the open ones', tool: 'list_alerts' }];
    throw new AppError('not_found', `There is no alert ${alertId}.`, { alert_id: alertId }, { next });
  }
  return alert;
}

/** Wakes the alerts whose snooze is over; returns how many. */
export async function expireAcknowledgements(ports: Ports, actor: Actor): Promise<number> {
  let woken = 0;
  for (;;) {
    const now = ports.clock.now();
    const due = await ports.store.alerts.silenceOver(now, JOB_BATCH);
    if (due.length === 0) return woken;
    const changes = await ports.store.transaction(async (store) => {
      await store.endpoints.hold([...new Set(due.map(({ endpointId }) => endpointId))]);
      const stillDue = await store.alerts.silenceOver(now, JOB_BATCH);
      const moves = stillDue.flatMap((alert) =>
        due.some(({ id }) => id === alert.id) ? (expireAcknowledgement(alert, now) ?? []) : [],
      );
      woken += moves.length;
      return write(
        ports,
        store,
        moves.map((move) => ({ alert: move.alert, events: eventsOf(move) })),
        actor,
        now,
      );
    });
    await announce(ports, changes);
  }
}

/** Ends what is open on an endpoint that is watched no more, inside the transaction that says so. */
export async function resolveAllOf(ports: Ports, store: Store, endpointId: number, actor: Actor): Promise<Changes> {
  const now = ports.clock.now();
  await store.endpoints.hold([endpointId]);
  const changes = (await store.alerts.open([endpointId])).flatMap((alert) => {
    const move = resolve(alert, 'deregistered', `${alert.hostname} is not watched any more`, now);
    return move.kind === 'refused' ? [] : [{ alert: move.alert, events: eventsOf(move) }];
  });
  return write(ports, store, changes, actor, now);
}
