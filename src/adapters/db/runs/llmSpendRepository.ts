/** What models cost, by day and caller, in the database. */
import { SqliteDriver } from '@mikro-orm/sql';
import type { LlmSpendRepository, Spending } from '../../../core/ports/storePorts.ts';
import { type DbSession, placeholders } from '../rows.ts';

const DAY_MS = 86_400_000;

export function llmSpendRepository(session: DbSession): LlmSpendRepository {
  return {
    async hold(day, callers) {
      const em = session();
      // SQLite has one writer at a time, and a transaction of ours is it from its beginning.
      const lock = em.getDriver() instanceof SqliteDriver ? '' : 'for update';
      // In one order everywhere, so that two holders never wait for each other.
      const sorted = callers.toSorted();
      const yesterday = new Date(Date.parse(day) - DAY_MS).toISOString().slice(0, 10);
      await em.execute('delete from llm_spend where day < ?', [yesterday]);
      await em.execute(
        `insert into llm_spend (day, caller, spent_usd, reserved_usd) values ${sorted.map(() => '(?, ?, 0, 0)').join(', ')}
         on conflict do nothing`,
        sorted.flatMap((caller) => [day, caller]),
      );
      const rows = await em.execute<(Spending & { caller: string })[]>(
        `select caller, spent_usd as "spentUsd", reserved_usd as "reservedUsd" from llm_spend
         where day = ? and caller in (${placeholders(sorted)}) order by caller ${lock}`,
        [day, ...sorted],
      );
      return new Map(rows.map(({ caller, ...spending }) => [caller, spending]));
    },

    async add(day, callers, { spentUsd, reservedUsd }) {
      await session().execute(
        `update llm_spend set spent_usd = spent_usd + ?, reserved_usd = reserved_usd + ?
         where day = ? and caller in (${placeholders(callers)})`,
        [spentUsd, reservedUsd, day, ...callers],
      );
    },
  };
}
