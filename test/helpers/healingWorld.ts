/** A service that heals: machines whose findings the test sets, a map of its own, and playbooks that do what the test says. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Actor, jobActor } from '../../src/core/actor.ts';
import type { Messenger } from '../../src/core/ports/messagePorts.ts';
import type { PlaybookJob, PlaybookReport } from '../../src/core/ports/ports.ts';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { type TestClock, testClock } from './clock.ts';
import { type Findings, machines, WELL } from './machines.ts';
import { startTestService, type TestService } from './service.ts';

export const FULL_DISK: Findings = { ...WELL, diskPct: 97 };

export const person = (name: string, role: Actor['role'] = 'operator'): Actor => ({
  id: `slack:${name}`,
  name,
  kind: 'human',
  via: 'slack',
  role,
});
export const MODEL: Actor = { id: 'key:m', name: 'a model', kind: 'model', via: 'mcp', role: 'operator' };

export const MAP = `
remediation_map:
  DiskFull: { action: ansible, playbook: cleanup_disk, requires_approval: true, cooldown: 2h, max_per_day: 2 }
  HighMemory: { action: clear_cache, requires_approval: false, cooldown: 1h }
  ServiceDown: { action: restart, service: "{{ labels.service }}", requires_approval: false }
  KernelPanic: { action: ticket, severity: critical }
`;

export type Play = (job: PlaybookJob, signal: AbortSignal) => Promise<Partial<PlaybookReport>>;

export interface HealingWorld {
  service: TestService;
  clock: TestClock;
  findings: Map<string, Findings>;
  /** What was run, in order. */
  runs: PlaybookJob[];
  /** What the outbox delivered to people. */
  told: Record<string, unknown>[];
  /** What running a playbook does; by default it heals the machine. */
  play: Play;
  blockingReason: string | null;
  register(hostname: string, more?: object): Promise<void>;
  scan(hostname: string, found: Findings): Promise<void>;
  /** The newest alert of an endpoint, the cause before the score. */
  alertOf(hostname: string): Promise<Record<string, any>>;
  /** Waits until the newest alert of an endpoint has this status. */
  reaches(hostname: string, status: string): Promise<Record<string, any>>;
  timelineOf(alertId: number): Promise<string[]>;
  remediations(query?: string): Promise<Record<string, any>[]>;
  approvals(query?: string): Promise<Record<string, any>[]>;
  call(tool: string, input: object, actor?: Actor): Promise<Record<string, any>>;
  tend(): Promise<void>;
  writeMap(text: string): void;
  close(): Promise<void>;
}

export interface WorldOptions {
  map?: string;
  env?: Record<string, string>;
  /** Further files of the configuration folder, by name. */
  config?: Record<string, string>;
}

export async function healingWorld({ map = MAP, env = {}, config = {} }: WorldOptions = {}): Promise<HealingWorld> {
  const configDir = mkdtempSync(join(tmpdir(), 'dexops-config-'));
  cpSync(join(PROJECT_DIR, 'config'), configDir, { recursive: true });
  const writeMap = (text: string) => writeFileSync(join(configDir, 'dex_remediation_map.yaml'), text);
  writeMap(map);
  for (const [name, text] of Object.entries(config)) writeFileSync(join(configDir, name), text);

  const clock = testClock();
  const findings = new Map<string, Findings>();
  const told: Record<string, unknown>[] = [];
  const people: Messenger = {
    name: 'slack',
    paceMs: 0,
    async deliver({ messages }) {
      told.push(...messages.map(({ subject, payload }) => ({ subject, ...payload })));
      return { outcome: 'delivered' };
    },
  };
  const runs: PlaybookJob[] = [];
  const service = await startTestService(
    { WEBHOOK_REQUIRE_AUTH: 'false', DEX_SELF_HEALING_ENABLED: 'true', CONFIG_DIR: configDir, ...env },
    {
      clock,
      collector: machines(findings),
      messengers: [people],
      runner: {
        blockingReason: async () => world.blockingReason,
        async run(job, signal) {
          runs.push(job);
          clock.advance(1000); // no playbook takes no time
          return { ok: true, reason: null, tasks: [], stats: {}, ...(await world.play(job, signal)) };
        },
      },
    },
  );

  const world: HealingWorld = {
    service,
    clock,
    findings,
    runs,
    told,
    blockingReason: null,
    async play({ endpoint, dryRun }) {
      if (!dryRun) findings.set(endpoint.hostname, WELL);
      return {};
    },
    async register(hostname, more = {}) {
      await service.call('POST', '/api/v1/dex/endpoints', { hostname, ...more });
    },
    async scan(hostname, found) {
      findings.set(hostname, found);
      const { body } = await service.call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
      await service.finished(body.run_id);
    },
    async alertOf(hostname) {
      const { body } = await service.call('GET', `/api/v1/dex/alerts?hostname=${hostname}&status=all`);
      // A problem may lower the score so far that this is an alert of its own.
      return (
        body.alerts.find(({ alert_name }: { alert_name: string }) => alert_name !== 'LowDexScore') ?? body.alerts[0]
      );
    },
    async reaches(hostname, status) {
      let seen: Record<string, any> | undefined;
      for (let tries = 0; tries < 400; tries++) {
        seen = await world.alertOf(hostname);
        if (seen?.status === status) return seen;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error(`the alert of ${hostname} is ${seen?.status} after 10 s, not ${status}`);
    },
    async timelineOf(alertId) {
      const { body } = await service.call('GET', `/api/v1/dex/alerts/${alertId}`);
      return body.timeline.map(({ to, why }: { to: string; why: string }) => `${to}: ${why}`);
    },
    remediations: async (query = '') =>
      (await service.call('GET', `/api/v1/dex/remediations?${query}`)).body.remediations,
    approvals: async (query = '') => (await service.call('GET', `/api/v1/approvals?${query}`)).body.approvals,
    call: async (tool, input, actor = person('ann')) => (await service.app.invoke(tool, input, actor)).output,
    async tend() {
      await service.app.invoke('maintain_healing', {}, jobActor('dex_expire_approvals'));
    },
    writeMap,
    async close() {
      await service.stop();
      rmSync(configDir, { recursive: true });
    },
  };
  return world;
}
