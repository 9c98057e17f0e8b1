/** What endpoints are called besides their hostnames, in the database. */
import type { AliasRepository } from '../../../core/ports/endpointPorts.ts';
import type { Alias } from '../../../domain/fleet/hostIdentity.ts';
import { EndpointAliasRow } from '../entities/telemetry.ts';
import { chunked, type DbSession, placeholders } from '../rows.ts';

export function aliasRepository(session: DbSession): AliasRepository {
  return {
    async byValues(values) {
      const found: Awaited<ReturnType<AliasRepository['byValues']>> = [];
      for (const chunk of chunked([...values])) {
        const rows = await session().execute<(Alias & { id: number; hostname: string; ip_address: string | null })[]>(
          `select e.id, e.hostname, e.ip_address, a.kind, a.value, a.source
           from endpoint_alias a join endpoint e on e.id = a.endpoint_id
           where a.value in (${placeholders(chunk)}) and e.deregistered_at is null order by a.id`,
          chunk,
        );
        found.push(
          ...rows.map(({ id, hostname, ip_address: ipAddress, ...alias }) => ({ id, hostname, ipAddress, alias })),
        );
      }
      return found;
    },

    async ofEndpoints(endpointIds) {
      const rows = await session().find(
        EndpointAliasRow,
        { endpointId: { $in: [...endpointIds] } },
        { orderBy: { id: 'asc' } },
      );
      const byEndpoint = Map.groupBy(rows, ({ endpointId }) => endpointId);
      return new Map(
        [...byEndpoint].map(([id, aliases]) => [
          id,
          aliases.map(({ kind, value, source }): Alias => ({ kind, value, source })),
        ]),
      );
    },

    async keep(endpointId, aliases, now) {
      for (const chunk of chunked([...aliases])) {
        await session().execute(
          `insert into endpoint_alias (endpoint_id, kind, value, source, added_at)
           values ${chunk.map(() => '(?, ?, ?, ?, ?)').join(', ')}
           on conflict (endpoint_id, value)
           do update set kind = excluded.kind, source = excluded.source where excluded.source = 'said'`,
          chunk.flatMap(({ kind, value, source }) => [endpointId, kind, value, source, now]),
        );
      }
    },

    async remove(endpointId, value) {
      return (await session().nativeDelete(EndpointAliasRow, { endpointId, value })) > 0;
    },
  };
}
