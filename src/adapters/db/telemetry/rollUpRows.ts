/** Roll-ups as rows: four columns for each measure, all null where an hour did not measure it. */
import type { HourlyRollUp, Spread } from '../../../domain/scores/rollUp.ts';
import { type Moment, msOf } from '../rows.ts';

const PARTS = ['mean', 'min', 'max', 'count'] as const satisfies (keyof Spread)[];

/** A row of a roll-up table; the fleet's has no endpoint. */
export type RollUpRow = { endpoint_id?: number; hour: Moment; samples: number } & Record<string, unknown>;

export function spreadColumns(measures: readonly string[]): string[] {
  return measures.flatMap((measure) => PARTS.map((part) => column(measure, part)));
}

/** In the order of `spreadColumns`. */
export function spreadValues<Measure extends string>(
  measures: readonly Measure[],
  { spreads }: Pick<HourlyRollUp<Measure>, 'spreads'>,
): (number | null)[] {
  return measures.flatMap((measure) => PARTS.map((part) => spreads[measure]?.[part] ?? null));
}

export function toRollUp<Measure extends string>(measures: readonly Measure[], row: RollUpRow): HourlyRollUp<Measure> {
  const spreads = measures.map((measure) => [measure, toSpread(measure, row)]);
  return {
    subjectId: row.endpoint_id ?? 0,
    hour: new Date(msOf(row.hour)),
    samples: row.samples,
    spreads: Object.fromEntries(spreads) as Record<Measure, Spread | null>,
  };
}

function toSpread(measure: string, row: RollUpRow): Spread | null {
  const [mean, min, max, count] = PARTS.map((part) => row[column(measure, part)] as number | null);
  return count ? ({ mean, min, max, count } as Spread) : null;
}

/** As the ORM names the column of `cpuPctMean`. */
function column(measure: string, part: string): string {
  return `${measure.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_${part}`;
}
