/** What people may do with what is their own, and with nothing else: decided by the policy from the tool's declaration. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../src/core/actor.ts';
import { offers } from '../../src/core/policy.ts';
import { TOOLS } from '../../src/core/tools/index.ts';
import { machines, WELL } from '../helpers/machines.ts';
import { startTestService, type TestService } from '../helpers/service.ts';

const ALICE: Actor = {
  id: 'slack:U1',
  name: 'alice',
  kind: 'human',
  via: 'slack',
  role: 'employee',
  email: 'Alice@Example.com',
};
const NOBODY: Actor = { id: 'slack:U2', name: 'bob', kind: 'human', via: 'slack', role: 'employee' };
const OPERATOR: Actor = { ...NOBODY, id: 'slack:U3', name: 'otto', role: 'operator' };

let service: TestService;
beforeAll(async () => {
  const collector = machines(new Map([['alice-laptop', WELL]]));
  service = await startTestService({}, { collector });
  for (const [hostname, owner_email] of [
    ['alice-laptop', 'alice@example.com'],
    ['carol-laptop', 'carol@example.com'],
    ['nobodys', null],
  ])
    await service.call('POST', '/api/v1/dex/endpoints', { hostname, owner_email });
});
afterAll(() => service.stop());

const outcome = (tool: string, input: object, actor: Actor) =>
  service.app.invoke(tool, input, actor).then(
    () => 'done',
    (error: { kind: string }) => error.kind,
  );
const tool = (name: string) => TOOLS.find((one) => one.name === name)!;

describe('a machine', () => {
  test.each(['scan_endpoint', 'report_problem'])('%s is for its owner and for operators', async (name) => {
    expect(await outcome(name, { hostname: 'alice-laptop' }, ALICE)).toBe('done');
    expect(await outcome(name, { hostname: 'carol-laptop' }, ALICE)).toBe('denied');
    expect(await outcome(name, { hostname: 'nobodys' }, ALICE)).toBe('denied');
    expect(await outcome(name, { hostname: 'alice-laptop' }, NOBODY)).toBe('denied');
    expect(await outcome(name, { hostname: 'nobodys' }, OPERATOR)).toBe('done');
  });

  test('one that is not registered is refused like one of somebody else', async () => {
    const refusals = await Promise.all(
      ['no-such', 'carol-laptop'].map((hostname) =>
        service.app.invoke('scan_endpoint', { hostname }, ALICE).catch(({ kind, message }) => ({ kind, message })),
      ),
    );
    expect(refusals[0]).toEqual(refusals[1]);
    expect(refusals[0]).toMatchObject({ kind: 'denied' });
  });

  test('its owner is told what is wrong with an input, others only that they may not', async () => {
    expect(await outcome('scan_endpoint', { hostname: '' }, ALICE)).toBe('invalid');
    expect(await outcome('deregister_endpoint', { hostname: '' }, ALICE)).toBe('denied');
  });

  test('gives its owner no other right', async () => {
    for (const name of ['update_endpoint', 'deregister_endpoint'])
      expect(await outcome(name, { hostname: 'alice-laptop' }, ALICE), name).toBe('denied');
  });

  test('the audit names the owner who scanned it', async () => {
    const { items } = await service.app.ports.store.audit.list(
      { tool: 'scan_endpoint', actor: ALICE.id, outcome: 'ok' },
      { limit: 5, offset: 0 },
    );
    expect(items[0]).toMatchObject({ role: 'employee', subject: 'alice-laptop' });
  });
});

test('a run can be cancelled by whoever asked for it', async () => {
  const { output } = await service.app.invoke('start_run', { goal: 'Is all well?' }, ALICE);
  const run = { run_id: output.run_id };
  expect(await outcome('cancel_run', run, { ...NOBODY, email: 'alice@example.com' })).toBe('denied');
  // It may have ended by now, which is no question of rights.
  expect(await outcome('cancel_run', run, ALICE)).toMatch(/done|conflict/);
});

test('surveys are stopped by operators for anybody, by others for themselves', async () => {
  expect(await outcome('opt_out', { email: 'alice@example.com' }, ALICE)).toBe('done');
  expect(await outcome('opt_out', { email: 'carol@example.com' }, ALICE)).toBe('denied');
  expect(await outcome('opt_out', { email: 'carol@example.com' }, OPERATOR)).toBe('done');
  expect(await outcome('opt_out', { token: 'no such' }, NOBODY)).toBe('not_found');
});

test('programs own nothing, and an MCP connection of a viewer only reads', () => {
  const scan = tool('scan_endpoint');
  expect(offers(scan, ALICE)).toBe(true);
  expect(offers(scan, { ...ALICE, via: 'mcp', kind: 'model' })).toBe(false);
  expect(offers(scan, { kind: 'model', via: 'planner', role: 'employee' })).toBe(false);
  expect(offers(scan, { kind: 'model', via: 'planner', role: 'employee', email: 'alice@example.com' })).toBe(true);
});

test('where approvers are named, nobody else approves, whatever their role', async () => {
  const decide = tool('decide_approval');
  expect(offers(decide, OPERATOR)).toBe(true);
  expect(offers(decide, { ...OPERATOR, approver: false })).toBe(false);
  expect(offers(decide, { ...NOBODY, approver: true })).toBe(false);
  const answer = { approval_id: 'none', decision: 'approve' };
  await expect(service.app.invoke('decide_approval', answer, { ...OPERATOR, approver: false })).rejects.toThrow(
    'Approving is for approvers; nothing was decided.',
  );
});
