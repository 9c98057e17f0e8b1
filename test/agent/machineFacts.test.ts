/** Who sits at a machine, and what the agent says of itself. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { machineFacts, userOfSessions } from '../../src/agent/machineFacts.ts';
import { main } from '../../src/agent.ts';

test.each([
  ['', null],
  ['  1    0 root        pts/0\n', null],
  [' 12 1001 bob         pts/1\n  2 1000 ann  seat0 tty2\n', 'ann'],
  [' 12 1001 bob         pts/1\n c1  120 gdm  seat0 tty1\n', 'bob'],
])('of the sessions %j it is %j', (sessions, user) => {
  expect(userOfSessions(sessions)).toBe(user);
});

test('this machine has a name and a system', async () => {
  const facts = await machineFacts();
  expect(facts.hostname).toBe(spawnSync('hostname').stdout.toString().trim() || facts.hostname);
  expect(facts.os_platform).toMatch(/^(linux|macos|windows)$/);
});

test('a command that there is none of, or that lacks something, is wrong usage', async () => {
  expect(await main(['dance'])).toBe(2);
  expect(await main(['enroll', '--server', 'https://dex.example'])).toBe(2);
  expect(await main(['run'])).toBe(2);
});
