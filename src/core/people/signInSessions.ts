/** People who signed in by the identity provider: their sessions, and asking the provider again whether they may still be here. */
import type { Actor, Grant, Interface } from '../actor.ts';
import { AppError } from '../errors.ts';
import { withHighestRole } from '../policy.ts';
import type { Sealer, SignedInPerson, SignInProvider, SignInSession } from '../ports/identityPorts.ts';
import type { Ports } from '../ports/ports.ts';
import { type Access, grantsOfGroups } from './accessFile.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A browser is left open on a desk; a command line's file is its owner's alone. Each is confirmed by the provider all the while. */
const SESSION_MS: Record<SignInSession['channel'], number> = { page: 12 * HOUR_MS, cli: 30 * 24 * HOUR_MS };
/** With the wait below it stays under the five minutes within which somebody who leaves loses everything. */
const CONFIRM_EVERY_MS = 4 * MINUTE_MS;
/** How long one question to the provider keeps others from asking, and after which it is asked again when it did not answer. */
const CONFIRMING_MS = MINUTE_MS / 2;
const NOTE_USE_EVERY_MS = MINUTE_MS;
/** Of one person; the oldest ends when another begins. */
const MOST_SESSIONS = 20;
const PREFIX = 'dexs';

interface SignInSessionsOptions {
  ports: Pick<Ports, 'store' | 'tokens' | 'clock' | 'log'>;
  provider: SignInProvider;
  sealer: Sealer;
  access(): Access;
}

export interface SignInSessions {
  /** @returns what the browser or the command line shows from now on; nobody can read it back */
  open(
    person: SignedInPerson,
    about: Pick<SignInSession, 'channel' | 'client'>,
  ): Promise<{ token: string; expiresAt: Date }>;
  /** Null for what is no session's token. @throws AppError `unauthenticated` for one that has ended */
  lookup(token: string, via: Interface): Promise<Actor | null>;
  /** What the groups of whoever is signed in under an address give; nothing of nobody, or where several people have the address. */
  grantsOf(email: string): Promise<readonly Grant[]>;
  /** Ends the session of a token, here and at the provider. */
  close(token: string): Promise<void>;
}

export function createSignInSessions({ ports, provider, sealer, access }: SignInSessionsOptions): SignInSessions {
  const { store, tokens, clock, log } = ports;
  /** Questions to the provider that are under way: of many requests of one page, one asks. */
  const confirming = new Map<number, Promise<SignInSession | null>>();
  const later = (ms: number) => new Date(clock.now().getTime() + ms);

  /** The session if it still counts. */
  async function confirmed(session: SignInSession): Promise<SignInSession | null> {
    if (clock.now() < session.confirmAfter) return session;
    const running = confirming.get(session.id) ?? confirm(session).finally(() => confirming.delete(session.id));
    confirming.set(session.id, running);
    return running;
  }

  async function confirm(session: SignInSession): Promise<SignInSession | null> {
    const token = session.refreshToken && sealer.open(session.refreshToken);
    if (!token) {
      await store.signInSessions.end(session.id, clock.now());
      return null;
    }
    // A refresh token is good for one question; two processes that ask with the same one would lose the session.
    if (!(await store.signInSessions.takeConfirmation(session, later(CONFIRMING_MS)))) return session;
    let person: SignedInPerson | null;
    try {
      person = await provider.renew(token, session.subject);
    } catch (error) {
      if (!(error instanceof AppError && error.kind === 'unavailable')) throw error;
      log.warn({ err: error, session_id: session.id }, 'the identity provider does not answer; the session goes on');
      return session;
    }
    if (person === null) {
      log.info({ session_id: session.id, subject: session.subject }, 'the identity provider ended a session');
      await store.signInSessions.end(session.id, clock.now());
      return null;
    }
    const { name, email, groups } = person;
    const patch = {
      name,
      email,
      groups,
      refreshToken: sealer.seal(person.refreshToken ?? token),
      confirmedAt: clock.now(),
      confirmAfter: later(CONFIRM_EVERY_MS),
    };
    await store.signInSessions.update(session.id, patch);
    return { ...session, ...patch };
  }

  return {
    async open(person, { channel, client }) {
      const now = clock.now();
      const { token, digest } = tokens.issue(PREFIX);
      const { subject, name, email, groups } = person;
      const expiresAt = later(SESSION_MS[channel]);
      if (person.refreshToken === null)
        log.warn(
          { subject },
          'the identity provider gives no refresh token, so that sessions end after minutes: allow the scope offline_access',
        );
      await store.transaction(async (inner) => {
        const others = await inner.signInSessions.list(subject, now);
        for (const { id } of others.slice(MOST_SESSIONS - 1)) await inner.signInSessions.end(id, now);
        await inner.signInSessions.add(
          {
            subject,
            name,
            email,
            groups,
            channel,
            client: client.slice(0, 200),
            refreshToken: person.refreshToken === null ? null : sealer.seal(person.refreshToken),
            createdAt: now,
            expiresAt,
            lastUsedAt: now,
            confirmedAt: now,
            confirmAfter: later(CONFIRM_EVERY_MS),
          },
          digest,
        );
      });
      return { token, expiresAt };
    },

    async lookup(token, via) {
      if (!token.startsWith(`${PREFIX}_`)) return null;
      const now = clock.now();
      const found = await store.signInSessions.byDigest(tokens.digest(token), now);
      const session = found && (await confirmed(found.session));
      if (!session) throw new AppError('unauthenticated', 'This session has ended. Sign in again.');
      if (now.getTime() - session.lastUsedAt.getTime() >= NOTE_USE_EVERY_MS)
        await store.signInSessions.update(session.id, { lastUsedAt: now });
      return sessionActor(found.sharesEmail ? { ...session, email: null } : session, access(), via);
    },

    async grantsOf(email) {
      const found = await store.signInSessions.byEmail(email.toLowerCase(), clock.now());
      const session = found && (await confirmed(found));
      // The provider may have another address for the person by now.
      return session?.email === email.toLowerCase() ? grantsOfGroups(access(), session.groups) : [];
    },

    async close(token) {
      const now = clock.now();
      const found = await store.signInSessions.byDigest(tokens.digest(token), now);
      if (!found) return;
      await store.signInSessions.end(found.session.id, now);
      const refreshToken = found.session.refreshToken && sealer.open(found.session.refreshToken);
      // It has ended here, whatever the provider answers.
      if (refreshToken)
        await provider
          .revoke(refreshToken)
          .catch((error: unknown) => log.warn({ err: error }, 'not signed out at the identity provider'));
    },
  };
}

/** A person, but for what a model's client sends. An address that several people have makes no machine anybody's. */
function sessionActor({ subject, name, email, groups, channel }: SignInSession, access: Access, via: Interface): Actor {
  return withHighestRole({
    id: `oidc:${subject}`,
    name,
    kind: via === 'mcp' ? 'model' : 'human',
    via: channel === 'cli' && via === 'rest' ? 'cli' : via,
    role: 'employee',
    grants: grantsOfGroups(access, groups),
    holder: 'human',
    ...(email !== null && { email }),
  });
}
