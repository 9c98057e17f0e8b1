/** Tools for the voice of employees: giving feedback, and reading what all of it says. */
import { z } from 'zod';
import { PERSONAS } from '../../domain/fleet/endpoint.ts';
import { groupsOf, LEAST_ANSWERS, LEAST_ANSWERS_FOR_COMMENTS } from '../../domain/people/confidentiality.ts';
import {
  AGREEMENTS,
  type EnpsFigures,
  FEEDBACK_CATEGORIES,
  HIGHEST_RATING,
  LOWEST_RATING,
} from '../../domain/people/enps.ts';
import type { ChartSpec } from '../chart.ts';
import { addFeedback, feedbackSummary, waitingAnswers } from '../people/feedback.ts';
import { settleFeedback } from '../people/surveys.ts';
import { iso } from '../present.ts';
import { requireEndpoint } from '../scans/scanning.ts';
import { hostnameInput, timestamp } from '../shapes.ts';
import { defineTool } from '../tool.ts';

const MOST_COMMENT_CHARS = 2000;
const CONTROL_CHARACTERS = /[^\P{Cc}\t\n]/gu;

/** What a person says in an answer, the same for feedback and surveys. */
export const answerInput = {
  rating: z.coerce.number().int().min(LOWEST_RATING).max(HIGHEST_RATING).describe('1 (bad) to 5 (good)'),
  category: z.enum(FEEDBACK_CATEGORIES).default('other').describe('What it is about'),
  comment: z
    .string()
    .overwrite((text) => text.replaceAll(CONTROL_CHARACTERS, '').trim())
    .max(MOST_COMMENT_CHARS, `a comment has at most ${MOST_COMMENT_CHARS} characters`)
    .nullish()
    .describe('In your own words'),
};

export const submitFeedback = defineTool({
  name: 'submit_feedback',
  title: 'Give feedback',
  effect: 'write',
  reach: 'shared',
  role: 'employee',
  // A digest of few possible inputs, with a time and a name, would say who gave which rating.
  anonymous: true,
  // What people say is only said by people.
  hiddenFrom: ['mcp', 'planner'],
  description:
    "One person's rating of how well their machine serves them, with a category and a comment. With a hostname it counts for that machine's persona and tags.",
  http: { method: 'POST', path: '/api/v1/dex/feedback', status: 201 },
  command: {
    name: 'feedback',
    args: ['rating', 'comment'],
    sentence: true,
    example: 'feedback 2 VPN is slow --category connectivity --hostname dev-machine-01',
  },
  input: z.strictObject({ hostname: hostnameInput.nullish(), ...answerInput }),
  output: z.object({
    ok: z.literal(true),
    feedback: z.object({
      id: z.number().int(),
      hostname: z.string().nullable(),
      rating: z.number().int(),
      category: z.enum(FEEDBACK_CATEGORIES),
      comment: z.string().nullable(),
      created_at: timestamp,
    }),
    /** Whether an earlier answer of the same person that nobody has seen yet made way for it. */
    replaced: z.boolean(),
  }),
  async run({ hostname, rating, category, comment }, { ports, actor, now }) {
    const endpoint = hostname ? await requireEndpoint(ports, hostname) : null;
    const said = { rating, category, comment: comment || null };
    const { id, replaced } = await addFeedback(ports, actor, {
      source: 'feedback',
      ...said,
      groups: endpoint ? groupsOf(endpoint) : [],
    });
    return {
      ok: true as const,
      feedback: { id, hostname: endpoint?.hostname ?? null, ...said, created_at: iso(now) },
      replaced,
    };
  },
  summary: ({ feedback, replaced }) =>
    `Thank you: ${feedback.rating} of ${HIGHEST_RATING} for ${feedback.category}${feedback.hostname ? ` on ${feedback.hostname}` : ''} has arrived${replaced ? ' in place of what you said before' : ''}.`,
});

const count = z.number().int();
const figuresShape = {
  responses: count,
  enps: z.number(),
  enps_margin: z.number(),
  enps_low: z.number(),
  enps_high: z.number(),
  avg_rating: z.number(),
  avg_dex_score: z.number().nullable(),
};

const summaryShape = z.object({
  lookback_days: count,
  responses: count,
  /** Answers, of everybody, that wait until there are enough or until their survey ends. */
  waiting: count,
  enps: z.number().nullable(),
  enps_margin: z.number().nullable(),
  /** 95 % confidence interval. */
  enps_low: z.number().nullable(),
  enps_high: z.number().nullable(),
  promoters: count.nullable(),
  passives: count.nullable(),
  detractors: count.nullable(),
  avg_rating: z.number().nullable(),
  avg_dex_score: z.number().nullable(),
  top_categories: z.array(z.object({ category: z.enum(FEEDBACK_CATEGORIES), responses: count })),
  groups: z.array(z.object({ group: z.string(), ...figuresShape, agreement: z.enum(AGREEMENTS) })),
  /** Pearson's r between eNPS and DEX score over the groups. */
  dex_correlation: z.number().nullable(),
  history: z.array(z.object({ on: z.iso.date(), ...figuresShape })),
  comments: z.array(z.object({ category: z.enum(FEEDBACK_CATEGORIES), comment: z.string() })).optional(),
  suppressed: z.string().optional(),
  computed_at: timestamp,
});

