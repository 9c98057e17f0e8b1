/** The fleet's current status: how many endpoints have which, and their average score. */
import { hasVerdict, SCORE_STATUSES } from '../../domain/fleet/endpoint.ts';
import { round1 } from '../../domain/scores/score.ts';
import type { Store } from '../ports/storePorts.ts';

interface FleetStatus {
  /** Endpoints by the status of their score. */
  counts: Record<string, number>;
  /** Of those that have a score; null when none has. */
  average: number | null;
  scored: number;
}

export async function fleetStatus(store: Store): Promise<FleetStatus> {
  const counts = Object.fromEntries(SCORE_STATUSES.map((status): [string, number] => [status, 0]));
  let scoreSum = 0;
  for (const row of await store.endpoints.fleet()) {
    counts[row.status] = (counts[row.status] ?? 0) + row.endpoints;
    if (hasVerdict(row.status)) scoreSum += row.scoreSum;
  }
  const scored = Object.entries(counts).reduce((sum, [status, count]) => sum + (hasVerdict(status) ? count : 0), 0);
  return { counts, average: scored === 0 ? null : round1(scoreSum / scored), scored };
}
