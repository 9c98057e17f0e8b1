/** The report for the channel: the last days beside those before, what got better and by whom, what waits and for whom. */
import { z } from 'zod';
import { improvements } from '../../../domain/alerts/improvement.ts';
import { INTERFACES, type Interface } from '../../actor.ts';
import { postReport } from '../../outbox/messages.ts';
import { defineTool } from '../../tool.ts';
import { getKpis } from './kpis.ts';

const DAY_MS = 86_400_000;
const MOST_READ = 1000;
const MODELS: readonly Interface[] = ['mcp', 'planner'];

/** What the report says of the KPIs, beside all that its picture shows. */
const kpisShown = z.looseObject({
  avg_fleet_dex_score: z.number().nullable(),
  total_alerts: z.number().int(),
  resolved_alerts: z.number().int(),
  by_resolution: z.record(z.string(), z.number()),
  before: z.looseObject({
    avg_fleet_dex_score: z.number().nullable(),
    total_alerts: z.number().int(),
    resolved_alerts: z.number().int(),
  }),
});

/** Who, by the id of the actor, and how many alerts. */
const share = z.object({ actor: z.string(), alerts: z.number().int() });

export const getReport = defineTool({
  name: 'get_report',
  title: 'Show the report',
  effect: 'read',
  reach: 'selection',
  hiddenFrom: MODELS, // get_kpis tells them enough
  description:
    'The last days beside those before, as the channel gets them every Monday: the KPIs, which alerts came less often, who resolved what, and what waits for whom.',
  http: { method: 'GET', path: '/api/v1/dex/report' },
  command: { name: 'weekly', args: ['days'], example: 'weekly 7' },
  input: z.strictObject({ days: z.coerce.number().int().min(1).max(90).default(7) }),
  output: z.object({
    days: z.number().int(),
    kpis: kpisShown,
    better: z.array(z.object({ alert_name: z.string(), alerts: z.number().int(), before: z.number().int() })),
    resolved_by: z.object({ self_healing: z.number().int(), owners: z.number().int(), people: z.array(share) }),
    waiting: z.object({ approvals: z.number().int(), unanswered: z.number().int(), in_hands: z.array(share) }),
  }),
  async run({ days }, context) {
    const { ports, now } = context;
    const since = new Date(now.getTime() - days * DAY_MS);
    const before = new Date(since.getTime() - days * DAY_MS);
    const page = { limit: MOST_READ, offset: 0 };
    const [figures, moved, open, approvals, resolved, offers] = await Promise.all([
      getKpis.run({ lookback_days: days }, context),
      ports.store.alerts.movedSince(before),
      ports.store.alerts.open(),
      ports.store.approvals.list({ status: 'pending' }, { limit: 1, offset: 0 }),
      ports.store.audit.list({ tool: 'resolve_alert', outcome: 'ok', since }, page),
      ports.store.ownerRemedies.list({}, page),
    ]);
    const kpis = kpisShown.parse(figures);
    const fixedByOwners = offers.items.filter(
      ({ status, answeredAt }) => status === 'fixed' && answeredAt !== null && answeredAt >= since,
    );
    return {
      days,
      kpis,
      better: improvements(moved, before, since).map(({ alertName, ...counts }) => ({
        alert_name: alertName,
        ...counts,
      })),
      resolved_by: {
        self_healing: kpis.by_resolution.auto ?? 0,
        owners: fixedByOwners.length,
        people: shares(resolved.items.map(({ actor }) => actor)),
      },
      waiting: {
        approvals: approvals.total,
        unanswered: open.filter(({ status }) => status === 'active' || status === 'needs_human').length,
        in_hands: shares(
          open.flatMap(({ status, acknowledgedBy }) => (status === 'acknowledged' ? (acknowledgedBy ?? []) : [])),
        ),
      },
    };
  },
  page: ({ days }) => `/kpis?days=${days}`,
  summary: ({ days, kpis, better, resolved_by, waiting }) =>
    [
      `The last ${days} days beside the ${days} before`,
      `Fleet score: ${beside(kpis.avg_fleet_dex_score, kpis.before.avg_fleet_dex_score)} of 100. Alerts: ${beside(kpis.total_alerts, kpis.before.total_alerts)}. Resolved: ${beside(kpis.resolved_alerts, kpis.before.resolved_alerts)}.`,
      better.length > 0
        ? `Better: ${better.map(({ alert_name, alerts, before }) => `${alert_name} ${beside(alerts, before)}`).join(', ')}.`
        : 'No alert came less often than before.',
      `Resolved by: ${namedShares([['self-healing', resolved_by.self_healing], ['owners', resolved_by.owners], ...asPairs(resolved_by.people)])}.`,
      `Waiting: ${namedShares([['for approval', waiting.approvals], ['for somebody to take it', waiting.unanswered], ...asPairs(waiting.in_hands)])}.`,
    ].join('\n'),
  chart: ({ kpis }) => getKpis.chart?.(kpis) ?? null,
  shows: { card: 'report' },
});

/** By name and not by number: nobody is ranked. */
function shares(actors: readonly string[]): z.output<typeof share>[] {
  return [...Map.groupBy(actors, (actor) => actor)]
    .map(([actor, all]) => ({ actor, alerts: all.length }))
    .sort((a, b) => a.actor.localeCompare(b.actor));
}

const asPairs = (all: readonly z.output<typeof share>[]) => all.map(({ actor, alerts }) => [actor, alerts] as const);

function namedShares(pairs: readonly (readonly [string, number])[]): string {
  const some = pairs.filter(([, count]) => count > 0);
  return some.length === 0 ? 'nothing' : some.map(([name, count]) => `${count} ${name}`).join(', ');
}

function beside(value: number | null, before: number | null): string {
  const now = value === null ? 'not known' : String(value);
  return before === null ? now : `${now} (before: ${before})`;
}

export const postReportTool = defineTool({
  name: 'post_report',
  title: 'Post the report',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => !['job', 'rest', 'cli'].includes(via)),
  description: 'Post the report of the last days to the channel, once a day at most.',
  http: { method: 'POST', path: '/api/v1/dex/report' },
  command: { name: 'post-report', args: ['days'], example: 'post-report 7' },
  input: z.strictObject({ days: z.coerce.number().int().min(1).max(90).default(7) }),
  output: z.object({ days: z.number().int() }),
  async run({ days }, { ports, now }) {
    await postReport(ports, now.toISOString().slice(0, 10), days);
    return { days };
  },
  summary: ({ days }) => `The report of the last ${days} days is on its way to the channel.`,
  schedule: { job: 'dex_channel_report', cron: () => '0 7 * * 1' },
});
