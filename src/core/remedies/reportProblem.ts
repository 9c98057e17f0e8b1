/** A case for IT: what an employee reports about their machine becomes an alert with the diagnosis, and ends with their word. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { REPORTED_PROBLEM } from '../../domain/healing/ownerRemedy.ts';
import type { Actor } from '../actor.ts';
import { announce, observeIn } from '../alerts/alerting.ts';
import { clipped } from '../characters.ts';
import { diagnoseMachine } from '../diagnosis/diagnoseMachine.ts';
import type { Ports } from '../ports/ports.ts';
import { remedyMessage } from './remedyMessage.ts';

/** Keeps the alert apart from what scans and sources raise: only people end it. */
const REPORT_SERIES = 'report';
const MOST_TEXT = 300;

/** Opens the case, or adds to the one that is open; the reporter is written to as it goes on. @returns the alert's number */
export async function openCase(ports: Ports, endpoint: Endpoint, actor: Actor, text: string | null): Promise<number> {
  const now = ports.clock.now();
  const { causes } = await diagnoseMachine(ports, endpoint, now);
  const found = causes[0] ? ` What the scan shows: ${causes[0].title}.` : ' The scan shows nothing unusual.';
  const message = `${actor.name} reports: ${clipped(text ?? 'it works badly', MOST_TEXT)}.${found}`;
  const { id, hostname, ownerEmail } = endpoint;
  const identity = { endpointId: id, hostname, alertName: REPORTED_PROBLEM };
  const email = actor.email?.toLowerCase() ?? ownerEmail;
  const { alertId, changes } = await ports.store.transaction(async (store) => {
    const { changes } = await observeIn(
      ports,
      store,
      [
        {
          ...identity,
          series: REPORT_SERIES,
          state: 'firing',
          alertType: 'metric',
          severity: 'warning',
          message,
          labels: {},
          startsAt: null,
        },
      ],
      actor,
    );
    const known = await store.alerts.recent([identity], now);
    const alertId = known.find(({ status }) => status !== 'resolved')?.id ?? 0;
    const open = (await store.ownerRemedies.inStatus(['escalated', 'taken'])).some((it) => it.alertId === alertId);
    if (email !== null && !open) {
      const remedy = {
        id: ports.ids.next(),
        alertId,
        alertName: REPORTED_PROBLEM,
        endpointId: id,
        hostname,
        email,
        day: null,
        timeZone: actor.timeZone ?? ports.settings.timeZone,
        status: 'escalated' as const,
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
    return { alertId, changes };
  });
  await announce(ports, changes);
  return alertId;
}
