/** What somebody who holds the database can read: every row of every table, in the order in which it lies there. */
import { openDatabase } from '../../src/adapters/db/open.ts';

type Row = Record<string, unknown>;

export function dump(url: string): Promise<Record<string, Row[]>>;
export function dump(url: string, table: string): Promise<Row[]>;
export async function dump(url: string, table?: string): Promise<Record<string, Row[]> | Row[]> {
  const database = await openDatabase(url);
  try {
    const em = database.em.fork();
    const place = database.kind === 'sqlite' ? 'rowid' : 'ctid';
    const read = (name: string) => em.execute<Row[]>(`select * from ${name} order by ${place}`);
    if (table) return await read(table);
    const names = await em.execute<{ name: string }[]>(
      database.kind === 'sqlite'
        ? "select name from sqlite_master where type = 'table'"
        : "select tablename as name from pg_tables where schemaname = 'public'",
    );
    const tables: Record<string, Row[]> = {};
    for (const { name } of names) tables[name] = await read(name);
    return tables;
  } finally {
    await database.close();
  }
}
