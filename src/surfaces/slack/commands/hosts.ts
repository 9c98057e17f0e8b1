/** Which machine somebody means: by hostname or address, by its owner, or as their own. */
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { didYouMean } from '../../../core/commands/didYouMean.ts';
import { AppError } from '../../../core/errors.ts';
import { isStaff, scopeOf } from '../../../core/policy.ts';
import { type AnyTool, callShowing } from '../../../core/tool.ts';
import { isOwnMachine } from '../../../domain/people/ownMachine.ts';
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

/** The machines of whoever asks; rejects with kind `refused` when Slack does not say who that is. */
export async function machinesOf(slack: SlackContext, actor: Actor, userId: string): Promise<Machine[]> {
  return machines(slack, actor, { owner_email: await slack.people.email(userId) });
}

/** The asker's own machines; rejects with kind `not_found` when there are none. */
export async function ownHosts(slack: SlackContext, actor: Actor, userId: string): Promise<string[]> {
  const own = await machinesOf(slack, actor, userId);
  if (own.length > 0) return own.map(({ hostname }) => hostname);
  const email = await slack.people.email(userId);
  throw new AppError('not_found', `No machine is registered in your name (${email}). Ask your IT team to register it.`);
}

/**
 * The hostnames that a typed one may stand for: one, or several where a person has more machines.
 * @param typed undefined where no machine was named, which means the asker's own
 */
export async function hostsMeant(
  slack: SlackContext,
  actor: Actor,
  userId: string,
  typed: string | undefined,
): Promise<string[]> {
  if (typed === undefined || isOwnMachine(typed)) return ownHosts(slack, actor, userId);
  const mentioned = MENTION.exec(typed)?.[1];
  if (mentioned === userId) return ownHosts(slack, actor, userId);
  if (mentioned) {
    const found = await machinesOf(slack, actor, mentioned);
    if (found.length > 0) return found.map(({ hostname }) => hostname);
    throw new AppError('not_found', `No machine is registered for ${await slack.people.email(mentioned)}.`);
  }
  if (typed.includes('@')) {
    const owned = await hostsOwnedBy(slack, actor, typed);
    if (owned.length > 0) return owned;
    throw new AppError(
      'not_found',
      `No machine is registered for ${typed}. Pick the person from the list that opens when you type @.`,
    );
  }
  return [typed];
}

/** The machines of a person by their mail address or the name in it: `alice@example.com`, `@alice`, `alice`. */
export async function hostsOwnedBy(slack: SlackContext, actor: Actor, typed: string): Promise<string[]> {
  const owner = typed.replace(/^@/, '').toLowerCase();
  const isOneself = actor.email !== undefined && (owner === actor.email || owner === actor.email.split('@')[0]);
  const found = await machines(slack, actor, { owner_email: isOneself ? actor.email : owner });
  return found.map(({ hostname }) => hostname);
}

/** An owner's mention, or oneself, where a mail address is wanted. */
export async function mailMeant(slack: SlackContext, userId: string, typed: string): Promise<string> {
  if (isOwnMachine(typed)) return slack.people.email(userId);
  const mentioned = MENTION.exec(typed)?.[1];
  return mentioned ? slack.people.email(mentioned) : typed.replace(/^@/, '');
}

/** The machines whose names are close to a mistyped one, of those that the asker may know of. */
export async function similarHosts(
  slack: SlackContext,
  actor: Actor,
  userId: string,
  hostname: string,
): Promise<string[]> {
  const known = isStaff(actor)
    ? await machines(slack, actor, { limit: MOST_COMPARED })
    : await machinesOf(slack, actor, userId);
  return didYouMean(
    hostname,
    known.map((machine) => machine.hostname),
  );
}

/** Whether a call that names no machine means the asker's own: where it needs one, or where they may see no other. */
export function meansOwn(tool: AnyTool, actor: Actor): boolean {
  const { hostname } = tool.input.shape;
  if (!tool.subject || hostname === undefined) return false;
  return scopeOf(tool, actor) === 'own' || !hostname.safeParse(undefined).success;
}
