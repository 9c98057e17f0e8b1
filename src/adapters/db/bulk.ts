/**
 * Rows by the hundred: a statement carries them as one JSON text, and what it answers becomes plain values at once. Where alerts
 * and scans stream through, the ORM's entities would cost many times what the database does.
 */
import type { EntityMetadata, EntityName, EntityProperty } from '@mikro-orm/core';
import { JsonType } from '@mikro-orm/core';
import { type SqlEntityManager, SqliteDriver } from '@mikro-orm/sql';
import { withoutNuls } from './nuls.ts';
import { type Plain, placeholders } from './rows.ts';

/** Rows in one statement: enough to be quick, and short enough that nobody waits long for the store. */
const MOST_ROWS = 500;

/** A table as bulk statements see it. */
interface Table {
  name: string;
  sqlite: boolean;
  columns: ReadonlyMap<string, Column>;
}

interface Column {
  /** Quoted. */
  name: string;
  kind: 'json' | 'timestamp' | 'plain';
}

/** An entity's schema, which knows the type of its rows. */
type Schema<Row> = EntityName<Row> & { meta: { properties: object } };

/** A row that is there, or some of it. */
type KnownRow<Row> = { id: number } & Partial<Record<keyof Plain<Row>, unknown>>;

/** Rows to insert; properties that one lacks are null, and its key is given by the database. */
type NewRows<Row> = readonly Partial<Record<keyof Plain<Row>, unknown>>[];

export async function insertRows<Row extends object>(
  em: SqlEntityManager,
  schema: Schema<Row>,
  rows: NewRows<Row>,
): Promise<void> {
  for (const [statement, json] of insertions(em, schema, rows)) await em.execute(statement, [json]);
}

/** Inserts rows and returns their keys, in the order of the rows. */
export async function insertKeyedRows<Row extends object>(
  em: SqlEntityManager,
  schema: Schema<Row>,
  rows: NewRows<Row>,
): Promise<number[]> {
  const ids: number[] = [];
  for (const [statement, json] of insertions(em, schema, rows)) {
    const answer = await em.execute<{ id: number }[]>(`${statement} returning id`, [json]);
    // Keys are given in the order of the rows; that the answer has it too is not promised.
    ids.push(...answer.map(({ id }) => id).sort((a, b) => a - b));
  }
  return ids;
}

function* insertions<Row extends object>(
  em: SqlEntityManager,
  schema: Schema<Row>,
  rows: NewRows<Row>,
): Generator<[statement: string, json: string]> {
  const table = tableOf(em, schema);
  const names = [...table.columns.keys()].filter((name) => name !== 'id');
  const columns = names.map((name) => columnOf(table, name).name).join(', ');
  const statement = `insert into ${table.name} (${columns}) select ${columns} from ${given(table, names)}`;
  for (let at = 0; at < rows.length; at += MOST_ROWS)
    yield [statement, textOf(table, names, rows.slice(at, at + MOST_ROWS))];
}

/** Changes some properties of rows that are there, found by their `id`. */
export async function saveRows<Row extends object>(
  em: SqlEntityManager,
  schema: Schema<Row>,
  rows: readonly KnownRow<Row>[],
  properties: readonly (keyof Plain<Row> & string)[],
): Promise<void> {
  const table = tableOf(em, schema);
  for (let at = 0; at < rows.length; at += MOST_ROWS) {
    const chunk = rows.slice(at, at + MOST_ROWS);
    // What all rows share is said once.
    const shared = properties.filter((property) => chunk.every((row) => isSame(row[property], chunk[0]?.[property])));
    const names = ['id', ...properties.filter((property) => !shared.includes(property))];
    const changes = properties.map((property) => {
      const { name } = columnOf(table, property);
      return `${name} = ${names.includes(property) ? `given.${name}` : '?'}`;
    });
    await em.execute(
      `update ${table.name} set ${changes.join(', ')} from ${given(table, names)} where ${isGiven(table, chunk)}`,
      [
        ...shared.map((property) => parameterOf(table, property, chunk[0])),
        textOf(table, names, chunk),
        ...idsOf(chunk),
      ],
    );
  }
}

/** The keys of those rows that have the same properties in the table. */
export async function equalRows<Row extends object>(
  em: SqlEntityManager,
  schema: Schema<Row>,
  rows: readonly KnownRow<Row>[],
  properties: readonly (keyof Plain<Row> & string)[],
): Promise<Set<number>> {
  const table = tableOf(em, schema);
  const equal = properties
    .map((property) => columnOf(table, property).name)
    .map((column) => `${table.name}.${column} = given.${column}`);
  const names = ['id', ...properties];
  const ids = new Set<number>();
  for (let at = 0; at < rows.length; at += MOST_ROWS) {
    const chunk = rows.slice(at, at + MOST_ROWS);
    const found = await em.execute<{ id: number }[]>(
      `select ${table.name}.id from ${table.name}, ${given(table, names)} where ${[isGiven(table, chunk), ...equal].join(' and ')}`,
      [textOf(table, names, chunk), ...idsOf(chunk)],
    );
    for (const { id } of found) ids.add(id);
  }
  return ids;
}

