/** Offers to owners in the database; that nobody is written to twice a day is a unique index's business. */
import type { InferEntity } from '@mikro-orm/core';
import type { OwnerRemedy, OwnerRemedyRepository } from '../../../core/ports/remedyPorts.ts';
import { OwnerRemedyOptOutRow, OwnerRemedyRow, OwnerReportRow } from '../entities/healing.ts';
import { type DbSession, placeholders, plain } from '../rows.ts';

/** Owners who are considered in one round. */
const MOST_CANDIDATES = 2000;

export function ownerRemedyRepository(session: DbSession): OwnerRemedyRepository {
  return {
    async add(remedy) {
      await session().upsert(OwnerRemedyRow, remedy, {
        onConflictFields: ['email', 'day'],
        onConflictAction: 'ignore',
      });
      return (await session().count(OwnerRemedyRow, { id: remedy.id })) === 1;
    },

    async get(id) {
      const row = await session().findOne(OwnerRemedyRow, { id });
      return row && toRemedy(row);
    },

    async list({ hostname, email }, page) {
      const where = { ...(hostname !== undefined && { hostname }), ...(email !== undefined && { email }) };
      const [rows, total] = await session().findAndCount(OwnerRemedyRow, where, {
        orderBy: { createdAt: 'desc', id: 'desc' },
        ...page,
      });
      return { items: rows.map(toRemedy), total };
    },

    async inStatus(statuses) {
      const rows = await session().find(
        OwnerRemedyRow,
        { status: { $in: [...statuses] } },
        { orderBy: { createdAt: 'asc', id: 'asc' } },
      );
      return rows.map(toRemedy);
    },

    async ofRemediation(remediationId) {
      const row = await session().findOne(OwnerRemedyRow, { $or: [{ remediationId }, { previewId: remediationId }] });
      return row && toRemedy(row);
    },

    async move(id, from, patch) {
      return (await session().nativeUpdate(OwnerRemedyRow, { id, status: { $in: [...from] } }, patch)) === 1;
    },

    async candidates({ alertNames, raisedBefore, notAskedSince, notAboutItSince }) {
      // By the plus SQLite looks for the open ones and sorts those, instead of reading all alerts in order.
      const rows = await session().execute<{ alert_id: number; email: string }[]>(
        `select a.id as alert_id, e.owner_email as email from alert a
         join endpoint e on e.id = a.endpoint_id
         left join owner_remedy_opt_out o on o.email = e.owner_email
         where a.status in ('active', 'needs_human', 'pending_approval')
           and a.alert_name in (${placeholders(alertNames)}) and a.created_at <= ?
           and e.deregistered_at is null and e.owner_email is not null and o.email is null
           and not exists (select 1 from owner_remedy r where r.email = e.owner_email and r.created_at > ?)
           and not exists (select 1 from owner_remedy r
             where r.endpoint_id = a.endpoint_id and r.alert_name = a.alert_name and r.created_at > ?)
         order by +a.id limit ${MOST_CANDIDATES}`,
        [...alertNames, raisedBefore, notAskedSince, notAboutItSince],
      );
      return rows.map(({ alert_id, email }) => ({ alertId: Number(alert_id), email }));
    },

    async setOptOut(email, at) {
      if (at === null) await session().nativeDelete(OwnerRemedyOptOutRow, { email });
      else await session().upsert(OwnerRemedyOptOutRow, { email, optedOutAt: at });
    },

    async setReportWanted(email, at) {
      if (at === null) await session().nativeDelete(OwnerReportRow, { email });
      else
        await session().upsert(
          OwnerReportRow,
          { email, wantedAt: at, sentFor: null },
          { onConflictFields: ['email'], onConflictAction: 'ignore' },
        );
    },

    async reportsDue(month, limit) {
      const rows = await session().find(
        OwnerReportRow,
        { $or: [{ sentFor: null }, { sentFor: { $ne: month } }] },
        { orderBy: { wantedAt: 'asc' }, limit },
      );
      return rows.map(({ email }) => email);
    },

    async reportSent(email, month) {
      const where = { email, $or: [{ sentFor: null }, { sentFor: { $ne: month } }] };
      return (await session().nativeUpdate(OwnerReportRow, where, { sentFor: month })) === 1;
    },
  };
}

function toRemedy(row: InferEntity<typeof OwnerRemedyRow>): OwnerRemedy {
  return plain(OwnerRemedyRow, row);
}
