/** Scans: look at endpoints, score what was seen, and commit both with the endpoint's new condition in one step. */
import { judgeMeasurements, judgeScore } from '../../domain/alerts/alertRules.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { canonicalIp } from '../../domain/fleet/ipAddress.ts';
import { REMEDIATION_WINDOW_DAYS, type Score, scoreSnapshot } from '../../domain/scores/score.ts';
import { type Snapshot, sanitised } from '../../domain/signals/telemetry.ts';
import { jobActor } from '../actor.ts';
import { announce, observeIn } from '../alerts/alerting.ts';
import { AppError } from '../errors.ts';
import { ambiguity, matchHost } from '../fleet/hostLookup.ts';
import type { StoredSnapshot } from '../ports/endpointPorts.ts';
import type { CollectContext, Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

const DAY_MS = 86_400_000;

/** Who raises and clears alerts when a scan does, whoever asked for the scan. */
const SCANNER = jobActor('scan');

/** What a look at an endpoint found, not committed yet. */
export interface Seen {
  endpoint: Endpoint;
  snapshot: Snapshot;
}

export interface ScanResult {
  endpoint: Endpoint;
  snapshot: Snapshot;
  score: Score | null;
}

/** Takes what is worth saying about how one endpoint was looked at. */
type Note = (text: string) => void;

/** Looks at one endpoint and records what was found. Fails with `not_found`, or `refused` for one that reports by itself. */
export async function scanOne(
  ports: Ports,
  host: string,
  signal: AbortSignal,
  note: Note = () => {},
): Promise<ScanResult> {
  const endpoint = await requireEndpoint(ports, host);
  const { hostname } = endpoint;
  if (endpoint.collector === 'push') {
    throw new AppError('refused', `${hostname} reports by itself (collector push) and cannot be scanned from here.`);
  }
  const snapshot = await look(ports, endpoint, { signal, note });
  const [result] = await record(ports, [{ endpoint, snapshot }]);
  return result as ScanResult;
}

/** Takes what an endpoint found out about itself. */
export async function acceptSnapshot(ports: Ports, endpoint: Endpoint, snapshot: Snapshot): Promise<ScanResult> {
  const [result] = await record(ports, [{ endpoint, snapshot }]);
  return result as ScanResult;
}

export async function requireEndpoint(ports: Ports, hostname: string): Promise<Endpoint> {
  const endpoint = (await ports.store.endpoints.get(hostname)) ?? (await endpointMeant(ports, hostname));
  if (!endpoint) throw notRegistered(hostname);
  return endpoint;
}

/** An address is no name to register a machine by: only its registration under a name leads to it. */
function notRegistered(host: string): AppError {
  const isAddress = canonicalIp(host) !== null;
  const message = isAddress
    ? `No machine is registered with the address ${host}.`
    : `No endpoint named ${host} is registered.`;
  const input = isAddress ? { ip_address: host } : { hostname: host };
  return new AppError('not_found', message, input, { next: [{ to: 'Register it', tool: 'register_endpoint', input }] });
}

/** By an alias, a short or longer form of its name, or its address. */
async function endpointMeant({ store }: Ports, host: string): Promise<Endpoint | null> {
  const match = await matchHost(store, host);
  if (match.kind === 'ambiguous') throw ambiguity(match);
  return match.kind === 'found' ? ((await store.endpoints.byIds([match.endpoint.id]))[0] ?? null) : null;
}

/** One scan of one endpoint; nothing is committed yet. */
export async function look(
  ports: Ports,
  endpoint: Endpoint,
  how: Pick<CollectContext, 'signal' | 'note' | 'quick'>,
): Promise<Snapshot> {
  const snapshot = await ports.scanner.collect(endpoint, {
    ...how,
    now: ports.clock.now(),
    previousScanAt: endpoint.lastScanAt,
  });
  ports.metrics.endpointScanned(
    endpoint.collector,
    snapshot.reachable ? 'ok' : 'unreachable',
    snapshot.durationMs / 1000,
  );
  return snapshot;
}

/**
 * Commits what was seen, with scores, conditions and alerts, and then tells of the alerts.
 * @param also what has to be kept in the same step; what it throws undoes all of it
 */
export async function record(
  ports: Ports,
  looks: Seen[],
  also: (store: Store, results: ScanResult[]) => Promise<void> = async () => {},
): Promise<ScanResult[]> {
  if (looks.length === 0) return [];
  const seen = looks.map(({ endpoint, snapshot }) => ({ endpoint, snapshot: sanitised(snapshot) }));
  const now = ports.clock.now();
  const rules = ports.scoreRules.current();
  const { results, changes } = await ports.store.transaction(async (store) => {
    const ids = seen.map(({ endpoint }) => endpoint.id);
    await store.endpoints.hold(ids);
    const windowStart = new Date(now.getTime() - REMEDIATION_WINDOW_DAYS * DAY_MS);
    const remediation = await store.alerts.remediationRecords(ids, windowStart);
    const open = Map.groupBy(await store.alerts.open(ids), ({ endpointId }) => endpointId);
    const { thresholds } = ports.settings;
    const judged = seen.map(({ endpoint, snapshot }) => {
      const alerts = open.get(endpoint.id) ?? [];
      const { breaches, observations } = judgeMeasurements(endpoint, snapshot, alerts, rules);
      const record = remediation.get(endpoint.id) ?? { total: 0, resolved: 0 };
      // What this very scan finds to be over counts as resolved already.
      const over = observations.filter(({ state }) => state === 'clear').length;
      const resolved = Math.min(record.total, record.resolved + over);
      const score = scoreSnapshot({ snapshot, ...endpoint }, { ...record, resolved }, rules, thresholds);
      const result: ScanResult = { endpoint: conditionAfter(endpoint, snapshot, score, breaches), snapshot, score };
      return { result, observations: [...observations, ...judgeScore(endpoint, snapshot, score, alerts, thresholds)] };
    });
    const results = judged.map(({ result }) => result);
    await store.snapshots.add(results.map(({ endpoint, snapshot }) => toStored(endpoint.id, snapshot)));
    await store.scores.add(
      results.flatMap(({ endpoint, snapshot, score }) =>
        score ? [{ ...score, endpointId: endpoint.id, scoredAt: snapshot.collectedAt }] : [],
      ),
    );
    await store.endpoints.recordConditions(results.map(({ endpoint }) => endpoint));
    const observations = judged.flatMap(({ observations }) => observations);
    const { changes } = await observeIn(ports, store, observations, SCANNER);
    await also(store, results);
    return { results, changes };
  });
  await announce(ports, changes);
  return results;
}

function toStored(endpointId: number, { hostname: _name, ...snapshot }: Snapshot): StoredSnapshot {
  return { ...snapshot, endpointId };
}

/** A scan that found nothing to score leaves the last score standing; its age says how far to believe it. */
function conditionAfter(
  endpoint: Endpoint,
  snapshot: Snapshot,
  score: Score | null,
  breaches: Endpoint['breaches'],
): Endpoint {
  return {
    ...endpoint,
    breaches,
    lastScanAt: snapshot.collectedAt,
    lastSeenAt: snapshot.reachable ? snapshot.collectedAt : endpoint.lastSeenAt,
    unreachableReason: snapshot.unreachableReason,
    ...(score && {
      score: score.score,
      scoreStatus: score.status,
      coverage: score.coverage,
      scoredAt: snapshot.collectedAt,
    }),
    ...(!score && { scoreStatus: snapshot.reachable ? 'unknown' : 'unreachable' }),
  };
}
