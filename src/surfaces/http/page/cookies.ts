/** Cookies that no script reads. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Context } from 'koa';

interface Cookie {
  name: string;
  /** Of base64url's characters. */
  value: string;
  path: string;
  sameSite: 'Strict' | 'Lax';
  /** 0 takes it away. */
  maxAgeMs: number;
}

export function readCookie({ cookie = '' }: IncomingHttpHeaders, name: string): string | null {
  return new RegExp(`(?:^|; *)${name}=([\\w-]+)`).exec(cookie)?.[1] ?? null;
}

/** @param publicUrl where browsers find the service, empty when nobody said */
export function writeCookie(ctx: Context, { name, value, path, sameSite, maxAgeMs }: Cookie, publicUrl: string): void {
  // A proxy that speaks TLS for us is not seen in the connection, but in what the browser says of its page, or in the address it asked.
  const isPublic = publicUrl.startsWith('https://') && new URL(publicUrl).host === ctx.host;
  const secure = ctx.secure || isPublic || ctx.get('Origin').startsWith('https://');
  const parts = [`${name}=${value}`, `Path=${path}`, 'HttpOnly', `SameSite=${sameSite}`, `Max-Age=${maxAgeMs / 1000}`];
  ctx.append('Set-Cookie', [...parts, ...(secure ? ['Secure'] : [])].join('; '));
}
