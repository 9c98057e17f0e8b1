/** The tables of enrolments and of the agents that report. */
import { defineEntity, p } from '@mikro-orm/core';
import type { CriticalityTier, Persona } from '../../../domain/fleet/endpoint.ts';
import { word } from './columns.ts';

export const EnrolmentRow = defineEntity({
  name: 'Enrolment',
  tableName: 'enrolment',
  properties: {
    id: p.integer().primary(),
    digest: p.string().length(64),
    tags: p.json<Record<string, string>>(),
    persona: word<Persona>(),
    criticalityTier: p.integer().$type<CriticalityTier>(),
    ownerRule: p.string().nullable(),
    expiresAt: p.datetime(3),
    maxMachines: p.integer(),
    machines: p.integer(),
    createdBy: p.string(),
    createdAt: p.datetime(3),
    lastUsedAt: p.datetime(3).nullable(),
    revokedAt: p.datetime(3).nullable(),
  },
  uniques: [{ name: 'enrolment_digest', properties: ['digest'] }],
});

export const AgentRow = defineEntity({
  name: 'Agent',
  tableName: 'agent',
  properties: {
    endpointId: p.integer().primary(),
    enrolmentId: p.integer().nullable(),
    previousTokenDigest: p.string().length(64).nullable(),
    tokenIssuedAt: p.datetime(3),
    version: p.string().nullable(),
    enrolledAt: p.datetime(3),
  },
  indexes: [{ name: 'agent_previous_token', properties: ['previousTokenDigest'] }],
});

/** Versions of the agent that this service has offered to agents as an update. */
export const AgentReleaseRow = defineEntity({
  name: 'AgentRelease',
  tableName: 'agent_release',
  properties: {
    version: p.string().primary(),
    offeredAt: p.datetime(3),
    /** Agents that went back to the version before. */
    rolledBack: p.integer(),
  },
});
