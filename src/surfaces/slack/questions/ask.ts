/** Questions in plain language, by mention or direct message: put to an agent, whose one message shows what it reads and then the answer. */
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { COMMAND_PREFIXES } from '../../../core/callText.ts';
import { pause } from '../../../core/concurrency/pause.ts';
import { AppError } from '../../../core/errors.ts';
import { isStaff } from '../../../core/policy.ts';
import type { RelatedCall, ToolCall } from '../../../core/presentation.ts';
import type { AnyTool } from '../../../core/tool.ts';
import { callShowing } from '../../../core/tool.ts';
import { asksAboutOwnMachine } from '../../../domain/people/ownMachine.ts';
import { callButton, feedbackButtons } from '../cards/related.ts';
import { note, plainReply, type Reply, unescapeTyped } from '../cards/text.ts';
import { answered, edited, failure, type Place, stillUnderWay } from '../commands/calls.ts';
import { machinesOf } from '../commands/hosts.ts';
import type { Asker, Click, SlackContext } from '../context.ts';
import { beginAnswer, type GrowingMessage, toolNote } from './growingMessage.ts';
import { smallTalkReply } from './smallTalk.ts';
import { keepTalk, talkedAbout } from './subjects.ts';

interface Question extends Asker {
  /** As Slack sends it, with mentions as ids. */
  text: string;
  place: Place;
  /** The workspace it comes from; null where Slack did not say. */
  teamId?: string | null;
  /** Pictures and other files that came with it, which nobody here can look at. */
  files?: number;
}

const followedRun = z.object({
  run_id: z.string(),
  status: z.string(),
  finished_at: z.string().nullable(),
  error: z.string().nullable(),
  hostname: z.string().nullish(),
  result: z.unknown(),
  steps: z.array(z.object({ calls: z.array(z.object({ tool: z.string() })).default([]) })).catch([]),
});
type FollowedRun = z.output<typeof followedRun>;

/** What rules answer with names its sources itself. */
const sourcedAnswer = z.object({ findings: z.array(z.object({ source: z.string() })) });

/** An agent that nobody answers in time is refused after 30 minutes, so that no answer takes much longer. */
const FOLLOW_MS = 45 * 60_000;
/** Slack takes about one edit a second. */
const POLL_EVERY_MS = 1000;
const FIRST_LOOK_MS = 300;
/** Names of an agent's tools begin with that of their server. */
const SERVER = /^.*?__/;
const MENTIONED = /<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/g;

/** Answers in the place of the question; never rejects. */
export async function answerQuestion(
  slack: SlackContext,
  question: Question,
  botId: string | undefined,
): Promise<void> {
  const actor = await slack.people.actor(question.person);
  const tool = slack.tools.find(({ command }) => command?.takesPlainText);
  if (!tool) return question.respond(plainReply(`I take commands only: ${COMMAND_PREFIXES.slack} help lists them.`));
  try {
    const goal = await asPlainText(slack, question.text, botId);
    const talk = goal === '' && question.files ? UNSEEN_ALONE : smallTalkReply(goal, isStaff(actor));
    if (talk !== null) return await question.respond(plainReply(talk));
    const [own, before] = await Promise.all([
      ownHostsOf(slack, actor, question),
      talkedAbout(slack, actor, question.place),
    ]);
    const about = aboutOwn(goal, own, actor, before);
    if (about.kind === 'none') return await question.respond(plainReply(await noOwnMachine(slack, question)));
    if (about.kind === 'several')
      return await question.respond(
        whichMachine(about.hostnames.map((it) => callOf(tool, goal, asked(actor, own, it)))),
      );
    const context = {
      ...asked(actor, own, about.kind === 'one' ? about.hostname : null),
      ...before.facts,
      ...(question.files && { files_that_cannot_be_seen: question.files }),
    };
    await ask(slack, question, actor, callOf(tool, goal, context));
  } catch (error) {
    await question.respond(await failure(slack, question.person.id, { tool: tool.name, input: {} }, error));
  }
}

/** Puts the question of a button, as of the choice of a machine, in the place of its message. */
export async function askAgain(slack: SlackContext, click: Click, call: ToolCall): Promise<void> {
  const { channel, ts, threadTs } = click.message ?? { channel: click.person.id, ts: '', threadTs: null };
  const place = threadTs ? { channel, threadTs } : { channel };
  if (ts !== '') await edited(slack, channel, ts, plainReply(`About ${String(hostOf(call))}:`));
  await ask(slack, { ...click, text: '', place }, await slack.people.actor(click.person), call);
}

