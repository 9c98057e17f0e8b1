/** Starts an agent to find out why a critical alert has opened; its answer goes where the alert was posted. */
import type { Alert } from '../../domain/alerts/alert.ts';
import { type Actor, jobActor } from '../actor.ts';
import { AppError } from '../errors.ts';
import { newPlannerJob } from '../planner/plannerJob.ts';
import type { Ports } from '../ports/ports.ts';
import { requestRun } from '../runs/runs.ts';

const TRIAGE_PROFILE = 'dex_triage';

/** Of alerts that come together the first few show what they share; an agent for each would only cost. */
const MOST_AT_ONCE = 5;

const ACTOR: Actor = jobActor(TRIAGE_PROFILE);

/** Sends agents to those of the new alerts that are critical; a failure never keeps healing from the alerts. */
export async function requestTriage(ports: Ports, alerts: readonly Alert[]): Promise<void> {
  const critical = alerts.filter(({ severity, status }) => severity === 'critical' && status === 'active');
  for (const alert of critical.slice(0, MOST_AT_ONCE)) {
    await investigate(ports, alert).catch((error: unknown) =>
      ports.log.error({ err: error, alert_id: alert.id }, 'no agent could be started for an alert'),
    );
  }
}

/** Alerts may be handed over a second time after a crash; the run's id makes that the same run. */
async function investigate(ports: Ports, alert: Alert): Promise<void> {
  const { id, alertName, hostname, alertType, message, labels, startsAt, flaps } = alert;
  const context = {
    hostname,
    alert_id: id,
    alert_name: alertName,
    alert_type: alertType,
    message,
    labels,
    starts_at: startsAt.toISOString(),
  };
  await requestRun(ports, ACTOR, 'planner', {
    id: `triage-${id}-${flaps}`,
    hostname,
    goal: `Find out why critical alert ${id} has opened on this endpoint, and what to do next.`,
    agentProfile: TRIAGE_PROFILE,
    state: newPlannerJob(ACTOR, { context, tell: `alert:${id}` }),
  }).catch((error: unknown) => {
    if (!(error instanceof AppError && error.kind === 'conflict')) throw error;
  });
}
