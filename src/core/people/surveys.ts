/** The employees' survey from the choice of whom to ask to its end; who was asked is kept apart from what was answered. */
import { groupsOf, LEAST_ANSWERS } from '../../domain/people/confidentiality.ts';
import type { FeedbackCategory } from '../../domain/people/enps.ts';
import {
  ASK_AGAIN_AFTER_MS,
  type Invitation,
  isWorkingTime,
  remindThoseAskedBy,
  type Survey,
  sample,
} from '../../domain/people/survey.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { ToolCall } from '../presentation.ts';
import { giveOut } from './feedback.ts';

const DAY_MS = 86_400_000;

/** The messenger of the outbox that carries invitations; their payload is a SurveyMessage. */
export const SURVEY_MESSENGER = 'survey';

/** Names the invitation and nothing more: the token is made when the message goes out and is nowhere kept. */
export interface SurveyMessage extends Record<string, unknown> {
  invitation_id: number;
  reminder: boolean;
}

/** People looked up in one round, so that a directory with a rate limit (Slack: about 50 a minute) can keep up. */
const LOOK_UPS = 40;

/** Invitations sent in one round. */
const MESSAGES = 200;

/** Answers among which a new one is mixed. */
const CROWD = 500;

/** Machines one person can have; more are not offered for naming. */
const MOST_MACHINES = 50;

interface SurveyPlan {
  question: string;
  /** How long it can be answered. */
  days: number;
  /** Share of those who may be asked, 1–100. */
  sharePct: number;
}

/**
 * Chooses by lot whom to ask among the owners of registered machines who did not opt out and were not asked in the last 30
 * days. They are asked in their own working hours, by `maintainSurveys`.
 */
export async function startSurvey(
  ports: Pick<Ports, 'store' | 'people' | 'random'>,
  plan: SurveyPlan,
  startedBy: string,
  now: Date,
): Promise<Survey> {
  if (!ports.people)
    throw new AppError('unavailable', 'People cannot be asked: surveys go out by Slack. Set SLACK_BOT_TOKEN.');
  await settleFeedback(ports, now);
  return ports.store.transaction(async ({ surveys }) => {
    const askable = await surveys.askable(new Date(now.getTime() - ASK_AGAIN_AFTER_MS));
    const chosen = sample(askable, plan.sharePct, ports.random);
    const survey = await surveys.add({
      question: plan.question,
      status: 'open',
      startedBy,
      startedAt: now,
      endsAt: new Date(now.getTime() + plan.days * DAY_MS),
      closedAt: null,
      invited: chosen.length,
      answered: 0,
    });
    if (chosen.length < LEAST_ANSWERS) {
      throw new AppError(
        'refused',
        `Only ${chosen.length} people could be asked, and fewer than ${LEAST_ANSWERS} answers are never shown. Asked are owners of registered machines (owner_email) who did not opt out and were not asked in the last 30 days.`,
        { askable: askable.length, chosen: chosen.length },
      );
    }
    await surveys.invite(survey.id, chosen);
    return survey;
  });
}

export async function requireSurvey({ store }: Pick<Ports, 'store'>, id: number): Promise<Survey> {
  const survey = await store.surveys.get(id);
  if (!survey) {
    const next = [{ to: 'List the surveys', tool: 'list_surveys' }];
    throw new AppError('not_found', `There is no survey ${id}.`, { survey_id: id }, { next });
  }
  return survey;
}

/** Ends a survey now; what was answered is published when it is enough, and otherwise waits for the next one's answers. */
export async function closeSurvey(ports: Pick<Ports, 'store'>, survey: Survey, now: Date): Promise<void> {
  await ports.store.transaction(({ surveys }) => surveys.close(survey.id, now));
  await settleFeedback(ports, now);
}

/**
 * Ends a survey whose time is over or that everybody has answered, and publishes what may be published. Survey answers wait
 * for the end of their survey, so that they come out together and not a few at a time.
 */
export async function settleFeedback(ports: Pick<Ports, 'store'>, now: Date): Promise<void> {
  const { store } = ports;
  await giveOut(ports, 'feedback', now);
  const open = await store.surveys.open();
  if (open) {
    if (now < open.endsAt && (await store.surveys.seats(open.id)) > 0) return;
    await store.transaction(({ surveys }) => surveys.close(open.id, now));
  }
  await giveOut(ports, 'survey', now);
}

/** One round of the open survey: looks people up, asks those who are at work, reminds those who have not answered. */
export async function maintainSurveys(
  ports: Pick<Ports, 'store' | 'people' | 'log'>,
  now: Date,
): Promise<{ asked: number; reminded: number }> {
  await settleFeedback(ports, now);
  const { surveys } = ports.store;
  const survey = await surveys.open();
  if (!survey || !ports.people) return { asked: 0, reminded: 0 };
  await lookUp(ports, survey.id);
  const atWork = (await surveys.timeZones(survey.id)).filter((timeZone) => isWorkingTime(now, timeZone));
  if (atWork.length === 0) return { asked: 0, reminded: 0 };
  const toAsk = await surveys.toAsk(survey.id, atWork, MESSAGES);
  for (const invitation of toAsk) await send(ports, invitation, false, now);
  const toRemind = await surveys.toRemind(survey.id, atWork, remindThoseAskedBy(now, survey.endsAt), MESSAGES);
  for (const invitation of toRemind) await send(ports, invitation, true, now);
  return { asked: toAsk.length, reminded: toRemind.length };
}

