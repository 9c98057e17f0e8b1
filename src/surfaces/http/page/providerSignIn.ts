/** Sign-in by the identity provider: a browser is sent there and comes back with an answer that belongs to its question. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { AppError, type ErrorKind } from '../../../core/errors.ts';
import type { SignInSessions } from '../../../core/people/signInSessions.ts';
import type { Sealer, SignInProvider } from '../../../core/ports/identityPorts.ts';
import type { Log } from '../../../core/ports/ports.ts';
import { createRouter } from '../router.ts';
import { readCookie, writeCookie } from './cookies.ts';

export const CALLBACK_PATH = '/session/callback';

const COOKIE = 'dexops_sign_in';
/** To type a password, find the telephone and answer it. */
const SIGN_IN_MS = 10 * 60_000;

interface ProviderSignInOptions {
  provider: SignInProvider;
  sessions: SignInSessions;
  sealer: Sealer;
  publicUrl: string;
  /** Gives the browser what it shows from now on. */
  remember(ctx: Context, token: string): void;
  now(): Date;
  log: Log;
}

const pending = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  to: z.string(),
  consent: z.boolean(),
  until: z.number(),
});

/** What the page says when it did not come to a session, by the kind of the failure. */
const OUTCOMES: Partial<Record<ErrorKind, string>> = {
  denied: 'denied',
  unauthenticated: 'refused',
  unavailable: 'unavailable',
};

export function providerSignInRoutes(options: ProviderSignInOptions): Router {
  const { provider, sessions, sealer, publicUrl, log } = options;
  const router = createRouter();

  async function begin(ctx: Context, to: string, consent: boolean): Promise<void> {
    const { address, checks } = await provider.begin(consent);
    const until = options.now().getTime() + SIGN_IN_MS;
    remember(ctx, sealer.seal(JSON.stringify({ ...checks, to, consent, until })), SIGN_IN_MS);
    ctx.redirect(address);
  }

  /** Lax: the browser comes back from a page of the provider's. */
  function remember(ctx: Context, value: string, maxAgeMs: number): void {
    writeCookie(ctx, { name: COOKIE, value, path: '/session', sameSite: 'Lax', maxAgeMs }, publicUrl);
  }

  function asked(ctx: Context): z.output<typeof pending> | null {
    try {
      const found = pending.parse(JSON.parse(sealer.open(readCookie(ctx.headers, COOKIE) ?? '') ?? 'null'));
      return found.until > options.now().getTime() ? found : null;
    } catch {
      return null;
    }
  }

  /** A person looks at this answer, so it is the page that says what went wrong. */
  async function orPage(ctx: Context, work: () => Promise<void>): Promise<void> {
    ctx.set('Cache-Control', 'no-store');
    try {
      await work();
    } catch (error) {
      const outcome = error instanceof AppError ? OUTCOMES[error.kind] : undefined;
      if (outcome === undefined) throw error;
      log.warn({ err: error, outcome }, 'a sign-in did not come to a session');
      ctx.redirect(`/?sign_in=${outcome}`);
    }
  }

  router.get('/session/begin', (ctx) =>
    orPage(ctx, async () => {
      await begin(ctx, pathOf(ctx.query.to), false);
    }),
  );

  router.get(CALLBACK_PATH, (ctx) =>
    orPage(ctx, async () => {
      const question = asked(ctx);
      remember(ctx, '', 0);
      if (question === null) {
        ctx.redirect('/?sign_in=expired');
        return;
      }
      const person = await provider.complete(ctx.querystring, question);
      // Some give the token that asks them again only to those who agreed to it.
      if (person.refreshToken === null && !question.consent) return begin(ctx, question.to, true);
      const { token } = await sessions.open(person, { channel: 'page', client: browserName(ctx.get('User-Agent')) });
      options.remember(ctx, token);
      ctx.redirect(question.to);
    }),
  );
  return router;
}

/** A path of this service. What a browser would take for another host is not one. */
function pathOf(to: unknown): string {
  if (typeof to !== 'string' || to.length > 2000 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(to)) return '/';
  const { origin, pathname, search } = new URL(to, 'http://here');
  return origin === 'http://here' && !pathname.startsWith('//') ? pathname + search : '/';
}

const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'iOS'],
  ['iPad', 'iOS'],
  ['Windows', 'Windows'],
  ['Mac OS', 'macOS'],
  ['Linux', 'Linux'],
] as const;

/** Enough to tell one's sessions apart. */
function browserName(userAgent: string): string {
  const named = (names: typeof BROWSERS | typeof SYSTEMS, other: string) =>
    names.find(([mark]) => userAgent.includes(mark))?.[1] ?? other;
  return `${named(BROWSERS, 'a browser')} on ${named(SYSTEMS, 'an unknown system')}`;
}
