/** Surveys in direct messages: the message with its five buttons, the form that follows a click, and opting out. */
import type { types } from '@slack/bolt';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import type { ComposedSurvey } from '../../core/people/surveys.ts';
import type { ToolCall } from '../../core/presentation.ts';
import { FEEDBACK_CATEGORIES } from '../../domain/people/enps.ts';
import { callButton, relatedBlocks } from './cards/related.ts';
import { type Block, dateElement, note, option, paragraph, plainReply, type Reply, textElement } from './cards/text.ts';
import { edited } from './commands/calls.ts';
import { type FormState, formValue, formValues, MAX_COMMENT_CHARS, messageModal, plain } from './commands/forms.ts';
import { machinesOf } from './commands/hosts.ts';
import type { Click, SlackContext } from './context.ts';
import type { Person } from './people.ts';

export const SURVEY_CALLBACK = 'survey_answer';

const RATINGS = ['1 very badly', '2 badly', '3 so-so', '4 well', '5 very well'];

const CONFIDENTIAL =
  'Your answer is stored without your name and shown only together with those of others. Pick a number; nothing is sent before you press Send.';

export function surveyMessage({ question, endsAt, reminder, answer, optOut }: ComposedSurvey): Reply {
  const noMore = {
    ...optOut,
    id: 'no_more',
    label: 'Do not ask me again',
    confirm: { title: 'No more surveys?', text: 'You will not be asked again. An operator can take you in again.' },
  };
  const title = reminder ? `A reminder: ${question}` : question;
  return {
    text: plainReply(title).text,
    blocks: [
      paragraph(textElement(title, { bold: true })),
      note(CONFIDENTIAL),
      {
        type: 'actions',
        elements: RATINGS.map((label, i) =>
          callButton(`survey_rate:${i + 1}`, label, { ...answer, input: { ...answer.input, rating: i + 1 } }),
        ).filter((it) => it !== null),
      },
      paragraph(textElement('It can be answered until '), dateElement(endsAt.toISOString()), textElement('.')),
      ...relatedBlocks([noMore], { action: 'replace' }),
    ],
  };
}

/** What a form carries to its answer; nothing of who fills it in. */
const carried = z.object({
  tool: z.string(),
  input: z.looseObject({ rating: z.number() }),
  message: z.object({ channel: z.string(), ts: z.string() }).nullable(),
});

export async function openSurveyForm(slack: SlackContext, click: Click, call: ToolCall): Promise<void> {
  const actor = await slack.people.actor(click.person);
  // Whose machines Slack cannot tell has none to name.
  const own = await machinesOf(slack, actor, click.person.id).catch((error: unknown) => {
    if (error instanceof AppError) return [];
    throw error;
  });
  const message = click.message && { channel: click.message.channel, ts: click.message.ts };
  const { tool, input } = carried.omit({ message: true }).parse(call);
  const metadata = JSON.stringify({ tool, input, message });
  const hostnames = own.map(({ hostname }) => hostname);
  await slack.client.views.open({ trigger_id: click.triggerId, view: surveyForm(input.rating, hostnames, metadata) });
}

function surveyForm(rating: number, hostnames: string[], metadata: string): types.ModalView {
  const categories = FEEDBACK_CATEGORIES.map((category) => option(category, category));
  return {
    type: 'modal',
    callback_id: SURVEY_CALLBACK,
    private_metadata: metadata,
    title: plain('Your answer'),
    submit: plain('Send'),
    close: plain('Cancel'),
    blocks: [
      paragraph(textElement(`Your rating: ${RATINGS[rating - 1] ?? rating}`, { bold: true })),
      {
        type: 'input',
        block_id: 'category',
        optional: true,
        label: plain('What is it about?'),
        element: { type: 'static_select', action_id: 'value', options: categories },
      },
      {
        type: 'input',
        block_id: 'comment',
        optional: true,
        label: plain('Anything you want to add?'),
        element: { type: 'plain_text_input', action_id: 'value', multiline: true, max_length: MAX_COMMENT_CHARS },
      },
      ...deviceBlocks(hostnames),
      note('Without a tick nothing of your machine is kept with the answer; with one, only its groups are.'),
    ],
  };
}

/** Slack shows at most ten boxes. */
const MOST_BOXES = 10;

function deviceBlocks(hostnames: string[]): Block[] {
  const boxes = hostnames.slice(0, MOST_BOXES).map((hostname) => option(hostname, hostname));
  if (boxes.length === 0) return [];
  return [
    {
      type: 'input',
      block_id: 'hostname',
      optional: true,
      label: plain('My answer may be counted for the groups of my machine'),
      element: { type: 'checkboxes', action_id: 'value', options: boxes },
    },
  ];
}

/** Sends the answer under its token alone. */
export async function takeSurveyAnswer(
  slack: SlackContext,
  person: Person,
  metadata: string,
  state: FormState,
): Promise<types.ModalView> {
  const { tool, input, message } = carried.parse(JSON.parse(metadata));
  const hostnames = formValues(state, 'hostname');
  if (hostnames.length > 1)
    throw new AppError('invalid', 'Name one machine.', {
      fields: [{ field: 'hostname', problem: 'Tick one of them.' }],
    });
  const category = formValue(state, 'category');
  const answer = {
    ...input,
    comment: formValue(state, 'comment'),
    hostname: hostnames[0] ?? null,
    ...(category && { category }),
  };
  const { text } = await slack.invoke(tool, answer, await slack.people.actor(person));
  if (message) await edited(slack, message.channel, message.ts, plainReply(text));
  return messageModal('Thank you', text);
}
