/** Hourly roll-ups of the fleet's averages in the database: few rows, and one subject, so they stay rows. */
import type { SampleArchive } from '../../../core/ports/retentionPorts.ts';
import { type Aggregate, FLEET_MEASURES, type FleetMeasure, type HourlyRollUp } from '../../../domain/scores/rollUp.ts';
import { chunked, type DbSession, type DbTimestamp, msOf, placeholders } from '../rows.ts';

type SampleRow = { moment: DbTimestamp } & Record<FleetMeasure, number>;

const PARTS = ['mean', 'min', 'max', 'count'] as const satisfies (keyof Aggregate)[];

const COLUMNS = ['hour', 'samples', ...spreadColumns(FLEET_MEASURES)];

export function fleetArchive(session: DbSession): SampleArchive<FleetMeasure> {
  return {
    async take(_endpointIds, before, limit) {
      const rows = await session().execute<SampleRow[]>(
        `delete from fleet_score where id in (select id from fleet_score where at < ? order by at limit ?)
         returning at as moment, ${FLEET_MEASURES.join(', ')}`,
        [before, limit],
      );
      return rows.map(({ moment, average, endpoints }) => ({
        subjectId: 0,
        at: new Date(msOf(moment)),
        values: { average, endpoints },
      }));
    },

    async find(keys) {
      const rows = await session().execute<RollUpRow[]>(
        `select * from fleet_score_hour where hour in (${placeholders(keys)})`,
        keys.map(({ hour }) => hour),
      );
      return rows.map((row) => toRollUp(FLEET_MEASURES, row));
    },

    async save(rollUps) {
      for (const chunk of chunked([...rollUps], 200)) {
        await session().execute(
          `insert into fleet_score_hour (${COLUMNS.join(', ')}) values ${chunk.map(() => `(${placeholders(COLUMNS)})`).join(', ')}
           on conflict (hour) do update set ${COLUMNS.map((name) => `${name} = excluded.${name}`).join(', ')}`,
          chunk.flatMap((each) => [each.hour, each.samples, ...spreadValues(FLEET_MEASURES, each)]),
        );
      }
    },

    async forget(_endpointIds, before, limit) {
      const rows = await session().execute<unknown[]>(
        `delete from fleet_score_hour where hour in (select hour from fleet_score_hour where hour < ? limit ?)
         returning 1 as forgotten`,
        [before, limit],
      );
      return rows.length;
    },
  };
}

/** A row of a roll-up table; the fleet's has no endpoint. */
export type RollUpRow = { endpoint_id?: number; hour: DbTimestamp; samples: number } & Record<string, unknown>;

function spreadColumns(measures: readonly string[]): string[] {
  return measures.flatMap((measure) => PARTS.map((part) => column(measure, part)));
}

/** In the order of `spreadColumns`. */
function spreadValues<Measure extends string>(
  measures: readonly Measure[],
  { aggregates }: Pick<HourlyRollUp<Measure>, 'aggregates'>,
): (number | null)[] {
  return measures.flatMap((measure) => PARTS.map((part) => aggregates[measure]?.[part] ?? null));
}

export function toRollUp<Measure extends string>(measures: readonly Measure[], row: RollUpRow): HourlyRollUp<Measure> {
  const aggregates = measures.map((measure) => [measure, toAggregate(measure, row)]);
  return {
    subjectId: row.endpoint_id ?? 0,
    hour: new Date(msOf(row.hour)),
    samples: row.samples,
    aggregates: Object.fromEntries(aggregates) as Record<Measure, Aggregate | null>,
  };
}

function toAggregate(measure: string, row: RollUpRow): Aggregate | null {
  const [mean, min, max, count] = PARTS.map((part) => row[column(measure, part)] as number | null);
  return count ? ({ mean, min, max, count } as Aggregate) : null;
}

/** As the ORM names the column of `cpuPctMean`. */
function column(measure: string, part: string): string {
  return `${measure.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_${part}`;
}
