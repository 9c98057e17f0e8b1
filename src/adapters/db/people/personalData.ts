/** All that the database holds about one machine and its person, in whatever table: to hand it out, and to erase it. */
import type { EntityMetadata, EntityProperty } from '@mikro-orm/core';
import { type SqlEntityManager, SqliteDriver } from '@mikro-orm/sql';
import type { PersonalDataRepository } from '../../../core/ports/privacyPorts.ts';
import { ENTITIES } from '../entities.ts';
import { chunked, type DbSession, placeholders } from '../rows.ts';

/** Tables whose rows about a machine only say something about it; in others a row is also somebody else's work, and only the name goes. */
const OF_THE_MACHINE = [
  'endpoint_alias',
  'agent',
  'snapshot',
  'score',
  'sample_block',
  'prediction',
  'remediation',
  'owner_remedy',
  'unknown_host',
  'machine_access',
  'collection_pause',
  'reveal',
];

/** Tables by mail address. */
const OF_THE_PERSON = ['survey_invitation', 'survey_person', 'owner_remedy_opt_out', 'owner_report'];

type Row = Record<string, unknown>;

interface Table {
  name: string;
  keys: string[];
  columns: ReadonlySet<string>;
  /** Those that may hold a name: text and JSON. */
  texts: { column: string; isJson: boolean }[];
}

export function personalDataRepository(session: DbSession): PersonalDataRepository {
  return {
    async export({ endpointId, words }) {
      const em = session();
      const found: Record<string, Row[]> = {};
      for (const table of tablesOf(em)) {
        const rows = await em.execute<Row[]>(`select * from ${quoted(table.name)} where ${about(table, words)}`, [
          ...(table.columns.has('endpoint_id') ? [endpointId] : []),
          ...mentions(table, words),
        ]);
        if (rows.length > 0) found[table.name] = rows.map(withoutSecrets);
      }
      return found;
    },

    async erase({ endpointId, words, replacement }) {
      const em = session();
      const tables = tablesOf(em);
      let deleted = 0;
      const remove = async (table: string, where: string, values: readonly unknown[]) => {
        const rows = await em.execute<Row[]>(`select count(*) as n from ${quoted(table)} where ${where}`, [...values]);
        deleted += Number(rows[0]?.n ?? 0);
        await em.execute(`delete from ${quoted(table)} where ${where}`, [...values]);
      };
      const alerts = await em.execute<{ id: number }[]>('select id from alert where endpoint_id = ?', [endpointId]);
      for (const ids of chunked(alerts.map(({ id }) => id))) {
        for (const table of ['alert_event', 'ticket']) await remove(table, `alert_id in (${placeholders(ids)})`, ids);
      }
      await remove('alert', 'endpoint_id = ?', [endpointId]);
      for (const name of OF_THE_MACHINE) {
        if (tables.find((table) => table.name === name)?.columns.has('endpoint_id'))
          await remove(name, 'endpoint_id = ?', [endpointId]);
        else await remove(name, `lower(hostname) in (${placeholders(words)})`, words);
      }
      for (const name of OF_THE_PERSON) await remove(name, `lower(email) in (${placeholders(words)})`, words);
      let changed = 0;
      for (const table of tables) changed += await replaceIn(em, table, words, replacement);
      return { deleted, changed };
    },

    async compact() {
      const em = session();
      // PostgreSQL clears what deleted rows leave behind by itself, with its next vacuum.
      if (!(em.getDriver() instanceof SqliteDriver)) return;
      await em.execute('vacuum');
      await em.execute('pragma wal_checkpoint(truncate)');
    },
  };
}

/** Every word that still stands somewhere, in whatever case it is written. */
async function replaceIn(em: SqlEntityManager, table: Table, words: readonly string[], replacement: string) {
  if (table.texts.length === 0) return 0;
  const where = table.texts.map(({ column }) => mention(column, words)).join(' or ');
  const rows = await em.execute<Row[]>(`select * from ${quoted(table.name)} where ${where}`, mentions(table, words));
  const pattern = new RegExp(words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'gi');
  for (const row of rows) {
    const changes = table.texts.flatMap(({ column, isJson }): [string, unknown][] => {
      const value = row[column];
      if (value === null || value === undefined) return [];
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const replaced = text.replace(pattern, replacement);
      return replaced === text ? [] : [[`${quoted(column)} = ${isJson ? jsonPlaceholder(em) : '?'}`, replaced]];
    });
    if (changes.length === 0) continue;
    await em.execute(
      `update ${quoted(table.name)} set ${changes.map(([assignment]) => assignment).join(', ')} where ${table.keys.map((key) => `${quoted(key)} = ?`).join(' and ')}`,
      [...changes.map(([, value]) => value), ...table.keys.map((key) => row[key])],
    );
  }
  return rows.length;
}

function jsonPlaceholder(em: SqlEntityManager): string {
  return em.getDriver() instanceof SqliteDriver ? '?' : '?::jsonb';
}

function about({ columns, texts }: Table, words: readonly string[]): string {
  return [
    ...(columns.has('endpoint_id') ? ['endpoint_id = ?'] : []),
    ...texts.map(({ column }) => mention(column, words)),
    '1 = 0',
  ].join(' or ');
}

function mention(column: string, words: readonly string[]): string {
  return words.map(() => `lower(cast(${quoted(column)} as text)) like ? escape '\\'`).join(' or ');
}

function mentions({ texts }: Table, words: readonly string[]): string[] {
  return texts.flatMap(() => words.map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`));
}

function withoutSecrets(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row)
      .filter(([column]) => !/digest|token/.test(column))
      .map(([column, value]) => [column, ArrayBuffer.isView(value) ? '(packed measurements)' : value]),
  );
}

function tablesOf(em: SqlEntityManager): Table[] {
  return ENTITIES.map((entity) => {
    const meta = em.getMetadata().getByClassName(entity.meta.className) as EntityMetadata;
    const properties = Object.values(meta.properties) as EntityProperty[];
    const nameOf = ({ fieldNames }: EntityProperty) => fieldNames[0] as string;
    const isText = ({ columnTypes }: EntityProperty) => /char|text|json/i.test(columnTypes[0] ?? '');
    return {
      name: meta.tableName,
      keys: properties.filter(({ primary }) => primary).map(nameOf),
      columns: new Set(properties.map(nameOf)),
      texts: properties
        .filter((property) => isText(property) && !property.primary)
        .map((property) => ({ column: nameOf(property), isJson: /json/i.test(property.columnTypes[0] ?? '') })),
    };
  });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
