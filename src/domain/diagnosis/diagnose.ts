/**
 * Says why a machine is slow: what departs from its own usual and from its peers is gathered under declared causes, causes that
 * follow from others step behind them, and each carries its evidence. No model takes part.
 */

import { labelOf, type Measure, signalOf } from '../signals/measures.ts';
import type { CauseDeclaration } from './causeDeclaration.ts';
import { CAUSES } from './causes.ts';
import { changesBefore } from './changes.ts';
import { type Departure, departureOf } from './departure.ts';
import type { DiagnosedCause, Diagnosis, KnownAlert, Observed } from './diagnosis.ts';
import { evidenceFor, minuteOf } from './evidence.ts';
import { historyOf, type MachineHistory, type ScanRecord, worstNow } from './machineHistory.ts';
import { type GrownProgram, grownProgram } from './programs.ts';
import { notMeasured, unreachableDiagnosis } from './unseen.ts';
import { LEAST_DAYS, LEAST_PEERS, sameHours } from './usual.ts';

const HOUR_MS = 3_600_000;
/** What follows from a cause comes at most this much before it, because scans see things in any order … */
const FOLLOWS_FROM_MS = -1.1 * HOUR_MS;
/** … and not days later. */
const FOLLOWS_UNTIL_MS = 36 * HOUR_MS;
/** What is left of a cause that another one explains. */
const EXPLAINED = 0.35;
/** What each departure that follows from a cause adds to what speaks for it. */
const FOLLOWED = 0.05;
const MOST_FOLLOWED = 4;
/** Causes below this are not worth a line. */
const LEAST_CONFIDENCE = 0.15;
const MOST_CAUSES = 8;

export function diagnose(observed: Observed): Diagnosis {
  const { now, records, peers, alerts, forecasts } = observed;
  const history = historyOf(records, now.getTime());
  const { last } = history;
  const compared = comparedWith(history, peers);
  const notes = notesOf(history);
  const rest = { comparedWith: compared, notes, measuredAt: history.scans.at(-1)?.collectedAt ?? null };
  if (last === null) {
    const causes = leftOver([], alerts);
    return { ...rest, verdict: 'never_scanned', causes, changedBefore: [], notMeasured: [] };
  }
  if (!last.reachable) return { ...rest, ...unreachableDiagnosis(history, peers, alerts) };

  const departures = new Map<Measure, Departure>();
  for (const [measure, points] of history.series) {
    // What the last scans no longer measured says nothing about now.
    if ((points.at(-1)?.atMs ?? 0) < last.collectedAt.getTime() - 6 * HOUR_MS) continue;
    const departure = departureOf(measure, points, valuesOf(peers, measure));
    if (departure) departures.set(measure, departure);
  }
  const programs = {
    top_cpu_pct: grownProgram(history, 'top_cpu_pct'),
    top_memory_pct: grownProgram(history, 'top_memory_pct'),
  };
  const established = CAUSES.flatMap((declaration) => establish(declaration, departures, programs));
  const causes = rank(established).map((each) => described(each, observed, history));
  const all = [
    ...causes.filter(({ confidence }) => confidence >= LEAST_CONFIDENCE),
    ...leftOver(causes, alerts),
    ...predicted(causes, forecasts),
  ].slice(0, MOST_CAUSES);
  const felt = all.filter(({ isUpkeep }) => !isUpkeep);
  const began = felt.flatMap(({ since }) => since ?? [])[0];
  const known = compared.ownDays >= LEAST_DAYS || compared.peers >= LEAST_PEERS;
  return {
    ...rest,
    verdict: felt.length > 0 ? 'cause_found' : known ? 'nothing_unusual' : 'too_little_known',
    causes: [...felt, ...all.filter(({ isUpkeep }) => isUpkeep)],
    changedBefore: began ? changesBefore(history.scans, began.getTime()) : [],
    notMeasured: notMeasured(last),
  };
}

interface Established {
  declaration: CauseDeclaration;
  shown: Departure[];
  followed: Departure[];
  program: GrownProgram | null;
  strength: number;
  sinceMs: number | null;
}

