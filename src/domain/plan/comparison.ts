/** What happened beside what would have happened, week by week and alert by alert. */
import type { AlertHistory } from './otherMoves.ts';
import type { HealingOutcome, Raised } from './replayHealing.ts';
import type { ReplayedMove } from './replayMachine.ts';

const WEEK_MS = 7 * 86_400_000;

/** How often alerts fired, came back within the reopen window, ended, and what was done about them. */
export interface Tally {
  fired: number;
  flapped: number;
  ended: number;
  /** Remediations that began without asking anybody. */
  healed: number;
  /** Remediations for which somebody was asked for approval. */
  asked: number;
}

const NOTHING: Tally = { fired: 0, flapped: 0, ended: 0, healed: 0, asked: 0 };

/** One thing that counts, of either side. */
interface Counted {
  atMs: number;
  alertName: string;
  what: keyof Tally;
}

export interface Compared {
  happened: Tally;
  planned: Tally;
}

export interface Comparison {
  total: Compared;
  weeks: (Compared & { from: Date; until: Date })[];
  /** Those whose figures differ first, by how much. */
  alerts: (Compared & { alertName: string })[];
}

/** What timelines say of what happened. */
export function happenedIn(histories: readonly AlertHistory[], fromMs: number, untilMs: number): Counted[] {
  return histories.flatMap(({ alert: { alertName }, events }) =>
    events.flatMap(({ at, from, to }): Counted[] => {
      const atMs = at.getTime();
      if (atMs < fromMs || atMs > untilMs || from === to) return [];
      const count = (what: keyof Tally): Counted[] => [{ atMs, alertName, what }];
      if (to === 'resolved') return count('ended');
      if (from === null) return count('fired');
      if (from === 'resolved') return count('flapped');
      if (to === 'pending_approval') return count('asked');
      return to === 'remediating' && from !== 'pending_approval' ? count('healed') : [];
    }),
  );
}

/** What a replay says of what would have happened. */
export function plannedIn(
  moves: readonly ReplayedMove[],
  healing: readonly { raised: Raised; outcome: HealingOutcome }[],
  fromMs: number,
  untilMs: number,
): Counted[] {
  return [
    ...moves.map(({ at, kind, alert }): Counted => ({ atMs: at.getTime(), alertName: alert.alertName, what: kind })),
    ...healing.flatMap(({ raised, outcome }): Counted[] =>
      outcome === 'person' ? [] : [{ atMs: raised.at.getTime(), alertName: raised.alert.alertName, what: outcome }],
    ),
  ].filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs);
}

export function compare(
  happened: readonly Counted[],
  planned: readonly Counted[],
  fromMs: number,
  untilMs: number,
): Comparison {
  const blank = (): Compared => ({ happened: { ...NOTHING }, planned: { ...NOTHING } });
  const total = blank();
  const weeks = Array.from({ length: Math.max(1, Math.ceil((untilMs - fromMs) / WEEK_MS)) }, (_, week) => ({
    from: new Date(fromMs + week * WEEK_MS),
    until: new Date(Math.min(untilMs, fromMs + (week + 1) * WEEK_MS)),
    ...blank(),
  }));
  const alerts = new Map<string, Compared>();
  for (const side of ['happened', 'planned'] as const) {
    for (const { atMs, alertName, what } of side === 'happened' ? happened : planned) {
      const ofAlert = alerts.get(alertName) ?? blank();
      alerts.set(alertName, ofAlert);
      const week = weeks[Math.min(weeks.length - 1, Math.floor((atMs - fromMs) / WEEK_MS))] as Compared;
      for (const each of [total, week, ofAlert]) each[side][what]++;
    }
  }
  return {
    total,
    weeks,
    alerts: [...alerts]
      .map(([alertName, compared]) => ({ alertName, ...compared }))
      .sort((a, b) => distance(b) - distance(a) || (a.alertName < b.alertName ? -1 : 1)),
  };
}

/** How many events more or fewer there would have been. */
export function distance({ happened, planned }: Compared): number {
  return (Object.keys(NOTHING) as (keyof Tally)[]).reduce(
    (sum, what) => sum + Math.abs(planned[what] - happened[what]),
    0,
  );
}
