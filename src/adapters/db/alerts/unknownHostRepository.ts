/** Hosts that alerts came for and that nobody registered, in the database. */
import type { UnknownHostRepository } from '../../../core/ports/alertPorts.ts';
import { UnknownHostRow } from '../entities/alerts.ts';
import { chunked, type DbSession, plain } from '../rows.ts';

/** A sender can invent names without end; the ones seen last are enough to find the mistake. */
const KEPT = 1000;

export function unknownHostRepository(session: DbSession): UnknownHostRepository {
  return {
    async note(seen, now) {
      // In one order everywhere, so that two deliveries never wait for each other's rows.
      const rows = seen.toSorted((a, b) => compare(a.hostname, b.hostname) || compare(a.alertName, b.alertName));
      for (const chunk of chunked(rows.slice(-KEPT))) {
        await session().execute(
          `insert into unknown_host (hostname, alert_name, first_seen_at, last_seen_at, count)
           values ${chunk.map(() => '(?, ?, ?, ?, ?)').join(', ')}
           on conflict (hostname, alert_name)
           do update set last_seen_at = excluded.last_seen_at, count = unknown_host.count + excluded.count`,
          chunk.flatMap(({ hostname, alertName, count }) => [hostname, alertName, now, now, count]),
        );
      }
      await session().execute(
        `delete from unknown_host where last_seen_at <
         (select last_seen_at from unknown_host order by last_seen_at desc limit 1 offset ${KEPT - 1})`,
      );
    },

    async list(page) {
      const [rows, total] = await session().findAndCount(
        UnknownHostRow,
        {},
        { orderBy: { lastSeenAt: 'desc', id: 'desc' }, ...page },
      );
      return {
        items: rows.map((row) => {
          const { id: _id, ...host } = plain(UnknownHostRow, row);
          return host;
        }),
        total,
      };
    },

    async forget(hostnames) {
      for (const chunk of chunked([...hostnames]))
        await session().nativeDelete(UnknownHostRow, { hostname: { $in: chunk } });
    },
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
