/** The assistant's side of direct messages: suggestions before the first question, and a status while an answer comes. */
import { isStaff } from '../../../core/policy.ts';
import { slackProblem } from '../cards/problems.ts';
import { clip, plainReply } from '../cards/text.ts';
import { type Place, withoutPreviews } from '../commands/calls.ts';
import type { SlackContext } from '../context.ts';
import type { Person } from '../people.ts';

const MOST_TITLE_CHARS = 80;

const PROMPTS = {
  staff: [
    { title: 'What is wrong now?', message: 'What is wrong in the fleet right now?' },
    { title: 'What will break?', message: 'What is likely to break this week?' },
    { title: 'What changed?', message: 'What got worse since yesterday?' },
  ],
  employees: [
    { title: 'Why is it slow?', message: 'Why is my laptop slow?' },
    { title: 'How is my computer?', message: 'How is my laptop doing?' },
    { title: 'What can I do?', message: 'What can I do so that my laptop works better?' },
  ],
};

/** Offers questions to begin with. @param threadTs absent where all direct messages are one conversation */
export async function suggestQuestions(
  slack: SlackContext,
  person: Person,
  { channel, threadTs }: Place,
): Promise<void> {
  const prompts = isStaff(await slack.people.actor(person)) ? PROMPTS.staff : PROMPTS.employees;
  await quietly(
    slack,
    slack.client.assistant.threads.setSuggestedPrompts({
      channel_id: channel,
      ...(threadTs && { thread_ts: threadTs }),
      title: 'Ask about a computer',
      prompts,
    }),
  );
}

/** Says that it is being worked on, before anything can be posted; Slack ends it with the next message. */
export async function showThinking(slack: SlackContext, channel: string, threadTs: string, text: string) {
  const thread = { channel_id: channel, thread_ts: threadTs };
  await Promise.all([
    quietly(slack, slack.client.assistant.threads.setStatus({ ...thread, status: 'is looking into it…' })),
    quietly(
      slack,
      slack.client.assistant.threads.setTitle({ ...thread, title: clip(text || 'A question', MOST_TITLE_CHARS) }),
    ),
  ]);
}

/** Greets somebody who opens the direct messages for the first time. */
export async function welcome(slack: SlackContext, person: Person, channel: string): Promise<void> {
  const subject = `welcome:${person.id}`;
  if (await slack.messages.find(subject)) return;
  const staff = isStaff(await slack.people.actor(person));
  const text = staff
    ? 'Hello! Ask me about any computer, as "why is alice-laptop slow?", or about the fleet: "what is wrong right now?". Alerts come in the channel, and /dex help lists the commands.'
    : 'Hello! I watch how well your computer works. Ask me "why is my laptop slow?", or type /dex report to have your IT team look at it. I write by myself only when there is something you can do.';
  try {
    const posted = await slack.client.chat.postMessage({ channel, ...withoutPreviews(plainReply(text)) });
    await slack.messages.keep([{ subject, channel, ts: String(posted.ts), digest: false }]);
  } catch (error) {
    slack.log.warn({ user: person.id, problem: slackProblem(error).message }, 'somebody could not be greeted');
  }
}

/** Workspaces without the assistant's features do without. */
async function quietly(slack: SlackContext, call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) =>
    slack.log.debug({ problem: slackProblem(error).message }, 'the assistant’s features are not there'),
  );
}
