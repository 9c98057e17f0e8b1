/** Sign-in of the page: an API key goes in once and comes back as a sealed cookie, which no script reads and no other site's page sends. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { Actor } from '../../../core/actor.ts';
import { AppError } from '../../../core/errors.ts';
import { mayApprove, offers, scopeOf } from '../../../core/policy.ts';
import type { AnyTool } from '../../../core/tool.ts';
import { createRouter } from '../router.ts';

const COOKIE = 'dexops_session';
const SESSION_HOURS = 12;
const HOUR_MS = 3_600_000;

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface Sessions {
  /** The request's headers, with the key of its session where it shows no other. */
  withKey(headers: IncomingHttpHeaders): IncomingHttpHeaders;
  seal(key: string): string;
}

/**
 * Sessions are kept by the browser alone, so that a restart ends none. The cookie is sealed, because a browser sends it to
 * every port of this host: whoever reads it there holds no key, and what it is good for ends after hours.
 *
 * @param secret what only this service knows; another one ends all sessions
 */
export function createSessions(secret: string, now: () => Date): Sessions {
  const sealingKey = Buffer.from(hkdfSync('sha256', secret, '', 'dexops page session', 32));

  function open(sealed: string): string | null {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
    try {
      const decipher = createDecipheriv(CIPHER, sealingKey, bytes.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      const session = sessionShape.parse(JSON.parse(text.toString()));
      return session.until > now().getTime() ? session.key : null;
    } catch {
      return null;
    }
  }

  return {
    withKey(headers) {
      if (headers['x-api-key'] || headers.authorization) return headers;
      const sealed = cookieOf(headers);
      const key = sealed && open(sealed);
      return key ? { ...headers, 'x-api-key': key } : headers;
    },
    seal(key) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, sealingKey, nonce);
      const until = now().getTime() + SESSION_HOURS * HOUR_MS;
      const sealed = Buffer.concat([cipher.update(JSON.stringify({ key, until })), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
  };
}

const sessionShape = z.object({ key: z.string(), until: z.number() });

function cookieOf({ cookie = '' }: IncomingHttpHeaders): string | null {
  return new RegExp(`(?:^|; *)${COOKIE}=([\\w-]+)`).exec(cookie)?.[1] ?? null;
}

interface SessionRoutesOptions {
  tools: readonly AnyTool[];
  sessions: Sessions;
  /** Whether a key is needed at all. */
  required: boolean;
  version: string;
  authenticate(headers: IncomingHttpHeaders): Promise<Actor>;
}

const signIn = z.strictObject({ key: z.string().trim().min(1).max(500) });

export function sessionRoutes({ tools, sessions, required, version, authenticate }: SessionRoutesOptions): Router {
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
    setCookie(ctx, sessions.seal(given.data.key), SESSION_HOURS * HOUR_MS);
    ctx.body = presentSession(actor);
  });
  router.delete('/session', (ctx) => {
    setCookie(ctx, '', 0);
    ctx.status = 204;
  });
  return router;

  /** Who is signed in, and what this role is offered: `POST /api/v1/dex/alerts/:alert_id/resolve`. */
  function presentSession(actor: Actor | null) {
    return {
      version,
      key_required: required,
      actor: actor && {
        id: actor.id,
        name: actor.name,
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

function setCookie(ctx: Context, value: string, maxAgeMs: number): void {
  // A proxy that speaks TLS for us is not seen in the connection, but in what the browser says of its page.
  const secure = ctx.secure || ctx.get('Origin').startsWith('https://');
  const parts = [`${COOKIE}=${value}`, 'Path=/', 'HttpOnly', 'SameSite=Strict', `Max-Age=${maxAgeMs / 1000}`];
  ctx.set('Set-Cookie', [...parts, ...(secure ? ['Secure'] : [])].join('; '));
}
