/** Carries offers to the owners of machines into direct messages: one message for an offer, edited in place as it goes on. */

import type { types } from '@slack/bolt';
import type { ChartRenderer } from '../../core/chart.ts';
import type { DeliveryOutcome, Messenger, SlackMessageRepository } from '../../core/ports/messagePorts.ts';
import type { Log } from '../../core/ports/ports.ts';
import { type ComposedRemedy, REMEDY_MESSENGER } from '../../core/remedies/remedyMessage.ts';
import {
  failedDelivery,
  plainIfRefused,
  postToPerson,
  type ReadProblem,
  type SlackClient,
  type SlackNotifications,
} from './client.ts';
import type { SlackDirectory } from './directory.ts';
import type { NotificationText } from './notificationText.ts';

/** The Slack interface's part, as in the notifier. */
export interface RemedyFormatting {
  remedy(remedy: ComposedRemedy, image: types.KnownBlock | null): SlackNotifications;
  pictures: NotificationText['pictures'];
  problem: ReadProblem;
}

export interface RemedyMessagesParts {
  client: SlackClient;
  directory: SlackDirectory;
  wording: RemedyFormatting;
  messages: SlackMessageRepository;
  charts: ChartRenderer;
  /** What a message says by its payload; null when there is nothing to say any more. */
  compose(payload: Record<string, unknown>): Promise<ComposedRemedy | null>;
  log: Log;
}

/** Under the 50 look-ups a minute that Slack allows. */
const PACE_MS = 1250;

export function createRemedyMessages(parts: RemedyMessagesParts): Messenger {
  const { client, directory, wording, messages, compose, log } = parts;
  const pictures = wording.pictures(client, parts.charts, log);
  return {
    name: REMEDY_MESSENGER,
    paceMs: PACE_MS,
    async deliver({ messages: waiting }): Promise<DeliveryOutcome> {
      const [first] = waiting;
      const remedy = first ? await compose(first.payload) : null;
      if (!remedy) return { outcome: 'delivered' };
      try {
        await show(
          String(first?.subject),
          remedy,
          waiting.some(({ payload }) => payload.fresh === true),
        );
        return { outcome: 'delivered' };
      } catch (error) {
        const problem = wording.problem(error);
        if (problem.kind === 'setup') log.error({ problem: problem.message }, 'owners cannot be written to in Slack');
        return failedDelivery(problem);
      }
    },
  };

  async function show(subject: string, remedy: ComposedRemedy, isFresh: boolean): Promise<void> {
    const shown = wording.remedy(remedy, await pictures.show(remedy.chart));
    const kept = isFresh ? null : await messages.find(subject);
    if (kept) {
      await plainIfRefused(shown, (it) => client.chat.update({ channel: kept.channel, ts: kept.ts, ...it }));
      return;
    }
    const member = await directory.lookup(remedy.email);
    // Who left since is not written to; the log says so.
    const posted = member && (await postToPerson(parts, member.userId, shown));
    if (posted) await messages.keep([{ subject, ...posted, digest: false }]);
  }
}
