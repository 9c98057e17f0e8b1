/** Replays one machine's stored samples under other rules: the same judgement and the same moves as a scan makes, sample by sample. */
import { type Alert, isWorse, type Severity } from '../alerts/alert.ts';
import { type AlertDraft, type Move, type Observation, observe, type Refusal, resolve } from '../alerts/alertMoves.ts';
import { LOW_SCORE, SCAN_SERIES, type ScoreConfig } from '../alerts/alertRules.ts';
import { type JudgedReadings, judgeReadings, judgeScan } from '../alerts/judgeScan.ts';
import type { Endpoint, ScoreStatus } from '../fleet/endpoint.ts';
import { REMEDIATION_WINDOW_DAYS, type RemediationRecord, type Score, type ScoreThresholds } from '../scores/score.ts';
import { bandSigner, type SignalLines, type Signature } from './bands.ts';
import { OTHER_SERIES, type OtherMove } from './otherMoves.ts';
import type { SampleStretch } from './sampleStretch.ts';

const WINDOW_MS = REMEDIATION_WINDOW_DAYS * 86_400_000;

export interface ReplayRules {
  rules: ScoreConfig;
  thresholds: ScoreThresholds;
  /** The lines of `rules`. */
  lines: SignalLines;
}

/** What a machine's alerts were when the replay begins, and what moved them besides scans. */
interface ReplayStart {
  /** Those that were open, or were raised within the days that the remediation component considers. */
  alerts: readonly Alert[];
  /** By time. */
  others: readonly OtherMove[];
}

/** An alert that fired, came back, or ended. */
export interface ReplayedMove {
  at: Date;
  kind: 'fired' | 'flapped' | 'ended';
  alert: AlertDraft;
}

interface MachineReplay {
  moves: ReplayedMove[];
  /** The last score and status; null and `unknown` where no sample has a score. */
  score: number | null;
  status: ScoreStatus;
  /** Alerts that are open when the samples end. */
  open: AlertDraft[];
}

/** Replays machines one after another; what it learnt of one it knows of the others. */
export function machineReplayer(under: ReplayRules) {
  const sign = bandSigner(under.lines);
  const judged = readingsMemory(under);
  const waitsFor = new Map(under.rules.alerts.map((rule) => [rule.name, rule.for]));
  /** @param stretches the machine's samples, by time */
  return (endpoint: Endpoint, stretches: readonly SampleStretch[], start: ReplayStart): MachineReplay => {
    const replay = createReplay(endpoint, start, under, waitsFor);
    const readingsOf = judged(endpoint);
    let before = Number.NaN;
    for (const stretch of stretches) {
      const signatures = sign(stretch);
      for (let place = 0; place < signatures.length; place++) {
        const signature = signatures[place] as number;
        const collectedMs = stretch.timesMs[place] as number;
        if (signature === before && replay.isSteadyAt(collectedMs)) continue;
        before = signature;
        const readings = readingsOf(signature, stretch, place);
        if (replay.isUnmovedBy(readings, collectedMs)) continue;
        // Judged when its scan was over: what happened until then was known.
        replay.take(readings, collectedMs, collectedMs + (stretch.durationsMs[place] ?? 0));
      }
    }
    return replay.end();
  };
}

/** Signatures that are remembered; a fleet has some thousands. */
const MOST_REMEMBERED = 100_000;

interface Remembered extends JudgedReadings {
  reachable: boolean;
  /** Names of the rules that these readings breach, and of those that they end or leave in between. */
  breached: readonly string[];
  inOrder: ReadonlySet<string>;
}

