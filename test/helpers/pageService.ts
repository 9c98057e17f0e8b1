/** A service for trying the page: a fleet with problems, keys of every role, and repairs that wait for approval. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { FULL_DISK, MAP } from './healingWorld.ts';
import { type Findings, machines, WELL } from './machines.ts';
import { startTestService, type TestService } from './service.ts';

export interface PageService extends TestService {
  findings: Map<string, Findings>;
  /** A key of each role that a person holds, by the role. */
  keys: Record<'viewer' | 'operator' | 'admin', string>;
  scan(hostname: string): Promise<void>;
}

/** @param env over the defaults, such as a PORT that is known beforehand */
export async function startPageService(env: Record<string, string> = {}): Promise<PageService> {
  const configDir = mkdtempSync(join(tmpdir(), 'dexops-config-'));
  cpSync(join(PROJECT_DIR, 'config'), configDir, { recursive: true });
  writeFileSync(join(configDir, 'dex_remediation_map.yaml'), MAP);
  const findings = new Map<string, Findings>();
  const service = await startTestService(
    { DEX_SELF_HEALING_ENABLED: 'true', CONFIG_DIR: configDir, RUNBOOKS_DIR: join(PROJECT_DIR, 'runbooks'), ...env },
    {
      collector: machines(findings),
      runner: {
        blockingReason: async () => null,
        async run({ endpoint, dryRun }) {
          if (!dryRun) findings.set(endpoint.hostname, WELL);
          return { ok: true, reason: null, tasks: [], stats: {} };
        },
      },
    },
  );
  const human = { id: 'test:cli', name: 'the test', kind: 'human', via: 'cli', role: 'admin' } as const;
  const keyOf = async (role: 'viewer' | 'operator' | 'admin') => {
    const { output } = await service.app.invoke(
      'create_api_key',
      { name: `${role}-key`, role, holder: 'human' },
      human,
    );
    return String(output.token);
  };
  return {
    ...service,
    findings,
    keys: { viewer: await keyOf('viewer'), operator: await keyOf('operator'), admin: await keyOf('admin') },
    async scan(hostname) {
      const { body } = await service.call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
      await service.finished(body.run_id);
    },
    async stop() {
      await service.stop();
      rmSync(configDir, { recursive: true, force: true });
    },
  };
}

/** Some machines of every kind: well, with a full disk, out of reach. */
export async function addSmallFleet(service: PageService): Promise<void> {
  const fleet: [string, object, Findings][] = [
    [
      'alice-laptop',
      { persona: 'developer', tags: { dept: 'engineering' }, owner_email: 'alice@example.com' },
      FULL_DISK,
    ],
    ['bruno-laptop', { persona: 'developer', tags: { dept: 'engineering' } }, WELL],
    ['carla-laptop', { persona: 'executive', criticality_tier: 1, tags: { dept: 'board' } }, { ...WELL, cpuPct: 97 }],
    ['dan-laptop', { persona: 'general', tags: { dept: 'sales' } }, 'unreachable'],
  ];
  for (const [hostname, more, found] of fleet) {
    service.findings.set(hostname, found);
    await service.call('POST', '/api/v1/dex/endpoints', { hostname, ...more });
    // Some alerts want a problem to last for three scans.
    for (let i = 0; i < 3; i++) await service.scan(hostname);
  }
}
