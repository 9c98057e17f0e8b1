/** Tools for the employees' survey: starting and ending it, seeing how it goes, answering, and opting out. */
import { z } from 'zod';
import { INVITATION_STATES, SURVEY_STATUSES, type Survey } from '../../domain/people/survey.ts';
import { INTERFACES, type Interface } from '../actor.ts';
import { AppError } from '../errors.ts';
import {
  closeSurvey as endSurvey,
  maintainSurveys as maintainOpenSurvey,
  startSurvey as openSurvey,
  personBehind,
  requireSurvey,
  setOptOut,
  answerSurvey as storeAnswer,
} from '../people/surveys.ts';
import type { Ports } from '../ports/ports.ts';
import { iso } from '../present.ts';
import { hostnameInput, pageInput, timestamp } from '../shapes.ts';
import { defineTool } from '../tool.ts';
import { answerInput } from './feedback.ts';

/** Asking every employee, and who is asked at all, is for people to decide. */
const MODELS: readonly Interface[] = ['mcp', 'planner'];

const DEFAULT_QUESTION = 'How well did your computer and the company’s software serve you lately?';

const surveyShape = z.object({
  id: z.number().int(),
  question: z.string(),
  status: z.enum(SURVEY_STATUSES),
  started_by: z.string(),
  started_at: timestamp,
  ends_at: timestamp,
  closed_at: timestamp.nullable(),
  invited: z.number().int(),
  answered: z.number().int(),
  response_rate_pct: z.number().int(),
});
const withSurvey = z.object({ survey: surveyShape });
const surveyId = z.coerce.number().int().describe('Id, as the list of surveys gives it');

function presentSurvey(survey: Survey): z.input<typeof surveyShape> {
  return {
    id: survey.id,
    question: survey.question,
    status: survey.status,
    started_by: survey.startedBy,
    started_at: iso(survey.startedAt),
    ends_at: iso(survey.endsAt),
    closed_at: iso(survey.closedAt),
    invited: survey.invited,
    answered: survey.answered,
    response_rate_pct: Math.round((survey.answered / survey.invited) * 100),
  };
}

function surveyLine(survey: z.output<typeof surveyShape>): string {
  const state = survey.status === 'open' ? `open until ${survey.ends_at}` : `closed ${survey.closed_at}`;
  return `Survey ${survey.id}: ${survey.answered} of ${survey.invited} people answered (${survey.response_rate_pct} %), ${state}.`;
}

function surveyLines({ surveys }: { surveys: z.output<typeof surveyShape>[] }): string[] {
  return surveys.length === 0 ? ['There was no survey yet. Start one with: survey'] : surveys.map(surveyLine);
}

export const startSurvey = defineTool({
  name: 'start_survey',
  title: 'Start a survey',
  effect: 'write',
  reach: 'fleet',
  toolset: 'surveys',
  reachesMany: () => true,
  hiddenFrom: MODELS,
  description:
    'Ask owners of registered machines how well their machine serves them, in Slack and in their working hours, with one reminder. Chosen by lot; nobody is asked more than once in 30 days. Answers are confidential and shown when the survey ends.',
  http: { method: 'POST', path: '/api/v1/dex/surveys', status: 201 },
  command: { name: 'survey', args: [], example: 'survey --share_pct 25 --days 7' },
  input: z.strictObject({
    question: z.string().trim().min(1).max(300).default(DEFAULT_QUESTION),
    days: z.coerce.number().int().min(1).max(30).default(7).describe('How long it can be answered'),
    share_pct: z.coerce.number().min(1).max(100).default(100).describe('Share of those who may be asked'),
  }),
  output: withSurvey,
  async run({ question, days, share_pct }, { ports, actor, now }) {
    const survey = await openSurvey(ports, { question, days, sharePct: share_pct }, actor.id, now);
    return { survey: presentSurvey(survey) };
  },
  summary: ({ survey }) =>
    `Survey ${survey.id} is open until ${survey.ends_at}; ${survey.invited} people will be asked in their working hours.`,
  schedule: {
    job: 'dex_survey',
    cron: ({ survey }) => survey.cron || null,
    input: ({ survey }) => ({ share_pct: survey.sharePct }),
  },
});

export const closeSurvey = defineTool({
  name: 'close_survey',
  title: 'End a survey',
  effect: 'write',
  reach: 'fleet',
  toolset: 'surveys',
  hiddenFrom: MODELS,
  description: 'End the survey before its time and show its answers, if there are enough of them.',
  http: { method: 'POST', path: '/api/v1/dex/surveys/:survey_id/close' },
  command: { name: 'close-survey', args: ['survey_id'], example: 'close-survey 3' },
  input: z.strictObject({ survey_id: surveyId }),
  output: withSurvey,
  async run({ survey_id }, { ports, now }) {
    const survey = await requireSurvey(ports, survey_id);
    if (survey.status === 'closed') throw new AppError('conflict', `Survey ${survey_id} is closed already.`);
    await endSurvey(ports, survey, now);
    return { survey: presentSurvey(await requireSurvey(ports, survey_id)) };
  },
  summary: ({ survey }) => surveyLine(survey),
});

