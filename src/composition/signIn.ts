/** Sign-in by an identity provider: its tokens, the roles that its groups have, and what clients are told of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createOidcTokens } from '../adapters/oidcTokens.ts';
import { reloadedFile } from '../adapters/reloadedFile.ts';
import type { Config } from '../config.ts';
import type { Actor, Interface } from '../core/actor.ts';
import { type Access, AccessFile } from '../core/people/accessFile.ts';
import { TOKEN_SCOPES, tokenActor } from '../core/people/tokenHolders.ts';
import type { Clock, Log, Reloaded } from '../core/ports/ports.ts';

export interface SignIn {
  /** Null for what is no token of the provider's kind. @throws AppError as `TokenVerifier` does, and `denied` without a scope */
  lookup(token: string, via: Interface): Promise<Actor | null>;
  resource: { resource: string; issuer: string; scopes: readonly string[] };
}

/** A signed token: three parts, of which the first is a JSON object. */
const SIGNED_TOKEN = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/;

/** Null while no provider is configured. */
export function openSignIn(config: Config, clock: Clock, log: Log): SignIn | null {
  if (config.OIDC_ISSUER === '') return null;
  const audience = config.OIDC_AUDIENCE || `${config.PUBLIC_URL}/mcp`;
  const file = join(config.CONFIG_DIR, 'access.yaml');
  const access: Reloaded<Access> = existsSync(file)
    ? reloadedFile(file, AccessFile, { log })
    : { current: () => ({ groups: [] }) };
  const tokens = createOidcTokens({
    issuer: config.OIDC_ISSUER,
    audience,
    groupsClaim: config.OIDC_GROUPS_CLAIM,
    clock,
  });
  return {
    async lookup(token, via) {
      return SIGNED_TOKEN.test(token) ? tokenActor(await tokens.verify(token), access.current(), via) : null;
    },
    resource: { resource: audience, issuer: config.OIDC_ISSUER, scopes: TOKEN_SCOPES },
  };
}
