/** What a click does, by action id; a new kind of button is a new line in CLICKS. */
import { z } from 'zod';
import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/errors.ts';
import { offers } from '../../core/policy.ts';
import type { ToolCall } from '../../core/presentation.ts';
import { plainReply } from './cards/text.ts';
import { carryOut, edited, failure, type Place, shared, shownIn, toolNamed, wholeAnswer } from './commands/calls.ts';
import { askingForm } from './commands/forms.ts';
import type { Click, SlackContext } from './context.ts';
import { openOwnForm, publishHome } from './home.ts';
import { askAgain } from './questions/ask.ts';
import { openSurveyForm } from './surveys.ts';

type ClickHandler = (slack: SlackContext, click: Click) => Promise<void>;

const carriedCall = z.object({
  tool: z.string(),
  input: z.record(z.string(), z.unknown()),
  asksFor: z.string().optional(),
});

/** By the action id up to its colon; what follows only keeps ids apart within a message. */
const CLICKS: Record<string, ClickHandler> = {
  async run(slack, click) {
    const call = read(click);
    await carryOut(slack, click, call);
    // Cards are edited by whoever posted them; the Home tab is shown anew when something was done there.
    if (!click.message && toolNamed(slack, call.tool)?.effect !== 'read') await publishHome(slack, click.person);
  },

  thread: (slack, click) => carryOut(slack, click, read(click), threadOf(click)),

  async replace(slack, click) {
    const call = read(click);
    const actor = await slack.people.actor(click.person);
    const reply = plainReply((await slack.invoke(call.tool, call.input, actor)).text);
    if (!click.message || !(await edited(slack, click.message.channel, click.message.ts, reply)))
      await click.respond(reply);
  },

  async all(slack, click) {
    await click.respond(await wholeAnswer(slack, await slack.people.actor(click.person), read(click)));
  },

  async share(slack, click) {
    const call = read(click);
    const actor = await slack.people.actor(click.person);
    try {
      await click.notifyAll?.(await shared(slack, actor, call));
    } catch (error) {
      await click.respond(await failure(slack, click.person.id, call, error));
    }
  },

  ask: (slack, click) => askAgain(slack, click, read(click)),

  async asked(slack, click) {
    const call = read(click);
    const tool = toolNamed(slack, call.tool);
    if (!tool) throw new AppError('invalid', 'This button is from another version of DexOps.');
    const actor = await slack.people.actor(click.person);
    // Whoever may not do it is refused before they write why.
    if (!offers(tool, actor)) return carryOut(slack, click, { tool: call.tool, input: call.input });
    const field = carriedBy(click)?.asksFor ?? '';
    const about = click.message ? ((await titleOf(slack, actor, call)) ?? tool.title) : tool.title;
    await slack.client.views.open({ trigger_id: click.triggerId, view: askingForm(tool, call, field, about) });
  },

  form: (slack, click) => openOwnForm(slack, click, read(click)),
  survey_rate: (slack, click) => openSurveyForm(slack, click, read(click)),

  home_refresh: (slack, click) => publishHome(slack, click.person),
};

/** Carries out a click; never rejects. Buttons of earlier versions and values that make no sense are answered, not obeyed. */
export async function answerClick(slack: SlackContext, click: Click): Promise<void> {
  // What follows the colon may be an answer to a survey, which no log may hold.
  const [name = ''] = click.actionId.split(':');
  const handler = CLICKS[name];
  if (!handler) {
    slack.log.warn({ action: click.actionId, user: click.person.id }, 'a Slack button that nothing answers');
    return click.respond(plainReply('This button is from another version of DexOps and does nothing any more.'));
  }
  try {
    await handler(slack, click);
  } catch (error) {
    const call = carriedBy(click) ?? { tool: name, input: {} };
    await click.respond(await failure(slack, click.person.id, call, error));
  }
}

/** What a call is about, in a line; null where its answer shows nothing of the kind. */
async function titleOf(slack: SlackContext, actor: Actor, { input }: ToolCall): Promise<string | null> {
  const shown = shownIn(slack, input);
  if (!shown) return null;
  const { text } = await slack.invoke(shown.tool, shown.input, actor);
  return text.split('\n')[0] ?? null;
}

function threadOf({ message }: Click): Place | undefined {
  return message ? { channel: message.channel, threadTs: message.threadTs ?? message.ts } : undefined;
}

/** The call that a button carries; untrusted, since a message can be old. */
function read(click: Click): ToolCall {
  const call = carriedBy(click);
  if (!call) throw new AppError('invalid', 'This button carries nothing that I understand.');
  return { tool: call.tool, input: call.input };
}

function carriedBy({ value }: Click): z.output<typeof carriedCall> | null {
  try {
    return carriedCall.parse(JSON.parse(value));
  } catch {
    return null;
  }
}
