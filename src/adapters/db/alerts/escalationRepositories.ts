/** Escalations in progress, and who stands in for whom on call, in the database. */
import type { EscalationRepository, EscalationState, OnCallRepository } from '../../../core/ports/escalationPorts.ts';
import { EscalationRow, OnCallOverrideRow } from '../entities/escalation.ts';
import { chunked, type DbSession, plain } from '../rows.ts';

export function escalationRepository(session: DbSession): EscalationRepository {
  return {
    async begin(states) {
      for (const chunk of chunked([...states])) {
        await session().upsertMany(EscalationRow, chunk, {
          onConflictFields: ['subject'],
          onConflictAction: 'merge',
        });
      }
    },
    async get(subject) {
      const row = await session().findOne(EscalationRow, { subject });
      return row && plain(EscalationRow, row);
    },
    async due(now, limit) {
      const rows = await session().find(
        EscalationRow,
        { endedAt: null, nextAt: { $lte: now } },
        { orderBy: { nextAt: 'asc', subject: 'asc' }, limit },
      );
      return rows.map((row): EscalationState => plain(EscalationRow, row));
    },
    async advance({ subject, beganAt, stepsDone }, patch) {
      const moved = await session().nativeUpdate(EscalationRow, { subject, beganAt, stepsDone, endedAt: null }, patch);
      return moved === 1;
    },
    async end(subjects, now) {
      for (const chunk of chunked([...subjects]))
        await session().nativeUpdate(EscalationRow, { subject: { $in: chunk }, endedAt: null }, { endedAt: now });
    },
    async prune(before) {
      const ended = await session().nativeDelete(EscalationRow, { endedAt: { $lt: before } });
      return ended + (await session().nativeDelete(OnCallOverrideRow, { untilAt: { $lt: before } }));
    },
  };
}

export function onCallRepository(session: DbSession): OnCallRepository {
  return {
    async add({ id, rotation, person, from, until, setBy }) {
      const row = { id, rotation, personId: person.id, personName: person.name, fromAt: from, untilAt: until, setBy };
      await session().insert(OnCallOverrideRow, row);
    },
    async standing(now) {
      const rows = await session().find(OnCallOverrideRow, { untilAt: { $gt: now } }, { orderBy: { id: 'asc' } });
      return rows.map((row) => {
        const { id, rotation, personId, personName, fromAt, untilAt, setBy } = plain(OnCallOverrideRow, row);
        return { id, rotation, person: { id: personId, name: personName }, from: fromAt, until: untilAt, setBy };
      });
    },
    end: (rotation, personId, now) =>
      session().nativeUpdate(OnCallOverrideRow, { rotation, personId, untilAt: { $gt: now } }, { untilAt: now }),
  };
}
