/** In the database: who is who, who was shown whom, how often somebody asked about a machine, and pauses. */
import type { InferEntity } from '@mikro-orm/core';
import type {
  AccessRepository,
  Identity,
  IdentityRepository,
  PauseRepository,
  Reveal,
  RevealRepository,
} from '../../../core/ports/privacyPorts.ts';
import { outsideOfScopes } from '../dataScope.ts';
import { AccessRow, PauseRow, RevealRow } from '../entities/privacy.ts';
import { EndpointAliasRow, EndpointRow } from '../entities/telemetry.ts';
import { chunked, type DbSession, plain } from '../rows.ts';

const MARKER = `select (select count(*) from endpoint) as machines, (select max(id) from endpoint) as newest,
  (select max(updated_at) from endpoint) as changed,
  (select count(*) from endpoint_alias) as names, (select max(id) from endpoint_alias) as newest_name`;

/** Of the whole fleet, whoever's call gave the occasion: a name that the book lacks would be shown. */
export function identityRepository(session: DbSession): IdentityRepository {
  return { marker: () => outsideOfScopes(() => marker(session)), all: () => outsideOfScopes(() => all(session)) };
}

async function marker(session: DbSession): Promise<string> {
  const [row = {}] = await session().execute<Record<string, unknown>[]>(MARKER);
  return Object.values(row)
    .map((value) => (value instanceof Date ? value.getTime() : String(value)))
    .join(' ');
}

async function all(session: DbSession): Promise<Identity[]> {
  const em = session();
  const machines = await em.find(EndpointRow, {}, { orderBy: { id: 'asc' } });
  const names = Map.groupBy(await em.find(EndpointAliasRow, {}), ({ endpointId }) => endpointId);
  return machines.map((row) => ({
    id: row.id,
    hostname: row.hostname,
    ipAddress: row.ipAddress ?? null,
    ownerEmail: row.ownerEmail ?? null,
    persona: row.persona,
    criticalityTier: row.criticalityTier,
    osPlatform: row.osPlatform,
    tags: row.tags,
    names: (names.get(row.id) ?? []).map(({ kind, value }) => ({ kind, value })),
    registeredAt: row.registeredAt,
    isGone: (row.deregisteredAt ?? null) !== null,
  }));
}

export function revealRepository(session: DbSession): RevealRepository {
  return {
    async add(reveal) {
      await session().insert(RevealRow, reveal);
    },
    async get(id) {
      const row = await session().findOne(RevealRow, { id });
      return row && toReveal(row);
    },
    async begin(id, approvedBy, startsAt, endsAt) {
      const waiting = { id, startsAt: null, endsAt: null };
      return (await session().nativeUpdate(RevealRow, waiting, { approvedBy, startsAt, endsAt })) > 0;
    },
    async end(id, at) {
      const open = { id, $or: [{ endsAt: null }, { endsAt: { $gt: at } }] };
      return (await session().nativeUpdate(RevealRow, open, { endsAt: at })) > 0;
    },
    async active(at) {
      return (await session().find(RevealRow, { startsAt: { $lte: at }, endsAt: { $gt: at } })).map(toReveal);
    },
    async list({ endpointId }, limit) {
      const where = endpointId === undefined ? {} : { endpointId };
      const rows = await session().find(RevealRow, where, { orderBy: { requestedAt: 'desc', id: 'desc' }, limit });
      return rows.map(toReveal);
    },
  };
}

function toReveal(row: InferEntity<typeof RevealRow>): Reveal {
  return plain(RevealRow, row);
}

export function accessRepository(session: DbSession): AccessRepository {
  return {
    async count(accesses) {
      for (const chunk of chunked([...accesses])) {
        await session().execute(
          `insert into machine_access (endpoint_id, day, role, via, tool, times)
           values ${chunk.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}
           on conflict (endpoint_id, day, role, via, tool) do update set times = machine_access.times + excluded.times`,
          chunk.flatMap(({ endpointId, day, role, via, tool, times }) => [endpointId, day, role, via, tool, times]),
        );
      }
    },
    async of(endpointId) {
      const rows = await session().find(AccessRow, { endpointId }, { orderBy: { day: 'desc', id: 'desc' } });
      return rows.map(({ day, role, via, tool, times }) => ({ endpointId, day, role, via, tool, times }));
    },
  };
}

export function pauseRepository(session: DbSession): PauseRepository {
  return {
    async set(endpointId, from, until) {
      await session().upsert(PauseRow, { endpointId, fromAt: from, untilAt: until });
    },
    async since(at) {
      const rows = await session().find(PauseRow, { untilAt: { $gte: at } });
      return new Map(rows.map(({ endpointId, fromAt, untilAt }) => [endpointId, { from: fromAt, until: untilAt }]));
    },
  };
}
