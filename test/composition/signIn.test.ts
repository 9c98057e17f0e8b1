/** Tokens of a real OpenID Connect provider at the interfaces: who gets in, with which role, for which machines, and who does not. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOidcTokens } from '../../src/adapters/oidc/oidcTokens.ts';
import { readConfig } from '../../src/config.ts';
import { type IdentityProvider, startIdentityProvider } from '../helpers/identityProvider.ts';
import { startTestService, type TestService } from '../helpers/service.ts';

const PUBLIC_URL = 'https://dex.example.com';
const AUDIENCE = `${PUBLIC_URL}/mcp`;
const ANN = { sub: 'ann', email: 'Ann@example.com', email_verified: true, groups: ['operations'] };
const seconds = () => Math.floor(Date.now() / 1000);

let provider: IdentityProvider;
let service: TestService;
let configDir: string;

beforeAll(async () => {
  provider = await startIdentityProvider(AUDIENCE);
  configDir = await mkdtemp(join(tmpdir(), 'dexops-config-'));
  await cp('config', configDir, { recursive: true });
  await writeFile(
    join(configDir, 'access.yaml'),
    'groups:\n  - {group: operations, role: operator}\n  - {group: leads, role: viewer, selection: dept=engineering}\n',
  );
  service = await startTestService({ OIDC_ISSUER: provider.issuer, PUBLIC_URL, CONFIG_DIR: configDir });
  for (const [hostname, dept] of [
    ['eng-01', 'engineering'],
    ['fin-01', 'finance'],
  ])
    await service.call('POST', '/api/v1/dex/endpoints', { hostname, tags: { dept } });
});
afterAll(async () => {
  await service?.stop();
  await provider?.stop();
  await rm(configDir, { recursive: true, force: true });
});

const get = (token: string, path = '/api/v1/dex/endpoints') =>
  fetch(service.url + path, { headers: { Authorization: `Bearer ${token}` } });
const hosts = async (token: string) =>
  ((await (await get(token)).json()) as { endpoints: { hostname: string }[] }).endpoints.map(
    ({ hostname }) => hostname,
  );
const initialize = (token?: string) =>
  fetch(`${service.url}/mcp`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    }),
  });

describe('a client of MCP', () => {
  test('is told where to get a token', async () => {
    const response = await initialize();
    expect(response.status).toBe(401);
    const url = `${PUBLIC_URL}/.well-known/oauth-protected-resource/mcp`;
    expect(response.headers.get('www-authenticate')).toContain(`resource_metadata="${url}"`);
    for (const path of ['', '/mcp'])
      expect(await (await fetch(`${service.url}/.well-known/oauth-protected-resource${path}`)).json()).toMatchObject({
        resource: AUDIENCE,
        authorization_servers: [provider.issuer],
        scopes_supported: ['read', 'write', 'approve'],
      });
  });
  test('gets the tools of its person and its scopes', async () => {
    const listed = async (scope: string) => {
      const client = new Client({ name: 'test', version: '1' });
      const headers = { Authorization: `Bearer ${await provider.token(scope, ANN)}` };
      await client.connect(
        new StreamableHTTPClientTransport(new URL(`${service.url}/mcp?toolsets=all`), { requestInit: { headers } }),
      );
      const { tools } = await client.listTools();
      await client.close();
      return tools.map(({ name }) => name);
    };
    expect(await listed('read')).not.toContain('acknowledge_alert');
    const writing = await listed('read write');
    expect(writing).toContain('acknowledge_alert');
    expect(writing).not.toContain('decide_approval');
    expect(await listed('read write approve')).toContain('decide_approval');
  });
  test('is refused without the scope read, as one whose scope is too small', async () => {
    const response = await initialize(await provider.token('write', ANN));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });
});

describe('groups', () => {
  test('give roles, and the machines for which they hold', async () => {
    expect(await hosts(await provider.token('read', ANN))).toEqual(['eng-01', 'fin-01']);
    expect(await hosts(await provider.token('read', { ...ANN, groups: ['leads'] }))).toEqual(['eng-01']);
    const many = Array.from({ length: 500 }, (_, i) => `group-${i}`);
    expect(await hosts(await provider.token('read', { ...ANN, groups: [...many, 'leads'] }))).toEqual(['eng-01']);
  });
  test.each([[[]], ['operations-not'], [{ operations: true }], [null]])('%j gives nothing', async (groups) => {
    expect((await get(await provider.token('read write', { ...ANN, groups }))).status).toBe(403);
  });
  test('are read again when the file changes', async () => {
    const token = await provider.token('read', { ...ANN, groups: ['later'] });
    expect((await get(token)).status).toBe(403);
    await writeFile(
      join(configDir, 'access.yaml'),
      'groups:\n  - {group: operations, role: operator}\n  - {group: later, role: viewer}\n',
    );
    await expect.poll(async () => (await get(token)).status, { timeout: 4000, interval: 250 }).toBe(200);
  });
});

describe('what is not accepted', () => {
  const good = () => ({
    iss: provider.issuer,
    aud: AUDIENCE,
    iat: seconds(),
    exp: seconds() + 60,
    scope: 'read',
    ...ANN,
  });
  const unsigned = (claims: object) =>
    `${[{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

  test('the same token, well made, is', async () => {
    expect((await get(await provider.signed(good()))).status).toBe(200);
  });
  test.each<[string, () => Promise<string>]>([
    ['no signature', async () => unsigned(good())],
    ['another signature', async () => `${(await provider.signed(good())).slice(0, -8)}AAAAAAAA`],
    ['expired', () => provider.signed({ ...good(), exp: seconds() - 60 })],
    ['older than five minutes', () => provider.signed({ ...good(), iat: seconds() - 400, exp: seconds() + 3600 })],
    ['without an end', () => provider.signed({ ...good(), exp: undefined as never })],
    ['not yet issued', () => provider.signed({ ...good(), iat: seconds() + 600, exp: seconds() + 900 })],
    ['for another service', () => provider.signed({ ...good(), aud: 'https://other.example.com' })],
    ['of another provider', () => provider.signed({ ...good(), iss: 'https://evil.example.com' })],
    ['an unknown key', () => provider.signed(good(), { kid: 'unknown' })],
    ['nobody’s', () => provider.signed({ ...good(), sub: undefined as never })],
    ['a subject of many lines', () => provider.signed({ ...good(), sub: 'ann\nadmin' })],
  ])('%s', async (_, make) => {
    const token = await make();
    expect((await get(token)).status).toBe(401);
    const response = await initialize(token);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });
  test('an address that the provider has not verified makes no machine anybody’s', async () => {
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'own-01', owner_email: 'ann@example.com' });
    const own = (claims: object) => provider.token('read', { ...ANN, groups: [], ...claims });
    expect((await get(await own({}), '/api/v1/dex/endpoints/own-01')).status).toBe(200);
    expect((await get(await own({ email_verified: false }), '/api/v1/dex/endpoints/own-01')).status).toBe(403);
  });
  test('a token is no person: it deletes nothing unasked', async () => {
    const token = await provider.token('read write approve', ANN);
    const response = await fetch(`${service.url}/api/v1/dex/endpoints/fin-01`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(403);
    expect((await service.call('GET', '/api/v1/dex/endpoints/fin-01')).status).toBe(200);
  });
  test('keys go on beside it', async () => {
    expect((await service.call('GET', '/api/v1/dex/endpoints')).status).toBe(200);
  });
});

test('a new key of the provider is taken up; while the provider is away known tokens go on, and nobody new comes in', async () => {
  const clock = { now: () => new Date() };
  let current = await startIdentityProvider(AUDIENCE);
  const { issuer } = current;
  const open = () => createOidcTokens({ issuer, audience: AUDIENCE, groupsClaim: 'groups', clock, keysCooldownMs: 0 });
  const verifier = open();
  const token = await current.token('read', ANN);
  expect(await verifier.verify(token)).toEqual({
    subject: 'ann',
    email: 'ann@example.com',
    groups: ['operations'],
    scopes: ['read'],
  });
  await current.stop();
  expect(await verifier.verify(token)).toMatchObject({ subject: 'ann' });
  await expect(open().verify(token)).rejects.toMatchObject({ kind: 'unavailable' });
  current = await startIdentityProvider(AUDIENCE, { kid: 'second', port: Number(new URL(issuer).port) });
  expect(await verifier.verify(await current.token('read', ANN))).toMatchObject({ subject: 'ann' });
  await expect(verifier.verify(token)).rejects.toMatchObject({ kind: 'unauthenticated' });
  await current.stop();
});

test('settings that let everybody in, or nobody, stop the start', () => {
  const issuer = { OIDC_ISSUER: 'https://login.example.com', PUBLIC_URL };
  const key = { API_KEY: 'a-key-of-sixteen-characters' };
  expect(() => readConfig({ ...issuer })).toThrow('API_KEY is not');
  expect(() => readConfig({ ...key, OIDC_ISSUER: issuer.OIDC_ISSUER })).toThrow('neither OIDC_AUDIENCE nor PUBLIC_URL');
  expect(() => readConfig({ ...key, ...issuer, OIDC_ISSUER: 'http://login.example.com' })).toThrow('OIDC_ISSUER');
  expect(() => readConfig({ ...key, ...issuer, OIDC_ISSUER: 'http://127.evil.com' })).toThrow('OIDC_ISSUER');
  expect(readConfig({ ...key, ...issuer }).OIDC_GROUPS_CLAIM).toBe('groups');
});
