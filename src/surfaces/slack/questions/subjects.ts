/** What a question in a conversation is about without saying so: the alert of the thread, and what was asked there before. */
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { clipped } from '../../../core/characters.ts';
import { AppError } from '../../../core/errors.ts';
import { callShowing } from '../../../core/tool.ts';
import { factsIn } from '../cards/alertFacts.ts';
import type { Place } from '../commands/calls.ts';
import type { SlackContext } from '../context.ts';

const TALK = 'talk:';
const MOST_ALERTS = 5;
const MOST_CHARS = 2000;
/** In direct messages, which are one conversation for ever. */
const SAME_TALK_MS = 2 * 3_600_000;

const earlierRun = z.object({ goal: z.string().nullable(), hostname: z.string().nullish(), created_at: z.string() });

interface TalkedAbout {
  /** The machine of the alert, or of the question before; null where neither is clear. */
  hostname: string | null;
  /** The machine was not named but follows from an alert, so that a question about no machine is about it. */
  isFromAlert: boolean;
  /** For whoever answers. */
  facts: Record<string, unknown>;
}

/** Reads what the asker may know of it; nothing where nothing is known. */
export async function talkedAbout(slack: SlackContext, actor: Actor, place: Place): Promise<TalkedAbout> {
  const subjects = await slack.messages.sharing({ channel: place.channel, ts: threadOf(place) });
  const ids = subjects.filter((it) => it.startsWith('alert:')).map((it) => it.slice('alert:'.length));
  const read = await Promise.all(ids.slice(0, MOST_ALERTS).map((id) => alertOf(slack, actor, id)));
  const alerts = read.filter((alert) => alert !== null);
  const hostnames = new Set(alerts.map(({ hostname }) => hostname));
  const [talk] = subjects.filter((it) => it.startsWith(TALK));
  const before = talk ? await earlier(slack, actor, talk.slice(TALK.length), place) : null;
  return {
    hostname: hostnames.size === 1 ? (alerts[0]?.hostname ?? null) : (before?.hostname ?? null),
    isFromAlert: hostnames.size === 1,
    facts: { ...(alerts.length > 0 && { alerts }), ...(before && { said_before: before }) },
  };
}

/** Keeps what was asked last in a conversation. */
export async function keepTalk(slack: SlackContext, place: Place, runId: string): Promise<void> {
  const at = { channel: place.channel, ts: threadOf(place) };
  try {
    const old = (await slack.messages.sharing(at)).filter((it) => it.startsWith(TALK));
    await slack.messages.keep([{ subject: TALK + runId, ...at, digest: false }]);
    for (const subject of old) await slack.messages.forget(subject);
  } catch (error) {
    slack.log.error({ err: error }, 'what was asked in a conversation could not be kept');
  }
}

const threadOf = ({ channel, threadTs }: Place) => threadTs ?? channel;

async function alertOf(slack: SlackContext, actor: Actor, id: string) {
  const { tool, input } = callShowing(slack.tools, 'alert', id);
  const output = await known(slack.invoke(tool, input, actor));
  if (!output) return null;
  const { alert } = factsIn(output);
  const { hostname, alert_name, severity, status, message } = alert;
  return { alert_id: alert.id, hostname, alert_name, severity, status, message };
}

async function earlier(slack: SlackContext, actor: Actor, runId: string, place: Place) {
  const { tool, input } = callShowing(slack.tools, 'run', runId);
  const answer = await slack.invoke(tool, input, actor).catch(unknownToThem);
  if (!answer) return null;
  const { goal, hostname, created_at } = earlierRun.parse(answer.output);
  if (place.threadTs === undefined && slack.clock.now().getTime() - Date.parse(created_at) > SAME_TALK_MS) return null;
  return {
    question: clipped(goal ?? '', MOST_CHARS),
    answer: clipped(answer.text, MOST_CHARS),
    hostname: hostname ?? null,
  };
}

const known = (call: Promise<{ output: Record<string, unknown> }>) => call.then(({ output }) => output, unknownToThem);

/** What somebody may not see is not spoken of. */
function unknownToThem(error: unknown): null {
  if (error instanceof AppError) return null;
  throw error;
}
