/** Who is calling over HTTP: from the key in the request to an actor, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Actor, Interface } from '../../core/actor.ts';
import { AppError } from '../../core/errors.ts';

/** Finds the actor behind a key; null when the key is not one of ours. */
export type KeyLookup = (key: string, via: Interface) => Promise<Actor | null>;

/** The administrator that every caller is while no key is required. */
function openActor(via: Interface): Actor {
  return {
    id: 'open',
    name: 'anybody (no API key is set)',
    kind: via === 'mcp' ? 'model' : 'human',
    via,
    role: 'admin',
  };
}

/** The key from `X-API-Key` or `Authorization: Bearer`. */
export function presentedKey(headers: IncomingHttpHeaders): string | null {
  const header = headers['x-api-key'];
  if (typeof header === 'string' && header !== '') return header;
  return bearer(headers);
}

export function bearer(headers: IncomingHttpHeaders): string | null {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

/** The password of basic authentication, as `https://anybody:PASSWORD@…` sends it; null without one. */
export function basicPassword(headers: IncomingHttpHeaders): string | null {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(headers.authorization ?? '')?.[1];
  if (encoded === undefined) return null;
  const [, password = ''] = /^[^:]*:([\s\S]*)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return password === '' ? null : password;
}

/** Compares secrets of any length without telling by its time how much of them agrees. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** The lookup for the one key of the configuration, which is an administrator's. */
export function configuredKey(apiKey: string): KeyLookup {
  return async (key, via) =>
    sameSecret(key, apiKey)
      ? {
          id: 'key:api_key',
          name: 'the holder of API_KEY',
          kind: via === 'mcp' ? 'model' : 'human',
          via,
          role: 'admin',
        }
      : null;
}

/** Asks one lookup after the other. */
export function firstOf(...lookups: KeyLookup[]): KeyLookup {
  return async (key, via) => {
    for (const lookup of lookups) {
      const actor = await lookup(key, via);
      if (actor) return actor;
    }
    return null;
  };
}

/** @throws AppError `unauthenticated` when a key is required and none, or a wrong one, was given */
export async function authenticate(
  headers: IncomingHttpHeaders,
  via: Interface,
  options: { required: boolean; lookup: KeyLookup },
): Promise<Actor> {
  if (!options.required) return openActor(via);
  const key = presentedKey(headers);
  if (!key)
    throw new AppError('unauthenticated', 'An API key is needed: send it as X-API-Key or as Authorization: Bearer.');
  const actor = await options.lookup(key, via);
  if (!actor)
    throw new AppError(
      'unauthenticated',
      'This API key is not known. Check for a typing mistake, or ask an administrator for a new one.',
    );
  return actor;
}
