/** What a person takes back: a resolution of a moment ago, or an acknowledgement. */
import { type Alert, mayMove } from './alert.ts';
import type { Move, Refusal } from './alertMoves.ts';

/** How long a resolution by hand can be taken back; milliseconds. */
const UNDO_MS = 60_000;

/** Until when somebody may take back how this alert ended; null when nobody resolved it, or it is too late. */
export function undoableUntil({ status, resolution, updatedAt }: Alert, now: Date): Date | null {
  if (status !== 'resolved' || resolution !== 'person') return null;
  const until = new Date(updatedAt.getTime() + UNDO_MS);
  return until > now ? until : null;
}

/** Opens an alert again that somebody has just resolved. What it was about is observed anew, and healing takes it as a new one. */
export function undoResolution(known: Alert, why: string, now: Date): Move<Alert> | Refusal {
  if (known.status !== 'resolved') return { kind: 'refused', reason: `it is ${known.status.replace('_', ' ')}` };
  if (known.resolution !== 'person') return { kind: 'refused', reason: 'no person resolved it' };
  if (undoableUntil(known, now) === null)
    return {
      kind: 'refused',
      reason: 'it was resolved more than a minute ago; it opens by itself if the problem holds',
    };
  return {
    kind: 'reopened',
    alert: { ...known, status: 'active', handledAt: null, resolvedAt: null, resolution: null, updatedAt: now },
    event: { from: 'resolved', to: 'active', why },
  };
}

/** Ends an acknowledgement before its time. */
export function unacknowledge(known: Alert, why: string, now: Date): Move<Alert> | Refusal {
  if (known.status !== 'acknowledged' || !mayMove(known.status, 'active'))
    return { kind: 'refused', reason: `it is ${known.status.replace('_', ' ')}, not acknowledged` };
  return {
    kind: 'updated',
    alert: { ...known, status: 'active', acknowledgedUntil: null, acknowledgedBy: null, updatedAt: now },
    event: { from: 'acknowledged', to: 'active', why },
  };
}
