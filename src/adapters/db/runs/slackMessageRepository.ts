/** Which Slack message tells of what, in the database. */
import type { InferEntity } from '@mikro-orm/core';
import type { SlackMessage, SlackMessageRepository } from '../../../core/ports/messagePorts.ts';
import { SlackMessageRow } from '../entities/messages.ts';
import { beginsWith, type DbSession, plain } from '../rows.ts';

function toMessage(row: InferEntity<typeof SlackMessageRow>): SlackMessage {
  const { id: _id, ...message } = plain(SlackMessageRow, row);
  return message;
}

export function slackMessageRepository(session: DbSession): SlackMessageRepository {
  return {
    async find(subject) {
      const row = await session().findOne(SlackMessageRow, { subject });
      return row && toMessage(row);
    },
    async keep(messages) {
      await session().upsertMany(SlackMessageRow, [...messages], {
        onConflictFields: ['subject'],
        onConflictAction: 'merge',
      });
    },
    async sharing({ channel, ts }) {
      const rows = await session().find(SlackMessageRow, { channel, ts }, { orderBy: { id: 'asc' } });
      return rows.map(({ subject }) => subject);
    },
    async about(prefix) {
      return (await session().find(SlackMessageRow, beginsWith('subject', prefix))).map(toMessage);
    },
    async latestDigest() {
      const row = await session().findOne(SlackMessageRow, { digest: true }, { orderBy: { id: 'desc' } });
      return row && toMessage(row);
    },
    async forget(subject) {
      await session().nativeDelete(SlackMessageRow, { subject });
    },
  };
}
