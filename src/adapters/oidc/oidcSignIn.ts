/** Signs people in at a provider of OpenID Connect: authorization code with PKCE in a browser, device authorization elsewhere, refresh. */
import * as client from 'openid-client';
import { AppError } from '../../core/errors.ts';
import type { SignedInPerson, SignInProvider } from '../../core/ports/identityPorts.ts';
import { groupsOf, isSafeAddress, SUBJECT, verifiedEmail } from './oidcClaims.ts';

interface OidcSignInOptions {
  issuer: string;
  clientId: string;
  /** Empty for a client without one. */
  clientSecret: string;
  /** Exactly these; of none, those of the usual ones that the provider has. */
  scopes: readonly string[];
  groupsClaim: string;
  /** Where the provider sends the browser back to. */
  redirectUri: string;
}

/** `offline_access` brings the refresh token by which the provider is asked again; groups have a scope of their own at some. */
const USUAL_SCOPES = ['openid', 'email', 'profile', 'offline_access', 'groups'];
const TIMEOUT_S = 5;
/** For how long the provider's addresses are taken to stay where they are, and to be there for a browser that is sent to one. */
const KNOWN_MS = 600_000;
const THERE_MS = 1000;
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const MOST_NAME = 100;
/** Errors of the protocol that say something of this service or the provider, and nothing of the person. */
const NOT_THE_PERSONS = ['invalid_client', 'unauthorized_client', 'server_error', 'temporarily_unavailable'];

type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;

export function createOidcSignIn(options: OidcSignInOptions): SignInProvider {
  const { issuer, redirectUri, groupsClaim } = options;
  let known: { provider: Promise<client.Configuration>; atMs: number } | null = null;

  async function discovered(): Promise<client.Configuration> {
    const url = new URL(issuer);
    const found = await client
      .discovery(url, options.clientId, undefined, clientAuthentication(options.clientSecret), {
        timeout: TIMEOUT_S,
        execute: url.protocol === 'http:' && isSafeAddress(issuer) ? [client.allowInsecureRequests] : [],
      })
      .catch((error: unknown) => {
        throw away(error);
      });
    if (found.serverMetadata().issuer !== issuer)
      throw away(new Error(`it calls itself ${found.serverMetadata().issuer}`));
    return found;
  }

  /** A failure is forgotten, so that the next call asks again. @param oldestMs how old an answer of the provider may be */
  function provider(oldestMs = KNOWN_MS): Promise<client.Configuration> {
    if (known === null || performance.now() - known.atMs > oldestMs) {
      const asked = { provider: discovered(), atMs: performance.now() };
      asked.provider.catch(() => {
        if (known === asked) known = null;
      });
      known = asked;
    }
    return known.provider;
  }

  function scopesAt(config: client.Configuration): string {
    const { scopes_supported: offered } = config.serverMetadata();
    const usual = USUAL_SCOPES.filter(
      (scope) => scope === 'openid' || (offered?.includes(scope) ?? scope !== 'groups'),
    );
    return (options.scopes.length > 0 ? options.scopes : usual).join(' ');
  }

  /** @throws AppError `unauthenticated` where the tokens name nobody, or another person than expected */
  async function personOf(
    config: client.Configuration,
    tokens: Tokens,
    expected: string | null,
  ): Promise<SignedInPerson> {
    const inToken = tokens.claims() ?? null;
    const subject = inToken?.sub ?? expected;
    if (subject === null || !SUBJECT.test(subject) || (expected !== null && subject !== expected))
      throw refused('it does not say who signed in');
    // Many providers keep the address and the groups out of the token.
    const info = config.serverMetadata().userinfo_endpoint
      ? await client.fetchUserInfo(config, tokens.access_token, subject)
      : {};
    const claims = { ...inToken, ...info };
    const email = verifiedEmail(claims);
    return {
      subject,
      email,
      name: nameIn(claims) ?? email ?? subject,
      groups: groupsOf(claims, groupsClaim),
      refreshToken: tokens.refresh_token ?? null,
    };
  }

  return {
    async begin(consent) {
      const config = await provider(THERE_MS);
      const checks = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const address = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: scopesAt(config),
        state: checks.state,
        nonce: checks.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(checks.verifier),
        code_challenge_method: 'S256',
        ...(consent && { prompt: 'consent' }),
      });
      return { address: address.href, checks };
    },

    async complete(query, { state, nonce, verifier }) {
      // Asked anew, with its keys: one that has changed them since signs with those that nobody here has seen.
      const config = await discovered();
      client.enableNonRepudiationChecks(config);
      const address = new URL(redirectUri);
      address.search = query;
      try {
        const tokens = await client.authorizationCodeGrant(config, address, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        });
        return await personOf(config, tokens, null);
      } catch (error) {
        throw explained(error);
      }
    },

    async beginDevice() {
      const config = await provider();
      if (!config.serverMetadata().device_authorization_endpoint)
        throw new AppError(
          'refused',
          'The identity provider offers no sign-in by device code; use an API key on the command line.',
        );
      const asked = await client
        .initiateDeviceAuthorization(config, { scope: scopesAt(config) })
        .catch((error: unknown) => {
          throw explained(error);
        });
      return {
        deviceCode: asked.device_code,
        userCode: asked.user_code,
        address: asked.verification_uri,
        completeAddress: asked.verification_uri_complete ?? null,
        expiresInS: asked.expires_in,
        intervalS: asked.interval ?? 5,
      };
    },

    async completeDevice(deviceCode) {
      const config = await discovered();
      client.enableNonRepudiationChecks(config);
      try {
        const tokens = await client.genericGrantRequest(config, DEVICE_GRANT, { device_code: deviceCode });
        return await personOf(config, tokens, null);
      } catch (error) {
        const code = error instanceof client.ResponseBodyError ? error.error : null;
        if (code === 'authorization_pending' || code === 'slow_down') return null;
        if (code === 'expired_token' || code === 'invalid_grant')
          throw new AppError('unauthenticated', 'The code is no longer valid. Begin again.', undefined, {
            cause: error,
          });
        throw explained(error);
      }
    },

    async renew(refreshToken, subject) {
      const config = await provider();
      try {
        return await personOf(config, await client.refreshTokenGrant(config, refreshToken), subject);
      } catch (error) {
        const failure = explained(error);
        if (failure.kind === 'unavailable') {
          known = null;
          throw failure;
        }
        return null;
      }
    },

    async revoke(refreshToken) {
      const config = await provider();
      if (config.serverMetadata().revocation_endpoint) await client.tokenRevocation(config, refreshToken);
    },
  };
}

