/** Runs and the audit trail in the database. */
import { type InferEntity, UniqueConstraintViolationException } from '@mikro-orm/core';
import { AppError } from '../../../core/errors.ts';
import type { AuditRepository, RunRepository } from '../../../core/ports/storePorts.ts';
import type { Run } from '../../../domain/run.ts';
import { insertRows } from '../bulk.ts';
import { AuditRow, RunRow } from '../entities/runs.ts';
import { type DbSession, plain } from '../rows.ts';

export function runRepository(session: DbSession): RunRepository {
  return {
    async add(run) {
      try {
        await session().insert(RunRow, run);
      } catch (error) {
        if (!(error instanceof UniqueConstraintViolationException)) throw error;
        throw new AppError('conflict', `A ${run.kind} run is under way already.`);
      }
    },
    async get(id) {
      const row = await session().findOne(RunRow, { id });
      return row && toRun(row);
    },
    async list({ notVia, ...filter }, page) {
      const equal = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
      const where = { ...equal, ...(notVia !== undefined && { via: { $ne: notVia } }) };
      const [rows, total] = await session().findAndCount(RunRow, where, {
        orderBy: { createdAt: 'desc', id: 'desc' },
        exclude: ['steps', 'state'],
        ...page,
      });
      return { items: rows.map((row) => ({ ...plain(RunRow, row), steps: [], state: null })), total };
    },
    async status(id) {
      return (await session().findOne(RunRow, { id }, { fields: ['status'] }))?.status ?? null;
    },
    async move(id, from, patch) {
      return (await session().nativeUpdate(RunRow, { id, status: { $in: [...from] } }, patch)) === 1;
    },
    async claim(id, workerId, startedAt) {
      const claimed = { status: 'running' as const, workerId, startedAt };
      return (await session().nativeUpdate(RunRow, { id, status: 'queued' }, claimed)) === 1;
    },
    async abandoned(aliveWorkerIds) {
      const where = { status: 'running' as const, $or: [{ workerId: null }, { workerId: { $nin: aliveWorkerIds } }] };
      return (await session().find(RunRow, where, { orderBy: { createdAt: 'asc' } })).map(toRun);
    },
    async update(id, patch) {
      await session().nativeUpdate(RunRow, { id }, patch);
    },
    async inStatus(statuses, kind) {
      const where = { status: { $in: statuses }, ...(kind && { kind }) };
      return (await session().find(RunRow, where, { orderBy: { createdAt: 'asc' } })).map(toRun);
    },
  };
}

export function auditRepository(session: DbSession): AuditRepository {
  return {
    async append(entries) {
      await insertRows(session(), AuditRow, entries);
    },
    async list({ since, ...filter }, page) {
      const equal = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
      const where = { ...equal, ...(since && { at: { $gte: since } }) };
      const [rows, total] = await session().findAndCount(AuditRow, where, {
        orderBy: { at: 'desc', id: 'desc' },
        ...page,
      });
      return { items: rows.map((row) => plain(AuditRow, row)), total };
    },
  };
}

function toRun(row: InferEntity<typeof RunRow>): Run {
  const { workerId: _who, ...run } = plain(RunRow, row);
  return run;
}
