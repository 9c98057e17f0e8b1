/** Goes on with the messages whose runs outlived the process that posted them. */
import { z } from 'zod';
import { jobActor } from '../../../core/actor.ts';
import { AppError } from '../../../core/errors.ts';
import { callShowing } from '../../../core/tool.ts';
import { runEnd } from '../commands/calls.ts';
import type { SlackContext } from '../context.ts';
import { followAnswer } from './ask.ts';
import { resumedAnswer } from './growingMessage.ts';
import type { MessagePlace } from './unfinished.ts';

/** Asked for by people who are not there any more to ask. */
const ACTOR = jobActor('answer_slack');

const keptRun = z.object({ kind: z.string() });

/** Goes on with the messages that another process left, each to its end; never rejects. */
export async function finishOld(slack: SlackContext): Promise<void> {
  const left = await slack.unfinished.all().catch((error: unknown) => {
    slack.log.error({ err: error }, 'answers that were left unfinished in Slack could not be read');
    return [];
  });
  await Promise.all(
    left.map(({ runId, ...message }) =>
      finishOne(slack, runId, message).catch((error: unknown) =>
        slack.log.error({ err: error, run_id: runId }, 'an answer that was left unfinished in Slack stays so'),
      ),
    ),
  );
}

async function finishOne(slack: SlackContext, runId: string, message: MessagePlace): Promise<void> {
  const { tool, input } = callShowing(slack.tools, 'run', runId);
  const found = await slack.invoke(tool, input, ACTOR).catch((error: unknown) => {
    if (error instanceof AppError && error.kind === 'not_found') return null;
    throw error;
  });
  if (!found) return slack.unfinished.done(runId);
  const { kind } = keptRun.parse(found.output);
  const resumed = resumedAnswer(slack, message);
  const end = kind === 'planner' ? await followAnswer(slack, ACTOR, runId, resumed) : await runEnd(slack, ACTOR, runId);
  await resumed.end(end);
}
