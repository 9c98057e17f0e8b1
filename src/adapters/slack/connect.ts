/** What this service does in Slack by itself: news, letters, knowing people. Apart, so that only a configured Slack is loaded. */

import type { Messenger } from '../../core/ports/messagePorts.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import type { Probe } from '../../core/processes/health.ts';
import { createSlackClient, slackProbe } from './client.ts';
import { createSlackDirectory, type SlackDirectory } from './directory.ts';
import { createSurveyLetters, type LetterWording, type SurveyLettersParts } from './letters.ts';
import { createSlackNotifier, type NewsWording, type SlackNotifierParts } from './notifier.ts';

export type SlackWording = NewsWording & LetterWording;

export interface SlackConnection {
  directory: SlackDirectory;
  /** None without the wording, which the Slack face lends. */
  messengers: Messenger[];
  probe: Probe | null;
}

/**
 * @param apiUrl another address of the Web API, ending in /api/; empty means Slack's own
 * @param channel where alerts are told; empty for nowhere
 */
export function connectSlack(
  { token, apiUrl, channel }: { token: string; apiUrl: string; channel: string },
  wording: SlackWording | undefined,
  reads: Pick<SlackNotifierParts, 'messages' | 'readAlert' | 'readApproval'> & Pick<SurveyLettersParts, 'write'>,
  { clock, log }: { clock: Clock; log: Log },
): SlackConnection {
  const client = createSlackClient(token, apiUrl);
  const directory = createSlackDirectory(client, clock, log);
  if (!wording) return { directory, messengers: [], probe: null };
  const parts = { client, directory, wording, log };
  const letters = createSurveyLetters({ ...parts, write: reads.write });
  const news = channel === '' ? [] : [createSlackNotifier({ ...parts, ...reads, channel })];
  return { directory, messengers: [letters, ...news], probe: slackProbe(client, wording.problem, clock) };
}
