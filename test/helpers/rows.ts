/** Rows as tests of the store write them, each with what it may leave out filled in. */
import type { StoredScore, StoredSnapshot } from '../../src/core/ports/endpointPorts.ts';
import type { EndpointRegistration } from '../../src/domain/fleet/endpoint.ts';
import type { Run } from '../../src/domain/run.ts';
import { type Flat, flatSnapshot } from './flatSnapshot.ts';

export const NOW = new Date('2026-03-02T09:00:00.123Z');
export const later = (ms: number) => new Date(NOW.getTime() + ms);
let names = 0;

const TARGET = { hostname: 'any', ipAddress: null, osPlatform: 'linux', collector: 'local', options: {} } as const;

export function registration(more: Partial<EndpointRegistration> = {}): EndpointRegistration {
  return {
    hostname: `host-${++names}`,
    ipAddress: null,
    ownerEmail: null,
    persona: 'general',
    criticalityTier: 2,
    osPlatform: 'linux',
    tags: {},
    collector: 'local',
    options: {},
    ...more,
  };
}

export function snapshot(
  endpointId: number,
  collectedAt: Date,
  cpuPct: number | null = 10,
  more: Partial<Flat> = {},
): StoredSnapshot {
  const { hostname: _name, ...snapshot } = flatSnapshot(TARGET, collectedAt, {
    durationMs: 5,
    cpuPct,
    memoryPct: 40.5,
    dnsFailures: 0,
    dnsLookups: 4,
    servicesDown: ['cups.service'],
    bootedAt: later(-86_400_000),
    unmeasured: [{ metric: 'diskPct', reason: 'no disk' }],
    ...more,
  });
  return { ...snapshot, endpointId };
}

export function score(endpointId: number, scoredAt: Date, value: number): Omit<StoredScore, 'id'> {
  return {
    endpointId,
    scoredAt,
    score: value,
    status: 'healthy',
    components: { device: value, network: null, app: null, remediation: 100 },
    coverage: 0.5,
    deductions: [],
    caps: [],
    improvements: [],
  };
}

export function run(id: string, more: Partial<Run> = {}): Run {
  return {
    id,
    kind: 'scan',
    status: 'queued',
    hostname: null,
    goal: null,
    agentProfile: null,
    requestedBy: 'test',
    via: 'rest',
    createdAt: NOW,
    startedAt: null,
    finishedAt: null,
    error: null,
    result: null,
    steps: [],
    state: null,
    usage: null,
    costUsd: null,
    ...more,
  };
}
