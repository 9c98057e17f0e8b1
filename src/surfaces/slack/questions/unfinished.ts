/** Which messages wait for the end of a run, remembered beyond the process that posted them. */
import type { SlackMessageRepository } from '../../../core/ports/messagePorts.ts';
import type { Log } from '../../../core/ports/ports.ts';

export interface MessagePlace {
  channel: string;
  ts: string;
}

export interface Unfinished {
  /** Neither rejects: an answer is worth more than what is remembered of it. */
  keep(runId: string, message: MessagePlace): Promise<void>;
  done(runId: string): Promise<void>;
  all(): Promise<(MessagePlace & { runId: string })[]>;
}

const PREFIX = 'run:';

export function createUnfinished(messages: SlackMessageRepository, log: Log): Unfinished {
  const logged = (error: unknown) => log.error({ err: error }, 'what an answer in Slack waits for could not be kept');
  return {
    keep: (runId, message) => messages.keep([{ subject: PREFIX + runId, ...message, digest: false }]).catch(logged),
    done: (runId) => messages.forget(PREFIX + runId).catch(logged),
    async all() {
      const kept = await messages.about(PREFIX);
      return kept.map(({ subject, channel, ts }) => ({ runId: subject.slice(PREFIX.length), channel, ts }));
    },
  };
}
