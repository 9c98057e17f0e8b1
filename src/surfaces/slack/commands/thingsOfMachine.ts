/** Alerts and approvals named by their machine: `ack alice-laptop`, `approve my laptop`. */
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { AppError } from '../../../core/errors.ts';
import type { CardKind, ToolCall } from '../../../core/presentation.ts';
import { callShowing } from '../../../core/tool.ts';
import type { SlackContext } from '../context.ts';
import { hostsMeant } from './hosts.ts';

/** A call with the words that tell it from others. */
export interface NamedCall extends ToolCall {
  label?: string;
}

interface KindOfThing {
  field: string;
  /** What an id looks like; anything else is read as a machine. */
  id: RegExp;
  list: CardKind;
  none: string;
  read(output: Record<string, unknown>): { id: number | string; label: string }[];
}

const alertsShown = z.array(z.object({ id: z.number(), alert_name: z.string(), hostname: z.string() }));
const approvalsShown = z.array(z.object({ approval_id: z.string(), question: z.string() }));

const KINDS: readonly KindOfThing[] = [
  {
    field: 'alert_id',
    id: /^#?\d+$/,
    list: 'alerts',
    none: 'no open alert',
    read: ({ alerts }) =>
      alertsShown.parse(alerts).map(({ id, alert_name, hostname }) => ({ id, label: `${alert_name} on ${hostname}` })),
  },
  {
    field: 'approval_id',
    id: /^[0-9A-Z]{20,}$/i,
    list: 'approvals',
    none: 'nothing that waits for approval',
    read: ({ approvals }) =>
      approvalsShown.parse(approvals).map(({ approval_id, question }) => ({ id: approval_id, label: question })),
  },
];

/**
 * The call on each open thing of the machine that stands where an id belongs; null where an id does.
 * @throws AppError `not_found` when the machine is not known or has no such thing
 */
export async function thingsOfMachine(
  slack: SlackContext,
  actor: Actor,
  userId: string,
  call: ToolCall,
): Promise<NamedCall[] | null> {
  for (const kind of KINDS) {
    const typed = call.input[kind.field];
    if (typeof typed !== 'string' || kind.id.test(typed)) continue;
    const hosts = await hostsMeant(slack, actor, userId, typed);
    const { tool, input } = callShowing(slack.tools, kind.list);
    const lists = await Promise.all(
      hosts.map((hostname) => slack.invoke(tool, { ...input, hostname, limit: 25 }, actor)),
    );
    const things = lists.flatMap(({ output }) => kind.read(output));
    if (things.length === 0) throw new AppError('not_found', `${hosts.join(', ')} has ${kind.none}.`);
    return things.map(({ id, label }) => ({ tool: call.tool, input: { ...call.input, [kind.field]: id }, label }));
  }
  return null;
}
