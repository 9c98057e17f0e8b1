/** What this service does in Slack by itself: notifications, survey messages, knowing people. Apart, so that only a configured Slack is loaded. */

import type { Messenger } from '../../core/ports/messagePorts.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import type { Probe } from '../../core/processes/health.ts';
import { createSlackClient, slackProbe } from './client.ts';
import { createSlackDirectory, type SlackDirectory } from './directory.ts';
import type { NotificationText, SlackNotifierParts } from './notificationText.ts';
import { createSlackNotifier } from './notifier.ts';
import { createRemedyMessages, type RemedyFormatting, type RemedyMessagesParts } from './remedyMessages.ts';
import { createSurveyMessages, type SurveyFormatting, type SurveyMessagesParts } from './surveyMessages.ts';

export type SlackFormatting = NotificationText & SurveyFormatting & RemedyFormatting;

export interface SlackConnection {
  directory: SlackDirectory;
  /** None without the wording, which the Slack interface lends. */
  messengers: Messenger[];
  probe: Probe | null;
}

/**
 * @param apiUrl another address of the Web API, ending in /api/; empty means Slack's own
 * @param channel where alerts are posted; empty for nowhere
 */
export function connectSlack(
  {
    token,
    apiUrl,
    channel,
    approvers,
  }: { token: string; apiUrl: string; channel: string; approvers: readonly string[] },
  wording: SlackFormatting | undefined,
  reads: Pick<SlackNotifierParts, 'messages' | 'readAlert' | 'readApproval' | 'readReport' | 'charts' | 'alertsOf'> &
    Pick<SurveyMessagesParts, 'write'> &
    Pick<RemedyMessagesParts, 'compose'>,
  { clock, log }: { clock: Clock; log: Log },
): SlackConnection {
  const client = createSlackClient(token, apiUrl);
  const directory = createSlackDirectory(client, clock, log);
  if (!wording) return { directory, messengers: [], probe: null };
  const parts = { client, directory, wording, clock, log };
  const letters = createSurveyMessages({ ...parts, write: reads.write });
  const remedies = createRemedyMessages({ ...parts, ...reads });
  const news = channel === '' ? [] : [createSlackNotifier({ ...parts, ...reads, channel, approvers })];
  return { directory, messengers: [letters, remedies, ...news], probe: slackProbe(client, wording.problem, clock) };
}
