/** Which Slack message tells of what, in the database. */
import type { SlackMessageRepository } from '../../core/messagePorts.ts';
import { SlackMessageRow } from './entities/messages.ts';
import { plain, type Session } from './rows.ts';

export function slackMessageRepository(session: Session): SlackMessageRepository {
  return {
    async find(subject) {
      const row = await session().findOne(SlackMessageRow, { subject });
      if (!row) return null;
      const { id: _id, ...message } = plain(SlackMessageRow, row);
      return message;
    },
    async keep(messages) {
      await session().upsertMany(SlackMessageRow, [...messages], {
        onConflictFields: ['subject'],
        onConflictAction: 'merge',
      });
    },
  };
}
