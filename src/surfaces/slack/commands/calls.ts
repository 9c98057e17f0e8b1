/** Carries out a call of a tool for somebody in Slack and reports what came of it; runs are followed to their end. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { pause } from '../../../core/concurrency/pause.ts';
import { AppError } from '../../../core/errors.ts';
import type { Answer } from '../../../core/invoke.ts';
import { offers, scopeOf } from '../../../core/policy.ts';
import type { ToolCall } from '../../../core/presentation.ts';
import { type AnyTool, callShowing } from '../../../core/tool.ts';
import { renderAnswer } from '../cards/blocks.ts';
import { slackProblem } from '../cards/problems.ts';
import { callButton } from '../cards/related.ts';
import { type Block, escapeText, plainReply, type Reply } from '../cards/text.ts';
import type { Asker, SlackContext } from '../context.ts';
import { hostsMeant, hostsOwnedBy, mailMeant, meansOwn, ownHosts, similarHosts } from './hosts.ts';
import { type NamedCall, thingsOfMachine } from './thingsOfMachine.ts';

/** Where a message goes: a channel, a thread in it, or a person's direct messages by their id. */
export interface Place {
  channel: string;
  threadTs?: string;
}

const followedRun = z.object({ finished_at: z.string().nullable() });

/** Runs that take longer are left to `/dex run`. */
const FOLLOW_MS = 30 * 60_000;
const LOOK_MS = { first: 250, most: 5000 };

/** Does what was asked and answers the asker; never rejects. A run's first message goes to `place` and is edited when it ends. */
export async function carryOut(slack: SlackContext, asker: Asker, call: ToolCall, place?: Place): Promise<void> {
  const actor = await slack.people.actor(asker.person);
  try {
    await carryOutMeant(slack, asker, actor, await settle(slack, actor, asker.person.id, call), place);
  } catch (error) {
    const owned = await machinesOfOwnerNamed(slack, actor, call, error);
    const next = owned.length > 0 ? carryOutMeant(slack, asker, actor, owned, place) : Promise.reject(error);
    await next.catch(async (last: unknown) => asker.respond(await failure(slack, asker.person.id, call, last)));
  }
}

async function carryOutMeant(
  slack: SlackContext,
  asker: Asker,
  actor: Actor,
  calls: readonly NamedCall[],
  place?: Place,
): Promise<void> {
  const [meant, ...others] = calls;
  if (!meant || others.length > 0) return asker.respond(choices('Several match. Which one?', calls));
  const answer = await slack.invoke(meant.tool, meant.input, actor, { signal: slack.stopping });
  if (answer.progress !== null) await follow(slack, asker, actor, answer, answer.progress, place);
  else await asker.respond(await present(slack, actor, meant, answer));
}

/** The call with hosts and owners looked up; several calls when it is not clear which machine is meant. */
async function settle(slack: SlackContext, actor: Actor, userId: string, call: ToolCall): Promise<NamedCall[]> {
  const input = { ...call.input };
  const tool = toolNamed(slack, call.tool);
  if (typeof input.owner_email === 'string') input.owner_email = await mailMeant(slack, userId, input.owner_email);
  else if (tool && 'owner_email' in tool.input.shape && scopeOf(tool, actor) === 'own')
    input.owner_email = await slack.people.email(userId);
  const things = await thingsOfMachine(slack, actor, userId, call);
  if (things) return things;
  const typed = typeof input.hostname === 'string' ? input.hostname : undefined;
  // Of a tool that is about no known machine, as of one that registers a new one, the name is taken as it is.
  if (!tool?.subject || (typed === undefined && !meansOwn(tool, actor))) return [{ ...call, input }];
  const hosts = await hostsMeant(slack, actor, userId, typed);
  return hosts.map((hostname) => ({ tool: call.tool, input: { ...input, hostname } }));
}

/** The same calls on a person's machines, where what was typed is no machine's name and may be that of its owner. */
async function machinesOfOwnerNamed(
  slack: SlackContext,
  actor: Actor,
  { tool, input }: ToolCall,
  error: unknown,
): Promise<ToolCall[]> {
  const isOwnerMaybe = error instanceof AppError && (error.kind === 'not_found' || error.kind === 'denied');
  if (!isOwnerMaybe || typeof input.hostname !== 'string' || input.hostname.includes('@')) return [];
  const hosts = await hostsOwnedBy(slack, actor, input.hostname).catch(() => []);
  return hosts.filter((name) => name !== input.hostname).map((hostname) => ({ tool, input: { ...input, hostname } }));
}

