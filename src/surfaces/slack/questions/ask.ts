/** Questions in plain language, by mention or direct message: put to an agent, whose one message shows what it reads and then the answer. */
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { pause } from '../../../core/concurrency/pause.ts';
import type { RelatedCall } from '../../../core/presentation.ts';
import { callShowing } from '../../../core/tool.ts';
import { relatedBlocks } from '../cards/related.ts';
import { type Block, note, plainReply, type Reply, unescapeTyped } from '../cards/text.ts';
import { edited, failure, type Place, stillUnderWay, withoutPreviews } from '../commands/calls.ts';
import { COMMAND } from '../commands/command.ts';
import type { Asker, SlackContext } from '../context.ts';
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
  if (!tool) return question.respond(plainReply(`I take commands only: ${COMMAND} help lists them.`));
  try {
    const goal = await asPlainText(slack, question.text, botId);
    if (goal === '') {
      const hint = `Ask me something, as: why is alice's laptop slow? ${COMMAND} help lists what else I can do.`;
      return await question.respond(plainReply(hint));
    }
    const started = await slack.invoke(tool.name, { [tool.command?.args[0] ?? '']: goal }, actor);
    if (started.progress === null) return await question.respond(plainReply(started.text));
    await postAnswer(slack, question, actor, started.progress, started.related);
  } catch (error) {
    await question.respond(await failure(slack, actor, { tool: tool.name, input: {} }, error));
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
  const deadline = Date.now() + FOLLOW_MS;
  let shown = '';
  for (let waitMs = FIRST_LOOK_MS; Date.now() < deadline; waitMs = POLL_EVERY_MS) {
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
