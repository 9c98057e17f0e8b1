/** Tools for the sessions of people who signed in by the identity provider: seeing which there are, ending one. */
import { z } from 'zod';
import { type Actor, INTERFACES } from '../actor.ts';
import { AppError } from '../errors.ts';
import { hasRole } from '../policy.ts';
import { SESSION_CHANNELS, type SignInSession } from '../ports/identityPorts.ts';
import type { Ports } from '../ports/ports.ts';
import { iso } from '../present.ts';
import { timestamp } from '../shapes.ts';
import { defineTool } from '../tool.ts';

/** A model has no use for where people sit and when they came. */
const FOR_PEOPLE = INTERFACES.filter((via) => via !== 'rest' && via !== 'cli');

const sessionShape = z.object({
  id: z.number().int(),
  person: z.string(),
  email: z.string().nullable(),
  channel: z.enum(SESSION_CHANNELS),
  client: z.string(),
  created_at: timestamp,
  last_used_at: timestamp,
  confirmed_at: timestamp,
  expires_at: timestamp,
});

export const listSessions = defineTool({
  name: 'list_sessions',
  title: 'List who is signed in',
  effect: 'read',
  reach: 'fleet',
  role: 'admin',
  ownerRole: 'employee',
  subject: async (_input, _ports, actor) => ({ endpoint: null, owners: [actor.id] }),
  hiddenFrom: FOR_PEOPLE,
  description:
    'Sessions of people who signed in by the identity provider, on the page and on the command line, newest first: an administrator sees all, everybody else their own. confirmed_at is when the provider last said that the person may be here.',
  http: { method: 'GET', path: '/api/v1/sessions' },
  command: { name: 'sessions', args: [], example: 'sessions' },
  input: z.strictObject({}),
  output: z.object({ sessions: z.array(sessionShape) }),
  async run(_input, { ports, actor, now }) {
    const sessions = await ports.store.signInSessions.list(hasRole(actor, 'admin') ? null : ownSubject(actor), now);
    return { sessions: sessions.map((session) => presentSession(session, ports)) };
  },
  summary: ({ sessions }) =>
    sessions.length === 0
      ? 'Nobody is signed in by the identity provider. Those who come with an API key have no session to list.'
      : sessions
          .map(
            ({ id, person, channel, client, last_used_at, expires_at }) =>
              `${id}: ${person}, ${channel === 'cli' ? 'command line' : 'page'}, ${client}, last used ${last_used_at}, until ${expires_at}`,
          )
          .join('\n'),
});

export const revokeSession = defineTool({
  name: 'revoke_session',
  title: 'End a session',
  effect: 'destructive',
  reach: 'fleet',
  role: 'admin',
  ownerRole: 'employee',
  subject: async ({ session_id }, ports, actor) => {
    const session = await sessionOf(ports, session_id, actor);
    return session && { endpoint: null, owners: [`oidc:${session.subject}`] };
  },
  hiddenFrom: FOR_PEOPLE,
  description:
    'End somebody’s session: the next request with it is refused, and they have to sign in again. Whoever should not come back is locked at the identity provider.',
  http: { method: 'DELETE', path: '/api/v1/sessions/:session_id' },
  command: { name: 'sessions revoke', args: ['session_id'], example: 'sessions revoke 7' },
  input: z.strictObject({ session_id: z.coerce.number().int().min(1).max(2_147_483_647) }),
  output: z.object({ session: sessionShape }),
  async run({ session_id }, { ports, now }) {
    const session = await ports.store.signInSessions.end(session_id, now);
    if (!session) {
      const next = [{ to: 'List the sessions', tool: 'list_sessions' }];
      throw new AppError('not_found', `There is no session ${session_id}.`, { session_id }, { next });
    }
    return { session: presentSession(session, ports) };
  },
  summary: ({ session }) => `The session ${session.id} of ${session.person} has ended.`,
});

/** One that is the caller's own; an administrator's right does not depend on whose it is. */
async function sessionOf({ store, clock }: Ports, id: number, actor: Actor): Promise<SignInSession | null> {
  const own = await store.signInSessions.list(ownSubject(actor), clock.now());
  return own.find((session) => session.id === id) ?? null;
}

/** The provider's name for who calls; nobody's for whoever came without the provider. */
function ownSubject({ id }: Actor): string {
  return /^oidc:(.+)$/.exec(id)?.[1] ?? '';
}

/** Where people appear as pseudonyms they are called by their address, which has one; a name has none. */
function presentSession(session: SignInSession, { privacy }: Pick<Ports, 'privacy'>): z.input<typeof sessionShape> {
  return {
    id: session.id,
    person: privacy ? (session.email ?? `oidc:${session.subject}`) : session.name,
    email: session.email,
    channel: session.channel,
    client: session.client,
    created_at: iso(session.createdAt),
    last_used_at: iso(session.lastUsedAt),
    confirmed_at: iso(session.confirmedAt),
    expires_at: iso(session.expiresAt),
  };
}
