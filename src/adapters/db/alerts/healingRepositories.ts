/** Approvals and remediations in the database: every change that must happen once is one conditional update. */
import { type FilterQuery, type InferEntity, raw } from '@mikro-orm/core';
import type { ApprovalRepository, RemediationRepository, StoredApproval } from '../../../core/ports/alertPorts.ts';
import { OPEN_REMEDIATION_STATUSES, type Remediation } from '../../../domain/healing/remediation.ts';
import { ApprovalRow, RemediationRow } from '../entities/healing.ts';
import { type DbSession, plain } from '../rows.ts';

export function approvalRepository(session: DbSession): ApprovalRepository {
  return {
    async add(approval) {
      await session().insert(ApprovalRow, approval);
    },

    async get(id) {
      const row = await session().findOne(ApprovalRow, { id });
      return row && toApproval(row);
    },

    async list(filter, page) {
      const [rows, total] = await session().findAndCount(ApprovalRow, exact(filter), {
        orderBy: { requestedAt: 'desc', id: 'desc' },
        ...page,
      });
      return { items: rows.map(toApproval), total };
    },

    async replace({ id, version, ...approval }) {
      const changed = await session().nativeUpdate(ApprovalRow, { id, version }, { ...approval, version: version + 1 });
      return changed === 1;
    },

    async overdue(now, limit) {
      const rows = await session().find(
        ApprovalRow,
        { status: 'pending', expiresAt: { $lte: now } },
        { orderBy: { expiresAt: 'asc' }, limit },
      );
      return rows.map(toApproval);
    },

    async running(limit) {
      const rows = await session().find(
        ApprovalRow,
        { settledAt: null, status: 'approved', execution: 'running' },
        { orderBy: { decidedAt: 'asc' }, limit },
      );
      return rows.map(toApproval);
    },

    async unsettled(limit) {
      const rows = await session().find(
        ApprovalRow,
        { settledAt: null, status: { $ne: 'pending' } },
        { orderBy: { decidedAt: 'asc' }, limit },
      );
      return rows.map(toApproval);
    },

    async decidedSince(since) {
      const rows = await session().find(ApprovalRow, { decidedAt: { $gte: since } });
      return rows.map(toApproval);
    },
  };
}

export function remediationRepository(session: DbSession): RemediationRepository {
  return {
    async add(remediation) {
      await session().insert(RemediationRow, remediation);
    },

    async get(id) {
      const row = await session().findOne(RemediationRow, { id });
      return row && toRemediation(row);
    },

    async list(filter, page) {
      const [rows, total] = await session().findAndCount(RemediationRow, exact(filter), {
        orderBy: { createdAt: 'desc', id: 'desc' },
        ...page,
      });
      return { items: rows.map(toRemediation), total };
    },

    async move(id, from, patch) {
      return (await session().nativeUpdate(RemediationRow, { id, status: { $in: [...from] } }, patch)) === 1;
    },

    async ofEndpoint(endpointId, since) {
      const rows = await session().find(
        RemediationRow,
        { endpointId, $or: [{ createdAt: { $gte: since } }, { status: { $in: [...OPEN_REMEDIATION_STATUSES] } }] },
        { orderBy: { createdAt: 'asc', id: 'asc' } },
      );
      return rows.map(toRemediation);
    },

    async inStatus(statuses) {
      const rows = await session().find(
        RemediationRow,
        { status: { $in: [...statuses] } },
        { orderBy: { createdAt: 'asc', id: 'asc' } },
      );
      return rows.map(toRemediation);
    },

    async fleetRecord(since) {
      const [row] = await session()
        .createQueryBuilder(RemediationRow, 'r')
        .select([
          raw('count(*) as remediations'),
          raw(
            "coalesce(sum(case when status in ('failed', 'not_fixed', 'interrupted') then 1 else 0 end), 0) as failures",
          ),
        ])
        .where({ createdAt: { $gte: since }, dryRun: false, status: { $nin: ['denied', 'expired', 'cancelled'] } })
        .execute<{ remediations: number | string; failures: number | string }[]>('all');
      return { remediations: Number(row?.remediations ?? 0), failures: Number(row?.failures ?? 0) };
    },

    async answerFixCheck(id, fixed) {
      const changed = await session().nativeUpdate(
        RemediationRow,
        { id, status: 'fixed', ownerSaysFixed: null },
        { ownerSaysFixed: fixed },
      );
      return changed === 1;
    },

    async finishedSince(since) {
      const rows = await session().find(RemediationRow, { finishedAt: { $gte: since }, dryRun: false });
      return rows.map(toRemediation);
    },
  };
}

/** Fields that were left out of a filter do not filter. */
function exact<Row>(filter: object): FilterQuery<Row> {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as FilterQuery<Row>;
}

function toApproval(row: InferEntity<typeof ApprovalRow>): StoredApproval {
  return plain(ApprovalRow, row);
}

function toRemediation(row: InferEntity<typeof RemediationRow>): Remediation {
  return plain(RemediationRow, row);
}
