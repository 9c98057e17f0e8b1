/** Sessions of the page: a key goes in once and comes back as a sealed cookie, which no script reads and no other site's page sends. */
import type { IncomingHttpHeaders } from 'node:http';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { AppError } from '../../../core/errors.ts';
import { mayApprove, offers, scopeOf } from '../../../core/policy.ts';
import type { Sealer } from '../../../core/ports/identityPorts.ts';
import type { AnyTool } from '../../../core/tool.ts';
import { presentedKey } from '../auth.ts';
import { createRouter } from '../router.ts';
import { readCookie, writeCookie } from './cookies.ts';

const COOKIE = 'dexops_session';
const SESSION_HOURS = 12;
const HOUR_MS = 3_600_000;

interface Sessions {
  /** The request's headers, with the key of its session where it shows no other. */
  withKey(headers: IncomingHttpHeaders): IncomingHttpHeaders;
  /** @param key an API key, or that of a session in the database */
  seal(key: string): string;
}

/**
 * The browser alone keeps what it shows, so that a restart ends nothing. The cookie is sealed, because a browser sends it to
 * every port of this host: whoever reads it there holds no key, and what it is good for ends after hours.
 */
export function createSessions(sealer: Sealer, now: () => Date): Sessions {
  function open(sealed: string): string | null {
    try {
      const session = sessionShape.parse(JSON.parse(sealer.open(sealed) ?? 'null'));
      return session.until > now().getTime() ? session.key : null;
    } catch {
      return null;
    }
  }

  return {
    withKey(headers) {
      if (headers['x-api-key'] || headers.authorization) return headers;
      const sealed = readCookie(headers, COOKIE);
      const key = sealed && open(sealed);
      return key ? { ...headers, 'x-api-key': key } : headers;
    },
    seal: (key) => sealer.seal(JSON.stringify({ key, until: now().getTime() + SESSION_HOURS * HOUR_MS })),
  };
}

/** Gives a browser what was sealed for it; null takes it away. @param publicUrl where browsers find the service */
export function setSessionCookie(ctx: Context, sealed: string | null, publicUrl: string): void {
  const maxAgeMs = sealed === null ? 0 : SESSION_HOURS * HOUR_MS;
  writeCookie(ctx, { name: COOKIE, value: sealed ?? '', path: '/', sameSite: 'Strict', maxAgeMs }, publicUrl);
}

const sessionShape = z.object({ key: z.string(), until: z.number() });

interface SessionRoutesOptions {
  tools: readonly AnyTool[];
  sessions: Sessions;
  /** Whether a key is needed at all. */
  required: boolean;
  version: string;
  /** Where browsers find the service. */
  publicUrl: string;
  /** The host of the identity provider; null without one that signs people in. */
  provider: string | null;
  /** Ends the session behind a key, where there is one. */
  signOut(key: string): Promise<void>;
  authenticate(headers: IncomingHttpHeaders): Promise<Actor>;
}

const signIn = z.strictObject({ key: z.string().trim().min(1).max(500) });

export function sessionRoutes(options: SessionRoutesOptions): Router {
  const { tools, sessions, required, version, publicUrl, provider, signOut, authenticate } = options;
  const router = createRouter();
  router.get('/session', async (ctx) => {
    const actor = await authenticate(sessions.withKey(ctx.headers)).catch((error: unknown) => {
      if (error instanceof AppError && error.kind === 'unauthenticated') return null;
      throw error;
    });
    ctx.set('Cache-Control', 'no-store');
    ctx.body = presentSession(actor);
  });
  router.post('/session', async (ctx) => {
    const given = signIn.safeParse((ctx.request as { body?: unknown }).body);
    if (!given.success) throw new AppError('invalid', 'Send the API key as {"key": "…"}.');
    const actor = await authenticate({ 'x-api-key': given.data.key });
    setSessionCookie(ctx, sessions.seal(given.data.key), publicUrl);
    ctx.body = presentSession(actor);
  });
  router.delete('/session', async (ctx) => {
    const key = presentedKey(sessions.withKey(ctx.headers));
    if (key) await signOut(key);
    setSessionCookie(ctx, null, publicUrl);
    ctx.status = 204;
  });
  return router;

  /** Who is signed in, and what this role is offered: `POST /api/v1/dex/alerts/:alert_id/resolve`. */
  function presentSession(actor: Actor | null) {
    return {
      version,
      key_required: required,
      provider,
      actor: actor && {
        id: actor.id,
        name: actor.name,
        email: actor.email ?? null,
        role: actor.role,
        kind: actor.kind,
        approves: mayApprove(actor),
      },
      operations:
        actor === null
          ? []
          : tools.flatMap((tool) =>
              tool.http && isOffered(tool, actor) ? [`${tool.http.method} ${tool.http.path}`] : [],
            ),
    };
  }
}

/** Nothing is the own of a caller whose address nobody vouches for, whatever their role might do with it. */
function isOffered(tool: AnyTool, actor: Actor): boolean {
  return offers(tool, actor) && (scopeOf(tool, actor) !== 'own' || actor.email !== undefined);
}
