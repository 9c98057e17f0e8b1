/** The tables of messages to the outside. */

import { defineEntity, p } from '@mikro-orm/core';
import { word } from './columns.ts';

export const OutboxRow = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  properties: {
    id: p.integer().primary(),
    /** Who delivers it: `slack`, `ticket`. */
    messenger: p.string(),
    kind: word<'raised' | 'changed'>(),
    /** Messages about the same thing share it, so that edits coalesce and repeats are recognised. */
    subject: p.string(),
    idempotencyKey: p.string(),
    payload: p.json<Record<string, unknown>>(),
    state: word<'pending' | 'sent' | 'dead'>(),
    attempts: p.integer(),
    createdAt: p.datetime(3),
    nextAttemptAt: p.datetime(3),
    sentAt: p.datetime(3).nullable(),
    lastError: p.text().nullable(),
  },
  uniques: [{ name: 'outbox_idempotency', properties: ['idempotencyKey'] }],
  indexes: [
    { name: 'outbox_due', properties: ['state', 'messenger', 'nextAttemptAt'] },
    { name: 'outbox_sent', properties: ['sentAt'] },
  ],
});

/** The Slack message about something, so that it can be edited. */
export const SlackMessageRow = defineEntity({
  name: 'SlackMessage',
  tableName: 'slack_message',
  properties: {
    id: p.integer().primary(),
    /** As in the outbox: `alert:42`. */
    subject: p.string(),
    channel: p.string(),
    ts: p.string(),
    digest: p.boolean(),
  },
  uniques: [{ name: 'slack_message_subject', properties: ['subject'] }],
  indexes: [{ name: 'slack_message_place', properties: ['channel', 'ts'] }],
});
