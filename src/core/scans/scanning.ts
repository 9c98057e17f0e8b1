/** Scans: collect from endpoints, score what was measured, and commit both with the endpoint's new condition in one step. */
import { judgeReadings, judgeScan } from '../../domain/alerts/judgeScan.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { canonicalIp } from '../../domain/fleet/ipAddress.ts';
import { minimised } from '../../domain/privacy/minimise.ts';
import { REMEDIATION_WINDOW_DAYS, type Score } from '../../domain/scores/score.ts';
import { NOT_SCANNED_FROM_HERE, type Snapshot, sanitised, withoutPersonal } from '../../domain/signals/telemetry.ts';
import { jobActor } from '../actor.ts';
import { announce, observeIn, requireAlert } from '../alerts/alerting.ts';
import { didYouMean } from '../commands/didYouMean.ts';
import { AppError } from '../errors.ts';
import { ambiguity, matchHost, notRegistered } from '../fleet/hostLookup.ts';
import type { EndpointFilter, StoredSnapshot } from '../ports/endpointPorts.ts';
import type { CollectContext, Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

const DAY_MS = 86_400_000;

/** Who raises and clears alerts when a scan does, whoever asked for the scan. */
export const SCANNER = jobActor('scan');

/** What was collected from an endpoint, not committed yet. */
export interface Collected {
  endpoint: Endpoint;
  snapshot: Snapshot;
}

export interface ScanResult {
  endpoint: Endpoint;
  snapshot: Snapshot;
  score: Score | null;
}

/** Takes what is worth saying about how one endpoint was scanned. */
type Note = (text: string) => void;

/** Scans one endpoint and records what was measured. Fails with `not_found`, or `refused` for one that reports by itself. */
export async function scanOne(
  ports: Ports,
  host: string,
  signal: AbortSignal,
  note: Note = () => {},
): Promise<ScanResult> {
  const endpoint = await requireEndpoint(ports, host);
  const { hostname } = endpoint;
  const reason = NOT_SCANNED_FROM_HERE[endpoint.collector];
  if (reason) throw new AppError('refused', `${hostname} ${reason} and cannot be scanned from here.`);
  await requireNoPause(ports, endpoint);
  const snapshot = await collect(ports, endpoint, { signal, note });
  const [result] = await record(ports, [{ endpoint, snapshot }]);
  return result as ScanResult;
}

/** @throws AppError `refused` while the person at the machine paused its measuring */
async function requireNoPause({ store, clock }: Ports, { id, hostname }: Endpoint): Promise<void> {
  const pause = (await store.pauses.since(clock.now())).get(id);
  if (!pause) return;
  const until = pause.until.toISOString().slice(11, 16);
  throw new AppError('refused', `${hostname} is not measured until ${until} UTC: whoever works on it paused it.`);
}

export async function requireEndpoint(ports: Ports, hostname: string): Promise<Endpoint> {
  const endpoint = (await ports.store.endpoints.get(hostname)) ?? (await endpointMeant(ports, hostname));
  if (!endpoint) throw await unknownHost(ports, hostname);
  return endpoint;
}

/** What somebody who mistyped a name, or knows only a part of it, may have meant. */
async function unknownHost(ports: Ports, host: string): Promise<AppError> {
  const near = canonicalIp(host) === null ? await likelyMeant(ports, host) : [];
  const known = notRegistered(host);
  if (near.length === 0) return known;
  const next = [{ to: 'Find it', tool: 'list_endpoints', input: { search: host.slice(0, 200) } }];
  return new AppError('not_found', `${known.message} Did you mean ${near.join(' or ')}?`, known.details, { next });
}

/** Names that are read for a suggestion. */
const MOST_NAMES = 1000;
const MOST_SUGGESTIONS = 5;

/** Machines of which the name is a part, by name, owner or tag, or that are one slip of typing away. */
async function likelyMeant({ store }: Ports, host: string): Promise<string[]> {
  const list = async (filter: EndpointFilter, limit: number) =>
    (await store.endpoints.list(filter, { limit, offset: 0 }, new Date(0))).items.map(({ hostname }) => hostname);
  const holding = await list({ search: host.toLowerCase().slice(0, 200) }, MOST_SUGGESTIONS);
  if (holding.length > 0) return holding;
  const prefix = /^[\w.-]+/.exec(host.toLowerCase())?.[0].slice(0, 2);
  return prefix === undefined ? [] : didYouMean(host, await list({ prefix }, MOST_NAMES), MOST_SUGGESTIONS);
}

/** By an alias, a short or longer form of its name, or its address. */
async function endpointMeant({ store }: Ports, host: string): Promise<Endpoint | null> {
  const match = await matchHost(store, host);
  if (match.kind === 'ambiguous') throw ambiguity(match);
  return match.kind === 'found' ? ((await store.endpoints.byIds([match.endpoint.id]))[0] ?? null) : null;
}

/** Collects from one endpoint; nothing is committed yet. */
export async function collect(
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
 * Commits what was collected, with scores, conditions and alerts, and then notifies of the alerts.
 * @param also what has to be kept in the same step; what it throws undoes all of it
 */
export async function record(
  ports: Ports,
  collected: Collected[],
  also: (store: Store, results: ScanResult[]) => Promise<void> = async () => {},
): Promise<ScanResult[]> {
  if (collected.length === 0) return [];
  const seen = collected.map(({ endpoint, snapshot }) => ({
    endpoint,
    snapshot: kept(ports, endpoint, sanitised(snapshot)),
  }));
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
      const record = remediation.get(endpoint.id) ?? { total: 0, resolved: 0 };
      const readings = judgeReadings(endpoint, snapshot, rules, thresholds);
      const { collectedAt } = snapshot;
      const { score, breaches, observations } = judgeScan(
        endpoint,
        collectedAt,
        readings,
        alerts,
        record,
        rules,
        thresholds,
      );
      const result: ScanResult = { endpoint: conditionAfter(endpoint, snapshot, score, breaches), snapshot, score };
      return { result, observations };
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

/** What may be kept of a machine: whoever measured it may not have known what is switched off for it. */
function kept({ privacy }: Ports, { options }: Endpoint, snapshot: Snapshot): Snapshot {
  if (privacy) return minimised(snapshot);
  return options.personal === false ? { ...snapshot, readings: withoutPersonal(snapshot.readings) } : snapshot;
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

/** Nobody is asked for approval of what is about nothing. @throws AppError `not_found` */
export async function requireExistence(ports: Ports, { hostname, alert_id }: Record<string, unknown>): Promise<void> {
  if (typeof hostname === 'string') await requireEndpoint(ports, hostname);
  if (typeof alert_id === 'number') await requireAlert(ports.store, alert_id);
}
