/** Whose page a browser's request comes from: no page of another origin may change anything, whatever guards the service. */
import type { Context, Next } from 'koa';
import { AppError } from '../../core/errors.ts';

interface OriginRules {
  /** PUBLIC_URL: the address under which a proxy shows the service; empty without one. */
  publicUrl: string;
  /** Path prefixes with an origin check of their own. */
  exempt: readonly string[];
}

const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * Browsers name the page that made a request, and no page can change what they say: `Sec-Fetch-Site` on trustworthy
 * addresses (Fetch Metadata), `Origin` everywhere (Fetch standard). Programs send neither and pass.
 *
 * @throws AppError `denied` for a request of another site's page that is not GET or HEAD
 */
export function onlyOwnPages({ publicUrl, exempt }: OriginRules): (ctx: Context, next: Next) => Promise<void> {
  const publicOrigin = publicUrl === '' ? null : new URL(publicUrl).origin;
  return async (ctx, next) => {
    const checked = !SAFE_METHODS.has(ctx.method) && !exempt.some((prefix) => isBelow(ctx.path, prefix));
    if (checked && !isOwnPage(ctx, publicOrigin)) {
      throw new AppError(
        'denied',
        `A page of another site (${originOf(ctx)}) may not change anything here. Send the request from a program, or open the service under PUBLIC_URL.`,
      );
    }
    await next();
  };
}

function isOwnPage(ctx: Context, publicOrigin: string | null): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  if (site === 'same-origin') return true;
  if (site !== '' && site !== 'none') return false;
  const origin = ctx.get('Origin');
  if (origin === '' || origin === publicOrigin) return true;
  return URL.canParse(origin) && new URL(origin).host === ownHost(ctx);
}

/** The host that was asked, without the port that its scheme implies. */
function ownHost(ctx: Context): string | null {
  const address = `${ctx.protocol}://${ctx.host}`;
  return URL.canParse(address) ? new URL(address).host : null;
}

function originOf(ctx: Context): string {
  return ctx.get('Origin').slice(0, 200) || ctx.get('Sec-Fetch-Site').slice(0, 20);
}

export function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Which Host headers are served; no page on the internet can make a browser send one of the first two. */
const HOSTS = {
  /** This machine's own names. */
  loopback: /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i,
  /** Addresses, and names without a dot. */
  inner: /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\]|[a-z0-9_-]+)(:\d+)?$/i,
  any: /^/,
};
export type KnownHosts = keyof typeof HOSTS;

const REFUSED_HOST: Record<KnownHosts, string> = {
  loopback:
    'While no API_KEY is set, only requests to localhost are served. Set API_KEY to open the service to others.',
  inner:
    'While no API key is required, only requests to an address, to a name without dots or to the host of PUBLIC_URL are served.',
  any: '',
};

/**
 * While no key is required, the Host header has to be one that no stranger's name can stand in: a page on the internet
 * can make a browser call an inner address under its own name (DNS rebinding).
 */
export function onlyKnownHosts(known: KnownHosts, publicUrl: string): (ctx: Context, next: Next) => Promise<void> {
  const publicHost = publicUrl === '' ? null : new URL(publicUrl).host;
  return async (ctx, next) => {
    if (!HOSTS[known].test(ctx.host) && ctx.host !== publicHost) throw new AppError('denied', REFUSED_HOST[known]);
    await next();
  };
}
