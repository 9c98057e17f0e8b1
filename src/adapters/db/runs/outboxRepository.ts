/** Messages that wait to be told outside, in the database. */
import type { InferEntity } from '@mikro-orm/core';
import type { OutboxRepository } from '../../../core/ports/messagePorts.ts';
import type { OutboxMessage, StoredMessage } from '../../../domain/outbox.ts';
import { insertRows } from '../bulk.ts';
import { OutboxRow } from '../entities/messages.ts';
import { type DbSession, placeholders, plain } from '../rows.ts';

/** @param onWaiting called when messages have come to wait, before a transaction around it is committed */
export function outboxRepository(session: DbSession, onWaiting: () => void): OutboxRepository {
  return {
    async add(messages, now) {
      await insertRows(
        session(),
        OutboxRow,
        messages.map((message) => pending(message, now)),
      );
      if (messages.length > 0) onWaiting();
    },

    async addOnce(message, now) {
      await session().upsert(OutboxRow, pending(message, now), {
        onConflictFields: ['idempotencyKey'],
        onConflictAction: 'ignore',
      });
      onWaiting();
    },

    async due(messenger, now, limit) {
      const rows = await session().find(
        OutboxRow,
        { messenger, state: 'pending', nextAttemptAt: { $lte: now } },
        { orderBy: { id: 'asc' }, limit },
      );
      return rows.map(toMessage);
    },

    async lease(ids, now, until) {
      const rows = await session().execute<{ id: number }[]>(
        `update outbox set next_attempt_at = ?, attempts = attempts + 1
         where id in (${placeholders(ids)}) and state = 'pending' and next_attempt_at <= ? returning id`,
        [until, ...ids, now],
      );
      return new Set(rows.map(({ id }) => id));
    },

    async sent(ids, now) {
      await session().nativeUpdate(
        OutboxRow,
        { id: { $in: [...ids] } },
        { state: 'sent', sentAt: now, lastError: null },
      );
    },

    async postpone(ids, until, error) {
      await session().nativeUpdate(
        OutboxRow,
        { id: { $in: [...ids] }, state: 'pending' },
        { nextAttemptAt: until, lastError: error },
      );
    },

    async dead(ids, error, now) {
      await session().nativeUpdate(
        OutboxRow,
        { id: { $in: [...ids] }, state: 'pending' },
        { state: 'dead', lastError: error, nextAttemptAt: now },
      );
    },

    async deadLetters(messenger, page) {
      const [rows, total] = await session().findAndCount(
        OutboxRow,
        { state: 'dead', ...(messenger !== undefined && { messenger }) },
        { orderBy: { nextAttemptAt: 'desc', id: 'desc' }, ...page },
      );
      const items = rows.map((row) => ({
        ...toMessage(row),
        givenUpAt: row.nextAttemptAt,
        reason: row.lastError ?? '',
      }));
      return { items, total };
    },

    async revive(which, now) {
      const revived = await session().nativeUpdate(
        OutboxRow,
        { ...which, state: 'dead' },
        { state: 'pending', attempts: 0, createdAt: now, nextAttemptAt: now },
      );
      if (revived > 0) onWaiting();
      return revived;
    },

    async deadCounts() {
      const rows = await session().execute<
        { messenger: string; messages: number | string; last_error: string | null }[]
      >(
        `select messenger, count(*) as messages, max(last_error) as last_error from outbox where state = 'dead'
         group by messenger`,
      );
      return rows.map(({ messenger, messages, last_error }) => ({
        messenger,
        messages: Number(messages),
        lastError: last_error ?? '',
      }));
    },

    async prune(before) {
      const sent = await session().nativeDelete(OutboxRow, { state: 'sent', sentAt: { $lt: before } });
      return sent + (await session().nativeDelete(OutboxRow, { state: 'dead', createdAt: { $lt: before } }));
    },
  };
}

function pending(message: OutboxMessage, now: Date) {
  return {
    ...message,
    state: 'pending' as const,
    attempts: 0,
    createdAt: now,
    nextAttemptAt: now,
    sentAt: null,
    lastError: null,
  };
}

function toMessage(row: InferEntity<typeof OutboxRow>): StoredMessage {
  const { id, messenger, kind, subject, idempotencyKey, payload, attempts, createdAt } = plain(OutboxRow, row);
  return { id, messenger, kind, subject, idempotencyKey, payload, attempts, createdAt };
}