export const listSurveys = defineTool({
  name: 'list_surveys',
  title: 'List surveys',
  effect: 'read',
  reach: 'fleet',
  toolset: 'surveys',
  description: 'Surveys and how many answered them, newest first.',
  http: { method: 'GET', path: '/api/v1/dex/surveys' },
  command: { name: 'surveys', args: [], example: 'surveys' },
  input: z.strictObject(pageInput),
  output: z.object({ surveys: z.array(surveyShape), total: z.number().int() }),
  async run(page, { ports }) {
    const { items, total } = await ports.store.surveys.list(page);
    return { surveys: items.map(presentSurvey), total };
  },
  summary: (listed) => surveyLines(listed).join('\n'),
  overview: {
    place: 5,
    input: { limit: 1 },
    parts: (listed) => [{ title: 'Last survey', lines: surveyLines(listed) }],
  },
});

export const getSurvey = defineTool({
  name: 'get_survey',
  title: 'Show a survey',
  effect: 'read',
  reach: 'fleet',
  toolset: 'surveys',
  hiddenFrom: MODELS, // list_surveys tells them enough
  description: 'How far a survey is: how many were asked, wait to be asked, cannot be reached, and answered.',
  http: { method: 'GET', path: '/api/v1/dex/surveys/:survey_id' },
  command: { name: 'show-survey', args: ['survey_id'], example: 'show-survey 3' },
  input: z.strictObject({ survey_id: surveyId }),
  output: z.object({ survey: surveyShape, invitations: z.record(z.enum(INVITATION_STATES), z.number().int()) }),
  async run({ survey_id }, { ports }) {
    const survey = await requireSurvey(ports, survey_id);
    return { survey: presentSurvey(survey), invitations: await ports.store.surveys.countStates(survey_id) };
  },
  summary: ({ survey, invitations }) =>
    `${surveyLine(survey)} ${invitations.asked} asked, ${invitations.waiting} waiting for their working hours, ${invitations.unreachable} unknown in Slack.`,
});

const tokenInput = z.string().min(1).max(200).describe('From the message that asked');

export const answerSurvey = defineTool({
  name: 'answer_survey',
  title: 'Answer a survey',
  effect: 'write',
  reach: 'shared',
  role: 'employee',
  anonymous: true,
  // An answer is a person's own, and only where the question reached them.
  hiddenFrom: INTERFACES.filter((via) => via !== 'slack'),
  description: 'Answer the question that came with the token, once and confidentially.',
  input: z.strictObject({
    token: tokenInput,
    ...answerInput,
    hostname: hostnameInput.nullish().describe("One's own machine, when the person ticked that it may be named"),
  }),
  output: z.object({ ok: z.literal(true) }),
  async run({ token, rating, category, comment, hostname }, { ports }) {
    await storeAnswer(ports, token, { rating, category, comment: comment || null, hostname: hostname ?? null });
    return { ok: true as const };
  },
  summary: () => 'Thank you. Your answer is in, without your name.',
});

export const optOut = defineTool({
  name: 'opt_out',
  title: 'Be asked no more',
  effect: 'write',
  reach: 'fleet',
  ownerRole: 'employee',
  // Whoever holds the token of a message is the one who was asked.
  subject: async ({ email }, _ports, actor) => ({ endpoint: null, owners: [email ?? actor.id] }),
  hiddenFrom: MODELS,
  description:
    'Leave a person out of surveys from now on, or with opted_out false take them in again. By the token of a message that asked them, for oneself, or, for operators, by e-mail address.',
  http: { method: 'POST', path: '/api/v1/dex/surveys/opt-out' },
  command: { name: 'opt-out', args: ['email'], example: 'opt-out alice@example.com' },
  input: z.strictObject({
    token: tokenInput.optional(),
    email: z.email().max(254).toLowerCase().optional(),
    opted_out: z.boolean().default(true),
  }),
  output: z.object({ ok: z.literal(true), opted_out: z.boolean() }),
  async run({ token, email: named, opted_out }, { ports, actor, now }) {
    const email = named ?? (token === undefined ? actor.email?.toLowerCase() : undefined);
    if ((token === undefined) === (email === undefined))
      throw new AppError('invalid', 'Give either the token of a message or an email.');
    await setOptOut(ports, await whose(ports, token, email), opted_out, now);
    return { ok: true as const, opted_out };
  },
  summary: ({ opted_out }) => (opted_out ? 'Opted out: no more surveys.' : 'Opted in: surveys may ask again.'),
});

async function whose(ports: Pick<Ports, 'store' | 'tokens'>, token?: string, email?: string): Promise<string> {
  return email ?? personBehind(ports, token as string);
}

export const maintainSurveys = defineTool({
  name: 'maintain_surveys',
  title: 'Maintain surveys',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => via !== 'job'),
  description: 'Ask who is at work, remind who has not answered, end what is over.',
  input: z.strictObject({}),
  output: z.object({ asked: z.number().int(), reminded: z.number().int() }),
  run: (_input, { ports, now }) => maintainOpenSurvey(ports, now),
  summary: ({ asked, reminded }) => `${asked} asked, ${reminded} reminded.`,
  schedule: { job: 'dex_maintain_surveys', retiredJobs: ['dex_tend_surveys'], cron: () => '* * * * *' },
});
