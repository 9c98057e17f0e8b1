/** Puts what speaks for a cause into sentences. */
import { amount, labelOf } from '../signals/measures.ts';
import type { CauseDeclaration } from './causeDeclaration.ts';
import type { Change } from './changes.ts';
import type { Departure } from './departure.ts';
import type { Evidence, KnownAlert, KnownForecast } from './diagnosis.ts';
import type { GrownProgram } from './programs.ts';

const HOUR_MS = 3_600_000;
/** What begins within this of each other moves together. */
const TOGETHER_MS = 1.1 * HOUR_MS;
/** So many of the peers make it a problem of more than one machine. */
const SHARED = 0.3;

interface Grounds {
  declaration: CauseDeclaration;
  shown: readonly Departure[];
  followed: readonly Departure[];
  program: GrownProgram | null;
  alerts: readonly KnownAlert[];
  forecasts: readonly KnownForecast[];
  changes: readonly Change[];
  sinceMs: number | null;
}

export function evidenceFor(grounds: Grounds): Evidence[] {
  const { shown, followed, program, alerts, forecasts, changes, sinceMs } = grounds;
  const together = followed.filter(
    (each) => sinceMs === null || each.sinceMs === null || Math.abs(each.sinceMs - sinceMs) <= TOGETHER_MS,
  );
  const shared = shown.find(({ sharedBy }) => (sharedBy ?? 0) >= SHARED);
  const latest = changes[0];
  return [
    ...shown.map(departureEvidence),
    ...(program ? [programEvidence(program)] : []),
    ...(together.length > 0 ? [togetherEvidence(together)] : []),
    ...(shared ? [sharedEvidence(shared)] : []),
    ...(latest && sinceMs !== null ? [changeEvidence(latest, sinceMs)] : []),
    ...alerts.map(
      ({ alertName, message, createdAt }): Evidence => ({
        kind: 'alert',
        text: `the alert ${alertName} has been open since ${minuteOf(createdAt)}: ${message}`,
      }),
    ),
    ...forecasts.map(
      ({ measure, impactText }): Evidence => ({
        kind: 'forecast',
        text: `${labelOf(measure)} is predicted to reach its limit in ${impactText}`,
      }),
    ),
  ];
}

function departureEvidence(departure: Departure): Evidence {
  const { measure, current, item, usual, peers, fromUsual, fromPeers, sinceMs, gradual, scans } = departure;
  const named = item === null ? labelOf(measure) : `${labelOf(measure)} of ${item}`;
  const now = `${named} ${amount(measure, current)}`;
  const beside = peers === null ? '' : `, ${amount(measure, peers)} on its peers`;
  const began = sinceMs === null ? '' : `; ${gradual ? 'growing' : 'so'} since ${minuteOf(new Date(sinceMs))}`;
  const once = scans === 1 && sinceMs !== null ? ' (one scan so far)' : '';
  if (fromUsual && usual !== null) {
    return {
      kind: 'own_usual',
      text: `${now}, usually ${amount(measure, usual)} at this time of day${beside}${began}${once}`,
    };
  }
  if (fromPeers && peers !== null) {
    const own = usual === null ? '' : `, and usually ${amount(measure, usual)} here too`;
    return { kind: 'peers', text: `${now}, ${amount(measure, peers)} on its peers${own}` };
  }
  const own = usual === null ? '' : `, as usual here (${amount(measure, usual)})`;
  return { kind: 'level', text: `${now}${own}${beside}` };
}

function programEvidence({ measure, program, share, usual }: GrownProgram): Evidence {
  const of = measure === 'top_cpu_pct' ? 'of the processor' : 'of the memory';
  const before = usual === null ? '' : `, usually ${Math.round(usual)} %`;
  return { kind: 'program', text: `${program} takes ${Math.round(share)} % ${of}${before}` };
}

function togetherEvidence(followed: readonly Departure[]): Evidence {
  const each = followed.map(({ measure, current }) => `${labelOf(measure)} (${amount(measure, current)})`);
  return { kind: 'moves_together', text: `with it moved ${each.join(', ')}` };
}

function sharedEvidence({ measure, sharedBy }: Departure): Evidence {
  const share = Math.round((sharedBy ?? 0) * 100);
  return {
    kind: 'shared_by_peers',
    text: `${share} % of its peers have the same ${labelOf(measure)} problem now, so it may lie outside this machine`,
  };
}

function changeEvidence({ at, text }: Change, sinceMs: number): Evidence {
  const minutes = Math.round((sinceMs - at.getTime()) / 60_000);
  const when = minutes < 2 ? 'when it began' : `${spanText(minutes)} before it began`;
  return { kind: 'changed_before', text: `${when}, ${text}` };
}

function spanText(minutes: number): string {
  if (minutes < 90) return `${minutes} minutes`;
  return `${Math.round(minutes / 60)} hours`;
}

export function minuteOf(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
