/** Clock, ids and tokens from the platform. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Clock, Ids, Tokens } from '../core/ports/ports.ts';

export const systemClock: Clock = { now: () => new Date() };

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** ULIDs: 48 bits of milliseconds and 80 random bits, 26 characters that sort by time (github.com/ulid/spec). */
export function ulids(clock: Clock): Ids {
  return {
    next() {
      const bits = (BigInt(clock.now().getTime()) << 80n) | BigInt(`0x${randomBytes(10).toString('hex')}`);
      return Array.from({ length: 26 }, (_, i) => CROCKFORD[Number((bits >> BigInt(5 * (25 - i))) & 31n)]).join('');
    },
  };
}

/** Of this process alone, and never stored. */
const PSEUDONYM_KEY = randomBytes(32);

/** 256 random bits need no slow hash: nobody can guess their way to the digest. */
export const tokens: Tokens = {
  issue(prefix = 'dex') {
    const token = `${prefix}_${randomBytes(32).toString('base64url')}`;
    return { token, digest: tokens.digest(token) };
  },
  pseudonym: (text) => createHmac('sha256', PSEUDONYM_KEY).update(text).digest('hex'),
  digest: (token) => createHash('sha256').update(token).digest('hex'),
};
