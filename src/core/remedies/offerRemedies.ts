/** Offers to owners: who is written to, what is prepared first, and what becomes of an offer without anybody's click. */

import { type Alert, isWorse } from '../../domain/alerts/alert.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import {
  localDay,
  OFFER_AFTER_MS,
  type OwnerRemedyStatus,
  PREVIEW_WITHIN_MS,
  SAME_PROBLEM_AGAIN_AFTER_MS,
  WATCHED_REMEDY_STATUSES,
} from '../../domain/healing/ownerRemedy.ts';
import { isOpenRemediation, type Remediation } from '../../domain/healing/remediation.ts';
import { isWorkingTime, sample } from '../../domain/people/survey.ts';
import { AppError } from '../errors.ts';
import { ownersPlan, remediateAlert } from '../healing/begin.ts';
import { decide } from '../healing/decide.ts';
import { endpointOf, HEALER } from '../healing/escalate.ts';
import type { Ports } from '../ports/ports.ts';
import type { OwnerRemedy } from '../ports/remedyPorts.ts';
import { escalateRemedy, runRemedy } from './answerRemedy.ts';
import { remedyMessage } from './remedyMessage.ts';

const HOUR_MS = 3_600_000;

/** Owners looked up in one round, so that a directory with a rate limit (Slack: about 50 a minute) can keep up. */
const LOOK_UPS = 40;

/** Beginning a remediation takes no longer. Milliseconds. */
const BEGIN_WITHIN_MS = 120_000;

/** The end of one working day and the beginning of the next are further apart. */
const NOT_ASKED_FOR_MS = 16 * HOUR_MS;

/** One round: new offers to owners at work, and every offer under way a step further. */
export async function maintainOwnerRemedies(ports: Ports, now: Date): Promise<{ offered: number; moved: number }> {
  const moved = await advanceOwnerRemedies(ports, now);
  return { offered: ports.settings.ownerRemedies && ports.people ? await offerRemedies(ports, now) : 0, moved };
}

/** Takes every offer under way a step further; returns how many moved. */
export async function advanceOwnerRemedies(ports: Ports, now: Date): Promise<number> {
  let moved = 0;
  for (const remedy of await ports.store.ownerRemedies.inStatus(WATCHED_REMEDY_STATUSES)) {
    // One broken offer leaves the others standing.
    moved += await advanceRemedy(ports, remedy, now).catch((error: unknown) => {
      if (error instanceof AppError && error.kind === 'unavailable') throw error;
      ports.log.error({ err: error, remedy_id: remedy.id }, 'an offer to an owner could not go on');
      return 0;
    });
  }
  return moved;
}

/**
 * Offers at once what the owner of a machine asks for.
 * @throws AppError `not_found` when nothing of the machine is for its owner to do
 */
export async function offerWhenAsked(ports: Ports, endpoint: Endpoint, email: string, now: Date): Promise<OwnerRemedy> {
  const { map } = ports.remediationMap.current();
  const open = await ports.store.alerts.open([endpoint.id]);
  const [alert] = open
    .filter(({ alertName, status }) => map.get(alertName)?.forOwner !== undefined && status !== 'remediating')
    .sort(byWeight);
  if (!alert) throw new AppError('not_found', `Nothing is left for you to do on ${endpoint.hostname}.`);
  const person = await ports.people?.lookup(email).catch(() => null);
  const timeZone = person?.timeZone ?? ports.settings.timeZone;
  const remedy = await offer(ports, alert, { email, day: null, timeZone }, now);
  if (!remedy) throw new AppError('conflict', 'It was offered to you already.');
  return remedy;
}

async function offerRemedies(ports: Ports, now: Date): Promise<number> {
  const { map } = ports.remediationMap.current();
  const alertNames = [...map].filter(([, { forOwner }]) => forOwner !== undefined).map(([name]) => name);
  if (alertNames.length === 0) return 0;
  const found = await ports.store.ownerRemedies.candidates({
    alertNames,
    raisedBefore: new Date(now.getTime() - OFFER_AFTER_MS),
    notAskedSince: new Date(now.getTime() - NOT_ASKED_FOR_MS),
    notAboutItSince: new Date(now.getTime() - SAME_PROBLEM_AGAIN_AFTER_MS),
  });
  // By lot, so that those who are asleep do not keep the others from being looked up.
  const owners = sample([...Map.groupBy(found, ({ email }) => email)], 100, ports.random).slice(0, LOOK_UPS);
  let offered = 0;
  for (const [email, candidates] of owners) {
    const timeZone = await zoneAtWork(ports, email, now);
    if (timeZone === null) continue;
    const alerts = await ports.store.alerts.byIds(candidates.map(({ alertId }) => alertId));
    const [alert] = alerts.sort(byWeight);
    if (alert && (await offer(ports, alert, { email, day: localDay(now, timeZone), timeZone }, now))) offered++;
  }
  return offered;
}

/** The worst first, of equals the oldest. */
function byWeight(a: Alert, b: Alert): number {
  if (a.severity !== b.severity) return isWorse(a.severity, b.severity) ? -1 : 1;
  return a.createdAt.getTime() - b.createdAt.getTime();
}

/** The zone of somebody who is at work now; null for all others. */
async function zoneAtWork({ people, log }: Ports, email: string, now: Date): Promise<string | null> {
  try {
    const person = await people?.lookup(email);
    return person && isWorkingTime(now, person.timeZone) ? person.timeZone : null;
  } catch (error) {
    log.warn({ err: error }, 'an owner cannot be looked up now; their offer waits');
    return null;
  }
}