async function ask(slack: SlackContext, question: Question, actor: Actor, { tool, input }: ToolCall): Promise<void> {
  const started = await slack.invoke(tool, input, actor);
  if (started.progress === null) return question.respond(plainReply(started.text));
  await postAnswer(slack, question, actor, started.progress, started.related);
}

function callOf(tool: AnyTool, goal: string, context: Record<string, unknown>): ToolCall {
  return { tool: tool.name, input: { [tool.command?.args[0] ?? '']: goal, context } };
}

const hostOf = ({ input }: ToolCall) => (input.context as Record<string, unknown>).hostname;

/** What the agent is told of who asks. */
function asked(actor: Actor, own: readonly string[], hostname: string | null): Record<string, unknown> {
  return {
    asked_by: actor.name,
    ...(actor.email && { asked_by_email: actor.email }),
    machines_of_who_asks: own,
    ...(hostname !== null && { hostname }),
  };
}

/** Who Slack does not name to us owns nothing that we know of. */
async function ownHostsOf(slack: SlackContext, actor: Actor, { person }: Question): Promise<string[]> {
  if (actor.email === undefined) return [];
  const own = await machinesOf(slack, actor, person.id).catch((error: unknown) => {
    if (error instanceof AppError) return [];
    throw error;
  });
  return own.map(({ hostname }) => hostname);
}

type AboutOwn =
  | { kind: 'one'; hostname: string }
  | { kind: 'several'; hostnames: string[] }
  | { kind: 'none' }
  /** The question names what it is about, or is about no machine. */
  | { kind: 'other' };

/** Whether a question is about the asker's own machine: where it says so, and for who may see no other. */
function aboutOwn(
  goal: string,
  own: string[],
  actor: Actor,
  before: { hostname: string | null; isFromAlert: boolean },
): AboutOwn {
  const text = goal.toLowerCase();
  const named = own.filter((hostname) => text.includes(hostname.toLowerCase()));
  if (named.length === 1) return { kind: 'one', hostname: named[0] as string };
  const isOwn = asksAboutOwnMachine(goal);
  const isAboutBefore = before.isFromAlert ? !namesAnother(goal) : REFERS_BACK.test(text);
  if (!isOwn && before.hostname !== null && isAboutBefore) return { kind: 'one', hostname: before.hostname };
  if (!isOwn && isStaff(actor)) return { kind: 'other' };
  if (own.length === 1) return { kind: 'one', hostname: own[0] as string };
  if (own.length > 1) return { kind: 'several', hostnames: own };
  return isOwn ? { kind: 'none' } : { kind: 'other' };
}

/** "and its battery?", "why is that?" */
const REFERS_BACK = /^(?:and|but|so)\b|\b(?:it|its|this|that|there|he|she|they)\b/;

/** Something written as machines are, or the fleet as a whole. */
function namesAnother(goal: string): boolean {
  return /\b[a-z]+[a-z0-9]*-[a-z0-9-]*\d|\b[a-z]+\d+\b|@|\bfleet\b|\ball machines\b/i.test(goal);
}

async function noOwnMachine(slack: SlackContext, { person }: Question): Promise<string> {
  const email = await slack.people.email(person.id);
  return `No machine is registered in your name (${email}). Ask your IT team to register it, or name the machine.`;
}

function whichMachine(calls: readonly ToolCall[]): Reply {
  // An actions block holds at most 25 elements.
  const elements = calls
    .slice(0, 25)
    .map((call, i) => callButton(`ask:${i}`, String(hostOf(call)), call))
    .filter((it) => it !== null);
  return plainReply('Which of your machines?', { type: 'actions', elements });
}

/** The question as an agent reads it: people by their mail address, which machines are registered under. */
async function asPlainText(slack: SlackContext, text: string, botId: string | undefined): Promise<string> {
  let goal = text;
  for (const [mention, userId] of text.matchAll(MENTIONED)) {
    const address = userId === botId || userId === undefined ? '' : await slack.people.email(userId);
    goal = goal.replaceAll(mention, address);
  }
  return unescapeTyped(goal).trim();
}

