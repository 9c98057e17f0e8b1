/** What an owner answers to an offer, and what follows: a run, a rescan, a call for IT, or nothing at all. */
import {
  ANSWERABLE_IN,
  nextEvening,
  type OwnerRemedyStatus,
  type RemedyAnswer,
} from '../../domain/healing/ownerRemedy.ts';
import { NOT_SCANNED_FROM_HERE } from '../../domain/signals/telemetry.ts';
import type { Actor } from '../actor.ts';
import { announce } from '../alerts/alerting.ts';
import { AppError } from '../errors.ts';
import { answerFixCheck, hasSuccessor } from '../healing/answers.ts';
import { remediateAlert } from '../healing/begin.ts';
import { endpointOf, escalateIn } from '../healing/escalate.ts';
import type { Ports } from '../ports/ports.ts';
import type { OwnerRemedy } from '../ports/remedyPorts.ts';
import { scanOne } from '../scans/scanning.ts';
import { remedyMessage } from './remedyMessage.ts';

/** @throws AppError `not_found`, `conflict` when the answer comes too late, `refused` when the run is not possible now */
export async function answerRemedy(
  ports: Ports,
  id: string,
  answer: RemedyAnswer,
  actor: Actor,
  signal: AbortSignal,
): Promise<OwnerRemedy> {
  const remedy = await requireRemedy(ports, id);
  const from = ANSWERABLE_IN[answer];
  if (!from.includes(remedy.status)) throw tooLate(remedy);
  const answeredAt = ports.clock.now();
  const to = (status: OwnerRemedyStatus, more: Partial<OwnerRemedy> = {}) =>
    moved(ports, remedy, from, { status, answeredAt, ...more });
  switch (answer) {
    case 'now':
      await runRemedy(ports, remedy, actor);
      break;
    case 'tonight':
      await to('scheduled', { consent: actor, runAt: nextEvening(answeredAt, remedy.timeZone) });
      break;
    case 'not_now':
      await to('declined', { runAt: null, consent: null });
      break;
    case 'done':
      await to('checking');
      await check(ports, remedy, signal);
      break;
    case 'fixed':
      if (remedy.remediationId !== null) await answerFixCheck(ports, remedy.remediationId, true, actor);
      await to('fixed');
      break;
    case 'not_fixed':
      if (remedy.remediationId !== null) await answerFixCheck(ports, remedy.remediationId, false, actor);
      await escalateRemedy(ports, remedy, from, actor, `${actor.name} says that it is not fixed`);
      break;
    case 'help':
      await escalateRemedy(ports, remedy, from, actor, `${actor.name}, its owner, asks for help`);
      break;
  }
  return requireRemedy(ports, id);
}

/** Begins what the owner agreed to; the offer follows its remediation from then on. */
export async function runRemedy(ports: Ports, remedy: OwnerRemedy, actor: Actor): Promise<void> {
  const answeredAt = ports.clock.now();
  // Taken first, so that of two clicks one runs it.
  await moved(ports, remedy, ANSWERABLE_IN.now, { status: 'running', consent: actor, runAt: null, answeredAt }, false);
  try {
    const { id } = await remediateAlert(ports, remedy.alertId, false, actor, 'owner');
    await moved(ports, remedy, ['running'], { status: 'running', remediationId: id });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    ports.log.warn({ remedy_id: remedy.id, reason: error.message }, 'what an owner agreed to could not be run');
    await escalateRemedy(ports, remedy, ['running'], actor, `its owner agreed to a fix that could not run`, true);
  }
}

/** "I did it": a machine that is scanned from here shows at once whether it helped. */
async function check(ports: Ports, remedy: OwnerRemedy, signal: AbortSignal): Promise<void> {
  const endpoint = await endpointOf(ports.store, remedy);
  if (!endpoint || endpoint.collector in NOT_SCANNED_FROM_HERE) return;
  const { snapshot } = await scanOne(ports, endpoint.hostname, signal);
  // A machine that is restarting is scanned again with all others.
  if (!snapshot.reachable) return;
  const alert = await ports.store.alerts.get(remedy.alertId);
  const status = alert === null || alert.status === 'resolved' ? 'asking' : 'still_there';
  await moved(ports, remedy, ['checking'], { status });
}

/** Gives the problem to IT, with a ticket where there are tickets. @param fresh the owner has to notice */
export async function escalateRemedy(
  ports: Ports,
  remedy: OwnerRemedy,
  from: readonly OwnerRemedyStatus[],
  actor: Actor,
  why: string,
  fresh = false,
): Promise<boolean> {
  const { isMoved, changes } = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([remedy.endpointId]);
    const isMoved = await store.ownerRemedies.move(remedy.id, from, {
      status: 'escalated',
      answeredAt: ports.clock.now(),
    });
    if (!isMoved) return { isMoved, changes: null };
    const alert = await store.alerts.get(remedy.alertId);
    const endpoint = await endpointOf(store, remedy);
    const isTheirs = alert !== null && !(await hasSuccessor(store, alert, ports.clock.now()));
    const changes = isTheirs && endpoint ? await escalateIn(ports, store, alert, endpoint, why) : null;
    await store.outbox.add([remedyMessage(remedy, ports.ids.next(), fresh)], ports.clock.now());
    return { isMoved, changes };
  });
  ports.log.info({ remedy_id: remedy.id, by: actor.id }, 'an owner was referred to IT');
  if (changes) await announce(ports, changes);
  return isMoved;
}

async function moved(
  ports: Ports,
  remedy: OwnerRemedy,
  from: readonly OwnerRemedyStatus[],
  patch: Partial<OwnerRemedy>,
  isShown = true,
): Promise<void> {
  await ports.store.transaction(async ({ ownerRemedies, outbox }) => {
    if (!(await ownerRemedies.move(remedy.id, from, patch))) throw tooLate(remedy);
    if (isShown) await outbox.add([remedyMessage(remedy, ports.ids.next())], ports.clock.now());
  });
}

export async function requireRemedy({ store }: Pick<Ports, 'store'>, id: string): Promise<OwnerRemedy> {
  const remedy = await store.ownerRemedies.get(id);
  if (!remedy) throw new AppError('not_found', 'This offer is not known any more.', { remedy_id: id });
  return remedy;
}

function tooLate({ status }: OwnerRemedy): AppError {
  return new AppError('conflict', `This was answered already; it is ${status.replace('_', ' ')} now.`, { status });
}
