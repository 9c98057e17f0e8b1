/** node:sqlite for the ORM: patient from its first statement on, with transactions that write from theirs on. */
import { NodeSqliteDialect } from '@mikro-orm/sql';

/** How long a statement waits for another process to let go of the database; milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;

type Driver = ReturnType<NodeSqliteDialect['createDriver']>;
type Connection = Awaited<ReturnType<Driver['acquireConnection']>>;

/**
 * A transaction that reads before it writes fails at once, whatever the busy timeout, when another process wrote in between
 * (sqlite.org/lang_transaction.html): so each of ours waits for its turn as a writer before it reads.
 *
 * Kysely gives the one connection back only after a beginning, a commit or a rollback that worked; after any other everybody would
 * wait for it for ever. So a transaction that could not begin fails at its first statement instead, and a rollback never fails:
 * when the disk is full or failing SQLite has mostly done it by itself, and says that there is none.
 */
export class ImmediateSqliteDialect extends NodeSqliteDialect {
  override createDriver(): Driver {
    const driver = super.createDriver();
    const init = driver.init.bind(driver);
    let failedBegin: Error | null = null;
    driver.init = async (...given) => {
      await init(...given);
      const connection = await driver.acquireConnection();
      // The ORM asks the database something of its own before anybody else can: another process may just be closing it.
      await run(connection, `pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
      const execute = connection.executeQuery.bind(connection);
      connection.executeQuery = (...query) => (failedBegin ? Promise.reject(failedBegin) : execute(...query));
      await driver.releaseConnection(connection);
    };
    driver.beginTransaction = async (connection) => {
      await run(connection, 'begin immediate').catch((error: Error) => {
        failedBegin = error;
      });
    };
    driver.rollbackTransaction = async (connection) => {
      if (!failedBegin) await run(connection, 'rollback').catch(() => {});
      failedBegin = null;
    };
    return driver;
  }
}

async function run(connection: Connection, sql: string): Promise<void> {
  await connection.executeQuery({
    sql,
    parameters: [],
    query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
    queryId: { queryId: sql },
  });
}
