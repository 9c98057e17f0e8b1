/** The tables of who was shown what about whom, and of what people asked for about their own data. */
import { defineEntity, p } from '@mikro-orm/core';

export const RevealRow = defineEntity({
  name: 'Reveal',
  tableName: 'reveal',
  properties: {
    id: p.string().primary(),
    endpointId: p.integer(),
    hostname: p.string().length(253),
    ownerEmail: p.string().nullable(),
    requestedBy: p.string(),
    approvedBy: p.string().nullable(),
    role: p.string(),
    reason: p.text(),
    requestedAt: p.datetime(3),
    minutes: p.integer(),
    startsAt: p.datetime(3).nullable(),
    endsAt: p.datetime(3).nullable(),
  },
  indexes: [
    { name: 'reveal_endpoint', properties: ['endpointId', 'requestedAt'] },
    { name: 'reveal_ends', properties: ['endsAt'] },
    { name: 'reveal_requested', properties: ['requestedAt'] },
  ],
});

/** Counts, not single look-ups: who looked is answered by role and day. */
export const AccessRow = defineEntity({
  name: 'MachineAccess',
  tableName: 'machine_access',
  properties: {
    id: p.integer().primary(),
    endpointId: p.integer(),
    day: p.string().length(10),
    role: p.string(),
    via: p.string(),
    tool: p.string(),
    times: p.integer(),
  },
  uniques: [{ name: 'machine_access_once', properties: ['endpointId', 'day', 'role', 'via', 'tool'] }],
  indexes: [{ name: 'machine_access_day', properties: ['day'] }],
});

export const PauseRow = defineEntity({
  name: 'CollectionPause',
  tableName: 'collection_pause',
  properties: {
    endpointId: p.integer().primary().autoincrement(false),
    fromAt: p.datetime(3),
    untilAt: p.datetime(3),
  },
});
