/** Looking people up in a local Slack. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSlackPeople } from '../../src/adapters/slackPeople.ts';
import { BOT_TOKEN, startSlack, type TestSlack } from '../helpers/slack.ts';

describe('people in Slack', () => {
  let slack: TestSlack;
  beforeAll(async () => {
    slack = await startSlack();
  }, 30_000);
  afterAll(() => slack.close());

  const lookup = (email: string, token = BOT_TOKEN) => createSlackPeople({ token, apiUrl: slack.apiUrl }).lookup(email);
  const profile = (user: Record<string, unknown>) =>
    slack.overrides.set('users.lookupByEmail', () => ({ json: { ok: true, user: { id: 'U1', ...user } } }));

  test('who is there is found, who is not is nobody', async () => {
    expect(await lookup('alice@example.com')).toEqual({ timeZone: expect.stringMatching(/^(UTC|\w+\/\w+)$/) });
    expect(await lookup('nobody@example.com')).toBeNull();
  });

  test('the time zone is the one of the profile', async () => {
    profile({ tz: 'Asia/Tokyo' });
    expect(await lookup('alice@example.com')).toEqual({ timeZone: 'Asia/Tokyo' });
    profile({});
    expect(await lookup('alice@example.com')).toEqual({ timeZone: 'UTC' });
  });

  test.each([{ deleted: true }, { is_bot: true }])('%j is nobody to ask', async (user) => {
    profile({ tz: 'UTC', ...user });
    expect(await lookup('alice@example.com')).toBeNull();
  });

  test('a Slack that cannot tell now is no answer', async () => {
    slack.overrides.set('users.lookupByEmail', () => ({ json: { ok: false, error: 'missing_scope' } }));
    await expect(lookup('alice@example.com')).rejects.toThrow('missing_scope');
    slack.overrides.set('users.lookupByEmail', () => ({ status: 429, headers: { 'retry-after': '7' }, json: {} }));
    await expect(lookup('alice@example.com')).rejects.toThrow();
  });
});
