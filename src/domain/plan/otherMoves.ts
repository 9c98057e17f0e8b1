/** What moved a machine's alerts besides its scans: other systems, predictions and people. A replay takes it as it happened. */
import type { Alert, AlertEvent } from '../alerts/alert.ts';

/** An alert with its timeline, oldest first. */
export interface AlertHistory {
  alert: Alert;
  events: readonly AlertEvent[];
}

/** `raise` and `clear` are of a source other than scans; `end` is of a person, a ticket or the registry, and ends it whatever holds. */
export interface OtherMove {
  atMs: number;
  kind: 'raise' | 'clear' | 'end';
  alert: Alert;
  why: string;
}

/** Interfaces by which no person comes. */
const SOURCES: readonly string[] = ['job', 'webhook', 'agent'];

/** @param scanner the actor in whose name scans move alerts */
export function otherMoves(histories: readonly AlertHistory[], scanner: string): OtherMove[] {
  return histories
    .flatMap(({ alert, events }) => {
      let held = false;
      return events.flatMap(({ at, from, to, actor, via, why }): OtherMove[] => {
        const atMs = at.getTime();
        const begins = to !== 'resolved' && (from === null || from === 'resolved');
        if (begins && actor !== scanner) {
          held = true;
          return [{ atMs, kind: 'raise', alert, why }];
        }
        if (to !== 'resolved' || from === 'resolved') return [];
        // What a scan ended was held by nothing else any more; that it had ended elsewhere is in no timeline.
        if (actor === scanner) return held ? [{ atMs: atMs - 1, kind: 'clear', alert, why }] : [];
        // Whoever else ends what a scan raised ends it as a person does: a ticket, or a fix that was verified.
        const kind = held && SOURCES.includes(via) ? 'clear' : 'end';
        held = false;
        return [{ atMs, kind, alert, why }];
      });
    })
    .sort((a, b) => a.atMs - b.atMs);
}

/** The alerts as they stood at a timestamp, those included that were over then; later ones are left out. */
export function alertsAt(histories: readonly AlertHistory[], atMs: number, scanner: string): Alert[] {
  return histories.flatMap(({ alert, events }): Alert[] => {
    const before = events.filter(({ at }) => at.getTime() <= atMs);
    const last = before.at(-1);
    if (last === undefined || alert.createdAt.getTime() > atMs) return [];
    const isOver = last.to === 'resolved';
    const began = before.findLast(({ from, to }) => to !== 'resolved' && (from === null || from === 'resolved'));
    const end = isOver ? before.findLast(({ from, to }) => to === 'resolved' && from !== 'resolved') : undefined;
    return [
      {
        ...alert,
        status: isOver ? 'resolved' : last.to,
        series: isOver ? [] : [began?.actor === scanner ? 'scan' : OTHER_SERIES],
        seriesStartsMs: isOver ? [] : [null],
        flaps: before.filter(({ from, to }) => from === 'resolved' && to !== 'resolved').length,
        resolvedAt: end?.at ?? null,
        resolution: isOver ? alert.resolution : null,
      },
    ];
  });
}

/** The series by which a replay knows everything that is not a scan. */
export const OTHER_SERIES = 'other';