/** Without what the reader may not do. */
async function present(slack: SlackContext, actor: Actor, call: ToolCall, given: Answer): Promise<Reply> {
  const own = await ownNames(slack, actor, given);
  const mayCall = (next: ToolCall) => {
    const tool = toolNamed(slack, next.tool);
    if (tool === undefined || !offers(tool, actor)) return false;
    return !tool.ownersOnly || own.includes(String(next.input.hostname));
  };
  const answer = { ...given, related: given.related.filter(mayCall) };
  return renderAnswer(call, answer, await pictureOf(slack, actor, answer), { isRead: isRead(slack, call.tool) });
}

/** The reader's own machines, where a call that only owners may make is offered. */
async function ownNames(slack: SlackContext, actor: Actor, { related }: Answer): Promise<string[]> {
  if (actor.email === undefined || !related.some(({ tool }) => toolNamed(slack, tool)?.ownersOnly)) return [];
  return ownHosts(slack, actor, actor.id.replace(/^slack:/, '')).catch((error: unknown) => {
    if (error instanceof AppError) return [];
    throw error;
  });
}

async function pictureOf(slack: SlackContext, actor: Actor, { illustration, chart }: Answer): Promise<Block | null> {
  if (illustration === null) return slack.pictures.show(chart);
  return slack.pictures.show((await slack.invoke(illustration.tool, illustration.input, actor)).chart);
}

/** A read done again for everybody in the channel to see; writes are never repeated by sharing. */
export async function shared(slack: SlackContext, actor: Actor, call: ToolCall): Promise<Reply> {
  if (!isRead(slack, call.tool)) throw new AppError('refused', 'Only answers to questions can be shared.');
  const answer = await slack.invoke(call.tool, call.input, actor);
  return renderAnswer(call, answer, await pictureOf(slack, actor, answer), { isRead: false });
}

/** Makes a call, and shows what it answers with what can be done next. */
export async function answered(slack: SlackContext, actor: Actor, call: ToolCall): Promise<Reply> {
  return present(slack, actor, call, await slack.invoke(call.tool, call.input, actor));
}

/** All lines of an answer, of which a part was shown. */
export async function wholeAnswer(slack: SlackContext, actor: Actor, call: ToolCall): Promise<Reply> {
  if (!isRead(slack, call.tool)) throw new AppError('refused', 'Only answers to questions can be shown again.');
  const answer = await slack.invoke(call.tool, call.input, actor);
  return renderAnswer(call, answer, null, { isRead: true, all: true });
}

function isRead(slack: SlackContext, toolName: string): boolean {
  return toolNamed(slack, toolName)?.effect === 'read';
}

export function toolNamed(slack: SlackContext, toolName: string): AnyTool | undefined {
  return slack.tools.find(({ name }) => name === toolName);
}

async function follow(
  slack: SlackContext,
  asker: Asker,
  actor: Actor,
  answer: Answer,
  runId: string,
  place: Place = { channel: asker.person.id },
): Promise<void> {
  const first = await slack.client.chat
    .postMessage({ channel: place.channel, thread_ts: place.threadTs, ...withoutPreviews(plainReply(answer.text)) })
    .catch((error: unknown) => {
      slack.log.error({ place: place.channel, problem: slackProblem(error).message }, 'a message to Slack failed');
      return null;
    });
  if (first === null) await asker.respond(plainReply(answer.text));
  else if (place.channel === asker.person.id)
    await asker.respond(plainReply(`${answer.text}\nThe result appears in our direct messages.`));
  if (first?.channel && first.ts) await slack.unfinished.keep(runId, { channel: first.channel, ts: first.ts });
  const end = await runEnd(slack, actor, runId);
  if (!(first?.channel && first.ts && (await edited(slack, first.channel, first.ts, end)))) await asker.respond(end);
}

/** False when the message is gone, so that the words have to go elsewhere. */
export async function edited(slack: SlackContext, channel: string, ts: string, reply: Reply): Promise<boolean> {
  try {
    await slack.client.chat.update({ channel, ts, ...withoutPreviews(reply) });
    return true;
  } catch (error) {
    const older = reply.blocks.filter(({ type }) => type !== 'context_actions');
    // Of blocks that a workspace does not know yet, the answer does not depend.
    if (older.length < reply.blocks.length && slackProblem(error).code.startsWith('invalid_blocks'))
      return edited(slack, channel, ts, { ...reply, blocks: older });
    slack.log.warn({ channel, ts, problem: slackProblem(error).message }, 'a message in Slack could not be edited');
    return false;
  }
}

