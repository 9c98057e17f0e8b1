/** Endpoints in the database: the registry and the condition that scans keep beside it. */

import {
  type FilterQuery,
  type InferEntity,
  QueryOrder,
  raw,
  UniqueConstraintViolationException,
} from '@mikro-orm/core';
import { SqliteDriver } from '@mikro-orm/sql';
import { AppError } from '../../../core/errors.ts';
import type { EndpointRepository } from '../../../core/ports/endpointPorts.ts';
import type { Endpoint, EndpointCondition, EndpointRegistration } from '../../../domain/fleet/endpoint.ts';
import { type KnownEndpoint, shortName } from '../../../domain/fleet/hostIdentity.ts';
import { insertKeyedRows, insertRows, readRows, saveRows } from '../bulk.ts';
import { AgentRow } from '../entities/enrolment.ts';
import { EndpointAliasRow, EndpointRow } from '../entities/telemetry.ts';
import { chunked, type DbSession, type Plain, placeholders, plain } from '../rows.ts';
import { aliasRepository } from './aliasRepository.ts';
import { endpointCondition, LIVE } from './endpointFilter.ts';

type Row = InferEntity<typeof EndpointRow>;

const CONDITION_FIELDS = [
  'lastScanAt',
  'lastSeenAt',
  'unreachableReason',
  'score',
  'scoreStatus',
  'coverage',
  'scoredAt',
  'breaches',
] as const satisfies (keyof EndpointCondition)[];

const REGISTRATION_FIELDS = [
  'ipAddress',
  'ownerEmail',
  'persona',
  'criticalityTier',
  'osPlatform',
  'tags',
  'collector',
  'options',
  'updatedAt',
] as const satisfies (keyof EndpointRegistration | 'updatedAt')[];

const NEVER_SCANNED: EndpointCondition = {
  lastScanAt: null,
  lastSeenAt: null,
  unreachableReason: null,
  score: null,
  scoreStatus: 'unknown',
  coverage: null,
  scoredAt: null,
  breaches: {},
};

/** Lower ends of the parts of a distribution, in tens, the highest first. */
const TENS = [9, 8, 7, 6, 5, 4, 3, 2, 1];

interface MemberRow {
  persona: Endpoint['persona'];
  os_platform: Endpoint['osPlatform'];
  criticality_tier: Endpoint['criticalityTier'];
  tags: string | Record<string, string>;
  score: number | null;
  score_status: Endpoint['scoreStatus'];
}

