/** People who are signed in, by the digest of what they show. A session that ends is a row no more. */
import type { FilterQuery, InferEntity } from '@mikro-orm/core';
import type { SignInSession, SignInSessionRepository } from '../../../core/ports/identityPorts.ts';
import { SignInSessionRow } from '../entities/sessions.ts';
import { type DbSession, plain } from '../rows.ts';

type Row = InferEntity<typeof SignInSessionRow>;

const NEWEST_FIRST = { createdAt: 'desc', id: 'desc' } as const;

export function signInSessionRepository(session: DbSession): SignInSessionRepository {
  const valid = (now: Date) => ({ expiresAt: { $gt: now } });
  return {
    async add(added, digest) {
      return { ...added, id: await session().insert(SignInSessionRow, { ...added, digest }) };
    },
    async byDigest(digest, now) {
      const row = await session().findOne(SignInSessionRow, { digest, ...valid(now) });
      if (!row) return null;
      const sameEmail: FilterQuery<Row> = { email: row.email, subject: { $ne: row.subject }, ...valid(now) };
      const sharesEmail = row.email !== null && (await session().count(SignInSessionRow, sameEmail)) > 0;
      return { session: toSession(row), sharesEmail };
    },
    async byEmail(email, now) {
      const rows = await session().find(SignInSessionRow, { email, ...valid(now) }, { orderBy: NEWEST_FIRST });
      const [newest] = rows;
      return newest && rows.every(({ subject }) => subject === newest.subject) ? toSession(newest) : null;
    },
    async list(subject, now) {
      const where = { ...valid(now), ...(subject !== null && { subject }) };
      return (await session().find(SignInSessionRow, where, { orderBy: NEWEST_FIRST })).map(toSession);
    },
    async takeConfirmation({ id, confirmAfter }, until) {
      return (await session().nativeUpdate(SignInSessionRow, { id, confirmAfter }, { confirmAfter: until })) === 1;
    },
    async update(id, patch) {
      await session().nativeUpdate(SignInSessionRow, { id }, patch);
    },
    async end(id, now) {
      const row = await session().findOne(SignInSessionRow, { id, ...valid(now) });
      if (!row || (await session().nativeDelete(SignInSessionRow, { id })) === 0) return null;
      return { ...toSession(row), refreshToken: null };
    },
  };
}

function toSession(row: Row): SignInSession {
  const { digest: _secret, ...session } = plain(SignInSessionRow, row);
  return session;
}
