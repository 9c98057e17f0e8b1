import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { createApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';
import type { Actor } from '../../../src/core/actor.ts';
import { AppError } from '../../../src/core/errors.ts';
import { AgentProfilesFile } from '../../../src/core/planner/agentProfiles.ts';
import { agentCollector, SCAN_PROFILE } from '../../../src/core/scans/agentScan.ts';
import type { ScanTarget } from '../../../src/domain/signals/telemetry.ts';
import { flatOf } from '../../helpers/flatSnapshot.ts';
import { machines } from '../../helpers/machines.ts';
import { plan, scriptedLlm, toolsOf } from '../../helpers/plannerWorld.ts';

const profileFile = readFileSync(new URL('../../../config/agent_profiles.yaml', import.meta.url), 'utf8');
const profile = AgentProfilesFile.parse(parse(profileFile)).get(SCAN_PROFILE)!;
const target: ScanTarget = { hostname: 'dev-01', ipAddress: null, osPlatform: 'linux', collector: 'ssh', options: {} };
const now = new Date('2026-11-24T08:00:00Z');
const planner: Actor = { id: 'key:ops', name: 'ops', kind: 'model', via: 'planner', role: 'operator' };

const ANSWER = {
  hostname: 'dev-01',
  reachable: true,
  unreachable_reason: null,
  cpu_pct: 12.5,
  memory_pct: 61,
  disk_pct: 44,
  disk_mount: '/',
  latency_ms: 8.2,
  packet_loss_pct: 0,
  dns_failures: 0,
  dns_lookups: 3,
  services_down: null,
  log_errors: 0,
  booted_at: '2026-11-20T06:00:00Z',
  unmeasured: [{ metric: 'services_down', reason: 'no permission' }],
};

/** Scans dev-01 by an agent whose model answers this, beside a direct look that finds 99 % processor. */
async function scan(modelAnswer: object) {
  const fallbacks: string[] = [];
  const tools = await toolsOf({ measure_endpoint: { run: () => 'measured' } });
  const collector = agentCollector({
    direct: machines(new Map([['dev-01', { cpuPct: 99 }]])),
    async investigate(about, signal) {
      const { status, answer, error } = await plan({
        llm: scriptedLlm({ text: JSON.stringify(modelAnswer) }),
        tools,
        profile,
        context: { hostname: about.hostname },
        signal,
      });
      if (status === 'completed') return answer;
      throw new AppError('unavailable', `${error?.kind}: ${error?.message}`);
    },
    now: () => new Date(now.getTime() + 1500),
  });
  const signal = new AbortController().signal;
  const context = { now, signal, previousScanAt: null, note: (text: string) => fallbacks.push(text) };
  return { snapshot: await collector.collect(target, context), fallbacks };
}

it('takes the agent’s answer as the snapshot', async () => {
  const { snapshot, fallbacks } = await scan(ANSWER);
  expect(fallbacks).toEqual([]);
  expect(flatOf(snapshot)).toEqual({
    reachable: true,
    unreachableReason: null,
    durationMs: 1500,
    servicesDown: null,
    cpuPct: 12.5,
    memoryPct: 61,
    diskPct: 44,
    diskMount: '/',
    latencyMs: 8.2,
    packetLossPct: 0,
    dnsFailures: 0,
    dnsLookups: 3,
    logErrors: 0,
    bootedAt: new Date('2026-11-20T06:00:00Z'),
    unmeasured: [{ metric: 'servicesDown', reason: 'no permission' }],
  });
});

it('takes an unreachable machine as unreachable', async () => {
  const nothing = Object.fromEntries(Object.keys(ANSWER).map((key) => [key, null]));
  const { snapshot } = await scan({
    ...nothing,
    hostname: 'dev-01',
    reachable: false,
    unreachable_reason: 'no route',
    unmeasured: [],
  });
  expect(flatOf(snapshot)).toMatchObject({ reachable: false, unreachableReason: 'no route', cpuPct: null });
});

it.each([
  ['prose', { note: 'all is well' }, 'unparseable_answer'],
  ['another endpoint', { ...ANSWER, hostname: 'ceo-laptop' }, 'answered about ceo-laptop'],
])('looks directly, and says why, when the answer is %s', async (_what, answer, why) => {
  const { snapshot, fallbacks } = await scan(answer);
  expect(flatOf(snapshot).cpuPct).toBe(99);
  expect(fallbacks).toEqual([expect.stringContaining(why)]);
});

it('offers its measuring tool to the planner only, and what it measures is a fitting answer', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-'));
  const config = readConfig({ DATA_DIR: dir, LLM_PROVIDER: '', DEX_REGISTER_SELF: 'false', LOG_LEVEL: 'CRITICAL' });
  const app = await createApp(config, { collector: machines(new Map([['dev-01', { cpuPct: 12.5 }]])) });
  onTestFinished(async () => {
    await app.close();
    await rm(dir, { recursive: true });
  });
  const admin: Actor = { id: 'key:admin', name: 'admin', kind: 'human', via: 'rest', role: 'admin' };
  await app.invoke(
    'register_endpoint',
    { hostname: 'dev-01', collector: 'ssh', options: { username: 'dexops' }, ip_address: '10.0.1.42' },
    admin,
  );

  const { output } = await app.invoke('measure_endpoint', { hostname: 'dev-01' }, planner);
  const { collected_at: _at, duration_ms: _took, ...measured } = output;
  expect(profile.answer.validator.parse(measured)).toMatchObject({ hostname: 'dev-01', cpu_pct: 12.5 });
  await expect(app.invoke('measure_endpoint', { hostname: 'dev-01' }, admin)).rejects.toMatchObject({
    kind: 'not_found',
  });
});
