/** Tries an edit of the rules before it counts: replays what is stored of every machine, and compares it with what happened. */
import type { Severity } from '../../domain/alerts/alert.ts';
import type { Endpoint, ScoreStatus } from '../../domain/fleet/endpoint.ts';
import { type Comparison, compare, happenedIn, plannedIn } from '../../domain/plan/comparison.ts';
import { type AlertHistory, alertsAt, otherMoves } from '../../domain/plan/otherMoves.ts';
import { machineReplayer, type ReplayedMove } from '../../domain/plan/replayMachine.ts';
import type { SampleStretch } from '../../domain/plan/sampleStretch.ts';
import { REMEDIATION_WINDOW_DAYS } from '../../domain/scores/score.ts';
import type { Ports } from '../ports/ports.ts';
import { SCANNER } from '../scans/scanning.ts';
import { type Edit, rulesUnder, warmUpMs } from './edit.ts';
import { planHealing, raisedIn } from './planHealing.ts';

const DAY_MS = 86_400_000;

/** Machines whose samples are in memory at once, and after which the service does something else. */
const BATCH = 20;

/** A machine of which nothing is stored for so long has a gap in which nobody knows what would have happened. */
const GAP_MS = DAY_MS;

interface StatusChange {
  endpoint: Endpoint;
  score: number | null;
  status: ScoreStatus;
}

interface PlanReport {
  from: Date;
  until: Date;
  comparison: Comparison;
  /** Machines whose status the edit would change, those that get worst first. */
  changes: StatusChange[];
  /** Alerts that would be open now and are not, and those that are open and would not be. */
  opened: { endpoint: Endpoint; alertName: string; severity: Severity }[];
  closed: number;
  machines: { total: number; replayed: number; withoutSamples: number; withGaps: number };
}

/**
 * @param days how far back; what is kept only as hourly means is not replayed
 * @throws AppError `invalid` for an edit that names what is not there
 */
export async function planEdit(
  ports: Ports,
  edit: Edit,
  days: number,
  context: { now: Date; signal: AbortSignal; progress(share: number, message: string): void },
): Promise<PlanReport> {
  const { now, signal } = context;
  const under = rulesUnder(ports, edit);
  const maps = edit.remediationMap ?? ports.remediationMap.current();
  const isReplayed = edit.remediationMap === undefined || Object.keys(edit).length > 1;
  const fromMs = now.getTime() - days * DAY_MS;
  const sinceMs = fromMs - warmUpMs(under.rules.alerts, ports.settings.scanIntervalMs);
  const replayed = machineReplayer(under);
  const signals = new Set(under.lines.keys());
  const total = await ports.store.endpoints.count();

  const histories: AlertHistory[] = [];
  const moves: ReplayedMove[] = [];
  const endpoints = new Map<number, Endpoint>();
  const report: Omit<PlanReport, 'comparison'> = {
    from: new Date(fromMs),
    until: now,
    changes: [],
    opened: [],
    closed: 0,
    machines: { total, replayed: 0, withoutSamples: 0, withGaps: 0 },
  };
  for (let afterId = 0; ; ) {
    signal.throwIfAborted();
    const batch = await ports.store.endpoints.batch(afterId, BATCH);
    const last = batch.at(-1);
    if (!last) break;
    afterId = last.id;
    const ids = batch.map(({ id }) => id);
    const known = await ports.store.alerts.timelines(ids, new Date(sinceMs - REMEDIATION_WINDOW_DAYS * DAY_MS));
    const stretches = isReplayed
      ? await ports.store.snapshots.stretches(ids, new Date(sinceMs), signals)
      : new Map<number, SampleStretch[]>();
    for (const endpoint of batch) {
      endpoints.set(endpoint.id, endpoint);
      const own = known.get(endpoint.id) ?? [];
      histories.push(...own);
      if (!isReplayed) continue;
      const samples = stretches.get(endpoint.id) ?? [];
      replayOne(report, moves, endpoint, samples, own, replayed, { sinceMs, fromMs, now });
    }
    context.progress(Math.min(1, endpoints.size / Math.max(1, total)), `${endpoints.size} of ${total} machines`);
    await breath();
  }
  const healing = await planHealing(ports, isReplayed ? moves : raisedIn(histories), endpoints, maps);
  const happened = happenedIn(histories, fromMs, now.getTime());
  const planned = isReplayed
    ? plannedIn(moves, healing, fromMs, now.getTime())
    : [
        ...happened.filter(({ what }) => what !== 'healed' && what !== 'asked'),
        ...plannedIn([], healing, fromMs, now.getTime()),
      ];
  report.changes.sort((a, b) => (a.score ?? 101) - (b.score ?? 101));
  return { ...report, comparison: compare(happened, planned, fromMs, now.getTime()) };
}

function replayOne(
  report: Omit<PlanReport, 'comparison'>,
  moves: ReplayedMove[],
  endpoint: Endpoint,
  stretches: readonly SampleStretch[],
  histories: readonly AlertHistory[],
  replayed: ReturnType<typeof machineReplayer>,
  { sinceMs, fromMs, now }: { sinceMs: number; fromMs: number; now: Date },
): void {
  const { machines } = report;
  const times = stretches.flatMap(({ timesMs }) => timesMs).filter((atMs) => atMs <= now.getTime());
  const firstMs = times[0];
  if (firstMs === undefined) {
    machines.withoutSamples++;
    return;
  }
  machines.replayed++;
  if (hasGap(times, fromMs, now)) machines.withGaps++;
  // Samples come by whole days: the replay begins with the first, and with the alerts as they were just before it.
  const beginsMs = Math.min(firstMs, sinceMs) - 1;
  const replay = replayed(endpoint, stretches, {
    alerts: alertsAt(histories, beginsMs, SCANNER.id),
    others: otherMoves(histories, SCANNER.id).filter(({ atMs }) => atMs > beginsMs && atMs <= now.getTime()),
  });
  for (const move of replay.moves) if (move.at.getTime() >= fromMs) moves.push(move);
  if (replay.status !== endpoint.scoreStatus)
    report.changes.push({ endpoint, score: replay.score, status: replay.status });
  const isOpen = new Set(histories.flatMap(({ alert }) => (alert.status === 'resolved' ? [] : [alert.alertName])));
  const planned = new Set(replay.open.map(({ alertName }) => alertName));
  for (const { alertName, severity } of replay.open) {
    if (!isOpen.has(alertName)) report.opened.push({ endpoint, alertName, severity });
  }
  report.closed += [...isOpen].filter((name) => !planned.has(name)).length;
}

function hasGap(timesMs: readonly number[], fromMs: number, now: Date): boolean {
  let lastMs = fromMs;
  for (const atMs of [...timesMs, now.getTime()]) {
    if (atMs < fromMs) continue;
    if (atMs - lastMs > GAP_MS) return true;
    lastMs = atMs;
  }
  return false;
}

/** Lets what waits in this process have its turn. */
function breath(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
