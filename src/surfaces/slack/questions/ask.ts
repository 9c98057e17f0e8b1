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
import { callButton, relatedBlocks } from '../cards/related.ts';
import { type Block, note, plainReply, type Reply, unescapeTyped } from '../cards/text.ts';
import { edited, failure, type Place, stillUnderWay, withoutPreviews } from '../commands/calls.ts';
import { machinesOf } from '../commands/hosts.ts';
import type { Asker, Click, SlackContext } from '../context.ts';
import { smallTalkReply } from './smallTalk.ts';
import type { MessagePlace } from './unfinished.ts';

interface Question extends Asker {
  /** As Slack sends it, with mentions as ids. */
  text: string;
  place: Place;
}

const followedRun = z.object({
  status: z.string(),
  finished_at: z.string().nullable(),
  error: z.string().nullable(),
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
    const talk = smallTalkReply(goal, isStaff(actor));
    if (talk !== null) return await question.respond(plainReply(talk));
    const own = await ownHostsOf(slack, actor, question);
    const about = aboutOwn(goal, own, actor);
    if (about.kind === 'none') return await question.respond(plainReply(await noOwnMachine(slack, question)));
    if (about.kind === 'several')
      return await question.respond(
        whichMachine(about.hostnames.map((it) => callOf(tool, goal, asked(actor, own, it)))),
      );
    const context = asked(actor, own, about.kind === 'one' ? about.hostname : null);
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
function aboutOwn(goal: string, own: string[], actor: Actor): AboutOwn {
  const text = goal.toLowerCase();
  const named = own.filter((hostname) => text.includes(hostname.toLowerCase()));
  if (named.length === 1) return { kind: 'one', hostname: named[0] as string };
  const isOwn = asksAboutOwnMachine(goal);
  if (!isOwn && isStaff(actor)) return { kind: 'other' };
  if (own.length === 1) return { kind: 'one', hostname: own[0] as string };
  if (own.length > 1) return { kind: 'several', hostnames: own };
  return isOwn ? { kind: 'none' } : { kind: 'other' };
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
  const { channel, threadTs } = question.place;
  const thinking = withoutPreviews(thinkingReply([], related));
  const posted = await slack.client.chat.postMessage({ channel, thread_ts: threadTs, ...thinking });
  const message = { channel: posted.channel as string, ts: posted.ts as string };
  await slack.unfinished.keep(runId, message);
  const answer = await followAnswer(slack, actor, runId, message);
  if (!(await edited(slack, message.channel, message.ts, answer))) await question.respond(answer);
}

/** Shows in a message what an agent reads; resolves with what shall stand there in the end. */
export async function followAnswer(
  slack: SlackContext,
  actor: Actor,
  runId: string,
  { channel, ts }: MessagePlace,
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
      return answerReply(run, text, tools);
    }
    const now = `${run.status} ${tools.join()}`;
    if (now === shown) continue;
    shown = now;
    await edited(slack, channel, ts, thinkingReply(tools, related, run.status));
  }
  await slack.unfinished.done(runId);
  return stillUnderWay(runId);
}

function thinkingReply(tools: string[], related: readonly RelatedCall[], status = 'running'): Reply {
  const doing = status === 'waiting_approval' ? '⏸ Waiting for a person to agree to a step' : '🔎 Looking into it';
  return plainReply(`${doing} …`, ...toolNote(tools), ...relatedBlocks(related));
}

function answerReply(run: FollowedRun, text: string, tools: string[]): Reply {
  if (run.status === 'completed') return plainReply(text, ...toolNote(tools));
  if (run.status === 'cancelled') return plainReply(`⏹ ${run.error ?? 'Stopped.'}`, ...toolNote(tools));
  return plainReply(`No answer came of this: ${run.error ?? run.status}`, ...toolNote(tools));
}

/** Each once, in the order of their first use. */
function toolsUsed({ steps, result }: FollowedRun): string[] {
  const called = steps.flatMap(({ calls }) => calls.map(({ tool }) => tool.replace(SERVER, '')));
  const sources =
    called.length > 0 ? called : (sourcedAnswer.safeParse(result).data?.findings ?? []).map(({ source }) => source);
  return [...new Set(sources)];
}

function toolNote(tools: string[]): Block[] {
  return tools.length > 0 ? [note(`Tools used: ${tools.join(', ')}`)] : [];
}
