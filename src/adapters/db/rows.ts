/** From database rows to the plain values that core works with. */
import { raw } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';

/** The entity manager of the timestamp: a fresh fork outside a transaction, the transaction's own inside. */
export type DbSession = () => SqlEntityManager;

/** A row's own columns, with null where the entity may leave a property out. */
export type Plain<Row> = { [Key in keyof Row as Key extends string ? Key : never]-?: Exclude<Row[Key], undefined> };

/** A row as a plain value: every column present, absent ones null. */
export function plain<Row extends object>(schema: { meta: { properties: object } }, row: Row): Plain<Row> {
  const values = row as Record<string, unknown>;
  return Object.fromEntries(Object.keys(schema.meta.properties).map((key) => [key, values[key] ?? null])) as Plain<Row>;
}

/** How many rows one statement may carry: SQLite binds at most 32,766 values, PostgreSQL 65,535. */
export function chunked<T>(rows: T[], size = 500): T[][] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => rows.slice(i * size, (i + 1) * size));
}

/** Places for the values of `in (…)` in a statement of our own. Of no values nothing is found; PostgreSQL knows no empty list. */
export function placeholders(values: readonly unknown[]): string {
  return values.length === 0 ? 'null' : values.map(() => '?').join(', ');
}

/** The condition that a column begins with a text. Not `like`, to which an underscore means any character. */
export function beginsWith(column: string, text: string): Record<string, string> {
  // SQLite counts characters as PostgreSQL does; JavaScript's length counts some twice.
  return { [raw(`substr(${column}, 1, ?)`, [[...text].length])]: text };
}

/** A timestamp as a statement of our own reads it: milliseconds from SQLite, text or a Date from PostgreSQL. */
export type DbTimestamp = number | string | Date;

export function msOf(timestamp: DbTimestamp): number {
  return typeof timestamp === 'number' ? timestamp : new Date(timestamp).getTime();
}
