/** Sign-in by an identity provider: its tokens, the sessions of people, the roles that its groups have, and what clients are told of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createOidcTokens } from '../adapters/oidc/oidcTokens.ts';
import { reloadedFile } from '../adapters/reloadedFile.ts';
import { createSealer } from '../adapters/sealing.ts';
import type { Config } from '../config.ts';
import type { Actor, Interface } from '../core/actor.ts';
import { type Access, AccessFile } from '../core/people/accessFile.ts';
import { createSignInSessions, type SignInSessions } from '../core/people/signInSessions.ts';
import { TOKEN_SCOPES, tokenActor } from '../core/people/tokenHolders.ts';
import type { Sealer, SignInProvider } from '../core/ports/identityPorts.ts';
import type { Ports, Reloaded } from '../core/ports/ports.ts';

export interface SignIn {
  /** Null for what is no token of the provider's kind. @throws AppError as `TokenVerifier` does, and `denied` without a scope */
  lookup(token: string, via: Interface): Promise<Actor | null>;
  resource: { resource: string; issuer: string; scopes: readonly string[] };
  /** How people sign in, and their sessions; null while the service is no client of the provider. */
  people: { provider: SignInProvider; sessions: SignInSessions; host: string } | null;
}

/** A signed token: three parts, of which the first is a JSON object. */
const SIGNED_TOKEN = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/;

/** Null while no provider is configured. @param callbackPath where the provider sends browsers back to */
export function openSignIn(
  config: Config,
  ports: Pick<Ports, 'store' | 'tokens' | 'clock' | 'log'>,
  callbackPath: string,
): SignIn | null {
  if (config.OIDC_ISSUER === '') return null;
  const audience = config.OIDC_AUDIENCE || `${config.PUBLIC_URL}/mcp`;
  const file = join(config.CONFIG_DIR, 'access.yaml');
  const access: Reloaded<Access> = existsSync(file)
    ? reloadedFile(file, AccessFile, { log: ports.log })
    : { current: () => ({ groups: [] }) };
  const verifier = createOidcTokens({
    issuer: config.OIDC_ISSUER,
    audience,
    groupsClaim: config.OIDC_GROUPS_CLAIM,
    clock: ports.clock,
  });
  const people = config.OIDC_CLIENT_ID === '' ? null : signInOfPeople(config, ports, access.current, callbackPath);
  return {
    async lookup(token, via) {
      const person = await people?.sessions.lookup(token, via);
      if (person) return person;
      return SIGNED_TOKEN.test(token) ? tokenActor(await verifier.verify(token), access.current(), via) : null;
    },
    resource: { resource: audience, issuer: config.OIDC_ISSUER, scopes: TOKEN_SCOPES },
    people,
  };
}

/** @returns what is sealed by it opens for this service alone, and for this purpose alone */
export function sealerFor(config: Config, purpose: string): Sealer {
  return createSealer(config.API_KEY, purpose);
}

function signInOfPeople(
  config: Config,
  ports: Pick<Ports, 'store' | 'tokens' | 'clock' | 'log'>,
  access: () => Access,
  callbackPath: string,
): NonNullable<SignIn['people']> {
  const provider = loadedLater(async () =>
    (await import('../adapters/oidc/oidcSignIn.ts')).createOidcSignIn({
      issuer: config.OIDC_ISSUER,
      clientId: config.OIDC_CLIENT_ID,
      clientSecret: config.OIDC_CLIENT_SECRET,
      scopes: config.OIDC_SCOPES,
      groupsClaim: config.OIDC_GROUPS_CLAIM,
      redirectUri: `${config.PUBLIC_URL}${callbackPath}`,
    }),
  );
  const sealer = sealerFor(config, 'refresh tokens');
  const sessions = createSignInSessions({ ports, provider, sealer, access });
  return { provider, sessions, host: new URL(config.OIDC_ISSUER).host };
}

/** The library is loaded when the first person signs in. */
function loadedLater(load: () => Promise<SignInProvider>): SignInProvider {
  let loaded: Promise<SignInProvider> | null = null;
  const provider = () => {
    loaded ??= load();
    return loaded;
  };
  return {
    begin: async (...given) => (await provider()).begin(...given),
    complete: async (...given) => (await provider()).complete(...given),
    beginDevice: async () => (await provider()).beginDevice(),
    completeDevice: async (...given) => (await provider()).completeDevice(...given),
    renew: async (...given) => (await provider()).renew(...given),
    revoke: async (...given) => (await provider()).revoke(...given),
  };
}