export function endpointRepository(session: DbSession): EndpointRepository {
  const one = async (where: FilterQuery<Row>): Promise<Endpoint | null> => {
    const row = await session().findOne(EndpointRow, { ...(where as object), ...LIVE } as FilterQuery<Row>);
    return row && toEndpoint(row);
  };
  const read = async (tail: string, parameters: readonly unknown[]): Promise<Endpoint[]> =>
    (await readRows(session(), EndpointRow, tail, parameters)).map(withoutSecrets);

  return {
    async register(registration, agentTokenDigest, now) {
      const row = {
        ...registration,
        ...NEVER_SCANNED,
        agentTokenDigest,
        hostKey: null,
        registeredAt: now,
        updatedAt: now,
        deregisteredAt: null,
      };
      try {
        const id = await session().insert(EndpointRow, row);
        const short = shortName(row.hostname);
        const derived = short === null ? [] : [{ kind: 'name', value: short, source: 'derived' } as const];
        await aliasRepository(session).keep(id, derived, now);
        return toEndpoint({ ...row, id } as Row);
      } catch (error) {
        if (!(error instanceof UniqueConstraintViolationException)) throw error;
        throw taken(registration.hostname);
      }
    },

    async registerAll(registrations, now) {
      const rows = registrations.map((registration) => ({
        ...registration,
        ...NEVER_SCANNED,
        hostKey: null,
        registeredAt: now,
        updatedAt: now,
        deregisteredAt: null,
      }));
      const ids = await insertKeyedRows(session(), EndpointRow, rows).catch(async (error: unknown) => {
        throw error instanceof UniqueConstraintViolationException ? taken('One of these machines') : error;
      });
      const derived = rows.flatMap(({ hostname }, at) => {
        const short = shortName(hostname);
        return short === null
          ? []
          : [
              {
                endpointId: ids[at] as number,
                kind: 'name' as const,
                value: short,
                source: 'derived' as const,
                addedAt: now,
              },
            ];
      });
      await insertRows(session(), EndpointAliasRow, derived);
      return rows.map((row, at) => toEndpoint({ ...row, id: ids[at] } as Row));
    },

    get: (hostname) => one({ hostname }),

    async byHostnames(hostnames) {
      const found: Endpoint[] = [];
      for (const chunk of chunked([...hostnames]))
        found.push(...(await read(`where hostname in (${placeholders(chunk)}) and deregistered_at is null`, chunk)));
      return found;
    },

    async byAgentTokens(digests) {
      const tail = `where agent_token_digest in (${placeholders(digests)}) and deregistered_at is null`;
      const rows = await readRows(session(), EndpointRow, tail, digests);
      return new Map(rows.map((row) => [row.agentTokenDigest ?? '', withoutSecrets(row)]));
    },

    async withAgent(ids) {
      const where = { id: { $in: [...ids] }, agentTokenDigest: { $ne: null }, ...LIVE };
      return (await session().find(EndpointRow, where, { fields: ['id'], orderBy: { id: 'asc' } })).map(({ id }) => id);
    },

    async list(filter, page, staleBefore, order = { by: 'hostname', descending: false }) {
      const [rows, total] = await session().findAndCount(EndpointRow, endpointCondition(filter, staleBefore), {
        orderBy: [
          { [order.by]: order.descending ? QueryOrder.DESC_NULLS_LAST : QueryOrder.ASC_NULLS_LAST },
          { hostname: 'asc' },
        ],
        ...page,
      });
      return { items: rows.map(toEndpoint), total };
    },

    byIds: (ids) => read(`where id in (${placeholders(ids)})`, ids),

    async byNamesOrAddresses(names) {
      const found: Omit<KnownEndpoint, 'aliases'>[] = [];
      for (const chunk of chunked([...names])) {
        // Two index look-ups; the or of both would read the whole table.
        const rows = await session().execute<{ id: number; hostname: string; ip_address: string | null }[]>(
          `select id, hostname, ip_address from endpoint where deregistered_at is null and hostname in (${placeholders(chunk)})
           union
           select id, hostname, ip_address from endpoint where deregistered_at is null and ip_address in (${placeholders(chunk)})`,
          [...chunk, ...chunk],
        );
        found.push(...rows.map(({ id, hostname, ip_address: ipAddress }) => ({ id, hostname, ipAddress })));
      }
      return found;
    },

    async hold(ids) {
      const held = new Set<number>();
      const em = session();
      // SQLite has one writer at a time, and a transaction of ours is it from its beginning.
      const lock = em.getDriver() instanceof SqliteDriver ? '' : 'for no key update';
      // In one order everywhere, so that two holders never wait for each other.
      for (const chunk of chunked(ids.toSorted((a, b) => a - b))) {
        const rows = await em.execute<{ id: number }[]>(
          `select id from endpoint where id in (${placeholders(chunk)}) and deregistered_at is null
           order by id ${lock}`,
          chunk,
        );
        for (const { id } of rows) held.add(id);
      }
      return held;
    },

    batch: (afterId, limit) => read('where id > ? and deregistered_at is null order by id limit ?', [afterId, limit]),

    between: (fromId, toId) =>
      read('where id >= ? and id <= ? and deregistered_at is null order by id', [fromId, toId]),

    async spans(size) {
      const rows = await session().execute<Record<'from_id' | 'to_id' | 'endpoints', number | string>[]>(
        `select min(id) as from_id, max(id) as to_id, count(*) as endpoints
         from (select id, (row_number() over (order by id) - 1) / ${size} as part from endpoint where deregistered_at is null) e
         group by part order by part`,
      );
      return rows.map(({ from_id, to_id, endpoints }) => ({
        fromId: Number(from_id),
        toId: Number(to_id),
        endpoints: Number(endpoints),
      }));
    },

    count: () => session().count(EndpointRow, LIVE),

    async update(id, patch, now) {
      await session().nativeUpdate(EndpointRow, { id }, { ...patch, updatedAt: now });
      return toEndpoint(await session().findOneOrFail(EndpointRow, { id }));
    },

    async updateAll(endpoints, now) {
      const rows = endpoints.map((endpoint) => ({ ...endpoint, updatedAt: now }));
      await saveRows(session(), EndpointRow, rows, REGISTRATION_FIELDS);
    },

    async deregister(id, now) {
      await session().nativeDelete(EndpointAliasRow, { endpointId: id });
      await session().nativeDelete(AgentRow, { endpointId: id });
      await session().nativeUpdate(
        EndpointRow,
        { id },
        { deregisteredAt: now, updatedAt: now, agentTokenDigest: null },
      );
    },

    // Only these, so that a scan does not undo what people registered meanwhile.
    recordConditions: (rows) => saveRows(session(), EndpointRow, rows, CONDITION_FIELDS),

    async rememberHostKey(hostname, hostKey) {
      await session().nativeUpdate(EndpointRow, { hostname, ...LIVE }, { hostKey });
    },

    async hostKey(hostname) {
      const row = await session().findOne(EndpointRow, { hostname, ...LIVE }, { fields: ['hostKey'] });
      return row?.hostKey ?? null;
    },

    async fleet() {
      const rows = await session()
        .createQueryBuilder(EndpointRow, 'e')
        .select(['persona', 'scoreStatus', raw('count(*) as endpoints'), raw('sum(coalesce(score, 0)) as score_sum')])
        .where(LIVE)
        .groupBy(['persona', 'scoreStatus'])
        .execute<{ persona: string; scoreStatus: string; endpoints: number | string; score_sum: number }[]>('all');
      return rows.map((row) => ({
        persona: row.persona,
        status: row.scoreStatus,
        endpoints: Number(row.endpoints),
        scoreSum: Number(row.score_sum),
      }));
    },

    countStale: (staleBefore) => session().count(EndpointRow, { ...LIVE, lastSeenAt: { $lt: staleBefore } }),

    async watchedSince(since) {
      const rows = await session().find(
        EndpointRow,
        { lastSeenAt: { $gte: since } },
        { fields: ['registeredAt', 'lastSeenAt'], orderBy: { id: 'asc' } },
      );
      return rows.map(({ registeredAt, lastSeenAt }) => ({ from: registeredAt, to: lastSeenAt as Date }));
    },

    async scored() {
      const rows = await session().find(
        EndpointRow,
        { ...LIVE, score: { $ne: null } },
        { fields: ['persona', 'tags', 'score'], orderBy: { id: 'asc' } },
      );
      return rows.map(({ persona, tags, score }) => ({ persona, tags, score: score as number }));
    },

    async distribution() {
      const rows = await session().execute<{ ten: number; endpoints: number | string }[]>(
        `select ten, count(*) as endpoints from (
           select case ${TENS.map((ten) => `when score >= ${10 * ten} then ${ten}`).join(' ')} else 0 end as ten
           from endpoint where deregistered_at is null and score is not null
         ) scored group by ten`,
      );
      const counts = new Map(rows.map(({ ten, endpoints }) => [ten, Number(endpoints)]));
      return Array.from({ length: TENS.length + 1 }, (_, ten) => counts.get(ten) ?? 0);
    },

    async members() {
      const rows = await session().execute<MemberRow[]>(
        'select persona, os_platform, criticality_tier, tags, score, score_status from endpoint where deregistered_at is null',
      );
      return rows.map(
        ({ os_platform: osPlatform, criticality_tier: criticalityTier, tags, score_status, ...rest }) => ({
          ...rest,
          osPlatform,
          criticalityTier,
          // PostgreSQL's driver has parsed it already.
          tags: typeof tags === 'string' ? (JSON.parse(tags) as Record<string, string>) : tags,
          scoreStatus: score_status,
        }),
      );
    },

    async worst(limit) {
      const rows = await session().find(
        EndpointRow,
        { ...LIVE, score: { $ne: null } },
        { orderBy: { score: 'asc', id: 'asc' }, limit },
      );
      return rows.map(toEndpoint);
    },
  };
}

function taken(hostname: string): AppError {
  return new AppError(
    'conflict',
    `${hostname} is registered already.`,
    { hostname },
    {
      next: [
        { to: 'Change it', tool: 'update_endpoint', input: { hostname } },
        { to: 'Or remove it first', tool: 'deregister_endpoint', input: { hostname } },
      ],
    },
  );
}

function toEndpoint(row: Row): Endpoint {
  return withoutSecrets(plain(EndpointRow, row));
}

function withoutSecrets({ agentTokenDigest: _secret, hostKey: _key, ...endpoint }: Plain<Row>): Endpoint {
  return endpoint;
}
