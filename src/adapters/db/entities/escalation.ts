/** The tables of escalations. */
import { defineEntity, p } from '@mikro-orm/core';

export const EscalationRow = defineEntity({
  name: 'Escalation',
  tableName: 'escalation',
  properties: {
    subject: p.string().primary(),
    policy: p.string(),
    beganAt: p.datetime(3),
    stepsDone: p.integer(),
    notified: p.json<string[]>(),
    nextAt: p.datetime(3).nullable(),
    endedAt: p.datetime(3).nullable(),
  },
  indexes: [{ name: 'escalation_due', properties: ['endedAt', 'nextAt'] }],
});

export const OnCallOverrideRow = defineEntity({
  name: 'OnCallOverride',
  tableName: 'on_call_override',
  properties: {
    id: p.string().primary(),
    rotation: p.string(),
    personId: p.string(),
    personName: p.string().nullable(),
    fromAt: p.datetime(3),
    untilAt: p.datetime(3),
    setBy: p.string(),
  },
  indexes: [{ name: 'on_call_override_until', properties: ['untilAt'] }],
});
