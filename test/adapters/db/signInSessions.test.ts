/** Sessions of people who signed in, on both databases: valid ones alone are found, and two who ask the provider do not both do it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SignInSession, SignInSessionRepository } from '../../../src/core/ports/identityPorts.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

const NOW = new Date('2026-11-28T08:00:00Z');
const at = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000);

describe.each(STORE_KINDS)('%s', (kind) => {
  let opened: TestStore;
  let sessions: SignInSessionRepository;
  beforeAll(async () => {
    opened = await openTestStore(kind);
    sessions = opened.store.signInSessions;
  });
  afterAll(() => opened?.close());

  const add = (digest: string, subject: string, more: Partial<SignInSession> = {}) =>
    sessions.add(
      {
        subject,
        name: subject,
        email: `${subject}@example.com`,
        groups: ['operations', 'it\'s "quoted"'],
        channel: 'page',
        client: 'Firefox on Linux',
        refreshToken: 'sealed',
        createdAt: NOW,
        expiresAt: at(720),
        lastUsedAt: NOW,
        confirmedAt: NOW,
        confirmAfter: at(4),
        ...more,
      },
      digest,
    );

  test('is found by its digest until it expires', async () => {
    const added = await add('a', 'ann');
    expect(await sessions.byDigest('a', NOW)).toEqual({ session: added, sharesEmail: false });
    expect(await sessions.byDigest('b', NOW)).toBeNull();
    expect(await sessions.byDigest('a', at(720))).toBeNull();
    await expect(add('a', 'eve')).rejects.toThrow();
  });

  test('shares an address with another person, not with itself', async () => {
    const email = 'shared@example.com';
    await add('s1', 'first', { email });
    await add('s2', 'first', { email, createdAt: at(1) });
    expect((await sessions.byDigest('s1', NOW))?.sharesEmail).toBe(false);
    expect((await sessions.byEmail(email, NOW))?.createdAt).toEqual(at(1));
    await add('s3', 'second', { email, expiresAt: at(10) });
    expect((await sessions.byDigest('s1', NOW))?.sharesEmail).toBe(true);
    expect(await sessions.byEmail(email, NOW)).toBeNull();
    expect((await sessions.byDigest('s1', at(11)))?.sharesEmail).toBe(false);
    expect(await sessions.byEmail('nobody@example.com', NOW)).toBeNull();
    await add('n1', 'third', { email: null });
    await add('n2', 'fourth', { email: null });
    expect((await sessions.byDigest('n1', NOW))?.sharesEmail).toBe(false);
  });

  test('is confirmed by one of those who ask', async () => {
    const session = await add('c', 'carl');
    const taken = await Promise.all(Array.from({ length: 5 }, () => sessions.takeConfirmation(session, at(5))));
    expect(taken.filter(Boolean)).toHaveLength(1);
    await sessions.update(session.id, { groups: [], email: null, confirmAfter: at(9), refreshToken: 'next' });
    expect((await sessions.byDigest('c', NOW))?.session).toEqual({
      ...session,
      groups: [],
      email: null,
      confirmAfter: at(9),
      refreshToken: 'next',
    });
  });

  test('is listed, newest first, and gone once it has ended', async () => {
    const [older, newer] = [await add('d1', 'dora'), await add('d2', 'dora', { createdAt: at(2) })];
    expect((await sessions.list('dora', NOW)).map(({ id }) => id)).toEqual([newer.id, older.id]);
    expect((await sessions.list(null, NOW)).length).toBeGreaterThan(2);
    expect(await sessions.end(newer.id, NOW)).toEqual({ ...newer, refreshToken: null });
    expect(await sessions.end(newer.id, NOW)).toBeNull();
    expect((await sessions.list('dora', NOW)).map(({ id }) => id)).toEqual([older.id]);
    expect(await sessions.end(older.id, at(721))).toBeNull();
  });
});
