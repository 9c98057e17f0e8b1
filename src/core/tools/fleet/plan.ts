/** The tool that tries an edit of the rules on what is stored, before it counts. */
import { z } from 'zod';
import { SEVERITIES } from '../../../domain/alerts/alert.ts';
import { SCORE_STATUSES, statusText } from '../../../domain/fleet/endpoint.ts';
import { HEALING_MODES } from '../../../domain/healing/remediation.ts';
import { type Compared, distance, type Tally } from '../../../domain/plan/comparison.ts';
import { AppError } from '../../errors.ts';
import { planEdit } from '../../plan/planEdit.ts';
import { iso } from '../../present.ts';
import { timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

/** What a file of ours may have; the tool is given its text. */
const MOST_TEXT = 500_000;
/** Machines and alerts that are listed; the counts say how many there are. */
const MOST_LISTED = 100;
const MOST_TOLD = 10;

const count = z.number().int();
const tally = z.object({ fired: count, flapped: count, ended: count, healed: count, asked: count });
const compared = z.object({ happened: tally, planned: tally });
const line = z.coerce.number().min(0).max(100).optional();

export const planRules = defineTool({
  name: 'plan_rules',
  title: 'Try an edit of the rules',
  effect: 'read',
  reach: 'fleet',
  role: 'operator',
  toolset: 'admin',
  description:
    'Replays the stored signals under an edited dex_score.yaml, remediation map, DEX_SCORE_* lines or scans in a row (`for`), and shows beside what happened: which machines change status, which alerts fire, flap and end, what is healed or asked for. Nothing is changed.',
  http: { method: 'POST', path: '/api/v1/dex/plan' },
  command: {
    name: 'plan',
    args: [],
    files: ['score', 'map'],
    example: 'plan --alert_threshold 70 --days 14',
  },
  input: z.strictObject({
    score: z.string().min(1).max(MOST_TEXT).optional().describe('The text of an edited dex_score.yaml'),
    map: z.string().min(1).max(MOST_TEXT).optional().describe('The text of an edited dex_remediation_map.yaml'),
    alert_threshold: line.describe('Instead of DEX_SCORE_ALERT_THRESHOLD'),
    critical_threshold: line.describe('Instead of DEX_SCORE_CRITICAL_THRESHOLD'),
    for: z
      .record(z.string().max(64), z.coerce.number().int().min(1).max(100))
      .optional()
      .describe('Scans in a row that must breach, by alert name: HighCpu=5'),
    days: z.coerce.number().int().min(1).max(60).default(14).describe('How many days are replayed'),
  }),
  output: z.object({
    from: timestamp,
    until: timestamp,
    edited: z.array(z.string()),
    healing: z.enum(HEALING_MODES),
    machines: z.object({ total: count, replayed: count, without_samples: count, with_gaps: count }),
    total: compared,
    weeks: z.array(compared.extend({ from: timestamp, until: timestamp })),
    alerts: z.array(compared.extend({ alert_name: z.string() })),
    status_changes: z.array(
      z.object({
        hostname: z.string(),
        owner_email: z.string().nullable(),
        from: z.enum(SCORE_STATUSES),
        to: z.enum(SCORE_STATUSES),
        score_from: z.number().nullable(),
        score_to: z.number().nullable(),
      }),
    ),
    status_change_count: count,
    /** Alerts that would be open now and are not. */
    would_open: z.array(z.object({ hostname: z.string(), alert_name: z.string(), severity: z.enum(SEVERITIES) })),
    would_open_count: count,
    /** Alerts that are open now and would not be. */
    would_close_count: count,
  }),
  async run({ score, map, alert_threshold, critical_threshold, for: scans, days }, { ports, now, signal, progress }) {
    const edit = {
      ...(score !== undefined && { scoreRules: ports.edits.scoreRules(score) }),
      ...(map !== undefined && { remediationMap: ports.edits.remediationMap(map) }),
      ...((alert_threshold !== undefined || critical_threshold !== undefined) && {
        thresholds: {
          ...(alert_threshold !== undefined && { warning: alert_threshold }),
          ...(critical_threshold !== undefined && { critical: critical_threshold }),
        },
      }),
      ...(scans !== undefined && { for: scans }),
    };
    if (days > ports.settings.retentionDays) {
      throw new AppError(
        'invalid',
        `Single samples are kept for ${ports.settings.retentionDays} days (DEX_RETENTION_DAYS): days can be at most that.`,
      );
    }
    const found = await ports.edits.inTurn(() => planEdit(ports, edit, days, { now, signal, progress }));
    const { total, weeks, alerts } = found.comparison;
    return {
      from: iso(found.from),
      until: iso(found.until),
      edited: [
        ...(score === undefined ? [] : ['dex_score.yaml']),
        ...(map === undefined ? [] : ['dex_remediation_map.yaml']),
        ...(edit.thresholds === undefined ? [] : ['DEX_SCORE_* lines']),
        ...(scans === undefined ? [] : ['scans in a row (for)']),
      ],
      healing: ports.settings.healing,
      machines: {
        total: found.machines.total,
        replayed: found.machines.replayed,
        without_samples: found.machines.withoutSamples,
        with_gaps: found.machines.withGaps,
      },
      total,
      weeks: weeks.map(({ from, until, ...both }) => ({ from: iso(from), until: iso(until), ...both })),
      alerts: alerts.map(({ alertName, ...both }) => ({ alert_name: alertName, ...both })),
      status_changes: found.changes.slice(0, MOST_LISTED).map(({ endpoint, score: value, status }) => ({
        hostname: endpoint.hostname,
        owner_email: endpoint.ownerEmail,
        from: endpoint.scoreStatus,
        to: status,
        score_from: endpoint.score,
        score_to: value,
      })),
      status_change_count: found.changes.length,
      would_open: found.opened.slice(0, MOST_LISTED).map(({ endpoint, alertName, severity }) => ({
        hostname: endpoint.hostname,
        alert_name: alertName,
        severity,
      })),
      would_open_count: found.opened.length,
      would_close_count: found.closed,
    };
  },
  page: () => '/plan',
  summary(found) {
    const { machines, total, weeks, alerts, status_changes, edited } = found;
    if (machines.total === 0) return 'No machine is registered, so there is nothing to replay.';
    const days = Math.round((Date.parse(found.until) - Date.parse(found.from)) / 86_400_000);
    const what = edited.length === 0 ? 'the rules in force (nothing was edited)' : `an edit of ${edited.join(', ')}`;
    const replayed =
      machines.replayed + machines.without_samples === 0
        ? `${days} days of the alerts of ${plural(machines.total, 'machine')}`
        : `${days} days of ${machines.replayed} of ${plural(machines.total, 'machine')}`;
    if (machines.replayed === 0 && machines.without_samples > 0)
      return `Nothing is stored of any machine in the last ${days} days: there is no history to replay yet.`;
    const changed = alerts.filter((each) => distance(each) > 0);
    return [
      `${replayed}, replayed under ${what}.`,
      ...(machines.without_samples > 0
        ? [`Of ${plural(machines.without_samples, 'machine')} there is no history yet: they are not in this.`]
        : []),
      ...(machines.with_gaps > 0
        ? [`${plural(machines.with_gaps, 'machine')} with gaps of more than a day: what happened then is not in this.`]
        : []),
      `In all: ${tallyText(total)}.`,
      ...weeks.map((week) => `Week from ${week.from.slice(0, 10)}: ${tallyText(week)}.`),
      changed.length === 0 ? 'No alert fires, flaps or ends otherwise.' : 'Alerts that differ:',
      ...changed.slice(0, MOST_TOLD).map((each) => `  ${each.alert_name}: ${tallyText(each)}`),
      ...more(changed.length),
      found.status_change_count === 0
        ? 'No machine changes status.'
        : `${plural(found.status_change_count, 'machine')} ${found.status_change_count === 1 ? 'changes' : 'change'} status:`,
      ...status_changes
        .slice(0, MOST_TOLD)
        .map(
          ({ hostname, from, to, score_from, score_to }) =>
            `  ${hostname}: ${statusText(from, score_from)} (${score_from ?? 'no score'}) → ${statusText(to, score_to)} (${score_to ?? 'no score'})`,
        ),
      ...more(found.status_change_count),
      `Put in force now, it would open ${plural(found.would_open_count, 'alert')} and close ${found.would_close_count}.`,
      ...(found.healing === 'off'
        ? ['Self-healing is off (DEX_SELF_HEALING_ENABLED), so nothing is healed or asked for, whatever the map says.']
        : []),
    ].join('\n');
  },
  rows: ({ alerts }) =>
    alerts.map(({ alert_name, happened, planned }) => ({
      alert_name,
      ...prefixed('happened', happened),
      ...prefixed('planned', planned),
    })),
});

function prefixed(side: string, figures: Tally): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${side}_${name}`, value]));
}

/** `fired 12 instead of 9, ended 12 as before`; what is nothing on both sides is left out. */
function tallyText({ happened, planned }: Compared): string {
  const parts = (Object.keys(happened) as (keyof Tally)[]).flatMap((name) => {
    const [was, is] = [happened[name], planned[name]];
    if (was === 0 && is === 0) return [];
    return [was === is ? `${is} ${TALLY_TEXT[name]} as before` : `${is} ${TALLY_TEXT[name]} instead of ${was}`];
  });
  return parts.length === 0 ? 'nothing happened, and nothing would have' : parts.join(', ');
}

const TALLY_TEXT: Record<keyof Tally, string> = {
  fired: 'fired',
  flapped: 'flapped',
  ended: 'ended',
  healed: 'healed at once',
  asked: 'asked for',
};

function more(total: number): string[] {
  return total > MOST_TOLD ? [`  and ${total - MOST_TOLD} more`] : [];
}

function plural(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
