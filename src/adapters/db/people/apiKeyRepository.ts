/** API keys in the database, by digest. */
import { type InferEntity, UniqueConstraintViolationException } from '@mikro-orm/core';
import { AppError } from '../../../core/errors.ts';
import type { ApiKey, ApiKeyRepository } from '../../../core/ports/storePorts.ts';
import { ApiKeyRow } from '../entities/runs.ts';
import { type DbSession, plain } from '../rows.ts';

const VALID = { revokedAt: null };

export function apiKeyRepository(session: DbSession): ApiKeyRepository {
  return {
    async add(key, digest) {
      const row = { ...key, digest, lastUsedAt: null, revokedAt: null };
      try {
        return { ...key, id: await session().insert(ApiKeyRow, row), lastUsedAt: null, revokedAt: null };
      } catch (error) {
        if (!(error instanceof UniqueConstraintViolationException)) throw error;
        throw new AppError('conflict', `There is a key named ${key.name} already. Revoke it, or choose another name.`);
      }
    },
    async list() {
      return (await session().find(ApiKeyRow, {}, { orderBy: { name: 'asc', id: 'asc' } })).map(toKey);
    },
    async byDigest(digest) {
      const row = await session().findOne(ApiKeyRow, { digest, ...VALID });
      return row && toKey(row);
    },
    async revoke(name, now) {
      const row = await session().findOne(ApiKeyRow, { name, ...VALID });
      if (!row || (await session().nativeUpdate(ApiKeyRow, { id: row.id, ...VALID }, { revokedAt: now })) === 0)
        return null;
      return { ...toKey(row), revokedAt: now };
    },
    async noteUse(id, now) {
      await session().nativeUpdate(ApiKeyRow, { id }, { lastUsedAt: now });
    },
  };
}

function toKey(row: InferEntity<typeof ApiKeyRow>): ApiKey {
  const { digest: _secret, ...key } = plain(ApiKeyRow, row);
  return key;
}
