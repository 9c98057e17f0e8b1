/** A real OpenID Connect provider (oidc-provider) on loopback, with clients that get tokens for a person of their choice. */
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import Provider from 'oidc-provider';

export interface IdentityProvider {
  issuer: string;
  /** A token for the service, issued by the provider's own token endpoint, with these claims added. */
  token(scope: string, claims: Record<string, unknown>): Promise<string>;
  /** Signed by the provider's key over any claims at all. */
  signed(claims: JWTPayload, header?: { alg?: string; kid?: string }): Promise<string>;
  stop(): Promise<void>;
}

/** @param kid names the key, so that a provider that rotates has another one; @param port of a provider that comes back */
export async function startIdentityProvider(audience: string, kid = 'first', port = 0): Promise<IdentityProvider> {
  const { createServer } = await import('node:http');
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  let handle: (request: never, response: never) => void = () => {};
  const server = createServer((request, response) => handle(request as never, response as never));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let extra: Record<string, unknown> = {};
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' }] },
    clients: [
      {
        client_id: 'assistant',
        client_secret: 'a-secret-of-the-test',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['read', 'write', 'approve'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          audience: resource,
          scope: 'read write approve',
          accessTokenFormat: 'jwt' as const,
          accessTokenTTL: 3600,
          jwt: { sign: { alg: 'RS256' as const } },
        }),
      },
    },
    formats: {
      customizers: {
        jwt: async (_: unknown, __: unknown, parts: { payload: Record<string, unknown> }) => {
          Object.assign(parts.payload, extra);
          return parts as never;
        },
      },
    },
  });
  handle = provider.callback() as never;

  return {
    issuer,
    async token(scope, claims) {
      extra = claims;
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { Authorization: `Basic ${Buffer.from('assistant:a-secret-of-the-test').toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource: audience }),
      });
      const body = (await response.json()) as { access_token?: string };
      if (!body.access_token) throw new Error(JSON.stringify(body));
      return body.access_token;
    },
    signed: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, ...header }).sign(privateKey),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