function establish(
  declaration: CauseDeclaration,
  departures: ReadonlyMap<Measure, Departure>,
  programs: Record<'top_cpu_pct' | 'top_memory_pct', GrownProgram | null>,
): Established[] {
  const program = declaration.program ? programs[declaration.program] : null;
  if (declaration.program && program === null) return [];
  const shown = declaration.shownBy
    .flatMap((measure) => departures.get(measure) ?? [])
    .sort((a, b) => b.strength - a.strength);
  const [best, ...others] = shown;
  if (!best) return [];
  const gradual = shown.some((each) => each.gradual);
  if (declaration.onset && gradual !== (declaration.onset === 'gradual')) return [];
  const followed = declaration.bringsAbout.flatMap((measure) =>
    declaration.shownBy.includes(measure) ? [] : (departures.get(measure) ?? []),
  );
  const sinceMs = best.sinceMs;
  const backed = Math.min(MOST_FOLLOWED, followed.filter((each) => couldFollow(sinceMs, each.sinceMs)).length);
  // Further measures that show it and what follows from it each take a part of the doubt away.
  const doubt = (1 - best.strength) * (others.length > 0 ? 0.8 : 1) * (1 - FOLLOWED * backed) * (program ? 0.7 : 1);
  return [{ declaration, shown, followed, program, strength: 1 - doubt, sinceMs }];
}

function couldFollow(causeMs: number | null, effectMs: number | null): boolean {
  if (causeMs === null || effectMs === null) return true;
  return effectMs - causeMs >= FOLLOWS_FROM_MS && effectMs - causeMs <= FOLLOWS_UNTIL_MS;
}

interface Ranked extends Established {
  confidence: number;
}

/** Most likely first; what follows from another cause is held for less likely than that one. */
function rank(established: readonly Established[]): Ranked[] {
  const key = ({ declaration, strength, followed }: Established) =>
    declaration.weight * strength * (1 + FOLLOWED * Math.min(MOST_FOLLOWED, followed.length));
  return established
    .map((each) => {
      const explained = established.some((other) => other !== each && explains(other, each));
      const factor = explained ? EXPLAINED : 1;
      const confidence = Math.min(0.98, each.strength * factor);
      return { ...each, confidence, order: key(each) * factor };
    })
    .sort((a, b) => b.order - a.order);
}

/** Whether all that shows one cause follows from another, which began no later. */
function explains(cause: Established, effect: Established): boolean {
  const { bringsAbout } = cause.declaration;
  if (!effect.shown.every(({ measure }) => bringsAbout.includes(measure))) return false;
  // Noise may date one of several signals wrong.
  const inTime = effect.shown.filter(({ sinceMs }) => couldFollow(cause.sinceMs, sinceMs));
  if (inTime.length < effect.shown.length / 2) return false;
  // A program that grew by itself is a cause of its own, and so is the stronger of two that explain each other.
  if (effect.program && !cause.program) return false;
  const mutual = cause.shown.every(({ measure }) => effect.declaration.bringsAbout.includes(measure));
  return !mutual || cause.strength * cause.declaration.weight >= effect.strength * effect.declaration.weight;
}

function described(ranked: Ranked, { alerts, forecasts }: Observed, history: MachineHistory): DiagnosedCause {
  const { declaration, shown, followed, program, sinceMs, confidence } = ranked;
  const measures = [...new Set([...shown.map(({ measure }) => measure), ...(program ? [program.measure] : [])])];
  const about = alerts.filter((alert) => isAbout(alert, declaration, measures));
  const ahead = forecasts.filter(({ measure }) => declaration.shownBy.includes(measure));
  const changes = sinceMs === null ? [] : changesBefore(history.scans, sinceMs);
  const item = program?.program ?? shown[0]?.item ?? serviceName(history, declaration);
  return {
    cause: declaration.cause,
    title: item ? `${declaration.title}: ${item}` : declaration.title,
    isUpkeep: declaration.upkeep === true,
    confidence,
    evidence: evidenceFor({ declaration, shown, followed, program, alerts: about, forecasts: ahead, changes, sinceMs }),
    since: sinceMs === null ? null : new Date(sinceMs),
    advice: declaration.advice,
    signals: measures,
    alertIds: about.map(({ id }) => id),
    alertNames: [...new Set([...about.map(({ alertName }) => alertName), ...declaration.alerts])],
    question: declaration.question,
  };
}

