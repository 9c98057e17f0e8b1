/** Ends what only Fleet's webhooks raised, once a reading of the source shows that it is over. */
import type { Observation } from '../../domain/alerts/alertMoves.ts';
import { jobActor } from '../actor.ts';
import { announce, observeIn } from '../alerts/alerting.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { Collected } from '../scans/scanning.ts';
import { cveOfSeries, unseenSeries } from './fleetEvents.ts';

const READER = jobActor('sync');

/** @param hasStill targets that have a vulnerability now */
export async function endDelivered(
  ports: Ports,
  source: string,
  seen: readonly Collected[],
  hasStill: (cve: string) => Promise<ReadonlySet<string>>,
): Promise<void> {
  const machines = new Map(seen.map((one) => [one.endpoint.id, one]));
  const open = await ports.store.alerts.open([...machines.keys()]);
  const now = ports.clock.now();
  const over: Observation[] = [];
  for (const { endpointId, hostname, alertName, series } of open) {
    const machine = machines.get(endpointId);
    if (!machine) continue;
    for (const each of series) {
      const why = await whyOver(ports, source, each, machine, hasStill);
      if (why !== null) {
        const end = { state: 'clear', resolution: 'source', why, startsAt: null, endedAt: now } as const;
        over.push({ endpointId, hostname, alertName, series: each, ...end });
      }
    }
  }
  if (over.length === 0) return;
  const { changes } = await ports.store.transaction((store) => observeIn(ports, store, over, READER));
  await announce(ports, changes);
}

/** Null while it is not over, or nobody knows. */
async function whyOver(
  { log }: Ports,
  source: string,
  series: string,
  { endpoint, snapshot }: Collected,
  hasStill: (cve: string) => Promise<ReadonlySet<string>>,
): Promise<string | null> {
  if (series === unseenSeries(source)) return snapshot.reachable ? 'Fleet sees it again' : null;
  const cve = cveOfSeries(source, series);
  if (cve === null) return null;
  try {
    return (await hasStill(cve)).has(endpoint.options.sourceTarget ?? '')
      ? null
      : `${source} finds ${cve} on it no more`;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    log.warn({ source, cve, problem: error.message }, 'nobody knows whether a vulnerability is over; its alerts stay');
    return null;
  }
}
