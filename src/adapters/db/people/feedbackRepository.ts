/** Answers, cells and comments in the database. */
import { randomInt } from 'node:crypto';
import { type InferEntity, LockMode, raw, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { FeedbackRepository } from '../../../core/ports/feedbackPorts.ts';
import type { FeedbackSource } from '../../../domain/people/confidentiality.ts';
import { answersIn } from '../../../domain/people/enps.ts';
import { FeedbackCellRow, FeedbackCommentRow, FeedbackRow } from '../entities/people.ts';
import { chunked, type DbSession, plain } from '../rows.ts';

/** Says nothing about order or time; 47 bits, the most that randomInt draws from, make a repeat no concern. */
function drawnId(): number {
  return randomInt(1, 2 ** 47);
}

export function feedbackRepository(session: DbSession): FeedbackRepository {
  return {
    async add(answers) {
      const rows = answers.map((answer) => ({ id: drawnId(), ...answer }));
      // In the order of the drawn ids, so that the place on the disk tells nothing either.
      for (const chunk of chunked(rows.toSorted((a, b) => a.id - b.id))) await session().insertMany(FeedbackRow, chunk);
      return rows.map(({ id }) => id);
    },

    async addOf(voice, answer) {
      const replace = () =>
        session().transactional(async (em) => {
          const replaced = (await em.nativeDelete(FeedbackRow, { voice })) > 0;
          const id = drawnId();
          await em.insert(FeedbackRow, { id, ...answer, voice });
          return { id, replaced };
        });
      return replace().catch((error: unknown) => {
        // Its other answer came at the same moment, and is the earlier one now.
        if (error instanceof UniqueConstraintViolationException) return replace();
        throw error;
      });
    },

    waiting: (source) => session().count(FeedbackRow, { source }),

    async take(source, limit) {
      // A second taker waits at the lock and then finds the rows gone.
      const rows = await session().find(
        FeedbackRow,
        { source },
        { orderBy: { id: 'asc' }, limit, lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      for (const chunk of chunked(rows)) {
        await session().nativeDelete(FeedbackRow, { id: { $in: chunk.map(({ id }) => id) } });
      }
      return rows.map((row) => {
        const { id: _id, voice: _whose, ...answer } = plain(FeedbackRow, row);
        return answer;
      });
    },

    async addCells(cells) {
      const rows = cells.map((cell) => ({ ...cell, answers: answersIn(cell.tally), commentsOut: false }));
      for (const chunk of chunked(rows)) await session().insertMany(FeedbackCellRow, chunk);
    },

    async addComments(source, comments) {
      const rows = comments
        .map((comment) => ({ id: drawnId(), source, ...comment, on: null }))
        .sort((a, b) => a.id - b.id);
      for (const chunk of chunked(rows)) await session().insertMany(FeedbackCommentRow, chunk);
    },

    async answersWithheld(source) {
      const [row] = await session()
        .createQueryBuilder(FeedbackCellRow, 'c')
        .select(raw('coalesce(sum(answers), 0) as answers'))
        .where({ source, commentsOut: false })
        .execute<{ answers: number | string }[]>('all');
      return Number(row?.answers);
    },

    async giveOutComments(source, on) {
      await session().nativeUpdate(FeedbackCommentRow, { source, on: null }, { on });
      await session().nativeUpdate(FeedbackCellRow, { source, commentsOut: false }, { commentsOut: true });
    },

    async cells(since) {
      const rows = await session().find(
        FeedbackCellRow,
        { on: { $gte: since } },
        { orderBy: { on: 'asc', id: 'asc' } },
      );
      return rows.map(toCell);
    },

    async comments(since, limit) {
      const rows = await session().find(
        FeedbackCommentRow,
        { on: { $gte: since } },
        { orderBy: { on: 'desc', id: 'asc' }, limit },
      );
      return rows.map(({ category, text }) => ({ category, text }));
    },
  };
}

function toCell(row: InferEntity<typeof FeedbackCellRow>): {
  source: FeedbackSource;
  on: string;
  groups: string[];
  tally: InferEntity<typeof FeedbackCellRow>['tally'];
} {
  const { source, on, groups, tally } = row;
  return { source, on, groups, tally };
}