function isAbout(
  { alertName, measure }: KnownAlert,
  { alerts, shownBy }: CauseDeclaration,
  shown: readonly Measure[],
): boolean {
  return alerts.includes(alertName) || (measure !== null && (shown.includes(measure) || shownBy.includes(measure)));
}

/** Names that a list carries (services, volumes), where the cause is one of names. */
function serviceName({ scans }: MachineHistory, { shownBy }: CauseDeclaration): string | null {
  const [measure] = shownBy;
  const last = scans.at(-1);
  if (!measure || !last) return null;
  const reading = last.readings[signalOf(measure)];
  if (!('value' in reading) || !Array.isArray(reading.value) || reading.value.length === 0) return null;
  return reading.value.slice(0, 3).join(', ');
}

/** The score's own alert only sums up the others. */
const SUMS_UP = 'LowDexScore';

/** Alerts about upkeep and nothing else. */
const UPKEEP_ALERTS = new Set(CAUSES.flatMap(({ upkeep, alerts }) => (upkeep ? alerts : [])));

/** Open alerts that no cause accounts for, each as a cause of its own. */
function leftOver(causes: readonly DiagnosedCause[], alerts: readonly KnownAlert[]): DiagnosedCause[] {
  const told = new Set(causes.flatMap(({ alertIds }) => alertIds));
  return alerts
    .filter(({ id, alertName }) => !told.has(id) && alertName !== SUMS_UP)
    .map(({ id, alertName, severity, message, createdAt, measure }) => ({
      cause: 'reported_by_alert',
      title: `The alert ${alertName} is open`,
      isUpkeep: UPKEEP_ALERTS.has(alertName),
      confidence: severity === 'critical' ? 0.6 : severity === 'warning' ? 0.4 : 0.2,
      evidence: [{ kind: 'alert' as const, text: `${alertName} since ${minuteOf(createdAt)}: ${message}` }],
      since: createdAt,
      advice: 'Follow the runbook of the alert.',
      signals: measure === null ? [] : [measure],
      alertIds: [id],
      alertNames: [alertName],
      question: `${alertName} ${message}`,
    }));
}

/** Predictions about measures that no cause names yet. */
function predicted(causes: readonly DiagnosedCause[], forecasts: Observed['forecasts']): DiagnosedCause[] {
  const named = new Set(causes.flatMap(({ signals }) => signals));
  return forecasts
    .filter(
      ({ measure, alertName }) =>
        !named.has(measure) && !causes.some(({ alertNames }) => alertNames.includes(alertName)),
    )
    .map(({ measure, alertName, impactText, madeAt }) => ({
      cause: 'heading_for_limit',
      title: `${labelOf(measure)} is heading for its limit`,
      isUpkeep: false,
      confidence: 0.3,
      evidence: [{ kind: 'forecast' as const, text: `predicted to reach its limit in ${impactText}` }],
      since: madeAt,
      advice: 'See what grows before it gets there.',
      signals: [measure],
      alertIds: [],
      alertNames: [alertName],
      question: `${labelOf(measure)} rising towards its limit`,
    }));
}

function valuesOf(peers: readonly ScanRecord[], measure: Measure): number[] {
  return peers.flatMap((peer) => (peer.reachable ? (worstNow(peer, measure)?.value ?? []) : []));
}

function comparedWith({ scans }: MachineHistory, peers: readonly ScanRecord[]): Diagnosis['comparedWith'] {
  const newest = scans.at(-1)?.collectedAt.getTime();
  const reachable = peers.filter((peer) => peer.reachable).length;
  if (newest === undefined) return { ownDays: 0, ownScans: 0, peers: reachable };
  const { of, days } = sameHours(
    scans.map(({ collectedAt }) => ({ atMs: collectedAt.getTime() })),
    newest,
  );
  return { ownDays: days, ownScans: of.length, peers: reachable };
}

function notesOf({ fromTheFuture }: MachineHistory): string[] {
  return fromTheFuture > 0
    ? [`${fromTheFuture} scans are dated later than now and were left out; check the clocks.`]
    : [];
}
