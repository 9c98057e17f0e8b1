/** Alerts in the database. */
import { type InferEntity, raw } from '@mikro-orm/core';
import type { AlertRepository } from '../../core/ports.ts';
import type { Alert } from '../../domain/alert.ts';
import { AlertRow } from './entities.ts';
import { plain, type Session } from './rows.ts';

export function alertRepository(session: Session): AlertRepository {
  return {
    async remediationRecords(endpointIds, since) {
      const rows = await session()
        .createQueryBuilder(AlertRow, 'a')
        .select([
          'endpointId',
          raw('count(*) as total'),
          raw("sum(case when status = 'resolved' then 1 else 0 end) as resolved"),
        ])
        .where({ endpointId: { $in: endpointIds }, createdAt: { $gte: since } })
        .groupBy('endpointId')
        .execute<{ endpointId: number; total: number | string; resolved: number | string }[]>('all');
      return new Map(rows.map((row) => [row.endpointId, { total: Number(row.total), resolved: Number(row.resolved) }]));
    },

    async open(endpointIds) {
      const rows = await session().find(AlertRow, { endpointId: { $in: endpointIds }, status: { $ne: 'resolved' } });
      return rows.map(toAlert);
    },
  };
}

function toAlert(row: InferEntity<typeof AlertRow>): Alert {
  return plain(AlertRow, row);
}
