/** Hourly roll-ups in the database: samples are taken out of one table, roll-ups of them put into another. */
import { SqliteDriver } from '@mikro-orm/sql';
import type { SampleArchive } from '../../../core/ports/retentionPorts.ts';
import {
  FLEET_MEASURES,
  type FleetMeasure,
  type HourlyRollUp,
  SCORE_MEASURES,
  type ScoreMeasure,
  SNAPSHOT_MEASURES,
  type SnapshotMeasure,
} from '../../../domain/scores/rollUp.ts';
import { chunked, type DbSession, type DbTimestamp, msOf, placeholders } from '../rows.ts';
import { type RollUpRow, spreadColumns, spreadValues, toRollUp } from './rollUpRows.ts';

interface Tables<Measure extends string> {
  samples: string;
  /** The column of a sample that says when it was taken. */
  at: string;
  /** Each measure of a sample, as SQL. */
  values: Record<Measure, string>;
  rollUps: string;
  measures: readonly Measure[];
  /** False where there is one subject only. */
  byEndpoint: boolean;
}

export function snapshotArchive(session: DbSession): SampleArchive<SnapshotMeasure> {
  return archive(session, {
    samples: 'snapshot',
    at: 'collected_at',
    values: {
      reachablePct: 'case when reachable then 100 else 0 end',
      cpuPct: 'cpu_pct',
      memoryPct: 'memory_pct',
      diskPct: 'disk_pct',
      latencyMs: 'latency_ms',
      packetLossPct: 'packet_loss_pct',
      dnsFailurePct: 'cast(100.0 * dns_failures / nullif(dns_lookups, 0) as double precision)',
      servicesDown: 'json_array_length(services_down)',
      logErrors: 'log_errors',
    },
    rollUps: 'snapshot_hour',
    measures: SNAPSHOT_MEASURES,
    byEndpoint: true,
  });
}

export function scoreArchive(session: DbSession): SampleArchive<ScoreMeasure> {
  const component = (name: string) => `cast(components ->> '${name}' as double precision)`;
  return archive(session, {
    samples: 'score',
    at: 'scored_at',
    values: {
      score: 'score',
      device: component('device'),
      network: component('network'),
      app: component('app'),
      remediation: component('remediation'),
    },
    rollUps: 'score_hour',
    measures: SCORE_MEASURES,
    byEndpoint: true,
  });
}

export function fleetArchive(session: DbSession): SampleArchive<FleetMeasure> {
  return archive(session, {
    samples: 'fleet_score',
    at: 'at',
    values: { average: 'average', endpoints: 'endpoints' },
    rollUps: 'fleet_score_hour',
    measures: FLEET_MEASURES,
    byEndpoint: false,
  });
}

type SampleRow = { subject_id: number; moment: DbTimestamp } & Record<string, unknown>;

function archive<Measure extends string>(session: DbSession, tables: Tables<Measure>): SampleArchive<Measure> {
  const { samples, at, rollUps, measures, byEndpoint } = tables;
  const keys = byEndpoint ? ['endpoint_id', 'hour'] : ['hour'];
  const values = [...keys, 'samples', ...spreadColumns(measures)];
  const keyOf = ({ subjectId, hour }: Pick<HourlyRollUp<Measure>, 'subjectId' | 'hour'>) =>
    byEndpoint ? [subjectId, hour] : [hour];
  const ofThese = (endpointIds: readonly number[]) =>
    byEndpoint ? `endpoint_id in (${placeholders(endpointIds)}) and` : '';
  const idsOf = (endpointIds: readonly number[]) => (byEndpoint ? endpointIds : []);

  return {
    async take(endpointIds, before, limit, keep) {
      const newer = `select 1 from ${samples} n where n.endpoint_id = s.endpoint_id and n.${at} > s.${at}`;
      const measured = measures.map((measure) => `${spelled(session, tables.values[measure])} as "${measure}"`);
      const rows = await session().execute<SampleRow[]>(
        `delete from ${samples} where id in (
           select id from ${samples} s where ${ofThese(endpointIds)} ${at} < ?
           ${byEndpoint && keep === 'latest' ? `and exists (${newer})` : ''}
           order by ${byEndpoint ? 'endpoint_id, ' : ''}${at} limit ?)
         returning ${byEndpoint ? 'endpoint_id' : '0'} as subject_id, ${at} as moment, ${measured.join(', ')}`,
        [...idsOf(endpointIds), before, limit],
      );
      return rows.map((row) => ({
        subjectId: row.subject_id,
        at: new Date(msOf(row.moment)),
        values: Object.fromEntries(measures.map((measure) => [measure, row[measure]])) as Record<
          Measure,
          number | null
        >,
      }));
    },

    async find(wanted) {
      const found: HourlyRollUp<Measure>[] = [];
      const wantedKey = byEndpoint ? '(cast(? as integer), cast(? as timestamptz))' : '(cast(? as timestamptz))';
      for (const chunk of chunked([...wanted])) {
        const rows = await session().execute<RollUpRow[]>(
          `with wanted(${keys.join(', ')}) as (values ${chunk.map(() => wantedKey).join(', ')})
           select h.* from wanted w join ${rollUps} h on ${keys.map((key) => `h.${key} = w.${key}`).join(' and ')}`,
          chunk.flatMap(keyOf),
        );
        found.push(...rows.map((row) => toRollUp(measures, row)));
      }
      return found;
    },

    async save(given) {
      for (const chunk of chunked([...given], 200)) {
        await session().execute(
          `insert into ${rollUps} (${values.join(', ')}) values ${chunk.map(() => `(${placeholders(values)})`).join(', ')}
           on conflict (${keys.join(', ')}) do update set ${values.map((name) => `${name} = excluded.${name}`).join(', ')}`,
          chunk.flatMap((each) => [...keyOf(each), each.samples, ...spreadValues(measures, each)]),
        );
      }
    },

    async forget(endpointIds, before, limit) {
      const key = byEndpoint ? '(endpoint_id, hour)' : 'hour';
      const rows = await session().execute<unknown[]>(
        `delete from ${rollUps} where ${key} in (
           select ${keys.join(', ')} from ${rollUps} where ${ofThese(endpointIds)} hour < ? limit ?)
         returning 1 as forgotten`,
        [...idsOf(endpointIds), before, limit],
      );
      return rows.length;
    },
  };
}

/** PostgreSQL's functions for the kind of JSON that it keeps have names of their own. */
function spelled(session: DbSession, sql: string): string {
  return session().getDriver() instanceof SqliteDriver ? sql : sql.replace('json_array', 'jsonb_array');
}