async function postAnswer(
  slack: SlackContext,
  question: Question,
  actor: Actor,
  runId: string,
  related: readonly RelatedCall[],
): Promise<void> {
  const { place, person, teamId } = question;
  const reader = teamId ? { userId: person.id, teamId } : null;
  const message = await beginAnswer(slack, place, reader, related);
  await Promise.all([
    slack.unfinished.keep(runId, { channel: message.channel, ts: message.ts }),
    keepTalk(slack, place, runId),
  ]);
  const answer = await followAnswer(slack, actor, runId, message);
  const whole = question.files ? { ...answer, blocks: [...answer.blocks, note(UNSEEN)] } : answer;
  if (!(await message.end(whole))) await question.respond(whole);
}

const UNSEEN = 'I cannot look at pictures and files; I went by what you wrote and by what I measure.';
const UNSEEN_ALONE =
  'Thank you for the picture. I cannot look at it: tell me in a few words what it shows, and I look into it.';

/** Shows in a message what an agent reads; resolves with what shall stand there in the end. */
export async function followAnswer(
  slack: SlackContext,
  actor: Actor,
  runId: string,
  message: GrowingMessage,
): Promise<Reply> {
  const { tool, input } = callShowing(slack.tools, 'run', runId);
  const deadline = performance.now() + FOLLOW_MS;
  let shown = '';
  for (let waitMs = FIRST_LOOK_MS; performance.now() < deadline; waitMs = POLL_EVERY_MS) {
    await pause(waitMs, slack.stopping);
    // The next process goes on with it.
    if (slack.stopping.aborted) return stillUnderWay(runId);
    const { output, text, related } = await slack.invoke(tool, input, actor);
    const run = followedRun.parse(output);
    const tools = toolsUsed(run);
    if (run.finished_at !== null) {
      await slack.unfinished.done(runId);
      const measured = await measuredAnswer(slack, actor, run);
      return rateable(slack, run, measured ?? answerReply(run, text, tools), measured !== null);
    }
    const now = `${run.status} ${tools.join()}`;
    if (now === shown) continue;
    shown = now;
    await message.show({ tools, status: run.status, related });
  }
  await slack.unfinished.done(runId);
  return stillUnderWay(runId);
}

/** An answer with the question whether it helped; what is none has nothing to rate. */
function rateable(slack: SlackContext, run: FollowedRun, reply: Reply, isMeasured: boolean): Reply {
  const rating = slack.tools.find(({ ratesAnswers }) => ratesAnswers);
  if (!rating || !(isMeasured || run.status === 'completed')) return reply;
  const rate = (helpful: boolean) => ({ tool: rating.name, input: { run_id: run.run_id, helpful } });
  return { ...reply, blocks: [...reply.blocks, feedbackButtons(rate(true), rate(false))] };
}

/** Where no model thought about it, what the measurements of the machine say, with what can be done; null where one did. */
async function measuredAnswer(slack: SlackContext, actor: Actor, run: FollowedRun): Promise<Reply | null> {
  const isThought = run.status === 'completed' && run.steps.length > 0;
  if (isThought || run.status === 'cancelled' || !run.hostname) return null;
  const call = callShowing(slack.tools, 'diagnosis', run.hostname);
  try {
    return await answered(slack, actor, call);
  } catch (error) {
    slack.log.warn({ err: error, hostname: run.hostname }, 'a question was not answered from the measurements');
    return null;
  }
}

function answerReply(run: FollowedRun, text: string, tools: string[]): Reply {
  if (run.status === 'completed') return plainReply(text, ...toolNote(tools));
  if (run.status === 'cancelled') return plainReply(`⏹ ${run.error ?? 'Stopped.'}`, ...toolNote(tools));
  return plainReply(
    'No answer came of this. Please ask again in a few minutes, or tell your IT team.',
    ...toolNote(tools),
  );
}

/** Each once, in the order of their first use. */
function toolsUsed({ steps, result }: FollowedRun): string[] {
  const called = steps.flatMap(({ calls }) => calls.map(({ tool }) => tool.replace(SERVER, '')));
  const sources =
    called.length > 0 ? called : (sourcedAnswer.safeParse(result).data?.findings ?? []).map(({ source }) => source);
  return [...new Set(sources)];
}