export const getFeedbackSummary = defineTool({
  name: 'get_feedback_summary',
  title: 'Show what employees say',
  effect: 'read',
  reach: 'fleet',
  toolset: 'surveys',
  description: `eNPS with its 95 % interval, ratings, categories and history over lookback_days, by persona and tag beside the DEX score of the same machines. Published from ${LEAST_ANSWERS} answers on, comments from ${LEAST_ANSWERS_FOR_COMMENTS}; a survey's answers come when it ends.`,
  http: { method: 'GET', path: '/api/v1/dex/feedback/summary' },
  command: { name: 'enps', args: ['lookback_days'], example: 'enps 30 --persona developer' },
  input: z.strictObject({
    lookback_days: z.coerce.number().int().min(1).max(365).default(30),
    persona: z.enum(PERSONAS).optional(),
    tag: z
      .string()
      .max(500)
      .regex(/^[^=]+=./, 'must be key=value')
      .optional()
      .describe('key=value'),
  }),
  output: summaryShape,
  async run({ lookback_days, persona, tag }, { ports, now }) {
    await settleFeedback(ports, now);
    const summary = await feedbackSummary(ports, { lookbackDays: lookback_days, persona, tag }, now);
    const { figures, comments } = summary;
    const suppressed = [
      ...(figures
        ? []
        : [`Fewer than ${LEAST_ANSWERS} answers were published${persona || tag ? ' for this group' : ''}.`]),
      ...(comments ? [] : [`Comments need ${LEAST_ANSWERS_FOR_COMMENTS} answers and are shown for everybody only.`]),
    ];
    return {
      lookback_days,
      responses: figures?.responses ?? 0,
      waiting: await waitingAnswers(ports),
      enps: figures?.enps ?? null,
      enps_margin: figures?.margin ?? null,
      enps_low: figures?.low ?? null,
      enps_high: figures?.high ?? null,
      promoters: figures?.promoters ?? null,
      passives: figures?.passives ?? null,
      detractors: figures?.detractors ?? null,
      avg_rating: figures?.averageRating ?? null,
      avg_dex_score: summary.dexScore,
      top_categories: figures?.topCategories ?? [],
      groups: summary.groups.map(({ group, agreement, ...said }) => ({ group, ...present(said), agreement })),
      dex_correlation: summary.correlation,
      history: summary.history.map(({ on, ...said }) => ({ on, ...present(said) })),
      ...(comments && { comments: comments.map(({ category, text }) => ({ category, comment: text })) }),
      ...(suppressed.length > 0 && { suppressed: suppressed.join(' ') }),
      computed_at: iso(now),
    };
  },
  page: () => '/feedback',
  summary: (said) => summaryLines(said).join('\n'),
  chart: historyChart,
  overview: { place: 6, parts: (said) => [{ title: null, lines: summaryLines(said) }] },
});

function summaryLines(said: z.output<typeof summaryShape>): string[] {
  const later =
    said.waiting > 0 ? ` ${said.waiting} more wait until they can be published without showing who gave them.` : '';
  if (said.enps === null) return [`${said.suppressed}${later}`];
  const categories = said.top_categories.map(({ category, responses }) => `${category} ${responses}`).join(', ');
  return [
    `eNPS ${enpsText(said)}, ${said.responses} answers in ${said.lookback_days} days (${said.promoters} promoters, ${said.passives} passives, ${said.detractors} detractors), average ${said.avg_rating} of ${HIGHEST_RATING}.${later}`,
    `About: ${categories}`,
    ...said.groups.map((group) => {
      const machines = group.avg_dex_score === null ? '' : `, machines ${group.avg_dex_score} of 100`;
      const words = AGREEMENT_WORDS[group.agreement];
      return `${group.group}: eNPS ${enpsText(group)}, ${group.responses} answers${machines}${words && `; ${words}`}`;
    }),
    ...(said.comments ?? []).slice(0, 5).map(({ category, comment }) => `“${comment}” (${category})`),
  ];
}

function present({ figures, dexScore }: { figures: EnpsFigures; dexScore: number | null }) {
  return {
    responses: figures.responses,
    enps: figures.enps,
    enps_margin: figures.margin,
    enps_low: figures.low,
    enps_high: figures.high,
    avg_rating: figures.averageRating,
    avg_dex_score: dexScore,
  };
}

export const AGREEMENT_WORDS: Record<(typeof AGREEMENTS)[number], string> = {
  agree: '',
  unclear: '',
  people_unhappy: 'people are unhappy although their machines do well',
  machines_unwell: 'people are content although their machines do not do well',
};

/** An eNPS with the range in which everybody's lies: `+40 (likely +5 to +70)`. */
export function enpsText(said: { enps: number | null; enps_low: number | null; enps_high: number | null }): string {
  const { enps, enps_low: low, enps_high: high } = said;
  if (enps === null || low === null || high === null) return 'not known';
  return `${signed(enps)} (likely ${signed(low)} to ${signed(high)})`;
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}

type History = { on: string; enps: number; avg_dex_score: number | null }[];

function historyChart({ history, lookback_days }: { history: History; lookback_days: number }): ChartSpec | null {
  const [first, last] = [history[0], history.at(-1)];
  if (!first || !last || first === last) return null;
  const line = (name: string, pick: (point: History[number]) => number | null) => ({
    name,
    points: history.flatMap((point) => {
      const value = pick(point);
      return value === null ? [] : [{ at: new Date(point.on), value }];
    }),
  });
  const lines = [line('eNPS', ({ enps }) => enps), line('DEX score of the fleet', (point) => point.avg_dex_score)];
  return {
    kind: 'time_series',
    title: `What employees say, last ${lookback_days} days`,
    alt: `eNPS went from ${signed(first.enps)} on ${first.on} to ${signed(last.enps)} on ${last.on}.`,
    yTitle: 'eNPS (−100 to 100) and DEX score (0 to 100)',
    yDomain: [-100, 100],
    lines: lines.filter(({ points }) => points.length > 0),
  };
}
