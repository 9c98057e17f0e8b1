/** node:sqlite for the ORM, with transactions that write from their first statement on. */
import { NodeSqliteDialect } from '@mikro-orm/sql';

/**
 * A transaction that reads before it writes fails at once, whatever the busy timeout, when another process wrote in between
 * (sqlite.org/lang_transaction.html): so each of ours waits for its turn as a writer before it reads.
 */
export class ImmediateSqliteDialect extends NodeSqliteDialect {
  override createDriver(): ReturnType<NodeSqliteDialect['createDriver']> {
    const driver = super.createDriver();
    const sql = 'begin immediate';
    driver.beginTransaction = async (connection) => {
      await connection.executeQuery({
        sql,
        parameters: [],
        query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
        queryId: { queryId: sql },
      });
    };
    return driver;
  }
}
