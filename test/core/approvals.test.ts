/** One mechanism for every yes: destructive calls of models wait for people, run once, and never by a model's own word. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../src/core/actor.ts';
import { interruptApproved, requestApproval, requireApproval, spendApproval } from '../../src/core/approvals.ts';
import type { AppError } from '../../src/core/errors.ts';
import { type HealingWorld, healingWorld, MODEL, person } from '../helpers/healingWorld.ts';

let world: HealingWorld;
beforeEach(async () => {
  world = await healingWorld();
  await world.register('pc-1');
});
afterEach(() => world.close());

const GONE = { hostname: 'pc-1' };
const exists = async () => (await world.service.call('GET', '/api/v1/dex/endpoints/pc-1')).status === 200;
const PLANNER: Actor = { ...MODEL, id: 'planner:r1', name: 'a planner run', via: 'planner' };

/** A model asks to deregister; returns the id of the approval that it has to wait for. */
async function ask(actor = MODEL): Promise<string> {
  const refusal = await world.call('deregister_endpoint', GONE, actor).then(
    () => expect.fail('it ran without an approval'),
    (error: AppError) => error,
  );
  expect(refusal).toMatchObject({ kind: 'denied', details: { status: 'pending', approval_id: expect.any(String) } });
  return (refusal.details as { approval_id: string }).approval_id;
}
const executed = (id: string) =>
  expect.poll(async () => (await requireApproval(world.service.app.ports, id)).execution, { timeout: 8000 });

describe('a destructive call of a model', () => {
  test('waits, and runs in its name once a person agrees', async () => {
    const id = await ask();
    expect(await exists()).toBe(true);
    expect(await world.approvals()).toMatchObject([
      {
        approval_id: id,
        kind: 'tool',
        tool: 'deregister_endpoint',
        hostname: 'pc-1',
        requested_by: 'a model',
        plan: { input: GONE },
      },
    ]);
    await world.call('decide_approval', { approval_id: id, decision: 'approve' });
    await executed(id).toBe('done');
    expect(await exists()).toBe(false);
    const { items } = await world.service.app.ports.store.audit.list(
      { tool: 'deregister_endpoint' },
      { limit: 10, offset: 0 },
    );
    expect(items.map(({ actor, outcome }) => [actor, outcome])).toEqual([
      ['key:m', 'ok'],
      ['key:m', 'denied'],
    ]);
  });

  test('asked for again makes no second request', async () => expect(await ask()).toBe(await ask()));

  test('does not run after a no', async () => {
    const id = await ask();
    await world.call('decide_approval', { approval_id: id, decision: 'deny' });
    await expect.poll(async () => (await requireApproval(world.service.app.ports, id)).settledAt).not.toBe(null);
    expect(await exists()).toBe(true);
  });

  test('that fails says so on its approval', async () => {
    const id = await ask();
    await world.call('deregister_endpoint', GONE);
    await world.call('decide_approval', { approval_id: id, decision: 'approve' });
    await executed(id).toBe('failed');
    expect((await world.approvals('status=approved'))[0]!.outcome).toContain('No endpoint named pc-1');
  });

  test('runs at once when the person behind the program agrees', async () => {
    const { invoke } = world.service.app;
    await expect(invoke('deregister_endpoint', GONE, MODEL, { confirm: async () => 'deny' })).rejects.toMatchObject({
      kind: 'denied',
    });
    expect(await exists()).toBe(true);
    await invoke('deregister_endpoint', GONE, MODEL, { confirm: async () => 'approve' });
    expect(await exists()).toBe(false);
    expect((await world.approvals('status=all')).map(({ status, execution }) => [status, execution]).sort()).toEqual([
      ['approved', 'done'],
      ['denied', 'none'],
    ]);
  });

  test('on a tier 1 machine waits for a second person', async () => {
    await world.service.call('PATCH', '/api/v1/dex/endpoints/pc-1', { criticality_tier: 1 });
    const { invoke } = world.service.app;
    await expect(invoke('deregister_endpoint', GONE, MODEL, { confirm: async () => 'approve' })).rejects.toMatchObject({
      details: { status: 'pending' },
    });
    expect(await exists()).toBe(true);
    const [{ approval_id }] = (await world.approvals()) as [Record<string, any>];
    await world.call('decide_approval', { approval_id, decision: 'approve' }, person('bob'));
    await executed(approval_id).toBe('done');
    expect(await exists()).toBe(false);
  });
});

describe("a planner's step", () => {
  const request = (ports = world.service.app.ports) =>
    requestApproval(
      ports,
      {
        kind: 'planner_step',
        question: 'Deregister pc-1?',
        plan: {},
        tool: 'deregister_endpoint',
        input: GONE,
        hostname: 'pc-1',
        alertId: null,
        subjectId: 'r1',
      },
      PLANNER,
    );

  test('is carried out by the planner itself, once, and only that very call', async () => {
    const { invoke } = world.service.app;
    const { id } = await request();
    await expect(invoke('deregister_endpoint', GONE, PLANNER, { approvalId: id })).rejects.toMatchObject({
      kind: 'denied',
    });
    await world.call('decide_approval', { approval_id: id, decision: 'approve' });
    await world.register('pc-2');
    await expect(
      invoke('deregister_endpoint', { hostname: 'pc-2' }, PLANNER, { approvalId: id }),
    ).rejects.toMatchObject({ kind: 'denied' });
    await invoke('deregister_endpoint', GONE, PLANNER, { approvalId: id });
    await world.register('pc-1');
    await expect(invoke('deregister_endpoint', GONE, PLANNER, { approvalId: id })).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(await exists()).toBe(true);
  });
});

test('a call whose process died is ended and not repeated, and one that is under way beside it goes on', async () => {
  const { ports } = world.service.app;
  const { id } = await requestApproval(
    ports,
    {
      kind: 'planner_step',
      question: '?',
      plan: {},
      tool: 'deregister_endpoint',
      input: GONE,
      hostname: 'pc-1',
      alertId: null,
      subjectId: null,
    },
    MODEL,
  );
  await ports.store.approvals.replace({
    ...(await requireApproval(ports, id)),
    status: 'approved',
    decidedAt: ports.clock.now(),
    execution: 'due',
  });
  await spendApproval(ports, id, 'deregister_endpoint', GONE);
  await interruptApproved(ports, async (workerId) => workerId === ports.worker.id);
  expect(await requireApproval(ports, id)).toMatchObject({ execution: 'running', settledAt: null });
  await interruptApproved(ports, async (workerId) => workerId !== ports.worker.id);
  expect(await requireApproval(ports, id)).toMatchObject({ execution: 'interrupted' });
  await expect(spendApproval(ports, id, 'deregister_endpoint', GONE)).rejects.toMatchObject({ kind: 'conflict' });
  expect(await exists()).toBe(true);
});

test('what nobody answered in time expires by the clock, and is counted', async () => {
  const id = await ask();
  world.clock.advance(30 * 60_000);
  await world.tend();
  expect(await world.approvals('status=expired')).toMatchObject([{ approval_id: id }]);
  expect(await (await fetch(`${world.service.url}/metrics`)).text()).toContain(
    'dex_approvals_total{kind="tool",outcome="expired"} 1',
  );
  expect(await exists()).toBe(true);
});
