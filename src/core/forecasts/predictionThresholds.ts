/** Horizons of predictive alerts: what the ledger proposes, and what a person took over from it. */
import {
  defaultHorizonHours,
  type Horizons,
  type PredictionThreshold,
  proposeHorizon,
  type ThresholdProposal,
} from '../../domain/forecasts/predictionThreshold.ts';
import { PREDICTIVE_ALERT_NAMES, type PredictiveAlertName } from '../../domain/forecasts/predictiveAlert.ts';
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';

/** Long enough for the verdicts that a proposal needs, short enough that the fleet is still the same. Milliseconds. */
const LEDGER_MS = 90 * 86_400_000;

export async function horizonsInForce(ports: Ports): Promise<Horizons> {
  const kept = await ports.store.predictions.thresholds();
  return new Map(kept.map(({ alertName, horizonHours }) => [alertName, horizonHours]));
}

export interface ThresholdView {
  alertName: PredictiveAlertName;
  horizonHours: number;
  defaultHours: number;
  /** Null while the default is in force. */
  kept: PredictionThreshold | null;
  proposal: ThresholdProposal;
}

/** Every predictive alert's horizon, with what the last 90 days of the ledger say of it. */
export async function thresholdViews(ports: Ports, now: Date): Promise<ThresholdView[]> {
  const [kept, rows] = await Promise.all([
    ports.store.predictions.thresholds(),
    ports.store.predictions.since(new Date(now.getTime() - LEDGER_MS)),
  ]);
  return Object.values(PREDICTIVE_ALERT_NAMES).map((alertName) => {
    const own = kept.find((each) => each.alertName === alertName) ?? null;
    const defaultHours = defaultHorizonHours(alertName);
    const horizonHours = own?.horizonHours ?? defaultHours;
    const ledger = rows.filter((row) => row.alertName === alertName);
    return { alertName, horizonHours, defaultHours, kept: own, proposal: proposeHorizon(ledger, horizonHours) };
  });
}

/**
 * Takes over what the ledger proposes for an alert, or goes back to the default; in force from the next check on.
 *
 * @throws AppError `refused` with the reason when the ledger proposes nothing
 */
export async function setThreshold(
  ports: Ports,
  alertName: PredictiveAlertName,
  horizon: 'proposed' | 'default',
  actor: Actor,
  now: Date,
): Promise<ThresholdView> {
  if (horizon === 'default') {
    await ports.store.predictions.dropThreshold(alertName);
    return viewOf(ports, alertName, now);
  }
  const { proposal } = await viewOf(ports, alertName, now);
  if (!proposal.proposed)
    throw new AppError('refused', `The ledger proposes no other horizon for ${alertName}: ${proposal.reason}.`, {
      alert_name: alertName,
      judged: proposal.judged,
    });
  const { horizonHours } = proposal.proposed;
  await ports.store.predictions.keepThreshold({ alertName, horizonHours, setBy: actor.name, setAt: now });
  return viewOf(ports, alertName, now);
}

async function viewOf(ports: Ports, alertName: PredictiveAlertName, now: Date): Promise<ThresholdView> {
  return (await thresholdViews(ports, now)).find((view) => view.alertName === alertName) as ThresholdView;
}
