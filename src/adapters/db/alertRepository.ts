/** Alerts and their timelines in the database. */
import { type FilterQuery, type InferEntity, raw } from '@mikro-orm/core';
import type { AlertFilter, AlertRepository } from '../../core/alertPorts.ts';
import type { Alert, AlertEvent, Severity } from '../../domain/alert.ts';
import type { AlertDraft } from '../../domain/alertMoves.ts';
import { AlertEventRow, AlertRow } from './entities/alerts.ts';
import { chunked, plain, type Session } from './rows.ts';

type Row = InferEntity<typeof AlertRow>;

const OPEN = { status: { $ne: 'resolved' } } as const;

const MUTABLE_FIELDS = [
  'alertType',
  'severity',
  'message',
  'status',
  'labels',
  'series',
  'startsAt',
  'acknowledgedAt',
  'acknowledgedUntil',
  'acknowledgedBy',
  'predictedTimeToImpact',
  'remediationRunId',
  'ticket',
  'flaps',
  'handledAt',
  'updatedAt',
  'resolvedAt',
  'resolution',
] as const satisfies (keyof Alert)[];

const KPI_FIELDS = [
  'hostname',
  'alertName',
  'status',
  'startsAt',
  'createdAt',
  'acknowledgedAt',
  'resolvedAt',
  'resolution',
  'flaps',
] as const;

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
      const where = endpointIds === undefined ? OPEN : { ...OPEN, endpointId: { $in: [...endpointIds] } };
      return (await session().find(AlertRow, where, { orderBy: { id: 'asc' } })).map(toAlert);
    },

    async recent(identities, resolvedSince) {
      const found: Alert[] = [];
      for (const chunk of chunked([...identities])) {
        const wanted = chunk.map(() => '(cast(? as text), cast(? as text))').join(', ');
        const ids = await session().execute<{ id: number }[]>(
          `with wanted(hostname, alert_name) as (values ${wanted})
           select a.id from wanted w join alert a on a.hostname = w.hostname and a.alert_name = w.alert_name
           where a.status <> 'resolved' or a.resolved_at >= ?`,
          [...chunk.flatMap(({ hostname, alertName }) => [hostname, alertName]), resolvedSince],
        );
        if (ids.length === 0) continue;
        const rows = await session().find(
          AlertRow,
          { id: { $in: ids.map(({ id }) => id) } },
          { orderBy: { id: 'asc' } },
        );
        found.push(...rows.map(toAlert));
      }
      return found;
    },

    async get(id) {
      const row = await session().findOne(AlertRow, { id });
      return row && toAlert(row);
    },

    async byIds(ids) {
      return (await session().find(AlertRow, { id: { $in: [...ids] } }, { orderBy: { id: 'asc' } })).map(toAlert);
    },

    async list(filter, page) {
      const [rows, total] = await session().findAndCount(AlertRow, condition(filter), {
        orderBy: { createdAt: 'desc', id: 'desc' },
        ...page,
      });
      return { items: rows.map(toAlert), total };
    },

    async add(drafts) {
      const ids: number[] = [];
      const em = session();
      for (const chunk of chunked([...drafts])) {
        // insertMany tells one id only. Ids are given in the order of the rows, the order of the answer is not promised.
        const { rows } = await em
          .getDriver()
          .nativeInsertMany(AlertRow, chunk.map(withoutId), { ctx: em.getTransactionContext() });
        ids.push(...(rows ?? []).map((row) => Number(row.id)).sort((a, b) => a - b));
      }
      return ids;
    },

    async save(alerts) {
      for (const chunk of chunked([...alerts])) {
        // An upsert that always conflicts changes a whole chunk in one statement; by the builder, since entities would only be made to be thrown away.
        await session()
          .createQueryBuilder(AlertRow)
          .insert(chunk)
          .onConflict('id')
          .merge([...MUTABLE_FIELDS])
          .execute('run');
      }
    },

    async addEvents(events) {
      for (const chunk of chunked([...events])) await session().insertMany(AlertEventRow, chunk);
    },

    async timeline(alertId) {
      return (await session().find(AlertEventRow, { alertId }, { orderBy: { id: 'asc' } })).map(toEvent);
    },

    async quietTimeOver(now, limit) {
      const rows = await session().find(
        AlertRow,
        { status: 'acknowledged', acknowledgedUntil: { $lte: now } },
        { orderBy: { id: 'asc' }, limit },
      );
      return rows.map(toAlert);
    },

    async unhandled(limit) {
      const rows = await session().find(AlertRow, { ...OPEN, handledAt: null }, { orderBy: { id: 'asc' }, limit });
      return rows.map(toAlert);
    },

    async markHandled(ids, now) {
      await session().nativeUpdate(AlertRow, { id: { $in: [...ids] } }, { handledAt: now });
    },

    async openCounts() {
      const rows = await session()
        .createQueryBuilder(AlertRow, 'a')
        .select(['severity', 'alertName', raw('count(*) as alerts')])
        .where(OPEN)
        .groupBy(['severity', 'alertName'])
        .execute<{ severity: Severity; alertName: string; alerts: number | string }[]>('all');
      return rows.map((row) => ({ ...row, alerts: Number(row.alerts) }));
    },

    async movedSince(since) {
      // Three questions to three indexes: asked for the one or the other, SQLite would read every alert there is.
      const reads = (['createdAt', 'acknowledgedAt', 'resolvedAt'] as const).map((at) =>
        session().find(AlertRow, { [at]: { $gte: since } }, { fields: KPI_FIELDS }),
      );
      const found = new Map((await Promise.all(reads)).flat().map((row) => [row.id, row]));
      const rows = [...found.values()].sort((a, b) => a.id - b.id);
      return rows.map(({ acknowledgedAt, resolvedAt, resolution, ...row }) => ({
        ...row,
        acknowledgedAt: acknowledgedAt ?? null,
        resolvedAt: resolvedAt ?? null,
        resolution: resolution ?? null,
      }));
    },
  };
}

function condition({ status = 'open', since, ...exact }: AlertFilter): FilterQuery<Row> {
  return {
    ...Object.fromEntries(Object.entries(exact).filter(([, value]) => value !== undefined)),
    ...(status === 'open' ? OPEN : status === 'all' ? {} : { status }),
    ...(since && { createdAt: { $gte: since } }),
  };
}

function withoutId({ id: _none, ...draft }: AlertDraft): Omit<Alert, 'id'> {
  return draft;
}

function toAlert(row: Row): Alert {
  return plain(AlertRow, row);
}

function toEvent(row: InferEntity<typeof AlertEventRow>): AlertEvent {
  const { id: _id, ...event } = plain(AlertEventRow, row);
  return event;
}
