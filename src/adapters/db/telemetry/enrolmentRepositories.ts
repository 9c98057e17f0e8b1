/** Enrolments, by digest, and the agents that came by them, in the database. */
import type { InferEntity } from '@mikro-orm/core';
import type { AgentRepository, Enrolment, EnrolmentRepository } from '../../../core/ports/enrolmentPorts.ts';
import { AgentReleaseRow, AgentRow, EnrolmentRow } from '../entities/enrolment.ts';
import { EndpointRow } from '../entities/telemetry.ts';
import { type DbSession, plain } from '../rows.ts';

export function enrolmentRepository(session: DbSession): EnrolmentRepository {
  return {
    async add(enrolment, digest) {
      const row = { ...enrolment, digest, machines: 0, lastUsedAt: null, revokedAt: null };
      const id = await session().insert(EnrolmentRow, row);
      return { ...enrolment, id, machines: 0, lastUsedAt: null, revokedAt: null };
    },
    async list() {
      return (await session().find(EnrolmentRow, {}, { orderBy: { id: 'desc' } })).map(toEnrolment);
    },
    async get(id) {
      const row = await session().findOne(EnrolmentRow, { id });
      return row && toEnrolment(row);
    },
    async byDigest(digest) {
      const row = await session().findOne(EnrolmentRow, { digest });
      return row && toEnrolment(row);
    },
    async revoke(id, now) {
      const em = session();
      const row = await em.findOne(EnrolmentRow, { id, revokedAt: null });
      if (!row || (await em.nativeUpdate(EnrolmentRow, { id, revokedAt: null }, { revokedAt: now })) === 0) return null;
      return { ...toEnrolment(row), revokedAt: now };
    },
    async use(id, isNewMachine, now) {
      // One statement, so that two machines never take the last place together.
      const used = await session().execute<{ id: number }[]>(
        `update enrolment set machines = machines + ?, last_used_at = ?
         where id = ? and revoked_at is null and expires_at > ? and (? = 0 or machines < max_machines) returning id`,
        [isNewMachine ? 1 : 0, now, id, now, isNewMachine ? 1 : 0],
      );
      return used.length > 0;
    },
  };
}

export function agentRepository(session: DbSession): AgentRepository {
  return {
    async get(endpointId) {
      const row = await session().findOne(AgentRow, { endpointId });
      return row && plain(AgentRow, row);
    },
    async byPreviousToken(previousTokenDigest, since) {
      const row = await session().findOne(AgentRow, { previousTokenDigest, tokenIssuedAt: { $gte: since } });
      return row?.endpointId ?? null;
    },
    async release(version, now) {
      const em = session();
      await em.execute(
        'insert into agent_release (version, offered_at, rolled_back) values (?, ?, 0) on conflict (version) do nothing',
        [version, now],
      );
      return plain(AgentReleaseRow, await em.findOneOrFail(AgentReleaseRow, { version }));
    },
    async noteRollback(version) {
      await session().execute('update agent_release set rolled_back = rolled_back + 1 where version = ?', [version]);
    },
    async keep(agent, agentTokenDigest) {
      const em = session();
      await em.upsert(AgentRow, agent);
      await em.nativeUpdate(EndpointRow, { id: agent.endpointId }, { agentTokenDigest });
    },
  };
}

function toEnrolment(row: InferEntity<typeof EnrolmentRow>): Enrolment {
  const { digest: _secret, ...enrolment } = plain(EnrolmentRow, row);
  return enrolment;
}
