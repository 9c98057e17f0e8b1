/** One row of a table as a test wants it, with what it does not care about filled in. */
import type { Database } from '../../src/adapters/db/open.ts';

let planted = 0;

/**
 * @param fields by column
 * @returns its primary key, where that is one column
 */
export async function plantRow(
  { orm, em }: Database,
  table: string,
  fields: Record<string, unknown>,
): Promise<number | string> {
  const meta = [...orm.getMetadata().getAll().values()].find(({ tableName }) => tableName === table);
  if (!meta) throw new Error(`there is no table ${table}`);
  planted += 1;
  const row: Record<string, unknown> = { ...fields };
  for (const { fieldNames, columnTypes, nullable, autoincrement } of meta.props) {
    const [name = '', type = ''] = [fieldNames[0], columnTypes[0]];
    if (!nullable && !autoincrement && !(name in row)) row[name] = filler(type);
  }
  const [key = ''] = meta.getPrimaryProps()[0]?.fieldNames ?? [];
  const names = Object.keys(row);
  const [written] = await em
    .fork()
    .execute<Record<string, number | string>[]>(
      `insert into ${table} (${names.map((name) => `"${name}"`).join(', ')}) values (${names.map(() => '?').join(', ')}) returning ${key}`,
      Object.values(row),
    );
  return written?.[key] as number | string;
}

function filler(type: string): unknown {
  if (/time|date/.test(type)) return new Date(0);
  if (/json/.test(type)) return '{}';
  if (/bool/.test(type)) return false;
  return /char|text/.test(type) ? `filled-${planted}` : planted;
}
