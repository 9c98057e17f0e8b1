/** Alerts and their timelines in the database. */

import { type FilterQuery, type InferEntity, raw } from '@mikro-orm/core';
import type { AlertFilter, AlertRepository } from '../../../core/ports/alertPorts.ts';
import type { Alert, AlertEvent, Severity } from '../../../domain/alerts/alert.ts';
import { LOW_SCORE } from '../../../domain/alerts/alertRules.ts';
import { healthyGapsMs } from '../../../domain/alerts/kpi.ts';
import { equalRows, insertKeyedRows, insertRows, readRows, saveRows } from '../bulk.ts';
import { AlertEventRow, AlertRow } from '../entities/alerts.ts';
import { chunked, type DbSession, placeholders, plain } from '../rows.ts';

type Row = InferEntity<typeof AlertRow>;

const OPEN = { status: { $ne: 'resolved' } } as const;

const PROGRESS_FIELDS = [
  'status',
  'series',
  'seriesStartsMs',
  'acknowledgedAt',
  'acknowledgedUntil',
  'acknowledgedBy',
  'remediationRunId',
  'ticket',
  'handledAt',
  'updatedAt',
  'resolvedAt',
  'resolution',
] as const satisfies (keyof Alert)[];

const MUTABLE_FIELDS = [
  ...PROGRESS_FIELDS,
  'alertType',
  'severity',
  'message',
  'labels',
  'startsAt',
  'predictedTimeToImpact',
  'flaps',
] as const satisfies (keyof Alert)[];

const KPI_FIELDS = [
  'id',
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

export function alertRepository(session: DbSession): AlertRepository {
  const read = (tail: string, parameters: readonly unknown[]): Promise<Alert[]> =>
    readRows(session(), AlertRow, tail, parameters);

  /** How long alerts that came back were over in between. */
  async function healthyTimes(alertIds: number[]): Promise<Map<number, number>> {
    const found = new Map<number, number>();
    for (const ids of chunked(alertIds)) {
      const events = await session().find(
        AlertEventRow,
        { alertId: { $in: ids } },
        { fields: ['alertId', 'at', 'from', 'to'], orderBy: { alertId: 'asc', id: 'asc' } },
      );
      for (const [id, moves] of Map.groupBy(events, ({ alertId }) => alertId)) {
        found.set(id, healthyGapsMs(moves.map(({ at, from, to }) => ({ at, from: from ?? null, to }))));
      }
    }
    return found;
  }

  return {
    async remediationRecords(endpointIds, since) {
      const rows = await session()
        .createQueryBuilder(AlertRow, 'a')
        .select([
          'endpointId',
          raw('count(*) as total'),
          raw("sum(case when status = 'resolved' then 1 else 0 end) as resolved"),
        ])
        .where({ endpointId: { $in: endpointIds }, createdAt: { $gte: since }, alertName: { $ne: LOW_SCORE } })
        .groupBy('endpointId')
        .execute<{ endpointId: number; total: number | string; resolved: number | string }[]>('all');
      return new Map(rows.map((row) => [row.endpointId, { total: Number(row.total), resolved: Number(row.resolved) }]));
    },

    async open(endpointIds) {
      const which = endpointIds === undefined ? '' : ` and endpoint_id in (${placeholders(endpointIds)})`;
      return read(`where status <> 'resolved'${which} order by id`, endpointIds ?? []);
    },

    async recent(identities, resolvedSince) {
      const found: Alert[] = [];
      for (const chunk of chunked([...identities])) {
        const wanted = chunk.map(() => '(cast(? as text), cast(? as text))').join(', ');
        found.push(
          ...(await read(
            `join (values ${wanted}) wanted on alert.hostname = wanted.column1 and alert.alert_name = wanted.column2
             where status <> 'resolved' or resolved_at >= ? order by id`,
            [...chunk.flatMap(({ hostname, alertName }) => [hostname, alertName]), resolvedSince],
          )),
        );
      }
      return found;
    },

    async get(id) {
      const row = await session().findOne(AlertRow, { id });
      return row && toAlert(row);
    },

    async byIds(ids) {
      return read(`where id in (${placeholders(ids)}) order by id`, ids);
    },

    async list(filter, page) {
      const [rows, total] = await session().findAndCount(AlertRow, condition(filter), {
        orderBy: { createdAt: 'desc', id: 'desc' },
        ...page,
      });
      return { items: rows.map(toAlert), total };
    },

    add: (drafts) => insertKeyedRows(session(), AlertRow, drafts),

    save: (alerts) => saveRows(session(), AlertRow, alerts, MUTABLE_FIELDS),
    saveProgress: (alerts) => saveRows(session(), AlertRow, alerts, PROGRESS_FIELDS),

    addEvents: (events) => insertRows(session(), AlertEventRow, events),

    async timeline(alertId) {
      return (await session().find(AlertEventRow, { alertId }, { orderBy: { id: 'asc' } })).map(toEvent);
    },

    async timelines(endpointIds, since) {
      const alerts = await read(
        `where endpoint_id in (${placeholders(endpointIds)}) and (status <> 'resolved' or created_at >= ? or updated_at >= ?)
         order by id`,
        [...endpointIds, since, since],
      );
      const events = new Map<number, AlertEvent[]>();
      for (const ids of chunked(alerts.map(({ id }) => id))) {
        const rows = await readRows(
          session(),
          AlertEventRow,
          `where alert_id in (${placeholders(ids)}) order by id`,
          ids,
        );
        for (const row of rows) {
          const known = events.get(row.alertId);
          if (known) known.push(toEvent(row));
          else events.set(row.alertId, [toEvent(row)]);
        }
      }
      const found = alerts.map((alert) => ({ alert, events: events.get(alert.id) ?? [] }));
      return Map.groupBy(found, ({ alert }) => alert.endpointId);
    },

    silenceOver: (now, limit) =>
      read("where status = 'acknowledged' and acknowledged_until <= ? order by id limit ?", [now, limit]),

    unmoved: (alerts) => equalRows(session(), AlertRow, alerts, ['updatedAt']),

    unhandled: (limit) => read("where handled_at is null and status <> 'resolved' order by id limit ?", [limit]),

    async markHandled(ids, seenAt, now) {
      const unmoved = { id: { $in: ids }, handledAt: null, updatedAt: { $lte: seenAt } };
      await session().nativeUpdate(AlertRow, unmoved, { handledAt: now });
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
      const healthyMs = await healthyTimes(rows.filter(({ flaps }) => flaps > 0).map(({ id }) => id));
      return rows.map(({ id, acknowledgedAt, resolvedAt, resolution, ...row }) => ({
        ...row,
        acknowledgedAt: acknowledgedAt ?? null,
        resolvedAt: resolvedAt ?? null,
        resolution: resolution ?? null,
        healthyMs: healthyMs.get(id) ?? 0,
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

function toAlert(row: Row): Alert {
  return plain(AlertRow, row);
}

function toEvent(row: InferEntity<typeof AlertEventRow>): AlertEvent {
  const { id: _id, ...event } = plain(AlertEventRow, row);
  return event;
}
