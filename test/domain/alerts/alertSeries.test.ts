/** Properties of alerts that several series share, whatever the order in which their sources speak. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlertDraft, type Observation, observe } from '../../../src/domain/alerts/alertMoves.ts';

const NOW_MS = Date.parse('2026-03-02T09:00:00Z');
const NOW = new Date(NOW_MS);
const identity = { endpointId: 1, hostname: 'pc-1', alertName: 'DiskFull' };

interface Episode {
  severity: 'info' | 'warning' | 'critical';
  startsMs: number;
  repeats: number;
}

/** What one series says, in its own order: each episode fires some times, then ends. */
function speech(series: string, episodes: readonly Episode[], saysStart: boolean): Observation[] {
  return episodes.flatMap(({ severity, startsMs, repeats }, index): Observation[] => {
    // A later episode of a series begins later.
    const startsAt = saysStart ? new Date(NOW_MS - 1_000_000 + index * 100_000 + startsMs) : null;
    const firing: Observation = {
      ...identity,
      series,
      state: 'firing',
      alertType: 'prometheus',
      severity,
      message: `${series} is full`,
      labels: { mountpoint: series },
      startsAt,
    };
    const ended: Observation = {
      ...identity,
      series,
      state: 'clear',
      resolution: 'source',
      why: 'it is over',
      startsAt,
      endedAt: null,
    };
    return [...Array.from({ length: repeats }, () => firing), ended];
  });
}

const episode = fc.record({
  severity: fc.constantFrom('info', 'warning', 'critical'),
  startsMs: fc.integer({ min: 0, max: 99_999 }),
  repeats: fc.integer({ min: 1, max: 3 }),
}) satisfies fc.Arbitrary<Episode>;

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'scan', 'forecast', '__proto__', ''), { minLength: 1 });

/** Several series, and the order in which they speak: each number draws the next word of one that still has any. */
const conversation = names.chain((series) =>
  fc.record({
    speeches: fc.tuple(
      ...series.map((name) =>
        fc
          .tuple(fc.array(episode, { minLength: 1, maxLength: 3 }), fc.boolean())
          .map(([episodes, saysStart]) => speech(name, episodes, saysStart)),
      ),
    ),
    draws: fc.array(fc.nat(), { minLength: 90, maxLength: 90 }),
  }),
);

function interleaved(speeches: readonly Observation[][], draws: readonly number[]): Observation[] {
  const left = speeches.map((words) => [...words]);
  return draws.flatMap((draw) => {
    const speaking = left.filter((words) => words.length > 0);
    return speaking.length === 0 ? [] : [speaking[draw % speaking.length]?.shift() as Observation];
  });
}

function follow(alert: AlertDraft | null, observation: Observation): AlertDraft | null {
  const move = observe(alert, observation, NOW);
  return move.kind === 'refused' ? alert : { ...move.alert, id: 1 };
}

test('when all series ended, the alert ended; while one holds, it is open', () => {
  fc.assert(
    fc.property(conversation, ({ speeches, draws }) => {
      const holding = new Set<string>();
      let alert: AlertDraft | null = null;
      for (const observation of interleaved(speeches, draws)) {
        alert = follow(alert, observation);
        if (observation.state === 'firing') holding.add(observation.series);
        else holding.delete(observation.series);
        // A source that cannot tell its series apart speaks for all of them.
        if (speeches.some(([first]) => first?.series === '')) continue;
        expect(alert?.status === 'resolved').toBe(holding.size === 0);
        expect(alert?.series.toSorted()).toEqual([...holding].sort());
        expect(alert?.seriesStartsMs).toHaveLength(holding.size);
      }
      expect(alert?.status).toBe('resolved');
    }),
    { numRuns: 500 },
  );
});

test('of two series the worse with the earlier start is ended by its own word', () => {
  const [lateFiring, lateEnd] = speech('a', [{ severity: 'warning', startsMs: 90_000, repeats: 1 }], true);
  const [earlyFiring, earlyEnd] = speech('b', [{ severity: 'critical', startsMs: 0, repeats: 1 }], true);
  let alert: AlertDraft | null = null;
  for (const said of [lateFiring, earlyFiring, earlyEnd, lateEnd]) alert = follow(alert, said as Observation);
  expect(alert?.status).toBe('resolved');
});

test('the end of an earlier episode does not end the one that holds, of whichever series', () => {
  const [, oldEnd, again] = speech(
    'b',
    [
      { severity: 'info', startsMs: 0, repeats: 1 },
      { severity: 'info', startsMs: 0, repeats: 1 },
    ],
    true,
  );
  const [other] = speech('a', [{ severity: 'critical', startsMs: 0, repeats: 1 }], true);
  const both = follow(follow(null, other as Observation), again as Observation);
  expect(observe(both, oldEnd as Observation, NOW)).toMatchObject({ kind: 'refused' });
});
