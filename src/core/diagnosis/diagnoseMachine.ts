/** Diagnoses one machine: gathers what is known of it and of its peers, and adds what helps to each cause. */

import type { Alert } from '../../domain/alerts/alert.ts';
import type { AlertRule } from '../../domain/alerts/alertRules.ts';
import { diagnose } from '../../domain/diagnosis/diagnose.ts';
import type { DiagnosedCause, Diagnosis, KnownAlert } from '../../domain/diagnosis/diagnosis.ts';
import { USUAL_DAYS } from '../../domain/diagnosis/usual.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { PREDICTIVE_ALERT_NAMES } from '../../domain/forecasts/predictiveAlert.ts';
import { TREND_METRICS } from '../../domain/forecasts/trendRules.ts';
import { wireName } from '../../domain/signals/catalogue.ts';
import type { Ports } from '../ports/ports.ts';
import { peersOf } from './peers.ts';
import { type Remedy, remediesFor } from './remedies.ts';

const DAY_MS = 86_400_000;

interface MachineDiagnosis extends Omit<Diagnosis, 'causes'> {
  causes: (DiagnosedCause & Remedy & { alerts: Alert[] })[];
  /** What the peers have in common with the machine. */
  peersAlike: string;
}

type DiagnosisPorts = Pick<Ports, 'store' | 'settings' | 'scoreRules' | 'remediationMap' | 'runbooks' | 'log'>;

export async function diagnoseMachine(ports: DiagnosisPorts, endpoint: Endpoint, now: Date): Promise<MachineDiagnosis> {
  const { store } = ports;
  const ids = [endpoint.id];
  const [records, open, predictions, peers] = await Promise.all([
    store.snapshots.since(ids, new Date(now.getTime() - (USUAL_DAYS + 1) * DAY_MS)),
    store.alerts.open(ids),
    store.predictions.current(ids),
    peersOf(ports, endpoint, now),
  ]);
  const rules = ports.scoreRules.current().alerts;
  const { causes, ...rest } = diagnose({
    now,
    // A machine that was last scanned before is diagnosed by its last scan.
    records: records.length > 0 ? records : [...(await store.snapshots.latest(ids)).values()],
    peers: peers.snapshots,
    alerts: open.map((alert) => known(alert, rules)),
    forecasts: predictions.map(({ metric, alertName, impactText, madeAt }) => ({
      measure: wireName(metric),
      alertName,
      impactText,
      madeAt,
    })),
  });
  const remedies = await remediesFor(ports, endpoint, causes);
  const alertById = new Map(open.map((alert) => [alert.id, alert]));
  return {
    ...rest,
    peersAlike: peers.alike,
    causes: causes.map((cause, i) => ({
      ...cause,
      ...(remedies[i] as Remedy),
      alerts: cause.alertIds.flatMap((id) => alertById.get(id) ?? []),
    })),
  };
}

function known({ id, alertName, severity, message, createdAt }: Alert, rules: readonly AlertRule[]): KnownAlert {
  return { id, alertName, severity, message, createdAt, measure: measureOf(alertName, rules) };
}

function measureOf(alertName: string, rules: readonly AlertRule[]): string | null {
  const rule = rules.find(({ name }) => name === alertName);
  if (rule && 'measure' in rule) return rule.measure;
  const metric = TREND_METRICS.find((each) => PREDICTIVE_ALERT_NAMES[each] === alertName);
  return metric === undefined ? null : wireName(metric);
}