/** Judges the first sample of each signature for all that are signed alike, by persona and system. */
function readingsMemory({ rules, thresholds }: ReplayRules) {
  const remembered = new Map<string, Map<Signature, Remembered>>();
  return (endpoint: Endpoint) => {
    const key = `${endpoint.persona} ${endpoint.osPlatform}`;
    const known = remembered.get(key) ?? new Map<Signature, Remembered>();
    remembered.set(key, known);
    return (signature: Signature, stretch: SampleStretch, place: number): Remembered => {
      const found = known.get(signature);
      if (found) return found;
      const snapshot = stretch.at(place);
      const { findings, scoreWith } = judgeReadings(endpoint, snapshot, rules, thresholds);
      const scores = new Map<number, Score | null>();
      const namesOf = (...states: string[]) =>
        rules.alerts.flatMap(({ name }, index) => (states.includes(findings[index]?.state ?? '') ? [name] : []));
      const fresh: Remembered = {
        reachable: snapshot.reachable,
        breached: namesOf('breached'),
        inOrder: new Set(namesOf('clear', 'between')),
        findings,
        scoreWith(record) {
          const recordKey = record.total * 2 ** 20 + record.resolved;
          let score = scores.get(recordKey);
          if (score === undefined) {
            score = scoreWith(record);
            scores.set(recordKey, score);
          }
          return score;
        },
      };
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(signature, fresh);
      return fresh;
    };
  };
}

function createReplay(
  endpoint: Endpoint,
  { alerts, others }: ReplayStart,
  { rules, thresholds }: ReplayRules,
  waitsFor: ReadonlyMap<string, number>,
) {
  const moves: ReplayedMove[] = [];
  /** Every alert row there would be; the newest of each name is the one that moves. */
  const rows: AlertDraft[] = [...alerts];
  const newest = new Map<string, number>();
  for (const [index, row] of rows.entries()) {
    const known = newest.get(row.alertName);
    if (known === undefined || isNewer(row, rows[known] as AlertDraft)) newest.set(row.alertName, index);
  }
  const scanned: Pick<Endpoint, 'id' | 'hostname' | 'breaches' | 'osPlatform' | 'persona'> = {
    ...endpoint,
    breaches: {},
  };
  let score: Score | null = null;
  let status: ScoreStatus = 'unknown';
  let isSteady = false;
  /** When an alert leaves the remediation component's window, or somebody else moves one. */
  let changesAtMs = Number.NEGATIVE_INFINITY;
  let recorded: RemediationRecord | null = null;
  /** Open alerts that scans hold, as the last sample that was judged left them while nothing moved. */
  let held = new Map<string, Severity>();
  let nextOther = 0;

  const knownOf = (name: string) => {
    const index = newest.get(name);
    return index === undefined ? null : (rows[index] as AlertDraft);
  };
  const keep = (move: Move | Refusal, at: Date): boolean => {
    if (move.kind === 'refused' || move.kind === 'unchanged') return false;
    const { alert } = move;
    const before = knownOf(alert.alertName);
    const index = move.kind === 'created' ? rows.push(alert) - 1 : (newest.get(alert.alertName) as number);
    rows[index] = alert;
    recorded = null;
    newest.set(alert.alertName, index);
    if (move.kind === 'updated') {
      return (
        before === null || before.series.length !== alert.series.length || isWorse(alert.severity, before.severity)
      );
    }
    const kind = move.kind === 'created' ? 'fired' : move.kind === 'reopened' ? 'flapped' : 'ended';
    moves.push({ at, kind, alert });
    return true;
  };

  const takeOthers = (untilMs: number) => {
    for (; nextOther < others.length; nextOther++) {
      const { atMs, kind, alert, why } = others[nextOther] as OtherMove;
      if (atMs > untilMs) return;
      const at = new Date(atMs);
      const known = knownOf(alert.alertName);
      if (kind === 'end') {
        if (known !== null) keep(resolve(known, 'person', why, at), at);
        continue;
      }
      keep(observe(known, observationOf(alert, kind, why), at), at);
    }
  };

  const recordAt = (nowMs: number): RemediationRecord => {
    if (recorded !== null && nowMs < changesAtMs) return recorded;
    const record = { total: 0, resolved: 0 };
    changesAtMs = others[nextOther]?.atMs ?? Number.POSITIVE_INFINITY;
    for (const { createdAt, alertName, status } of rows) {
      const createdMs = createdAt.getTime();
      if (createdMs < nowMs - WINDOW_MS || createdMs > nowMs || alertName === LOW_SCORE) continue;
      record.total++;
      if (status === 'resolved') record.resolved++;
      changesAtMs = Math.min(changesAtMs, createdMs + WINDOW_MS + 1);
    }
    recorded = record;
    return record;
  };

  return {
    /** Whether a sample that looks like the one before changes nothing. */
    isSteadyAt: (atMs: number) => isSteady && atMs < changesAtMs,

    /** Whether other readings than before still raise, end and count nothing; the score that they make is taken. */
    isUnmovedBy(readings: Remembered, collectedMs: number): boolean {
      if (!isSteady || collectedMs >= changesAtMs || recorded === null) return false;
      for (const name of readings.breached) if (!held.has(name)) return false;
      for (const name of held.keys()) if (readings.inOrder.has(name)) return false;
      for (const name in scanned.breaches) if (!held.has(name)) return false;
      const found = readings.scoreWith(recorded);
      if (found !== null && found.status !== 'unknown') {
        const low = held.get(LOW_SCORE);
        const isLow = found.score < thresholds.warning || (found.score === thresholds.warning && low !== undefined);
        if (isLow !== (low !== undefined)) return false;
        if (low !== undefined && (low === 'critical') !== found.score < thresholds.critical) return false;
      }
      score = found ?? score;
      status = found?.status ?? (readings.reachable ? 'unknown' : 'unreachable');
      return true;
    },

    take(readings: Remembered, collectedMs: number, endedMs: number) {
      const now = new Date(endedMs);
      takeOthers(endedMs);
      const open: AlertDraft[] = [];
      for (const index of newest.values()) {
        const row = rows[index] as AlertDraft;
        if (row.status !== 'resolved') open.push(row);
      }
      const record = recordAt(endedMs);
      const found = judgeScan(scanned, new Date(collectedMs), readings, open, record, rules, thresholds);
      let moved = false;
      for (const observation of found.observations) {
        if (keep(observe(knownOf(observation.alertName), observation, now), now)) moved = true;
      }
      isSteady = !moved && hasSettled(scanned.breaches, found.breaches, waitsFor, knownOf);
      held = new Map(
        open.flatMap(({ alertName, series, severity }) =>
          series.includes(SCAN_SERIES) ? [[alertName, severity]] : [],
        ),
      );
      scanned.breaches = found.breaches;
      score = found.score ?? score;
      status = found.score?.status ?? (readings.reachable ? 'unknown' : 'unreachable');
    },

    end(): MachineReplay {
      takeOthers(Number.POSITIVE_INFINITY);
      const open = [...newest.values()].map((index) => rows[index] as AlertDraft);
      return { moves, score: score?.score ?? null, status, open: open.filter((each) => each.status !== 'resolved') };
    },
  };
}

