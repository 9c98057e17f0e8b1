/** "Did that fix it?": the question to a machine's owner after a repair, and their answer. */

import { alertIn } from '../cards/alertCard.ts';
import { type Block, button, plainReply, type Reply } from '../cards/text.ts';
import type { Click, SlackContext } from '../context.ts';
import { edited, failure } from './calls.ts';

export function fixCheck(remediationId: string, facts: Record<string, unknown>): Reply {
  const { hostname, alert_name } = alertIn(facts);
  const answers: Block = {
    type: 'actions',
    elements: [
      button('fix_yes', 'Yes', remediationId, 'primary'),
      button('fix_no', 'No, it is still there', remediationId),
    ],
  };
  return plainReply(
    `Did that fix it?\n${hostname} had a problem (${alert_name}) and was repaired just now. Does it work again?`,
    answers,
  );
}

/** Takes the owner's answer, which then stands in the place of the question. */
export async function answerFixCheck(slack: SlackContext, click: Click, fixed: boolean): Promise<void> {
  const actor = await slack.people.actor(click.person);
  const call = { tool: 'answer_fix_check', input: { remediation_id: click.value, fixed } };
  let reply: Reply;
  try {
    reply = plainReply((await slack.invoke(call.tool, call.input, actor)).text);
  } catch (error) {
    return click.tell(await failure(slack, actor, call, error));
  }
  if (!click.message || !(await edited(slack, click.message.channel, click.message.ts, reply))) await click.tell(reply);
}
