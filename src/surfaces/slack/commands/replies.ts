/** The ways an answer takes back to Slack: into a place, to one person's eyes, or into the form it came by. */
import type { RespondFn, types } from '@slack/bolt';
import { AppError } from '../../../core/errors.ts';
import { slackProblem } from '../cards/problems.ts';
import type { Reply } from '../cards/text.ts';
import type { SlackContext } from '../context.ts';
import type { Person } from '../people.ts';
import { failure, type Place, withoutPreviews } from './calls.ts';
import { type FormState, formErrors, messageModal } from './forms.ts';

export async function say(slack: SlackContext, { channel, threadTs }: Place, reply: Reply): Promise<void> {
  await slack.client.chat
    .postMessage({ channel, thread_ts: threadTs, ...withoutPreviews(reply) })
    .catch((error: unknown) =>
      slack.log.error({ channel, problem: slackProblem(error).message }, 'an answer could not be delivered'),
    );
}

/**
 * Answers a form with the next view, or with what was wrong at its field.
 * @param tool what the form is of, so that a refusal says who may; null when that is everybody
 */
export async function submitted(
  slack: SlackContext,
  ack: (response: ViewResponse) => Promise<void>,
  person: Person,
  state: FormState,
  tool: string | null,
  work: () => Promise<types.ModalView>,
): Promise<void> {
  try {
    await ack({ response_action: 'update', view: await work() });
  } catch (error) {
    if (error instanceof AppError && error.kind !== 'denied')
      return ack({ response_action: 'errors', errors: formErrors(error, state) });
    const said = await failure(slack, person.id, { tool: tool ?? '', input: {} }, error);
    await ack({ response_action: 'update', view: { ...messageModal('Not done', ''), blocks: said.blocks } });
  }
}

type ViewResponse =
  | { response_action: 'update'; view: types.ModalView }
  | { response_action: 'errors'; errors: Record<string, string> };

/** For one person's eyes: next to where they asked, or in their direct messages when that place is gone. */
export async function whisper(
  slack: SlackContext,
  respond: RespondFn | null,
  person: Person,
  reply: Reply,
): Promise<void> {
  const beside = respond?.({ response_type: 'ephemeral', replace_original: false, ...reply });
  const said = await (beside ?? Promise.reject(new Error('no place to respond to'))).then(
    () => true,
    (error: unknown) => {
      if (beside)
        slack.log.warn({ err: error, user: person.id }, 'Slack did not take an answer; trying direct messages');
      return false;
    },
  );
  if (said) return;
  await slack.client.chat.postMessage({ channel: person.id, ...withoutPreviews(reply) }).catch((error: unknown) => {
    slack.log.error({ user: person.id, problem: slackProblem(error).message }, 'an answer could not be delivered');
  });
}