/** Said twice, because PostgreSQL cannot tell how many rows a JSON text holds, and would read the whole table for a hundred. */
function isGiven({ name }: Table, rows: readonly { id: number }[]): string {
  return `${name}.id = given.id and ${name}.id in (${placeholders(rows)})`;
}

function idsOf(rows: readonly { id: number }[]): number[] {
  return rows.map(({ id }) => id);
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

function parameterOf(table: Table, property: string, row: object | undefined): unknown {
  const value = (row as Record<string, unknown>)[property] ?? null;
  return columnOf(table, property).kind === 'json' && value !== null ? withoutNuls(JSON.stringify(value)) : value;
}

/** @param tail what follows `select … from table`, with `?` for its parameters */
export async function readRows<Row extends object>(
  em: SqlEntityManager,
  schema: Schema<Row>,
  tail: string,
  parameters: readonly unknown[],
): Promise<Plain<Row>[]> {
  const table = tableOf(em, schema);
  const columns = [...table.columns].map(([property, { name, kind }]) => ({
    property,
    key: name.slice(1, -1),
    name,
    kind,
  }));
  const rows = await em.execute<Record<string, unknown>[]>(
    `select ${columns.map(({ name }) => `${table.name}.${name}`).join(', ')} from ${table.name} ${tail}`,
    [...parameters],
  );
  return rows.map((row) => {
    const value: Record<string, unknown> = {};
    for (const { property, key, kind } of columns) value[property] = valueIn(kind, row[key] ?? null);
    return value as Plain<Row>;
  });
}

function valueIn(kind: Column['kind'], value: unknown): unknown {
  if (value === null || kind === 'plain') return value;
  if (kind === 'timestamp') return new Date(value as number | string | Date);
  return typeof value === 'string' ? JSON.parse(value) : value;
}

/** The rows as the statement reads them, by the name `given`. */
function given({ name, sqlite, columns }: Table, names: readonly string[]): string {
  if (!sqlite) return `json_populate_recordset(null::${name}, ?) given`;
  const values = names.map((property, place) => `value ->> ${place} as ${columns.get(property)?.name}`);
  return `(select ${values.join(', ')} from json_each(?)) given`;
}

function textOf(table: Table, names: readonly string[], rows: readonly object[]): string {
  const read = names.map((property) => ({ property, ...columnOf(table, property) }));
  const valueOf = (row: object, { property, kind }: { property: string; kind: Column['kind'] }): unknown => {
    const value: unknown = (row as Record<string, unknown>)[property] ?? null;
    return kind === 'timestamp' && table.sqlite && value !== null ? (value as Date).getTime() : value;
  };
  if (table.sqlite) return withoutNuls(JSON.stringify(rows.map((row) => read.map((column) => valueOf(row, column)))));
  const keyed = read.map((column) => ({ ...column, key: column.name.slice(1, -1) }));
  const json = rows.map((row) => {
    const given: Record<string, unknown> = {};
    for (const column of keyed) {
      const value = valueOf(row, column);
      // What a row does not name is null in the database too, and most of a row may be.
      if (value !== null) given[column.key] = value;
    }
    return given;
  });
  return withoutNuls(JSON.stringify(json));
}

function columnOf(table: Table, property: string): Column {
  const column = table.columns.get(property);
  if (!column) throw new Error(`${table.name} has no column for ${property}`);
  return column;
}

const tables = new WeakMap<EntityMetadata, Table>();

function tableOf<Row extends object>(em: SqlEntityManager, schema: Schema<Row>): Table {
  const meta = em.getMetadata().get<Row>(schema) as EntityMetadata;
  const known = tables.get(meta);
  if (known) return known;
  const table: Table = {
    name: `"${meta.tableName}"`,
    sqlite: em.getDriver() instanceof SqliteDriver,
    columns: new Map(
      meta.props.map((property) => [property.name, { name: `"${property.fieldNames[0]}"`, kind: kindOf(property) }]),
    ),
  };
  tables.set(meta, table);
  return table;
}

function kindOf({ customType, runtimeType }: EntityProperty): Column['kind'] {
  if (customType instanceof JsonType) return 'json';
  return runtimeType === 'Date' ? 'timestamp' : 'plain';
}
