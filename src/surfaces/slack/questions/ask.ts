/** Questions in words, by mention or direct message: put to an agent, whose one message shows what it looks at and then the answer. */
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { pause } from '../../../core/concurrency/pause.ts';
import { type Block, button, note, plainReply, type Reply, unescapeTyped } from '../cards/text.ts';
import { carryOut, edited, failure, type Place, quiet, stillUnderWay } from '../commands/calls.ts';
import { COMMAND } from '../commands/command.ts';
import type { Asker, Click, SlackContext } from '../context.ts';
import type { MessagePlace } from './unfinished.ts';

interface Question extends Asker {
  /** As Slack sends it, with mentions as ids. */
  text: string;
  place: Place;
}

const startedRun = z.object({ run_id: z.string() });
const followedRun = z.object({
  status: z.string(),
  finished_at: z.string().nullable(),
  requested_by: z.string(),
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
  const call = { tool: 'start_run', input: {} };
  try {
    const goal = await asPlainText(slack, question.text, botId);
    if (goal === '') {
      const hint = `Ask me something, as: why is alice's laptop slow? ${COMMAND} help lists what else I can do.`;
      return await question.tell(plainReply(hint));
    }
    const { run_id } = startedRun.parse((await slack.invoke(call.tool, { goal }, actor)).output);
    await postAnswer(slack, question, actor, run_id);
  } catch (error) {
    await question.tell(await failure(slack, actor, call, error));
  }
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

async function postAnswer(slack: SlackContext, question: Question, actor: Actor, runId: string): Promise<void> {
  const { channel, threadTs } = question.place;
  const thinking = quiet(thinkingReply([], runId));
  const posted = await slack.client.chat.postMessage({ channel, thread_ts: threadTs, ...thinking });
  const message = { channel: posted.channel as string, ts: posted.ts as string };
  await slack.unfinished.keep(runId, message);
  const answer = await followAnswer(slack, actor, runId, message);
  if (!(await edited(slack, message.channel, message.ts, answer))) await question.tell(answer);
}

/** Shows in a message what an agent looks at; resolves with what shall stand there in the end. */
export async function followAnswer(
  slack: SlackContext,
  actor: Actor,
  runId: string,
  { channel, ts }: MessagePlace,
): Promise<Reply> {
  const deadline = Date.now() + FOLLOW_MS;
  let shown = '';
  for (let waitMs = FIRST_LOOK_MS; Date.now() < deadline; waitMs = POLL_EVERY_MS) {
    await pause(waitMs, slack.stopping);
    // The next process goes on with it.
    if (slack.stopping.aborted) return stillUnderWay(runId);
    const { output, text } = await slack.invoke('get_run', { run_id: runId }, actor);
    const run = followedRun.parse(output);
    const tools = toolsUsed(run);
    if (run.finished_at !== null) {
      await slack.unfinished.done(runId);
      return answerReply(run, text, tools);
    }
    const now = `${run.status} ${tools.join()}`;
    if (now === shown) continue;
    shown = now;
    await edited(slack, channel, ts, thinkingReply(tools, runId, run.status));
  }
  await slack.unfinished.done(runId);
  return stillUnderWay(runId);
}

function thinkingReply(tools: string[], runId: string, status = 'running'): Reply {
  const doing = status === 'waiting_approval' ? '⏸ Waiting for a person to agree to a step' : '🔎 Looking into it';
  const stop: Block = { type: 'actions', elements: [button('ask_stop', 'Stop', runId)] };
  return plainReply(`${doing} …`, ...toolNote(tools), stop);
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

/** Whoever asked may stop it, whatever their role: it is their own question, which is checked here. */
export async function stopAnswer(slack: SlackContext, click: Click): Promise<void> {
  const actor = await slack.people.actor(click.person);
  const input = { run_id: click.value };
  const { requested_by } = followedRun.parse((await slack.invoke('get_run', input, actor)).output);
  if (requested_by !== actor.id) return carryOut(slack, click, { tool: 'cancel_run', input });
  await slack.invoke('cancel_run', input, { ...actor, role: 'operator' });
}
