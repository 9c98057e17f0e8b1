/** Several alerts moved in one step: those named by id, or all that are open on one machine. */
import type { Alert } from '../../domain/alerts/alert.ts';
import { acknowledge, type Move, type Refusal, resolve } from '../../domain/alerts/alertMoves.ts';
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import { registeredName } from '../fleet/hostLookup.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';
import { announce, writeMoves } from './alerting.ts';

/** By id, or all open ones of a machine, of one name where it is given. */
export type AlertChoice = { alertIds: readonly number[] } | { hostname: string; alertName?: string | undefined };

export interface ManyMoved {
  moved: Alert[];
  /** Those that stay as they are, and why. */
  refused: { alert: Alert; reason: string }[];
}

/** @param until null for as long as the problem holds @throws AppError `not_found` when one of the ids is no alert's */
export function acknowledgeMany(
  ports: Ports,
  choice: AlertChoice,
  until: Date | null,
  why: string,
  actor: Actor,
): Promise<ManyMoved> {
  return moveMany(ports, choice, actor, (alert, now) => acknowledge(alert, actor.id, until, why, now));
}

/** @throws AppError `not_found` when one of the ids is no alert's */
export function resolveMany(ports: Ports, choice: AlertChoice, why: string, actor: Actor): Promise<ManyMoved> {
  return moveMany(ports, choice, actor, (alert, now) => resolve(alert, 'person', why, now));
}

async function moveMany(
  ports: Ports,
  choice: AlertChoice,
  actor: Actor,
  move: (alert: Alert, now: Date) => Move<Alert> | Refusal,
): Promise<ManyMoved> {
  const { changes, ...result } = await ports.store.transaction(async (store) => {
    const chosen = await chosenAlerts(store, choice);
    await store.endpoints.hold([...new Set(chosen.map(({ endpointId }) => endpointId))]);
    // Read again now that nobody else changes them.
    const alerts = await store.alerts.byIds(chosen.map(({ id }) => id));
    const now = ports.clock.now();
    const moved: Move<Alert>[] = [];
    const refused: ManyMoved['refused'] = [];
    for (const alert of alerts) {
      const outcome = move(alert, now);
      if (outcome.kind === 'refused') refused.push({ alert, reason: outcome.reason });
      else moved.push(outcome);
    }
    const changes = await writeMoves(ports, store, moved, actor);
    return { moved: moved.map(({ alert }) => alert), refused, changes };
  });
  await announce(ports, changes);
  return result;
}

async function chosenAlerts(store: Store, choice: AlertChoice): Promise<Alert[]> {
  if ('alertIds' in choice) {
    const ids = [...new Set(choice.alertIds)];
    const found = await store.alerts.byIds(ids);
    const missing = ids.filter((id) => !found.some((alert) => alert.id === id));
    if (missing.length === 0) return found;
    throw new AppError(
      'not_found',
      `There is no alert ${missing.join(', ')}; nothing was changed.`,
      { alert_ids: missing },
      { next: [{ to: 'List the open ones', tool: 'list_alerts' }] },
    );
  }
  const endpoint = await store.endpoints.get(await registeredName(store, choice.hostname));
  const open = endpoint ? await store.alerts.open([endpoint.id]) : [];
  const wanted = choice.alertName?.toLowerCase();
  return wanted === undefined ? open : open.filter(({ alertName }) => alertName.toLowerCase() === wanted);
}
