/** Tokens of an OpenID Connect provider: signature by its published keys, issuer, audience, age, and nothing that is not signed. */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { AppError } from '../../core/errors.ts';
import type { TokenClaims, TokenVerifier } from '../../core/ports/identityPorts.ts';
import type { Clock } from '../../core/ports/ports.ts';
import { groupsOf, isSafeAddress, SUBJECT, textsOf, verifiedEmail } from './oidcClaims.ts';

interface OidcTokensOptions {
  /** The provider's address, exactly as its tokens name it. */
  issuer: string;
  /** What tokens for this service are issued for. */
  audience: string;
  /** The claim with the groups of whoever holds the token. */
  groupsClaim: string;
  clock: Clock;
  /** Least time between two requests for keys, milliseconds. */
  keysCooldownMs?: number;
}

/** Asymmetric ones alone: `none` signs nothing, and a shared secret is not the provider's. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/**
 * However long a provider makes a token last, it counts for so long: a client then renews it, which somebody who has left
 * cannot. Seconds.
 */
const MOST_AGE_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 30;
const FETCH_MS = 5000;
/** A flood of made-up key ids does not become a flood of requests to the provider. */
const KEYS_COOLDOWN_MS = 30_000;
const MOST_TOKEN_CHARACTERS = 32_000;

export function createOidcTokens({
  issuer,
  audience,
  groupsClaim,
  clock,
  ...options
}: OidcTokensOptions): TokenVerifier {
  let keys: Promise<JWTVerifyGetKey> | null = null;

  /** Asked once; a failure is forgotten, so that the next token asks again. */
  function providerKeys(): Promise<JWTVerifyGetKey> {
    keys ??= discover(issuer).then((url) =>
      createRemoteJWKSet(url, {
        cooldownDuration: options.keysCooldownMs ?? KEYS_COOLDOWN_MS,
        timeoutDuration: FETCH_MS,
      }),
    );
    keys.catch(() => {
      keys = null;
    });
    return keys;
  }

  return {
    async verify(token) {
      if (token.length > MOST_TOKEN_CHARACTERS) throw refused('it is too long');
      const getKey = await providerKeys();
      const { payload } = await jwtVerify(token, getKey, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        currentDate: clock.now(),
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        maxTokenAge: MOST_AGE_SECONDS,
        requiredClaims: ['sub', 'iat', 'exp'],
      }).catch((error: unknown) => {
        throw explained(error);
      });
      return claimsOf(payload, groupsClaim);
    },
  };
}

/** @throws AppError `unavailable` when the provider does not answer, or answers as another one */
async function discover(issuer: string): Promise<URL> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const away = (why: string, cause?: unknown) =>
    new AppError('unavailable', `The identity provider of OIDC_ISSUER ${why}; nobody new can sign in.`, undefined, {
      cause,
    });
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), redirect: 'error' }).catch(
    (error: unknown) => {
      throw away('does not answer', error);
    },
  );
  const found = (await response.json().catch(() => null)) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (!response.ok || found?.issuer !== issuer) throw away('answers with another issuer than its own');
  if (typeof found.jwks_uri !== 'string' || !isSafeAddress(found.jwks_uri))
    throw away('names no safe address of its keys');
  return new URL(found.jwks_uri);
}

function explained(error: unknown): AppError {
  if (error instanceof errors.JWTExpired) return refused('it is too old; renew it', error);
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return refused('it is for another service', error);
    if (error.claim === 'iss') return refused('it is of another provider', error);
    return refused(`its claim ${error.claim} is missing or wrong`, error);
  }
  if (error instanceof errors.JWKSTimeout || error instanceof TypeError || codeOf(error) === 'ERR_JOSE_GENERIC')
    return new AppError(
      'unavailable',
      'The keys of the identity provider cannot be had; try again shortly.',
      undefined,
      { cause: error },
    );
  return refused('its signature is not the provider’s', error);
}

/** What jose says when the keys came with another status than 200, or were none. */
function codeOf(error: unknown): string | null {
  return error instanceof errors.JOSEError ? error.code : null;
}

function refused(why: string, cause?: unknown): AppError {
  return new AppError('unauthenticated', `This token is not accepted: ${why}.`, undefined, { cause });
}

function claimsOf(payload: JWTPayload, groupsClaim: string): TokenClaims {
  const { sub = '', scope, scp } = payload;
  if (!SUBJECT.test(sub)) throw refused('its subject is no name');
  return {
    subject: sub,
    email: verifiedEmail(payload),
    groups: groupsOf(payload, groupsClaim),
    scopes: textsOf(scope ?? scp, / /),
  };
}
