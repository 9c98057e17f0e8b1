/** The monthly report to owners who want it: how their machines did beside the month before, what ended, what waits. */
import { isWorkingTime } from '../../domain/people/survey.ts';
import { round1 } from '../../domain/scores/score.ts';
import type { TimeSeriesChart } from '../chart.ts';
import type { ScorePoint } from '../ports/endpointPorts.ts';
import type { Ports } from '../ports/ports.ts';
import { staleBefore } from '../scores/staleness.ts';
import { type ComposedRemedy, REMEDY_MESSENGER } from './remedyMessage.ts';

const DAY_MS = 86_400_000;
const MONTH_DAYS = 30;
const MOST_MACHINES = 3;
/** Two months of scans every quarter of an hour. */
const MOST_SCORES = 6000;
/** A point for every eight hours says as much as the picture can show. */
const MOST_POINTS = 180;
/** Look-ups in one round, so that a directory with a rate limit can keep up. */
const LOOK_UPS = 40;

/** Sends what is due to those who are at work now. @returns how many were sent */
export async function sendOwnerReports(ports: Ports, now: Date): Promise<number> {
  const month = now.toISOString().slice(0, 7);
  let sent = 0;
  for (const email of await ports.store.ownerRemedies.reportsDue(month, LOOK_UPS)) {
    const person = await ports.people?.lookup(email).catch((error: unknown) => {
      ports.log.warn({ err: error }, 'an owner cannot be looked up now; their report waits');
      return null;
    });
    if (!person || !isWorkingTime(now, person.timeZone)) continue;
    await ports.store.transaction(async ({ ownerRemedies, outbox }) => {
      if (!(await ownerRemedies.reportSent(email, month))) return;
      const key = `owner_report:${ports.ids.next()}`;
      const payload = { owner_report: email, fresh: true };
      const message = {
        messenger: REMEDY_MESSENGER,
        kind: 'changed' as const,
        subject: key,
        idempotencyKey: key,
        payload,
      };
      await outbox.add([message], now);
      sent++;
    });
  }
  return sent;
}

/** Null for who has no machine any more. */
export async function composeOwnerReport(ports: Ports, email: string): Promise<ComposedRemedy | null> {
  const now = ports.clock.now();
  const page = { limit: MOST_MACHINES, offset: 0 };
  const { items } = await ports.store.endpoints.list({ ownerEmail: email }, page, staleBefore(ports, now));
  if (items.length === 0) return null;
  const since = new Date(now.getTime() - MONTH_DAYS * DAY_MS);
  const before = new Date(since.getTime() - MONTH_DAYS * DAY_MS);
  const moved = await ports.store.alerts.movedSince(since);
  const open = await ports.store.alerts.open(items.map(({ id }) => id));
  const scores = await Promise.all(items.map(({ id }) => ports.store.scores.history(id, MOST_SCORES)));
  const lines = items.map(({ id, hostname }, i) => {
    const points = scores[i] ?? [];
    const score = mean(points, since, now);
    const earlier = mean(points, before, since);
    const ended = moved.filter((alert) => alert.hostname === hostname && (alert.resolvedAt ?? before) >= since).length;
    const waits = open.filter(({ endpointId }) => endpointId === id).length;
    return [
      `${hostname}: ${score === null ? 'not scored' : `${score} of 100 on average`}${earlier === null ? '' : ` (the month before: ${earlier})`}`,
      ended === 0 ? '' : `${ended} problem${ended === 1 ? '' : 's'} ended`,
      waits === 0 ? 'nothing is open' : `${waits} open`,
    ]
      .filter(Boolean)
      .join('; ');
  });
  return {
    email,
    title: items.length === 1 ? 'Your computer this month' : 'Your computers this month',
    lines,
    handledBy: null,
    calls: [],
    optOut: {
      tool: 'set_monthly_report',
      input: { wanted: false },
      id: 'no_report',
      label: 'No such report',
    },
    chart: historyChart(
      items.map(({ hostname }, i) => ({ hostname, points: scores[i] ?? [] })),
      before,
    ),
  };
}

function mean(points: readonly ScorePoint[], from: Date, until: Date): number | null {
  const scores = points.flatMap(({ score, scoredAt }) =>
    score !== null && scoredAt >= from && scoredAt < until ? [score] : [],
  );
  return scores.length === 0 ? null : round1(scores.reduce((sum, score) => sum + score, 0) / scores.length);
}

/** Null with fewer than two points to draw. */
function historyChart(
  machines: readonly { hostname: string; points: readonly ScorePoint[] }[],
  since: Date,
): TimeSeriesChart | null {
  const lines = machines
    .map(({ hostname, points }) => {
      const scored = points.flatMap(({ score, scoredAt }) =>
        score !== null && scoredAt >= since ? [{ at: scoredAt, value: score }] : [],
      );
      const every = Math.max(1, Math.ceil(scored.length / MOST_POINTS));
      return { name: hostname, points: scored.toReversed().filter((_point, i) => i % every === 0) };
    })
    .filter(({ points }) => points.length > 1);
  if (lines.length === 0) return null;
  const told = lines.map(({ name, points }) => `${name} went from ${points[0]?.value} to ${points.at(-1)?.value}`);
  return {
    kind: 'time_series',
    title: 'DEX score, this month and the one before',
    alt: `${told.join('; ')}.`,
    yTitle: 'Score',
    yDomain: [0, 100],
    lines,
  };
}
