/** Votes on runbooks in the database. */
import { raw } from '@mikro-orm/core';
import type { RunbookVoteRepository } from '../../../core/ports/storePorts.ts';
import { RunbookFeedbackRow } from '../entities/people.ts';
import type { DbSession } from '../rows.ts';

export function runbookVoteRepository(session: DbSession): RunbookVoteRepository {
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
        // Not `as helped`: under a column's own name the sum would be read as that column, a boolean.
        .select(['docId', raw('count(*) as votes'), raw('sum(case when helped then 1 else 0 end) as yes')])
        .groupBy('docId')
        .execute<{ docId: string; votes: number | string; yes: number | string }[]>('all');
      return new Map(
        rows.map(({ docId, votes, yes }) => [docId, { helped: Number(yes), notHelped: Number(votes) - Number(yes) }]),
      );
    },
  };
}
