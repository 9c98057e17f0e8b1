/** Surveys, invitations, the right to answer, and who was asked when, in the database. */
import { type FilterQuery, type InferEntity, raw, UniqueConstraintViolationException } from '@mikro-orm/core';
import { AppError } from '../../../core/errors.ts';
import type { SurveyRepository } from '../../../core/ports/feedbackPorts.ts';
import type { Invitation, Survey } from '../../../domain/people/survey.ts';
import { SurveyInvitationRow, SurveyPersonRow, SurveyRow, SurveySeatRow } from '../entities/people.ts';
import { chunked, type DbSession, plain } from '../rows.ts';

type Row = InferEntity<typeof SurveyInvitationRow>;

const WITH_SEAT = { id: { $in: raw('(select invitation_id from survey_seat)') } };

export function surveyRepository(session: DbSession): SurveyRepository {
  const invitations = async (where: FilterQuery<Row>, limit?: number): Promise<Invitation[]> =>
    (await session().find(SurveyInvitationRow, where, { orderBy: { id: 'asc' }, limit })).map(toInvitation);

  return {
    async add(survey) {
      try {
        return { ...survey, id: await session().insert(SurveyRow, survey) };
      } catch (error) {
        if (!(error instanceof UniqueConstraintViolationException)) throw error;
        throw new AppError('conflict', 'A survey is open already: close it first, or wait for its end.', undefined, {
          next: [
            { to: 'Find it', tool: 'list_surveys' },
            { to: 'Close it', tool: 'close_survey' },
          ],
        });
      }
    },

    async open() {
      const row = await session().findOne(SurveyRow, { status: 'open' });
      return row && toSurvey(row);
    },

    async get(id) {
      const row = await session().findOne(SurveyRow, { id });
      return row && toSurvey(row);
    },

    async list(page) {
      const [rows, total] = await session().findAndCount(SurveyRow, {}, { orderBy: { id: 'desc' }, ...page });
      return { items: rows.map(toSurvey), total };
    },

    async close(id, now) {
      const closed = await session().nativeUpdate(
        SurveyRow,
        { id, status: 'open' },
        { status: 'closed', closedAt: now },
      );
      await session().nativeDelete(SurveySeatRow, { surveyId: id });
      await session().nativeUpdate(SurveyInvitationRow, { surveyId: id }, { tokenDigest: null, reminderDigest: null });
      return closed === 1;
    },

    async askable(notAskedSince) {
      const rows = await session().execute<{ email: string }[]>(
        `select distinct e.owner_email as email from endpoint e
         left join survey_person p on p.email = e.owner_email
         where e.deregistered_at is null and e.owner_email is not null
           and p.opted_out_at is null and (p.asked_at is null or p.asked_at <= ?)
         order by 1`,
        [notAskedSince],
      );
      return rows.map(({ email }) => email);
    },

    async invite(surveyId, emails) {
      for (const chunk of chunked([...emails])) {
        const rows = chunk.map((email) => ({
          surveyId,
          email,
          state: 'waiting' as const,
          timeZone: null,
          askedAt: null,
          remindedAt: null,
          tokenDigest: null,
          reminderDigest: null,
        }));
        await session().insertMany(SurveyInvitationRow, rows);
      }
      await session().execute(
        'insert into survey_seat (invitation_id, survey_id) select id, survey_id from survey_invitation where survey_id = ?',
        [surveyId],
      );
    },

    async invitation(id) {
      return (await invitations({ id }))[0] ?? null;
    },

    async byToken(digest) {
      return (await invitations({ $or: [{ tokenDigest: digest }, { reminderDigest: digest }] }))[0] ?? null;
    },

    async countStates(surveyId) {
      const rows = await session()
        .createQueryBuilder(SurveyInvitationRow, 'i')
        .select(['state', raw('count(*) as invitations')])
        .where({ surveyId })
        .groupBy('state')
        .execute<{ state: Invitation['state']; invitations: number | string }[]>('all');
      const counts = { waiting: 0, asked: 0, unreachable: 0 };
      for (const { state, invitations: count } of rows) counts[state] = Number(count);
      return counts;
    },

    withoutTimeZone: (surveyId, limit) =>
      invitations({ surveyId, state: 'waiting', timeZone: null, ...WITH_SEAT }, limit),

    async timeZones(surveyId) {
      const rows = await session().execute<{ time_zone: string }[]>(
        'select distinct time_zone from survey_invitation where survey_id = ? and time_zone is not null',
        [surveyId],
      );
      return rows.map((row) => row.time_zone);
    },

    toAsk: (surveyId, timeZones, limit) =>
      invitations({ surveyId, state: 'waiting', timeZone: { $in: [...timeZones] }, ...WITH_SEAT }, limit),

    toRemind: (surveyId, timeZones, askedBefore, limit) =>
      invitations(
        {
          surveyId,
          state: 'asked',
          remindedAt: null,
          askedAt: { $lte: askedBefore },
          timeZone: { $in: [...timeZones] },
          ...WITH_SEAT,
        },
        limit,
      ),

    async update(id, patch) {
      await session().nativeUpdate(SurveyInvitationRow, { id }, patch);
    },

    async rememberToken(id, digest, reminder) {
      await session().nativeUpdate(
        SurveyInvitationRow,
        { id },
        reminder ? { reminderDigest: digest } : { tokenDigest: digest },
      );
    },

    seats: (surveyId) => session().count(SurveySeatRow, { surveyId }),
    hasSeat: async (invitationId) => (await session().count(SurveySeatRow, { invitationId })) > 0,
    giveUpSeat: async (invitationId) => (await session().nativeDelete(SurveySeatRow, { invitationId })) === 1,

    async countAnswer(surveyId) {
      await session().execute('update survey set answered = answered + 1 where id = ?', [surveyId]);
    },

    async rememberAsked(email, at) {
      await session().upsert(SurveyPersonRow, { email, askedAt: at }, { onConflictMergeFields: ['askedAt'] });
    },

    async setOptOut(email, at) {
      await session().upsert(SurveyPersonRow, { email, optedOutAt: at }, { onConflictMergeFields: ['optedOutAt'] });
      if (at === null) return;
      await session().execute(
        'delete from survey_seat where invitation_id in (select id from survey_invitation where email = ?)',
        [email],
      );
    },
  };
}

function toSurvey(row: InferEntity<typeof SurveyRow>): Survey {
  return plain(SurveyRow, row);
}

function toInvitation(row: Row): Invitation {
  const { tokenDigest: _token, reminderDigest: _reminder, ...invitation } = plain(SurveyInvitationRow, row);
  return invitation;
}
