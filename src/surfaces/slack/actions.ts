/** What a click does, by action id; a new kind of button is a new line in CLICKS. */
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { plainReply } from './cards/text.ts';
import { carryOut, failure, type Place, shared } from './commands/calls.ts';
import { answerFixCheck } from './commands/fixCheck.ts';
import type { Click, SlackContext } from './context.ts';
import { openReport, publishHome } from './home.ts';
import { stopAnswer } from './questions/ask.ts';
import { openSurveyForm, optOut } from './surveys.ts';

type ClickHandler = (slack: SlackContext, click: Click) => Promise<void>;

const carriedCall = z.object({ tool: z.string(), input: z.record(z.string(), z.unknown()) });
const alertRunbook = z.object({ hostname: z.string(), alert: z.string() });

/** By the action id up to its colon; what follows only keeps ids apart within a message. */
const CLICKS: Record<string, ClickHandler> = {
  run: (slack, click) => carryOut(slack, click, read(carriedCall, click.value)),

  async share(slack, click) {
    const call = read(carriedCall, click.value);
    const actor = await slack.people.actor(click.person);
    try {
      await click.notifyAll?.(await shared(slack, actor, call));
    } catch (error) {
      await click.tell(await failure(slack, actor, call, error));
    }
  },

  async alert_acknowledge(slack, click) {
    const [id, hours] = click.value.split(':');
    const silencedFor = hours === 'clear' ? { until_clear: true } : { hours: Number(hours) };
    await carryOut(slack, click, { tool: 'acknowledge_alert', input: { alert_id: Number(id), ...silencedFor } });
  },

  alert_show: (slack, click) => carryOut(slack, click, { tool: 'get_alert', input: { alert_id: Number(click.value) } }),

  alert_resolve: (slack, click) =>
    carryOut(slack, click, { tool: 'resolve_alert', input: { alert_id: Number(click.value) } }),

  alert_rescan: (slack, click) =>
    carryOut(slack, click, { tool: 'scan_endpoint', input: { hostname: click.value } }, threadOf(click)),

  async alert_runbook(slack, click) {
    const { hostname, alert } = read(alertRunbook, click.value);
    const tool = slack.tools.find(({ http }) => http?.path === '/api/v1/dex/endpoints/:hostname/runbooks');
    if (!tool) return click.tell(plainReply('This service has no runbooks to search.'));
    await carryOut(slack, click, { tool: tool.name, input: { hostname, alert } });
  },

  approval_approve: (slack, click) => decide(slack, click, 'approve'),
  approval_deny: (slack, click) => decide(slack, click, 'deny'),

  fix_yes: (slack, click) => answerFixCheck(slack, click, true),
  fix_no: (slack, click) => answerFixCheck(slack, click, false),

  survey_rate: openSurveyForm,
  survey_opt_out: optOut,

  ask_stop: stopAnswer,

  home_slow: openReport,
  home_refresh: (slack, click) => publishHome(slack, click.person),
};

/** Carries out a click; never rejects. Buttons of earlier versions and values that make no sense are answered, not obeyed. */
export async function answerClick(slack: SlackContext, click: Click): Promise<void> {
  // What follows the colon may be an answer to a survey, which no log may hold.
  const [name = ''] = click.actionId.split(':');
  const handler = CLICKS[name];
  if (!handler) {
    slack.log.warn({ action: click.actionId, user: click.person.id }, 'a Slack button that nothing answers');
    return click.tell(plainReply('This button is from another version of DexOps and does nothing any more.'));
  }
  try {
    await handler(slack, click);
  } catch (error) {
    await click.tell(await failure(slack, await slack.people.actor(click.person), { tool: name, input: {} }, error));
  }
}

/** The card itself is edited by whoever posted it; the Home tab is shown anew. */
async function decide(slack: SlackContext, click: Click, decision: 'approve' | 'deny'): Promise<void> {
  await carryOut(slack, click, { tool: 'decide_approval', input: { approval_id: click.value, decision } });
  if (!click.message) await publishHome(slack, click.person);
}

function threadOf({ message }: Click): Place | undefined {
  return message ? { channel: message.channel, threadTs: message.threadTs ?? message.ts } : undefined;
}

function read<T>(shape: z.ZodType<T>, value: string): T {
  try {
    return shape.parse(JSON.parse(value));
  } catch {
    throw new AppError('invalid', 'This button carries nothing that I understand.');
  }
}
