/** Carries survey messages into direct messages; the token in a message is all that leads from an answer to its question. */

import { type ComposedSurvey, SURVEY_MESSENGER, type SurveyMessage } from '../../core/people/surveys.ts';
import type { DeliveryOutcome, Messenger } from '../../core/ports/messagePorts.ts';
import type { Log } from '../../core/ports/ports.ts';
import { failedDelivery, postToPerson, type ReadProblem, type SlackClient, type SlackNotifications } from './client.ts';
import type { SlackDirectory } from './directory.ts';

/** The Slack interface's part, as in the notifier. */
export interface SurveyFormatting {
  letter(letter: ComposedSurvey): SlackNotifications;
  problem: ReadProblem;
}

export interface SurveyMessagesParts {
  client: SlackClient;
  directory: SlackDirectory;
  wording: SurveyFormatting;
  /** Null when there is nothing to ask any more. */
  write(message: SurveyMessage): Promise<ComposedSurvey | null>;
  log: Log;
}

/** Under the 50 look-ups a minute that Slack allows. */
const PACE_MS = 1250;

export function createSurveyMessages(parts: SurveyMessagesParts): Messenger {
  const { directory, wording, write, log } = parts;
  return {
    name: SURVEY_MESSENGER,
    paceMs: PACE_MS,
    async deliver({ messages }): Promise<DeliveryOutcome> {
      const letter = await write(messages.at(-1)?.payload as SurveyMessage);
      if (!letter) return { outcome: 'delivered' };
      try {
        const member = await directory.lookup(letter.email);
        // Who left since they were chosen is not asked; the log says so.
        if (member) await postToPerson(parts, member.userId, wording.letter(letter));
        return { outcome: 'delivered' };
      } catch (error) {
        const problem = wording.problem(error);
        if (problem.kind === 'setup') log.error({ problem: problem.message }, 'people cannot be asked in Slack');
        return failedDelivery(problem);
      }
    },
  };
}
