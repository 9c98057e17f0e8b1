/** Who is served: full members of the allowed workspaces. A shared channel also brings what strangers send, signed by Slack all the same. */
import type { AllMiddlewareArgs, AnyMiddlewareArgs } from '@slack/bolt';
import { z } from 'zod';
import { pause } from '../../core/concurrency/pause.ts';
import type { SlackMessageRepository } from '../../core/ports/messagePorts.ts';
import { slackProblem } from './cards/problems.ts';
import { plainReply } from './cards/text.ts';
import { withoutPreviews } from './commands/calls.ts';
import { messageModal } from './commands/forms.ts';
import type { SlackContext } from './context.ts';

interface MembersNeeds {
  /** The bot's own workspace. */
  home(): Promise<{ team_id?: string | undefined; enterprise_id?: string | undefined; team?: string | undefined }>;
  /** Ids of workspaces that are allowed besides it. */
  workspaces: readonly string[];
  /** Where it is kept which channels were notified. */
  messages: SlackMessageRepository;
}

const id = z.string().nullish();
/** What a request says of its person, whichever kind it is of. */
const request = z.object({
  user_id: id,
  team_id: id,
  enterprise_id: id,
  channel_id: id,
  user: z.object({ id: z.string(), team_id: id, enterprise_id: id }).nullish(),
  team: z.object({ id, enterprise_id: id }).nullish(),
  enterprise: z.object({ id }).nullish(),
  event: z
    .object({
      type: z.string(),
      channel_type: id,
      user: id,
      bot_id: id,
      channel: id,
      ts: id,
      thread_ts: id,
      user_team: id,
      team: id,
      source_team: id,
      assistant_thread: z.object({ user_id: id }).nullish(),
    })
    .nullish(),
});
type Request = z.output<typeof request>;

/** Slack waits 3 s for the acknowledgement of a command, a click or a form, which says whether somebody is served. */
const LOOK_UP_MS = 2000;
/** Events are acknowledged as they come, and nobody sends a question again: as long as a call and its repetition may take. */
const EVENT_LOOK_UP_MS = 22_000;

type Refusal = 'stranger' | 'unknown' | 'bot';

/** A middleware before all listeners: events, commands, clicks, forms and shortcuts of others end here. */
export function membersOnly(slack: SlackContext, needs: MembersNeeds) {
  /** Channels that are being notified now; those that were are kept in the store. */
  const notifying = new Set<string>();

  return async (args: AnyMiddlewareArgs & AllMiddlewareArgs): Promise<void> => {
    const read = request.safeParse(args.body);
    const refusal = read.success ? await refusalOf(read.data) : 'unknown';
    if (refusal === null) return void (await args.next());
    slack.log.warn(
      { refusal, user: read.data && userOf(read.data) },
      'a request from Slack by no member is not served',
    );
    if (refusal === 'bot') return;
    const { team } = await needs.home();
    const text =
      refusal === 'stranger'
        ? `I answer full members of ${team ?? 'my workspace'} only, neither guests nor people of other workspaces.`
        : 'I could not check in Slack whether you are a member here, so nothing was done. Try again in a minute.';
    if (read.data?.event) await notifyChannel(read.data.event, text, refusal);
    else await answer(args, text);
  };

  /** Null when the person is served. */
  async function refusalOf(said: Request): Promise<Refusal | null> {
    if (said.event?.bot_id) return 'bot';
    const userId = userOf(said);
    // Events without a person start nothing; of whom else nothing is known.
    if (!userId) return said.event ? null : 'unknown';
    const home = await needs.home();
    const allowed = new Set([home.team_id, home.enterprise_id, ...needs.workspaces].filter(Boolean));
    const stated = statedBy(said);
    if (stated.some((team) => !allowed.has(team))) return 'stranger';
    const standing = await Promise.race([
      slack.people.standing(userId).catch((error: unknown) => {
        slack.log.error({ user: userId, problem: slackProblem(error).message }, 'a Slack profile could not be read');
        return null;
      }),
      pause(said.event ? EVENT_LOOK_UP_MS : LOOK_UP_MS, slack.stopping).then(() => null),
    ]);
    if (standing === null) return 'unknown';
    const teams = standing.teams.length > 0 ? standing.teams : stated;
    const isOurs = teams.some((team) => team === home.team_id || needs.workspaces.includes(team));
    return standing.isFullMember && isOurs ? null : 'stranger';
  }

  /** In a channel it is said once, in direct messages too. */
  async function notifyChannel(event: NonNullable<Request['event']>, text: string, refusal: Refusal): Promise<void> {
    const { channel, type, ts, thread_ts } = event;
    const isForUs = type === 'app_mention' || (type === 'message' && event.channel_type === 'im');
    if (!channel || !isForUs) return;
    const subject = `${refusal}:${channel}`;
    if (notifying.has(subject)) return;
    notifying.add(subject);
    try {
      if (refusal === 'stranger' && (await needs.messages.find(subject))) return;
      const thread = thread_ts ?? (type === 'app_mention' ? ts : null);
      const posted = await slack.client.chat.postMessage({
        channel,
        ...(thread && { thread_ts: thread }),
        ...withoutPreviews(plainReply(text)),
      });
      if (refusal === 'stranger')
        await needs.messages.keep([{ subject, channel, ts: String(posted.ts), digest: false }]);
    } catch (error) {
      slack.log.error({ channel, problem: slackProblem(error).message }, 'a channel could not be notified');
    } finally {
      notifying.delete(subject);
    }
  }
}

function userOf({ user_id, user, event }: Request): string | null {
  return event ? (event.user ?? event.assistant_thread?.user_id ?? null) : (user_id ?? user?.id ?? null);
}

/** Ids of the workspaces and organisations that the request gives as its person's own; those of an event's envelope are the receiver's. */
function statedBy({ team_id, enterprise_id, user, team, enterprise, event }: Request): string[] {
  const stated = event
    ? [event.user_team, event.team, event.source_team]
    : [team_id, enterprise_id, user?.team_id, user?.enterprise_id, team?.id, team?.enterprise_id, enterprise?.id];
  return stated.filter((it) => typeof it === 'string' && it !== '') as string[];
}

/** For the person's eyes only, by the way their request came. */
async function answer(args: AnyMiddlewareArgs & AllMiddlewareArgs, text: string): Promise<void> {
  const { body } = args;
  const reply = { response_type: 'ephemeral', ...plainReply(text) } as const;
  if ('command' in args) return args.ack(reply);
  if ('view' in args && body.type === 'view_submission') {
    const ack = args.ack as (response: object) => Promise<void>;
    return ack({ response_action: 'update', view: messageModal('DexOps', text) });
  }
  if ('ack' in args && args.ack) await (args.ack as () => Promise<void>)();
  if ('respond' in args && 'response_url' in body && body.response_url)
    await args.respond({ ...reply, replace_original: false });
}
