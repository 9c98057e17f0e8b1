/** Somebody in Slack who is signed in by the identity provider has the roles of their groups there too, found by their mail address. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cookieJar } from '../../helpers/cookieJar.ts';
import { ANN, type SignInWorld, startSignInWorld } from '../../helpers/signInWorld.ts';
import { BOT_TOKEN, httpTransport, SIGNING_SECRET, startSlack, type TestSlack } from '../../helpers/slack.ts';

let slack: TestSlack;
let world: SignInWorld;
let nowMs = Date.now();
beforeAll(async () => {
  slack = await startSlack();
  slack.overrides.set('users.info', ({ user }) => ({
    json: {
      ok: true,
      user: { id: user, real_name: 'Ann Adams', team_id: 'T000000001', profile: { email: 'Ann@example.com' } },
    },
  }));
  const env = { SLACK_BOT_TOKEN: BOT_TOKEN, SLACK_SIGNING_SECRET: SIGNING_SECRET, SLACK_API_URL: slack.apiUrl };
  world = await startSignInWorld({ clock: { now: () => new Date(nowMs) } }, {}, env);
});
afterAll(async () => {
  await world?.stop();
  await slack?.close();
});
beforeEach(() => {
  world.provider.people.set('ann', ANN);
});

const signIn = () => cookieJar().visit(`${world.url}/session/begin`);
/** Whether somebody may read about a machine that is not theirs. */
async function mayReadOthers(): Promise<boolean> {
  const seen = slack.responses.length;
  const { json } = await slack.command(httpTransport(world.url), 'otto', 'endpoint bob-01');
  const answer = () => JSON.stringify([json, ...slack.responses.slice(seen)]);
  await expect.poll(answer, { timeout: 5000 }).toMatch(/only for your own machines|bob@example\.com/);
  return !answer().includes('only for your own machines');
}

test('as long as they are signed in, and the provider knows the group', async () => {
  expect(await mayReadOthers()).toBe(false);
  await signIn();
  expect(await mayReadOthers()).toBe(true);
  world.provider.people.set('ann', { ...ANN, groups: [] });
  nowMs += 5 * 60_000;
  expect(await mayReadOthers()).toBe(false);
});

test('no more once they have left', async () => {
  await signIn();
  expect(await mayReadOthers()).toBe(true);
  world.provider.people.delete('ann');
  nowMs += 5 * 60_000;
  expect(await mayReadOthers()).toBe(false);
});

test('of two people with one address neither', async () => {
  world.provider.people.set('twin', { ...ANN, sub: 'twin' });
  await signIn();
  expect(await mayReadOthers()).toBe(true);
  world.provider.atTheBrowser = 'twin';
  await signIn();
  expect(await mayReadOthers()).toBe(false);
});
