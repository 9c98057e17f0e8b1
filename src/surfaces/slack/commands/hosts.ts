/** Which machine somebody means: by hostname, by address, or by mentioning its owner. */
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { didYouMean } from '../../../core/commands/didYouMean.ts';
import { AppError } from '../../../core/errors.ts';
import { callShowing } from '../../../core/tool.ts';
import type { SlackContext } from '../context.ts';

const listed = z.array(
  z.object({ hostname: z.string(), score: z.number().nullable(), score_status: z.string(), state: z.string() }),
);
export type Machine = z.output<typeof listed>[number];

const MENTION = /^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>$/;
/** How many names are compared with a mistyped one. */
const MOST_COMPARED = 1000;

async function machines(slack: SlackContext, actor: Actor, filter: Record<string, unknown>): Promise<Machine[]> {
  const { tool, input } = callShowing(slack.tools, 'endpoints');
  const { output } = await slack.invoke(tool, { ...input, limit: 100, ...filter }, actor);
  return listed.parse(output.endpoints);
}

export async function machinesOf(slack: SlackContext, actor: Actor, userId: string): Promise<Machine[]> {
  return machines(slack, actor, { owner_email: await slack.people.email(userId) });
}

/** The hostnames that a typed one may stand for: one, or several when a mentioned person has more machines. */
export async function hostsMeant(slack: SlackContext, actor: Actor, typed: string): Promise<string[]> {
  const mentioned = MENTION.exec(typed)?.[1];
  if (mentioned) {
    const found = await machinesOf(slack, actor, mentioned);
    if (found.length > 0) return found.map(({ hostname }) => hostname);
    throw new AppError('not_found', `No machine is registered for ${await slack.people.email(mentioned)}.`);
  }
  if (typed.startsWith('@'))
    throw new AppError(
      'invalid',
      `I do not know ${typed}. Pick the person from the list that Slack opens when you type @.`,
    );
  return [typed];
}

/** An owner's mention where a mail address is wanted. */
export async function mailMeant(slack: SlackContext, typed: string): Promise<string> {
  const mentioned = MENTION.exec(typed)?.[1];
  return mentioned ? slack.people.email(mentioned) : typed;
}

export async function similarHosts(slack: SlackContext, actor: Actor, hostname: string): Promise<string[]> {
  const known = await machines(slack, actor, { limit: MOST_COMPARED });
  return didYouMean(
    hostname,
    known.map((machine) => machine.hostname),
  );
}