/** Waits for a run and says how it ended, with what came of it. */
export async function runEnd(slack: SlackContext, actor: Actor, runId: string): Promise<Reply> {
  const { tool, input } = callShowing(slack.tools, 'run', runId);
  const deadline = performance.now() + FOLLOW_MS;
  for (let waitMs = LOOK_MS.first; performance.now() < deadline; waitMs = Math.min(waitMs * 2, LOOK_MS.most)) {
    await pause(waitMs, slack.stopping);
    // The next process goes on with it.
    if (slack.stopping.aborted) return stillUnderWay(runId);
    const { output, text, followUp } = await slack.invoke(tool, input, actor);
    if (followedRun.parse(output).finished_at === null) continue;
    await slack.unfinished.done(runId);
    if (followUp === null) return plainReply(text);
    return present(slack, actor, followUp, await slack.invoke(followUp.tool, followUp.input, actor));
  }
  await slack.unfinished.done(runId);
  return stillUnderWay(runId);
}

export function stillUnderWay(runId: string): Reply {
  return plainReply(`This is still under way. Ask for it with /dex run ${runId}`);
}

/** What went wrong, with what to do about it. */
export async function failure(slack: SlackContext, userId: string, call: ToolCall, error: unknown): Promise<Reply> {
  if (!(error instanceof AppError)) {
    const incident = randomUUID().slice(0, 8);
    slack.log.error({ err: error, tool: call.tool, incident }, 'a request from Slack failed');
    return plainReply(`Something went wrong on my side; nothing more was done. The log has it as ${incident}.`);
  }
  const actor = await slack.people.actor({ id: userId, name: userId });
  if (error.kind === 'denied') return denied(slack, actor, userId, call, error);
  const { hostname } = call.input;
  if (error.kind === 'not_found' && typeof hostname === 'string') {
    const similar = await similarHosts(slack, actor, userId, hostname).catch(() => []);
    const calls = similar
      .filter((name) => name !== hostname)
      .map((name) => ({ ...call, input: { ...call.input, hostname: name } }));
    if (calls.length > 0) return choices(`${error.message}\nDid you mean one of these?`, calls);
  }
  const now = error.kind === 'conflict' ? await presentState(slack, actor, call) : null;
  return now
    ? { text: escapeText(error.message), blocks: [...plainReply(error.message).blocks, ...now] }
    : plainReply(error.message);
}

/** How what a call is about stands now, for who comes too late; null where nothing shows it. */
async function presentState(slack: SlackContext, actor: Actor, call: ToolCall): Promise<Block[] | null> {
  const shown = shownIn(slack, call.input);
  const answer = shown && (await answered(slack, actor, shown).catch(() => null));
  return answer ? answer.blocks : null;
}

/** The call whose answer shows the thing that an input names, as an alert by its number. */
export function shownIn(slack: SlackContext, input: Record<string, unknown>): ToolCall | null {
  for (const { name, shows } of slack.tools) {
    const by = shows?.by;
    const id = by === undefined || by === 'hostname' ? undefined : input[by];
    if (by !== undefined && id !== undefined) return { tool: name, input: { [by]: id } };
  }
  return null;
}

/** Refuses, and offers the asker's own machines, or names who may. */
async function denied(
  slack: SlackContext,
  actor: Actor,
  userId: string,
  call: ToolCall,
  error: AppError,
): Promise<Reply> {
  const tool = toolNamed(slack, call.tool);
  if (tool && scopeOf(tool, actor) === 'own' && 'hostname' in tool.input.shape) {
    const own = await ownHosts(slack, actor, userId).catch(() => []);
    const calls = own.map((hostname) => ({ ...call, input: { ...call.input, hostname } }));
    const text = `${tool.title}: only for your own machines.`;
    return calls.length > 0 ? choices(`${text} Yours:`, calls) : plainReply(`${text} None is registered in your name.`);
  }
  const who = tool && slack.people.whoMay(tool);
  const hint = who
    ? `These can: ${who}`
    : 'Nobody is named for that yet: an administrator sets SLACK_VIEWERS, SLACK_OPERATORS and SLACK_APPROVERS.';
  const block: Block = { type: 'section', text: { type: 'mrkdwn', text: hint } };
  return { text: escapeText(error.message), blocks: [...plainReply(error.message).blocks, block] };
}

function choices(question: string, calls: readonly NamedCall[]): Reply {
  // An actions block holds at most 25 elements.
  const buttons = calls
    .slice(0, 25)
    .map(({ label, ...call }, i) => callButton(`run:${i}`, label ?? String(call.input.hostname), call))
    .filter((it) => it !== null);
  return plainReply(question, { type: 'actions', elements: buttons });
}

/** A reply as chat.postMessage and chat.update take it: no previews of links that untrusted text may hold. */
export function withoutPreviews(reply: Reply) {
  return { ...reply, unfurl_links: false, unfurl_media: false, link_names: false } as const;
}
