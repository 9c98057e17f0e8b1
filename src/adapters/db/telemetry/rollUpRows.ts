/** Roll-ups as rows: four columns for each measure, all null where an hour did not measure it. */
import type { Aggregate, HourlyRollUp } from '../../../domain/scores/rollUp.ts';
import { type DbTimestamp, msOf } from '../rows.ts';

const PARTS = ['mean', 'min', 'max', 'count'] as const satisfies (keyof Aggregate)[];

/** A row of a roll-up table; the fleet's has no endpoint. */
export type RollUpRow = { endpoint_id?: number; hour: DbTimestamp; samples: number } & Record<string, unknown>;

export function spreadColumns(measures: readonly string[]): string[] {
  return measures.flatMap((measure) => PARTS.map((part) => column(measure, part)));
}

/** In the order of `spreadColumns`. */
export function spreadValues<Measure extends string>(
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
