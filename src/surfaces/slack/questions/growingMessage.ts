/** The message of an answer while it comes: streamed step by step where Slack takes that, edited in place elsewhere. */
import type { webApi } from '@slack/bolt';
import type { RelatedCall } from '../../../core/presentation.ts';
import { slackProblem } from '../cards/problems.ts';
import { relatedBlocks } from '../cards/related.ts';
import { type Block, note, plainReply, type Reply } from '../cards/text.ts';
import { edited, type Place, withoutPreviews } from '../commands/calls.ts';
import type { SlackContext } from '../context.ts';
import type { MessagePlace } from './unfinished.ts';

/** What is done so far. */
interface Progress {
  tools: readonly string[];
  status: string;
  related: readonly RelatedCall[];
}

export interface GrowingMessage extends MessagePlace {
  /** Shows what is done; a failure is passed over, since the next one shows more. */
  show(progress: Progress): Promise<void>;
  /** Puts the answer there; false when the message is gone. */
  end(reply: Reply): Promise<boolean>;
}

/** Who reads a stream outside of direct messages. */
interface Reader {
  userId: string;
  teamId: string;
}

const LOOKING: webApi.ChatStartStreamArguments['chunks'] = [
  { type: 'task_update', id: 'looking', title: 'Looking into it', status: 'in_progress' },
];

/** Begins with the first words. Only threads can be streamed to. @param reader null where Slack did not say whose request it is */
export async function beginAnswer(
  slack: SlackContext,
  { channel, threadTs }: Place,
  reader: Reader | null,
  related: readonly RelatedCall[],
): Promise<GrowingMessage> {
  if (threadTs !== undefined && reader !== null) {
    const stream = await startStream(slack, channel, threadTs, reader, related);
    if (stream) return stream;
  }
  const first = withoutPreviews(lookingReply({ tools: [], status: 'running', related }));
  const posted = await slack.client.chat.postMessage({ channel, ...(threadTs && { thread_ts: threadTs }), ...first });
  return editedMessage(slack, { channel: String(posted.channel), ts: String(posted.ts) });
}

/** A message that another process began. */
export function resumedAnswer(slack: SlackContext, place: MessagePlace): GrowingMessage {
  const message = editedMessage(slack, place);
  return {
    ...message,
    async end(reply) {
      // Slack edits no stream; of a message that is none it says so.
      await slack.client.chat.stopStream({ channel: place.channel, ts: place.ts }).catch(() => {});
      return message.end(reply);
    },
  };
}

function editedMessage(slack: SlackContext, { channel, ts }: MessagePlace): GrowingMessage {
  return {
    channel,
    ts,
    show: async (progress) => void (await edited(slack, channel, ts, lookingReply(progress))),
    end: (reply) => edited(slack, channel, ts, reply),
  };
}

/** Null when this workspace or this place takes no streams. */
async function startStream(
  slack: SlackContext,
  channel: string,
  threadTs: string,
  { userId, teamId }: Reader,
  related: readonly RelatedCall[],
): Promise<GrowingMessage | null> {
  const stop = relatedBlocks(related);
  const started = await slack.client.chat
    .startStream({
      channel,
      thread_ts: threadTs,
      recipient_user_id: userId,
      recipient_team_id: teamId,
      task_display_mode: 'timeline',
      chunks: [...(LOOKING ?? []), ...(stop.length > 0 ? [{ type: 'blocks' as const, blocks: stop }] : [])],
    })
    .catch((error: unknown) => {
      slack.log.debug({ problem: slackProblem(error).message }, 'an answer is not streamed but edited');
      return null;
    });
  if (!started?.ts) return null;
  const place = { channel: started.channel ?? channel, ts: started.ts };
  let shown = 0;
  return {
    ...place,
    async show({ tools, status }) {
      const chunks = tools.slice(shown).map((tool, i) => ({
        type: 'task_update' as const,
        id: `step${shown + i}`,
        title: tool.replaceAll('_', ' '),
        status: 'complete' as const,
      }));
      const waits = status === 'waiting_approval';
      if (chunks.length === 0 && !waits) return;
      shown = tools.length;
      const waiting = { type: 'task_update' as const, id: 'waiting', title: WAITING, status: 'pending' as const };
      await slack.client.chat
        .appendStream({ ...place, chunks: waits ? [...chunks, waiting] : chunks })
        .catch((error: unknown) =>
          slack.log.debug({ problem: slackProblem(error).message }, 'a step of an answer was not shown'),
        );
    },
    async end(reply) {
      await slack.client.chat.stopStream(place).catch((error: unknown) => {
        slack.log.debug({ problem: slackProblem(error).message }, 'a stream had ended already');
      });
      // What was streamed gives way to the whole answer, with its buttons.
      return edited(slack, place.channel, place.ts, reply);
    },
  };
}

const WAITING = 'Waiting for a person to agree to a step';

function lookingReply({ tools, status, related }: Progress): Reply {
  const doing = status === 'waiting_approval' ? `⏸ ${WAITING}` : '🔎 Looking into it';
  return plainReply(`${doing} …`, ...toolNote(tools), ...relatedBlocks(related));
}

export function toolNote(tools: readonly string[]): Block[] {
  return tools.length > 0 ? [note(`Tools used: ${tools.join(', ')}`)] : [];
}
