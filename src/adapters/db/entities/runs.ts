/** The tables of the service's own work: runs, jobs, processes, keys, audit. */

import { defineEntity, p } from '@mikro-orm/core';
import type { KeyHolder, Role } from '../../../core/actor.ts';
import type { ScanShard } from '../../../core/ports/storePorts.ts';
import type { Selection } from '../../../domain/fleet/selection.ts';
import type { RunKind, RunStatus } from '../../../domain/run.ts';
import { real, word } from './columns.ts';

export const RunRow = defineEntity({
  name: 'Run',
  tableName: 'run',
  properties: {
    id: p.string().primary(),
    kind: word<RunKind>(),
    status: word<RunStatus>(),
    hostname: p.string().nullable(),
    goal: p.text().nullable(),
    agentProfile: p.string().nullable(),
    requestedBy: p.string(),
    via: p.string(),
    createdAt: p.datetime(3),
    startedAt: p.datetime(3).nullable(),
    finishedAt: p.datetime(3).nullable(),
    error: p.text().nullable(),
    result: p.json<unknown>().nullable(),
    steps: p.json<unknown[]>(),
    state: p.json<unknown>().nullable(),
    usage: p.json<{ inputTokens: number; outputTokens: number }>().nullable(),
    costUsd: real().nullable(),
    workerId: p.string().nullable(),
  },
  uniques: [
    {
      name: 'run_one_fleet_scan',
      properties: ['kind'],
      where: "kind = 'fleet_scan' and status in ('queued', 'running')",
    },
  ],
  indexes: [
    { name: 'run_status_kind', properties: ['status', 'kind'] },
    { name: 'run_created', properties: ['createdAt'] },
    { name: 'run_finished', properties: ['finishedAt'] },
    { name: 'run_hostname_created', properties: ['hostname', 'createdAt'] },
  ],
});

export const LlmSpendRow = defineEntity({
  name: 'LlmSpend',
  tableName: 'llm_spend',
  properties: {
    day: p.string().length(10).primary(),
    caller: p.string().primary(),
    spentUsd: real(),
    reservedUsd: real(),
  },
});

export const ScanShardRow = defineEntity({
  name: 'ScanShard',
  tableName: 'scan_shard',
  properties: {
    id: p.string().primary(),
    runId: p.string(),
    fromId: p.integer(),
    toId: p.integer(),
    endpoints: p.integer(),
    status: word<ScanShard['status']>(),
    workerId: p.string().nullable(),
    attempts: p.integer(),
    doneIds: p.json<number[]>(),
    scanned: p.integer(),
    scored: p.integer(),
    unreachable: p.integer(),
    skippedPush: p.integer(),
    notes: p.json<string[]>(),
  },
  indexes: [{ name: 'scan_shard_run', properties: ['runId', 'status'] }],
});

export const AuditRow = defineEntity({
  name: 'Audit',
  tableName: 'audit',
  properties: {
    id: p.integer().primary(),
    at: p.datetime(3),
    actor: p.string(),
    actorKind: p.string(),
    via: p.string(),
    role: p.string(),
    tool: p.string(),
    inputDigest: p.string(),
    subject: p.string().nullable(),
    outcome: word<'ok' | 'denied' | 'failed'>(),
    error: p.text().nullable(),
    durationMs: p.integer(),
  },
  indexes: [
    { name: 'audit_at', properties: ['at'] },
    { name: 'audit_actor_at', properties: ['actor', 'at'] },
  ],
});

export const ApiKeyRow = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    id: p.integer().primary(),
    name: p.string().length(64),
    role: word<Role>(),
    holder: word<KeyHolder>().default('agent'),
    digest: p.string().length(64),
    selection: p.json<Selection>().nullable(),
    createdBy: p.string(),
    createdAt: p.datetime(3),
    lastUsedAt: p.datetime(3).nullable(),
    revokedAt: p.datetime(3).nullable(),
  },
  uniques: [
    { name: 'api_key_digest', properties: ['digest'] },
    { name: 'api_key_name_valid', properties: ['name'], where: 'revoked_at is null' },
  ],
});

export const WorkerRow = defineEntity({
  name: 'Worker',
  tableName: 'worker',
  properties: {
    id: p.string().primary(),
    host: p.string(),
    pid: p.integer(),
    startedAt: p.datetime(3),
    seenAt: p.datetime(3),
    works: p.boolean(),
  },
});

export const JobRow = defineEntity({
  name: 'Job',
  tableName: 'job',
  properties: {
    job: p.string().primary(),
    lastStartedAt: p.datetime(3),
    lastSucceededAt: p.datetime(3).nullable(),
    lastFailedAt: p.datetime(3).nullable(),
    failures: p.integer(),
    lastError: p.text().nullable(),
  },
});