/** Whether the next sample alike would count nothing and raise nothing: every rule is in order, unmeasured, or raised already. */
function hasSettled(
  before: Record<string, number>,
  after: Record<string, number>,
  waitsFor: ReadonlyMap<string, number>,
  knownOf: (name: string) => AlertDraft | null,
): boolean {
  for (const name in before) if (after[name] === undefined) return false;
  for (const name in after) {
    const earlier = before[name] ?? 0;
    if (after[name] === earlier) continue;
    if (earlier < (waitsFor.get(name) ?? 0)) return false;
    // It waits for working hours.
    const known = knownOf(name);
    if (known === null || known.status === 'resolved' || !known.series.includes(SCAN_SERIES)) return false;
  }
  return true;
}

function observationOf(alert: Alert, kind: 'raise' | 'clear', why: string): Observation {
  const { endpointId, hostname, alertName, alertType, severity, message, labels } = alert;
  const subject = { endpointId, hostname, alertName, series: OTHER_SERIES, startsAt: null };
  return kind === 'raise'
    ? { ...subject, state: 'firing', alertType, severity, message, labels }
    : { ...subject, state: 'clear', resolution: 'source', why, endedAt: null };
}

function isNewer(a: AlertDraft, b: AlertDraft): boolean {
  if (a.status !== 'resolved') return true;
  return b.status === 'resolved' && (a.resolvedAt?.getTime() ?? 0) > (b.resolvedAt?.getTime() ?? 0);
}
