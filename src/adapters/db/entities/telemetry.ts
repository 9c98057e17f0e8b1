/** The tables of endpoints, what was measured on them, and their scores. */

import { defineEntity, p } from '@mikro-orm/core';
import type { CriticalityTier, Persona, ScoreStatus } from '../../../domain/fleet/endpoint.ts';
import type { AliasKind, AliasSource } from '../../../domain/fleet/hostIdentity.ts';
import { FLEET_MEASURES } from '../../../domain/scores/rollUp.ts';
import type { AppliedCap, Component, Deduction, Improvement } from '../../../domain/scores/score.ts';
import type { OsPlatform } from '../../../domain/signals/declaration.ts';
import type { CollectorKind, CollectorOptions } from '../../../domain/signals/telemetry.ts';
import type { WireReadings } from '../../../domain/signals/wire.ts';
import { aggregates, LongId, real, word } from './columns.ts';

export const EndpointRow = defineEntity({
  name: 'Endpoint',
  tableName: 'endpoint',
  properties: {
    id: p.integer().primary(),
    hostname: p.string().length(253),
    ipAddress: p.string().nullable(),
    ownerEmail: p.string().nullable(),
    persona: word<Persona>(),
    criticalityTier: p.integer().$type<CriticalityTier>(),
    osPlatform: word<OsPlatform>(),
    tags: p.json<Record<string, string>>(),
    collector: word<CollectorKind>(),
    options: p.json<CollectorOptions>(),
    agentTokenDigest: p.string().nullable(),
    hostKey: p.string().nullable(),
    registeredAt: p.datetime(3),
    updatedAt: p.datetime(3),
    deregisteredAt: p.datetime(3).nullable(),
    lastScanAt: p.datetime(3).nullable(),
    lastSeenAt: p.datetime(3).nullable(),
    unreachableReason: p.text().nullable(),
    score: real().nullable(),
    scoreStatus: word<ScoreStatus>(),
    coverage: real().nullable(),
    scoredAt: p.datetime(3).nullable(),
    breaches: p.json<Record<string, number>>(),
  },
  uniques: [
    { name: 'endpoint_hostname_live', properties: ['hostname'], where: 'deregistered_at is null' },
    { name: 'endpoint_agent_token', properties: ['agentTokenDigest'] },
  ],
  indexes: [
    { name: 'endpoint_score', properties: ['score'] },
    { name: 'endpoint_ip_address', properties: ['ipAddress'] },
    { name: 'endpoint_owner_email', properties: ['ownerEmail'] },
    { name: 'endpoint_deregistered', properties: ['deregisteredAt'], where: 'deregistered_at is not null' },
  ],
});

/** What else an endpoint is called: names, addresses and numbers, by people, by the machine and by its registered name. */
export const EndpointAliasRow = defineEntity({
  name: 'EndpointAlias',
  tableName: 'endpoint_alias',
  properties: {
    id: p.integer().primary(),
    endpointId: p.integer(),
    kind: word<AliasKind>(),
    value: p.string(),
    source: word<AliasSource>(),
    addedAt: p.datetime(3),
  },
  uniques: [{ name: 'endpoint_alias_once', properties: ['endpointId', 'value'] }],
  indexes: [{ name: 'endpoint_alias_value', properties: ['value'] }],
});

/** What the JSON column of a snapshot holds: readings with a value, and each reason with the signals that are missing for it. */
export interface KeptReadings {
  measured: WireReadings;
  missing: [reason: string, signals: string[]][];
  ignored: number;
}

export const SnapshotRow = defineEntity({
  name: 'Snapshot',
  tableName: 'snapshot',
  properties: {
    id: p.type(LongId).primary().autoincrement(),
    endpointId: p.integer(),
    collectedAt: p.datetime(3),
    collector: word<CollectorKind>(),
    durationMs: p.integer(),
    reachable: p.boolean(),
    unreachableReason: p.text().nullable(),
    cpuPct: real().nullable(),
    memoryPct: real().nullable(),
    diskPct: real().nullable(),
    diskMount: p.string().nullable(),
    latencyMs: real().nullable(),
    packetLossPct: real().nullable(),
    dnsFailures: p.integer().nullable(),
    dnsLookups: p.integer().nullable(),
    servicesDown: p.json<string[]>().nullable(),
    logErrors: p.integer().nullable(),
    bootedAt: p.datetime(3).nullable(),
    /** Of rows that have no `readings`. */
    unmeasured: p.json<{ metric: string; reason: string }[]>(),
    readings: p.json<KeptReadings>().nullable(),
  },
  indexes: [
    {
      name: 'snapshot_endpoint_time',
      // With the metrics whose history is read for the whole fleet every hour: an endpoint's rows lie far apart in the table.
      properties: ['endpointId', 'collectedAt', 'cpuPct', 'memoryPct', 'diskPct'],
    },
  ],
});

export const ScoreRow = defineEntity({
  name: 'Score',
  tableName: 'score',
  properties: {
    id: p.type(LongId).primary().autoincrement(),
    endpointId: p.integer(),
    scoredAt: p.datetime(3),
    score: real(),
    status: word<ScoreStatus>(),
    coverage: real(),
    components: p.json<Record<Component, number | null>>(),
    deductions: p.json<Deduction[]>(),
    caps: p.json<AppliedCap[]>(),
    improvements: p.json<Improvement[]>(),
  },
  indexes: [{ name: 'score_endpoint_time', properties: ['endpointId', 'scoredAt'] }],
});

/** The fleet's average after each fleet scan: its history without reading every score again. */
export const FleetScoreRow = defineEntity({
  name: 'FleetScore',
  tableName: 'fleet_score',
  properties: {
    id: p.integer().primary(),
    at: p.datetime(3),
    average: real(),
    endpoints: p.integer(),
  },
  indexes: [{ name: 'fleet_score_at', properties: ['at'] }],
});

/** What a block holds: samples as they were taken, or their hourly roll-ups. The numbers are those of the database. */
export const SAMPLE_BLOCK_KINDS = { snapshot: 1, score: 2, snapshotHour: 3, scoreHour: 4 } as const;
export type SampleBlockKind = (typeof SAMPLE_BLOCK_KINDS)[keyof typeof SAMPLE_BLOCK_KINDS];

/** A day of samples of one endpoint, compressed. Without an index on time: blocks are read and deleted by endpoint. */
export const SampleBlockRow = defineEntity({
  name: 'SampleBlock',
  tableName: 'sample_block',
  properties: {
    endpointId: p.integer().primary(),
    kind: p.smallint().$type<SampleBlockKind>().primary(),
    /** Its beginning, in UTC. */
    day: p.datetime(3).primary(),
    samples: p.integer(),
    data: p.blob(),
  },
});

export const FleetScoreHourRow = defineEntity({
  name: 'FleetScoreHour',
  tableName: 'fleet_score_hour',
  properties: {
    hour: p.datetime(3).primary(),
    samples: p.integer(),
    ...aggregates(FLEET_MEASURES),
  },
});
