/** Scans: look at endpoints, score what was seen, and commit both with the endpoint's new condition in one step. */
import { judgeMeasurements, judgeScore } from '../domain/alertRules.ts';
import { type Endpoint, SCORE_STATUSES } from '../domain/endpoint.ts';
import type { Run, RunKind } from '../domain/run.ts';
import { REMEDIATION_WINDOW_DAYS, round1, type Score, scoreSnapshot } from '../domain/score.ts';
import { type Snapshot, sanitised } from '../domain/telemetry.ts';
import { type Actor, jobActor } from './actor.ts';
import { announce, observeIn } from './alerting.ts';
import { createBatcher } from './batcher.ts';
import type { FleetRow, StoredSnapshot } from './endpointPorts.ts';
import { AppError } from './errors.ts';
import type { CollectContext, Ports } from './ports.ts';
import { newRun, type RunSubject } from './runs.ts';

const DAY_MS = 86_400_000;

/** Who raises and clears alerts when a scan does, whoever asked for the scan. */
const SCANNER = jobActor('scan');

/** Endpoints a fleet scan reads at a time, and results it commits at a time: writes are cheap and memory stays small. */
const FLEET_PAGE = 500;
const COMMIT_BATCH = 100;

interface Seen {
  endpoint: Endpoint;
  snapshot: Snapshot;
}

export interface ScanResult {
  endpoint: Endpoint;
  snapshot: Snapshot;
  score: Score | null;
}

/** What is said about how one endpoint was looked at. */
type Note = (text: string) => void;

/** What a fleet scan did, kept on its run as it goes. */
export interface FleetScanCounts {
  total: number;
  scanned: number;
  scored: number;
  unreachable: number;
  /** Endpoints that report by themselves and are never looked at from here. */
  skipped_push: number;
  /** How single endpoints were looked at, where that is worth saying; the first of them. */
  notes: string[];
}

const MOST_NOTES = 20;

/**
 * Asks for work and returns at once: the run is committed before the queue hears of it.
 * @param about an `id` that says what the run is for makes asking twice a `conflict`
 */
export async function requestRun(ports: Ports, actor: Actor, kind: RunKind, about: RunSubject = {}): Promise<Run> {
  const run = await addRun(ports, actor, kind, about);
  await ports.queue.enqueue('execute_run', { run_id: run.id });
  return run;
}

/** Commits a run that the caller executes itself. */
export async function addRun(ports: Ports, actor: Actor, kind: RunKind, about: RunSubject): Promise<Run> {
  const run = newRun(ports, actor, kind, about);
  await ports.store.runs.add(run);
  return run;
}

/** Looks at one endpoint and records what was found. Fails with `not_found`, or `refused` for one that reports by itself. */
export async function scanOne(
  ports: Ports,
  hostname: string,
  signal: AbortSignal,
  note: Note = () => {},
): Promise<ScanResult> {
  const endpoint = await requireEndpoint(ports, hostname);
  if (endpoint.collector === 'push') {
    throw new AppError('refused', `${hostname} reports by itself (collector push) and cannot be scanned from here.`);
  }
  const snapshot = await look(ports, endpoint, { signal, note });
  const [result] = await record(ports, [{ endpoint, snapshot }]);
  return result as ScanResult;
}

/**
 * Looks at every endpoint with so many at once that a slow one holds up nothing but itself; what was seen is committed
 * in batches while the looking goes on, so memory does not grow with the fleet.
 */
export async function scanFleet(
  ports: Ports,
  signal: AbortSignal,
  onProgress: (counts: FleetScanCounts) => Promise<void>,
): Promise<FleetScanCounts> {
  const counts: FleetScanCounts = {
    total: await ports.store.endpoints.count(),
    scanned: 0,
    scored: 0,
    unreachable: 0,
    skipped_push: 0,
    notes: [],
  };
  const batcher = createBatcher<Seen>(COMMIT_BATCH, async (seen) => {
    const results = await record(ports, seen);
    counts.scanned += results.length;
    counts.scored += results.filter(({ score }) => score !== null).length;
    counts.unreachable += results.filter(({ snapshot }) => !snapshot.reachable).length;
    await onProgress({ ...counts });
  });
  const note: Note = (text) => {
    if (counts.notes.length < MOST_NOTES) counts.notes.push(text);
  };
  const next = walkFleet(ports);
  const worker = async () => {
    for (let endpoint = await next(); endpoint && !signal.aborted; endpoint = await next()) {
      if (endpoint.collector === 'push') counts.skipped_push++;
      else await batcher.add({ endpoint, snapshot: await look(ports, endpoint, { signal, note, quick: true }) });
    }
  };
  await Promise.all(Array.from({ length: ports.settings.scanConcurrency }, worker));
  await batcher.flush();
  await recordFleetScore(ports);
  return counts;
}

/** Where the fleet stands after a scan of all of it. */
async function recordFleetScore(ports: Ports): Promise<void> {
  const rows = await ports.store.endpoints.fleet();
  const sum = (of: (row: FleetRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  const scored = sum(({ status, endpoints }) => (status === 'unknown' ? 0 : endpoints));
  const average = scored === 0 ? null : round1(sum(({ scoreSum }) => scoreSum) / scored);
  ports.metrics.fleet(
    Object.fromEntries(
      SCORE_STATUSES.map((status) => [status, sum((row) => (row.status === status ? row.endpoints : 0))]),
    ),
    average,
  );
  if (average !== null) await ports.store.fleetScores.add({ at: ports.clock.now(), average, endpoints: scored });
}

/** Hands out the fleet one endpoint at a time, reading it page by page; null at the end. */
function walkFleet(ports: Ports): () => Promise<Endpoint | null> {
  let page: Endpoint[] = [];
  let reading: Promise<void> | null = null;
  let afterId = 0;
  let ended = false;
  return async () => {
    while (page.length === 0 && !ended) {
      reading ??= ports.store.endpoints.batch(afterId, FLEET_PAGE).then((read) => {
        page = read.reverse(); // handed out by pop()
        afterId = page[0]?.id ?? afterId;
        ended = read.length === 0;
        reading = null;
      });
      await reading;
    }
    return page.pop() ?? null;
  };
}

/** Takes what an endpoint found out about itself. */
export async function acceptSnapshot(ports: Ports, endpoint: Endpoint, snapshot: Snapshot): Promise<ScanResult> {
  const [result] = await record(ports, [{ endpoint, snapshot }]);
  return result as ScanResult;
}

export async function requireEndpoint(ports: Ports, hostname: string): Promise<Endpoint> {
  const endpoint = await ports.store.endpoints.get(hostname);
  if (!endpoint) {
    throw new AppError(
      'not_found',
      `No endpoint named ${hostname} is registered. Register it with POST /api/v1/dex/endpoints.`,
      {
        hostname,
      },
    );
  }
  return endpoint;
}

async function look(
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

async function record(ports: Ports, looks: Seen[]): Promise<ScanResult[]> {
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
      const { breaches, observations } = judgeMeasurements(endpoint, snapshot, alerts, rules.alerts);
      const record = remediation.get(endpoint.id) ?? { total: 0, resolved: 0 };
      // What this very scan finds to be over counts as resolved already.
      const over = observations.filter(({ state }) => state === 'clear').length;
      const resolved = Math.min(record.total, record.resolved + over);
      const score = scoreSnapshot(snapshot, { ...record, resolved }, rules, thresholds, endpoint.persona);
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
    return { results, changes: (await observeIn(ports, store, observations, SCANNER)).changes };
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
  };
}