/** As the provider takes it: in the header, which all that say nothing have to take, or in the body. */
function clientAuthentication(secret: string): client.ClientAuth {
  if (secret === '') return client.None();
  return (server, ...request) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authenticate = methods.includes('client_secret_basic')
      ? client.ClientSecretBasic(secret)
      : client.ClientSecretPost(secret);
    authenticate(server, ...request);
  };
}

function nameIn(claims: Readonly<Record<string, unknown>>): string | null {
  const name = [claims.name, claims.preferred_username].find(
    (claim) => typeof claim === 'string' && claim.trim() !== '',
  );
  return typeof name === 'string'
    ? name
        .replace(/[\p{C}\s]+/gu, ' ')
        .trim()
        .slice(0, MOST_NAME)
    : null;
}

function explained(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isAway(error)) return away(error);
  const code =
    error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError
      ? error.error
      : null;
  if (code !== null && NOT_THE_PERSONS.includes(code)) return away(error);
  if (code === 'access_denied')
    return new AppError('denied', 'The identity provider did not let you in.', undefined, { cause: error });
  return refused('it is not what was asked for, or not the provider’s', error);
}

/** Nobody answered, or something that stands before the provider. */
function isAway(error: unknown): boolean {
  if (error instanceof TypeError) return error.message === 'fetch failed';
  if (error instanceof client.ResponseBodyError) return error.status >= 500;
  return (
    error instanceof client.ClientError &&
    ['OAUTH_TIMEOUT', 'OAUTH_RESPONSE_IS_NOT_CONFORM', 'OAUTH_RESPONSE_IS_NOT_JSON'].includes(error.code ?? '')
  );
}

function away(cause: unknown): AppError {
  const error =
    'The identity provider of OIDC_ISSUER does not answer as it should; nobody new can sign in. Try again shortly.';
  return new AppError('unavailable', error, undefined, { cause });
}

function refused(why: string, cause?: unknown): AppError {
  return new AppError('unauthenticated', `The answer of the identity provider is not accepted: ${why}.`, undefined, {
    cause,
  });
}
