/** Listens to the statements that the ORM really sends, and asks the database how it finds the rows for each. */
import type { Database } from '../../src/adapters/db/open.ts';

/** Every statement that `work` sends and that looks for rows, as it is sent. */
export async function statementsOf({ orm }: Database, work: () => Promise<unknown>): Promise<string[]> {
  const heard: string[] = [];
  const logger = orm.config.getLogger();
  const { logQuery } = logger;
  logger.logQuery = ({ formatted, query }) => heard.push(String(formatted ?? query));
  try {
    await work();
  } finally {
    logger.logQuery = logQuery;
  }
  return heard.filter((sql) => /^\s*(select|with|update|delete)\b/i.test(sql));
}

/** The tables that a statement reads from one end to the other, without an index. */
export async function scannedTables(database: Database, sql: string): Promise<string[]> {
  const scanned =
    database.kind === 'sqlite' ? await scannedBySqlite(database, sql) : await scannedByPostgres(database, sql);
  const tables = new Set([...database.orm.getMetadata().getAll().values()].map(({ tableName }) => tableName));
  return scanned.filter((name) => tables.has(name));
}

async function scannedBySqlite({ em }: Database, sql: string): Promise<string[]> {
  const steps = await em.fork().execute<{ detail: string }[]>(`explain query plan ${sql}`);
  // The plan names tables by their aliases.
  const named = [...sql.matchAll(/\b(?:from|join|update|into)\s+[`"]?(\w+)[`"]?(?:\s+as)?\s+[`"]?(\w+)/gi)];
  const aliases = new Map(named.map(([, table = '', alias = '']) => [alias, table]));
  return steps.flatMap(({ detail }) => {
    const [, name = ''] = /^SCAN (\w+)(?! USING)/.exec(detail) ?? [];
    return /USING (COVERING )?INDEX/.test(detail) ? [] : [aliases.get(name) ?? name];
  });
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

async function scannedByPostgres({ em }: Database, sql: string): Promise<string[]> {
  const [row] = await em.fork().execute<{ 'QUERY PLAN': { Plan: PlanNode }[] }[]>(`explain (format json) ${sql}`);
  const scanned = (node: PlanNode): string[] => [
    ...(node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? ''] : []),
    ...(node.Plans ?? []).flatMap(scanned),
  ];
  return row?.['QUERY PLAN'].flatMap(({ Plan }) => scanned(Plan)) ?? [];
}
