/** Votes on runbooks in the database. */
import { raw } from '@mikro-orm/core';
import type { RunbookVoteRepository } from '../../core/ports.ts';
import { RunbookFeedbackRow } from './entities.ts';
import type { Session } from './rows.ts';

export function runbookVoteRepository(session: Session): RunbookVoteRepository {
  return {
    async cast({ alertId, ...vote }, now) {
      await session().upsert(
        RunbookFeedbackRow,
        { ...vote, alertId: alertId ?? 0, votedAt: now },
        { onConflictFields: ['docId', 'voter', 'alertId'], onConflictMergeFields: ['helped', 'votedAt'] },
      );
    },

    async counts() {
      const rows = await session()
        .createQueryBuilder(RunbookFeedbackRow, 'v')
        .select(['docId', raw('count(*) as votes'), raw('sum(case when helped then 1 else 0 end) as helped')])
        .groupBy('docId')
        .execute<{ docId: string; votes: number | string; helped: number | string }[]>('all');
      return new Map(
        rows.map(({ docId, votes, helped }) => [
          docId,
          { helped: Number(helped), notHelped: Number(votes) - Number(helped) },
        ]),
      );
    },
  };
}