/** @returns null when this owner was offered something on that day already */
async function offer(
  ports: Ports,
  alert: Alert,
  to: Pick<OwnerRemedy, 'email' | 'day' | 'timeZone'>,
  now: Date,
): Promise<OwnerRemedy | null> {
  const remedy: OwnerRemedy = {
    id: ports.ids.next(),
    alertId: alert.id,
    alertName: alert.alertName,
    endpointId: alert.endpointId,
    hostname: alert.hostname,
    ...to,
    status: 'preparing',
    previewId: null,
    remediationId: null,
    runAt: null,
    consent: null,
    createdAt: now,
    answeredAt: null,
  };
  // The row comes first: who dies after it has at worst not offered anything today.
  if (!(await ports.store.ownerRemedies.add(remedy))) return null;
  const previewId = await preview(ports, alert);
  if (previewId === null) await publish(ports, remedy, ['preparing'], { status: 'offered' });
  else await ports.store.ownerRemedies.move(remedy.id, ['preparing'], { previewId });
  return remedy;
}

/** Begins the dry run of what the owner may run; null when there is no such thing. */
async function preview(ports: Ports, alert: Alert): Promise<string | null> {
  const endpoint = await endpointOf(ports.store, alert);
  if (!endpoint || !ports.remediationMap.current().map.get(alert.alertName)?.ownerMayRun) return null;
  const decision = await decide(ports, alert, endpoint);
  if ('why' in decision || ownersPlan(ports, alert.alertName, decision.plan) === null) return null;
  return (await remediateAlert(ports, alert.id, true, HEALER)).id;
}

/** Moves an offer and has its message say so, both or neither; false when it had moved meanwhile. */
async function publish(
  ports: Ports,
  remedy: OwnerRemedy,
  from: readonly OwnerRemedyStatus[],
  patch: Partial<OwnerRemedy> & { status: OwnerRemedyStatus },
  fresh = false,
): Promise<boolean> {
  const now = ports.clock.now();
  return ports.store.transaction(async ({ ownerRemedies, outbox }) => {
    if (!(await ownerRemedies.move(remedy.id, from, patch))) return false;
    await outbox.add([remedyMessage(remedy, ports.ids.next(), fresh)], now);
    return true;
  });
}

/** Takes an offer one step further, as what happened meanwhile allows. @returns 1 when it moved */
async function advanceRemedy(ports: Ports, remedy: OwnerRemedy, now: Date): Promise<number> {
  const { status } = remedy;
  if (status === 'preparing') return (await previewEnded(ports, remedy, now)) ? move({ status: 'offered' }) : 0;
  if (status === 'running') return afterRun(ports, remedy);
  if (status === 'asking') return 0;
  const alert = await ports.store.alerts.get(remedy.alertId);
  const isOver = alert === null || alert.status === 'resolved';
  if (status === 'escalated' || status === 'taken') {
    if (isOver) return move({ status: 'asking' }, true);
    return status === 'escalated' && alert.status === 'acknowledged' ? move({ status: 'taken' }, true) : 0;
  }
  if (status === 'checking') return isOver ? move({ status: 'asking' }, true) : stillThere();
  if (isOver) return move({ status: 'over' });
  if (status === 'scheduled' && remedy.runAt !== null && remedy.runAt <= now && remedy.consent !== null) {
    await runRemedy(ports, remedy, remedy.consent);
    return 1;
  }
  return 0;

  async function move(patch: Partial<OwnerRemedy> & { status: OwnerRemedyStatus }, fresh = false): Promise<number> {
    return (await publish(ports, remedy, [status], patch, fresh)) ? 1 : 0;
  }

  /** Its own agent scans it: the first scan since the owner's "I did it" shows. */
  async function stillThere(): Promise<number> {
    const latest = (await ports.store.snapshots.latest([remedy.endpointId])).get(remedy.endpointId);
    const isSeen = latest !== undefined && remedy.answeredAt !== null && latest.collectedAt > remedy.answeredAt;
    return isSeen ? move({ status: 'still_there' }, true) : 0;
  }
}

async function previewEnded({ store }: Ports, { previewId, createdAt }: OwnerRemedy, now: Date): Promise<boolean> {
  if (now.getTime() - createdAt.getTime() > PREVIEW_WITHIN_MS) return true;
  const dryRun = previewId === null ? null : await store.remediations.get(previewId);
  return dryRun !== null && !isOpenRemediation(dryRun);
}

/** What runs for an offer, found again when the process died between the click and the note of it. */
async function remediationOf(
  { store, clock }: Ports,
  { id, alertId, remediationId, consent, answeredAt }: OwnerRemedy,
): Promise<Remediation | 'beginning' | null> {
  if (remediationId !== null) return store.remediations.get(remediationId);
  if (clock.now().getTime() - (answeredAt?.getTime() ?? 0) < BEGIN_WITHIN_MS) return 'beginning';
  const latest = await store.remediations.get((await store.alerts.get(alertId))?.remediationRunId ?? '');
  if (!latest || latest.requestedBy !== consent?.id) return null;
  await store.ownerRemedies.move(id, ['running'], { remediationId: latest.id });
  return latest;
}

/** The remediation has ended: the rescan found it over, or a person has it by now. */
async function afterRun(ports: Ports, remedy: OwnerRemedy): Promise<number> {
  const remediation = await remediationOf(ports, remedy);
  // It is being begun.
  if (remediation === 'beginning') return 0;
  if (remediation && isOpenRemediation(remediation)) return 0;
  if (remediation?.status === 'fixed')
    return (await publish(ports, remedy, ['running'], { status: 'asking' }, true)) ? 1 : 0;
  const why = remediation ? `${remediation.playbook} did not fix it` : 'its remediation could not be started';
  return (await escalateRemedy(ports, remedy, ['running'], HEALER, why, true)) ? 1 : 0;
}
