/** What will break in the next days, over the whole fleet: predictions that stand now, by how certain they are. */

import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { reachedWithin } from '../../domain/forecasts/certainty.ts';
import { TREND_METRICS, TREND_RULES } from '../../domain/forecasts/trendRules.ts';
import type { StoredPrediction } from '../ports/alertPorts.ts';
import type { Ports } from '../ports/ports.ts';
import { summariseLedger } from './predictionLedger.ts';

const HOUR_MS = 3_600_000;
/** Endpoints whose predictions are read at a time. */
const BATCH = 500;
/** Days of the ledger that say how far predictions of this fleet can be trusted, and how many verdicts that takes. */
const LEDGER_DAYS = 28;
const LEAST_VERDICTS = 10;
/** Before so many hours no metric of an endpoint is predicted. */
const WATCHED_HOURS = Math.min(...TREND_METRICS.map((metric) => TREND_RULES[metric].minHistoryHours));

interface FleetForecast {
  /** Most certain first, then soonest. */
  forecasts: { endpoint: Endpoint; prediction: StoredPrediction; probability: number; expectedAt: Date }[];
  endpoints: number;
  /** Endpoints that were not watched long enough, or did not answer lately, so that nothing is predicted of them. */
  unwatched: number;
  /** Share of this fleet's predictions that came true; null while too few were judged. */
  precision: number | null;
}

export async function fleetForecast(ports: Ports, days: number, now: Date, staleBefore: Date): Promise<FleetForecast> {
  const { store } = ports;
  const { all } = await summariseLedger(ports, LEDGER_DAYS, now);
  const judged = all.hits + all.early + all.late + all.falseAlarms;
  const precision = judged >= LEAST_VERDICTS ? all.precision : null;
  const found: FleetForecast = { forecasts: [], endpoints: 0, unwatched: 0, precision };
  for (let afterId = 0; ; ) {
    const batch = await store.endpoints.batch(afterId, BATCH);
    const last = batch.at(-1);
    if (!last) break;
    afterId = last.id;
    found.endpoints += batch.length;
    found.unwatched += batch.filter((endpoint) => isUnwatched(endpoint, now, staleBefore)).length;
    const byId = new Map(batch.map((endpoint) => [endpoint.id, endpoint]));
    for (const prediction of await store.predictions.current([...byId.keys()])) {
      const endpoint = byId.get(prediction.endpointId);
      if (!endpoint) continue;
      const probability = reachedWithin(prediction, prediction.impactHours, days * 24) * (precision ?? 1);
      const expectedAt = new Date(now.getTime() + prediction.impactHours * HOUR_MS);
      found.forecasts.push({ endpoint, prediction, probability, expectedAt });
    }
  }
  found.forecasts.sort((a, b) => b.probability - a.probability || a.expectedAt.getTime() - b.expectedAt.getTime());
  return found;
}

function isUnwatched({ registeredAt, lastSeenAt }: Endpoint, now: Date, staleBefore: Date): boolean {
  const watchedMs = now.getTime() - registeredAt.getTime();
  return lastSeenAt === null || lastSeenAt < staleBefore || watchedMs < WATCHED_HOURS * HOUR_MS;
}