async function lookUp({ store, people, log }: Pick<Ports, 'store' | 'people' | 'log'>, surveyId: number) {
  for (const { id, email } of await store.surveys.withoutTimeZone(surveyId, LOOK_UPS)) {
    let person: Awaited<ReturnType<NonNullable<Ports['people']>['lookup']>>;
    try {
      person = (await people?.lookup(email)) ?? null;
    } catch (error) {
      log.warn({ err: error, survey: surveyId }, 'people cannot be looked up now; the survey goes on later');
      return;
    }
    if (person) await store.surveys.update(id, { timeZone: person.timeZone });
    else {
      await store.transaction(async ({ surveys }) => {
        await surveys.update(id, { state: 'unreachable' });
        await surveys.giveUpSeat(id);
      });
    }
  }
}

/** The message and the fact that the person was asked, both or neither. */
async function send(
  { store }: Pick<Ports, 'store'>,
  { id, email }: Invitation,
  reminder: boolean,
  now: Date,
): Promise<void> {
  const payload: SurveyMessage = { invitation_id: id, reminder };
  await store.transaction(async ({ surveys, outbox }) => {
    const patch = reminder ? { remindedAt: now } : { state: 'asked' as const, askedAt: now };
    await surveys.update(id, patch);
    if (!reminder) await surveys.rememberAsked(email, now);
    const subject = `survey_invitation:${id}`;
    const kind = reminder ? ('changed' as const) : ('raised' as const);
    await outbox.add(
      [{ messenger: SURVEY_MESSENGER, kind, subject, idempotencyKey: `${subject}:${kind}`, payload }],
      now,
    );
  });
}

/** All that the message to a person says. */
export interface ComposedSurvey {
  email: string;
  question: string;
  endsAt: Date;
  reminder: boolean;
  /** Speaks for the person once; only its digest is kept, so that whoever sends the message has the only copy. */
  token: string;
  /** The calls that a message offers: an answer, to which its rating is added, and opting out. */
  answer: ToolCall;
  optOut: ToolCall;
  /** The person's machines, of which they may name one with the answer. */
  hostnames: string[];
}

/**
 * Makes the direct message for a message of the outbox, with a fresh token: called when it is being delivered, once for each attempt.
 *
 * @returns null when there is nothing to ask any more: answered, opted out, or over
 */
export async function composeSurveyMessage(
  { store, tokens }: Pick<Ports, 'store' | 'tokens'>,
  { invitation_id, reminder }: SurveyMessage,
): Promise<ComposedSurvey | null> {
  const invitation = await store.surveys.invitation(invitation_id);
  const survey = invitation && (await store.surveys.get(invitation.surveyId));
  if (!invitation || survey?.status !== 'open' || !(await store.surveys.hasSeat(invitation.id))) return null;
  const { token, digest } = tokens.issue();
  await store.surveys.rememberToken(invitation.id, digest, reminder);
  const { email } = invitation;
  const machines = await machinesOf(store, email);
  return {
    email,
    question: survey.question,
    endsAt: survey.endsAt,
    reminder,
    token,
    answer: { tool: 'answer_survey', input: { token } },
    optOut: { tool: 'opt_out', input: { token } },
    hostnames: machines.map(({ hostname }) => hostname),
  };
}

interface SurveyAnswer {
  rating: number;
  category: FeedbackCategory;
  comment: string | null;
  /** Set only when the person ticked that their machine may be named. */
  hostname: string | null;
}

/**
 * Takes an answer. The right to it is used up and the answer stored together, and nothing joins the two: the invitation stays
 * as it was, the answer has a drawn id and no time, and of a named machine only its groups are kept. Others that wait are
 * stored anew with it, because a database may keep rows in the order of their arrival.
 */
export async function answerSurvey(
  { store, tokens }: Pick<Ports, 'store' | 'tokens'>,
  token: string,
  { rating, category, comment, hostname }: SurveyAnswer,
): Promise<void> {
  const invitation = await requireInvitation({ store, tokens }, token);
  const machines = hostname === null ? [] : await machinesOf(store, invitation.email);
  const named = machines.find((machine) => machine.hostname === hostname);
  if (hostname !== null && !named)
    throw new AppError('invalid', 'This machine is not registered in your name. Name one of your own, or none.');
  await store.transaction(async ({ surveys, feedback }) => {
    if (!(await surveys.giveUpSeat(invitation.id)))
      throw new AppError('conflict', 'This survey was answered with your link already, or you opted out of it.');
    const others = await feedback.take('survey', CROWD);
    const groups = named ? groupsOf(named) : [];
    await feedback.add([...others, { source: 'survey', rating, category, comment, groups }]);
    await surveys.countAnswer(invitation.surveyId);
  });
}

async function requireInvitation(
  { store, tokens }: Pick<Ports, 'store' | 'tokens'>,
  token: string,
): Promise<Invitation> {
  const invitation = await store.surveys.byToken(tokens.digest(token));
  if (!invitation) throw new AppError('not_found', 'This survey is over, or the link was replaced by a newer message.');
  return invitation;
}

/** Whether a person is asked in future; opting out also ends what an open survey asks of them. */
export async function setOptOut(
  { store }: Pick<Ports, 'store'>,
  email: string,
  optedOut: boolean,
  now: Date,
): Promise<void> {
  await store.transaction(({ surveys }) => surveys.setOptOut(email, optedOut ? now : null));
}

/** Whose message a token came with. Fails with kind `not_found` when the survey is over. */
export async function personBehind(ports: Pick<Ports, 'store' | 'tokens'>, token: string): Promise<string> {
  return (await requireInvitation(ports, token)).email;
}

async function machinesOf(store: Ports['store'], ownerEmail: string) {
  const { items } = await store.endpoints.list({ ownerEmail }, { limit: MOST_MACHINES, offset: 0 }, new Date(0));
  return items;
}
