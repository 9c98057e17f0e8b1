/** A service at which people sign in by a real provider, with two machines that have owners. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Overrides } from '../../src/app.ts';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { cookieJar } from './cookieJar.ts';
import { freePort } from './freePort.ts';
import { CLIENT, type IdentityProvider, type ProviderOptions, startIdentityProvider } from './identityProvider.ts';
import { startTestService, type TestService } from './service.ts';

const person = (sub: string, name: string, group: string) => ({
  sub,
  name,
  email: `${sub}@example.com`,
  email_verified: true,
  groups: [group],
});
export const ANN = person('ann', 'Ann Adams', 'operations');
export const BOB = person('bob', 'Bob Brown', 'nobody-knows');
export const EVE = person('eve', 'Eve Evans', 'it-admins');

export interface SignInWorld {
  provider: IdentityProvider;
  service: TestService;
  /** Where browsers find the service. */
  url: string;
  /** The provider's answers go back to here. */
  redirectUri: string;
  stop(): Promise<void>;
}

/** Operations are operators, administrators of IT are the service's, and Ann sits at the browser. */
export async function startSignInWorld(
  overrides: Overrides = {},
  options: ProviderOptions = {},
  env: Record<string, string> = {},
): Promise<SignInWorld> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const redirectUri = `${url}/session/callback`;
  const provider = await startIdentityProvider(`${url}/mcp`, { redirectUri, ...options });
  for (const each of [ANN, BOB, EVE]) provider.people.set(each.sub, each);
  provider.atTheBrowser = 'ann';
  const configDir = mkdtempSync(join(tmpdir(), 'dexops-config-'));
  cpSync(join(PROJECT_DIR, 'config'), configDir, { recursive: true });
  const groups = 'groups:\n  - {group: operations, role: operator}\n  - {group: it-admins, role: admin}\n';
  writeFileSync(join(configDir, 'access.yaml'), groups);
  const service = await startTestService(
    {
      PORT: String(port),
      PUBLIC_URL: url,
      CONFIG_DIR: configDir,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
      ...env,
    },
    overrides,
  );
  for (const sub of ['ann', 'bob'])
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: `${sub}-01`, owner_email: `${sub}@example.com` });
  const world: SignInWorld = {
    provider,
    service,
    url,
    redirectUri,
    async stop() {
      await service.stop();
      await world.provider.stop();
      rmSync(configDir, { recursive: true, force: true });
    },
  };
  return world;
}

/** What a person does in a browser with a device's code. */
export async function enterCode(address: string): Promise<void> {
  const jar = cookieJar();
  let page = await jar.visit(address);
  for (let i = 0; i < 3 && page.text.includes('<form'); i++) page = await jar.submit(page, { confirm: 'yes' });
}
