/** Column types that several tables share. */

import type { EntityProperty, Platform } from '@mikro-orm/core';
import { p, Type } from '@mikro-orm/core';
import { SqlitePlatform } from '@mikro-orm/sql';

/** A string column with a narrower TypeScript type; the check lives where input comes in, not in the database. */
export const word = <T extends string>() => p.string().$type<T>();

/** A key of more than 31 bits. Only as `integer` it is also the place of the row in SQLite; in PostgreSQL that type ends at 31 bits. */
export class LongId extends Type<number, number | string> {
  override getColumnType(_property: EntityProperty, platform: Platform): string {
    return platform instanceof SqlitePlatform ? 'integer' : 'bigint';
  }

  override convertToJSValue(value: number | string): number {
    return Number(value);
  }
}

/** A floating-point number; the ORM's own type allows text too. */
export const real = () => p.double().$type<number>();

/** How measures ran within an hour, four columns each, in single precision: nobody reads a mean to eight digits. */
export function aggregates(measures: readonly string[]) {
  const optional = () => p.float().$type<number>().nullable();
  return Object.fromEntries(
    measures.flatMap((measure) => [
      [`${measure}Mean`, optional()],
      [`${measure}Min`, optional()],
      [`${measure}Max`, optional()],
      [`${measure}Count`, p.integer().nullable()],
    ]),
  );
}
