/** A case for IT: what an employee reports about their machine becomes an alert with the diagnosis, and ends with their word. */
import type { Severity } from '../../domain/alerts/alert.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { REPORTED_PROBLEM } from '../../domain/healing/ownerRemedy.ts';
import type { Actor } from '../actor.ts';
import { announce, type Changes, observeIn } from '../alerts/alerting.ts';
import { clipped } from '../characters.ts';
import { diagnoseMachine } from '../diagnosis/diagnoseMachine.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { OwnerRemedy } from '../ports/remedyPorts.ts';
import type { Store } from '../ports/storePorts.ts';
import { remedyMessage } from './remedyMessage.ts';

/** How much a problem keeps somebody from their work; `stopped` is the worst. */
export const IMPACTS = ['annoying', 'slower', 'stopped'] as const;
type Impact = (typeof IMPACTS)[number];

interface Report {
  /** What happens; null when nothing was said. */
  text: string | null;
  /** Since when, as it was typed. */
  since: string | null;
  impact: Impact;
}

/** Keeps the alert apart from what scans and sources raise: only people end it. */
const REPORT_SERIES = 'report';
const MOST_TEXT = 300;
const SEVERITY_OF: Record<Impact, Severity> = { annoying: 'warning', slower: 'warning', stopped: 'critical' };
const IMPACT_TEXT: Record<Impact, string> = {
  annoying: 'an annoyance',
  slower: 'work takes longer',
  stopped: 'work is not possible',
};

/**
 * Opens the case, or adds to the one that is open; the reporter is written to as it goes on.
 * @returns the alert's number
 * @throws AppError `not_found` when the machine left the fleet meanwhile
 */
export async function openCase(ports: Ports, endpoint: Endpoint, actor: Actor, report: Report): Promise<number> {
  const now = ports.clock.now();
  const { causes } = await diagnoseMachine(ports, endpoint, now);
  const found = causes[0] ? `What the scan shows: ${causes[0].title}.` : 'The scan shows nothing unusual.';
  const message = `${reportText(actor.name, report)} ${found}`;
  const { id: endpointId, hostname } = endpoint;
  const identity = { endpointId, hostname, alertName: REPORTED_PROBLEM };
  const email = actor.email?.toLowerCase() ?? endpoint.ownerEmail;
  const { alertId, changes } = await ports.store.transaction(async (store) => {
    const { outcomes, changes } = await observeIn(
      ports,
      store,
      [
        {
          ...identity,
          series: REPORT_SERIES,
          state: 'firing',
          alertType: 'metric',
          severity: SEVERITY_OF[report.impact],
          message,
          labels: {},
          startsAt: null,
        },
      ],
      actor,
    );
    const known = await store.alerts.recent([identity], now);
    const alert = known.find(({ status }) => status !== 'resolved');
    if (!alert) throw new AppError('not_found', `${hostname} is not registered any more.`, { hostname });
    const isFurther = outcomes[0] === 'updated' || outcomes[0] === 'unchanged';
    if (isFurther) await addReport(ports, store, alert, actor, message, changes);
    if (email !== null) await followCase(ports, store, { ...identity, alertId: alert.id, email }, actor);
    return { alertId: alert.id, changes };
  });
  await announce(ports, changes);
  return alertId;
}

function reportText(name: string, { text, since, impact }: Report): string {
  const what = clipped(text ?? 'it works badly', MOST_TEXT).replace(/[.\s]+$/, '');
  const when = since === null ? '' : `since ${clipped(since, MOST_TEXT).replace(/^since /i, '')}, `;
  return `${name} reports: ${what} (${when}${IMPACT_TEXT[impact]}).`;
}

/** What is reported about a case that is open already is kept in its timeline, and shown to who works on it. */
async function addReport(
  ports: Ports,
  store: Store,
  alert: { id: number; status: Changes['events'][number]['to'] },
  actor: Actor,
  message: string,
  { events }: Changes,
): Promise<void> {
  if (!events.some(({ why }) => why === message)) {
    const stays = { from: alert.status, to: alert.status };
    await store.alerts.addEvents([
      { alertId: alert.id, at: ports.clock.now(), ...stays, actor: actor.id, via: actor.via, why: message },
    ]);
  }
  await store.outbox.add(
    ports.settings.alertMessengers.map((messenger) => ({
      messenger,
      kind: 'changed' as const,
      subject: `alert:${alert.id}`,
      idempotencyKey: ports.ids.next(),
      payload: { note: message },
    })),
    ports.clock.now(),
  );
}

/** Has the reporter told how it goes on, once for a case. */
async function followCase(
  ports: Ports,
  store: Store,
  about: Pick<OwnerRemedy, 'alertId' | 'alertName' | 'endpointId' | 'hostname' | 'email'>,
  actor: Actor,
): Promise<void> {
  const open = await store.ownerRemedies.inStatus(['escalated', 'taken']);
  if (open.some(({ alertId, email }) => alertId === about.alertId && email === about.email)) return;
  const now = ports.clock.now();
  const remedy: OwnerRemedy = {
    id: ports.ids.next(),
    ...about,
    day: null,
    timeZone: actor.timeZone ?? ports.settings.timeZone,
    status: 'escalated',
    previewId: null,
    remediationId: null,
    runAt: null,
    consent: null,
    createdAt: now,
    answeredAt: now,
  };
  await store.ownerRemedies.add(remedy);
  await store.outbox.add([remedyMessage(remedy, 'reported', true)], now);
}
