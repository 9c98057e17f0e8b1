/** A real OpenID Connect provider (oidc-provider) on loopback: programs get tokens from it, and people sign in at it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import Provider from 'oidc-provider';

/** Somebody the provider knows, with what it says of them. */
export interface ProviderPerson {
  sub: string;
  [claim: string]: unknown;
}

export interface IdentityProvider {
  issuer: string;
  /** A token for the service, issued by the provider's own token endpoint, with these claims added. */
  token(scope: string, claims: Record<string, unknown>): Promise<string>;
  /** Signed by the provider's key over any claims at all. */
  signed(claims: JWTPayload, header?: { alg?: string; kid?: string }): Promise<string>;
  /** Everybody it knows; who is not in it is let in no more. */
  people: Map<string, ProviderPerson>;
  /** Who sits at the browser: they sign in and consent without a click. Null: they decline. */
  atTheBrowser: string | null;
  /** What becomes of the ID tokens of its answers, as an attacker between it and the service would have it. */
  tamper: ((idToken: string) => Promise<string>) | null;
  stop(): Promise<void>;
  /** After a stop: it remembers everybody. */
  resume(): Promise<void>;
}

export interface ProviderOptions {
  /** Names its key, so that a provider that rotates has another one. */
  kid?: string;
  /** Of a provider that comes back. */
  port?: number;
  /** Where the service takes browsers back. */
  redirectUri?: string;
  /** Gives refresh tokens to those who agreed to it alone, as the specification has it; else to all. */
  asksConsent?: boolean;
}

export const CLIENT = { id: 'dexops', secret: 'a-secret-of-the-service' };

export async function startIdentityProvider(
  audience: string,
  options: ProviderOptions = {},
): Promise<IdentityProvider> {
  const { kid = 'first', port = 0, redirectUri, asksConsent = false } = options;
  const { createServer } = await import('node:http');
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  const server = createServer((request, response) => handle(request, response));
  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  await listen(port);
  const { port: ownPort } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${ownPort}`;
  let extra: Record<string, unknown> = {};
  const people = new Map<string, ProviderPerson>();
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
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
        redirect_uris: redirectUri ? [redirectUri] : [],
        response_types: redirectUri ? ['code'] : [],
      },
    ],
    scopes: ['openid', 'email', 'profile', 'offline_access', 'groups', 'read', 'write', 'approve'],
    claims: { email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    async findAccount(_ctx: unknown, sub: string) {
      const person = people.get(sub);
      return person && { accountId: sub, claims: async () => ({ ...person }) };
    },
    ...(!asksConsent && {
      issueRefreshToken: async (_ctx: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
        client.grantTypeAllowed('refresh_token'),
    }),
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx: unknown, { clientId }: { clientId: string }) =>
          clientId === CLIENT.id ? (undefined as never) : audience,
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

  const itself: IdentityProvider = {
    issuer,
    people,
    atTheBrowser: null,
    tamper: null,
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
    resume: () => listen(ownPort),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  /** Signs in whoever sits at the browser, and agrees to all that is asked. */
  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    if (itself.atTheBrowser === null) {
      const no = { error: 'access_denied', error_description: 'the person said no' };
      return provider.interactionFinished(request, response, no, { mergeWithLastSubmission: false });
    }
    if (prompt.name === 'login') {
      const login = { accountId: itself.atTheBrowser };
      return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
    }
    const grant =
      (grantId && (await provider.Grant.find(grantId))) ||
      new provider.Grant({ accountId: session?.accountId as string, clientId: params.client_id as string });
    grant.addOIDCScope(String(params.scope ?? 'openid'));
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  }

  const standard = provider.callback();
  handle = (request, response) => {
    if (request.url?.startsWith('/interaction/')) {
      interact(request, response).catch((error: Error) => response.writeHead(500).end(String(error)));
      return;
    }
    if (request.url === '/token' && itself.tamper) tamperWith(response, itself.tamper);
    standard(request, response);
  };
  return itself;
}

/** Changes the ID token of an answer before it leaves. */
function tamperWith(response: ServerResponse, tamper: (idToken: string) => Promise<string>): void {
  const end = response.end.bind(response) as (body: unknown) => ServerResponse;
  response.end = ((body?: unknown) => {
    const answer = JSON.parse(String(body)) as { id_token?: string };
    void tamper(answer.id_token ?? '').then((id_token) => {
      const changed = JSON.stringify({ ...answer, id_token });
      response.setHeader('Content-Length', Buffer.byteLength(changed));
      end(changed);
    });
    return response;
  }) as never;
}
