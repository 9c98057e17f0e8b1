/** Healing with people: who is asked, what their answers do, and remediations that a person asks for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alert, delivery } from '../../helpers/deliveries.ts';
import { FULL_DISK, type HealingWorld, healingWorld, MODEL, person } from '../../helpers/healingWorld.ts';
import { WELL } from '../../helpers/machines.ts';

const MINUTE_MS = 60_000;

let world: HealingWorld;
beforeEach(async () => {
  world = await healingWorld();
});
afterEach(() => world.close());

describe('an alert whose remediation needs an approval', () => {
  const ask = async (more: object = {}) => {
    await world.register('pc-1', more);
    await world.scan('pc-1', FULL_DISK);
    await world.reaches('pc-1', 'pending_approval');
    const [approval] = await world.approvals();
    return approval!;
  };

  test('shows the plan, and runs what was stored once a person agrees', async () => {
    const approval = await ask();
    expect(approval).toMatchObject({
      kind: 'remediation',
      status: 'pending',
      question: 'Run cleanup_disk on pc-1 for DiskFull?',
      plan: { hostname: 'pc-1', playbook: 'cleanup_disk', variables: {}, last_outcomes: [] },
      approvals_needed: 1,
    });
    await expect
      .poll(() => world.told, { timeout: 5000 })
      .toContainEqual(expect.objectContaining({ subject: `approval:${approval.approval_id}`, status: 'pending' }));
    expect(world.runs).toEqual([]);
    await world.call('decide_approval', { approval_id: approval.approval_id, decision: 'approve' });
    await world.reaches('pc-1', 'resolved');
    expect(world.runs).toHaveLength(1);
  });

  test('is not run when a person says no', async () => {
    const { approval_id } = await ask();
    await world.call('decide_approval', { approval_id, decision: 'deny', reason: 'month end' });
    const { id } = await world.reaches('pc-1', 'needs_human');
    expect((await world.timelineOf(id)).at(-1)).toBe('needs_human: cleanup_disk denied: ann said no: month end');
    expect(await world.remediations()).toMatchObject([{ status: 'denied' }]);
    expect(world.runs).toEqual([]);
  });

  test('is not run when nobody answers within half an hour', async () => {
    const { approval_id } = await ask();
    world.clock.advance(30 * MINUTE_MS);
    await expect(world.call('decide_approval', { approval_id, decision: 'approve' })).rejects.toMatchObject({
      kind: 'conflict',
    });
    await world.tend();
    await world.reaches('pc-1', 'needs_human');
    expect(await world.approvals('status=expired')).toHaveLength(1);
    expect(world.runs).toEqual([]);
  });

  test('wants two different people on a tier 1 machine', async () => {
    const { approval_id, approvals_needed } = await ask({ criticality_tier: 1 });
    expect(approvals_needed).toBe(2);
    const yes = { approval_id, decision: 'approve' };
    await world.call('decide_approval', yes, person('ann'));
    await expect(world.call('decide_approval', yes, person('ann'))).rejects.toMatchObject({ kind: 'denied' });
    expect(world.runs).toEqual([]);
    await world.call('decide_approval', yes, person('bob'));
    await world.reaches('pc-1', 'resolved');
    expect(world.runs).toHaveLength(1);
  });

  test('runs at most once however many click approve and deny at the same time', async () => {
    const { approval_id } = await ask();
    const clicks = Array.from({ length: 50 }, (_, n) =>
      world.call('decide_approval', { approval_id, decision: n % 2 ? 'approve' : 'deny' }, person(`p${n}`)),
    );
    const results = await Promise.allSettled(clicks);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const [approval] = await world.approvals('status=all');
    expect(approval!.answers).toHaveLength(1);
    await world.reaches('pc-1', approval!.status === 'approved' ? 'resolved' : 'needs_human');
    expect(world.runs).toHaveLength(approval!.status === 'approved' ? 1 : 0);
  });

  test('is no business of models', async () => {
    const { approval_id } = await ask();
    await expect(world.call('decide_approval', { approval_id, decision: 'approve' }, MODEL)).rejects.toMatchObject({
      kind: 'denied',
    });
    const asked: string[] = [];
    const { output } = await world.service.app.invoke('decide_approval', { approval_id, decision: 'approve' }, MODEL, {
      async confirm(question) {
        asked.push(question);
        return 'approve' as const;
      },
    });
    expect(asked[0]).toContain('Run cleanup_disk on pc-1 for DiskFull?');
    expect(output).toMatchObject({
      approval: { status: 'approved', answers: [{ name: 'the person behind a model' }] },
    });
    await world.reaches('pc-1', 'resolved');
  });

  test('needs nobody any more once the problem is over', async () => {
    await ask();
    await world.scan('pc-1', WELL);
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'resolved', resolution: 'clear' });
    await world.tend();
    expect(await world.approvals()).toEqual([]);
    expect(await world.remediations()).toMatchObject([{ status: 'cancelled' }]);
  });

  test('is asked for anew when the problem is over and comes back before anybody looked', async () => {
    await ask();
    await world.scan('pc-1', WELL);
    await world.scan('pc-1', FULL_DISK);
    await expect
      .poll(async () => (await world.remediations()).map(({ status }) => status).sort(), { timeout: 5000 })
      .toEqual(['cancelled', 'waiting_approval']);
    const cancelled = (await world.remediations()).find(({ status }) => status === 'cancelled');
    expect(cancelled?.reason).toContain('Its alert was resolved');
    const [approval] = await world.approvals();
    await world.call('decide_approval', { approval_id: approval!.approval_id, decision: 'approve' });
    await world.reaches('pc-1', 'resolved');
    expect(world.runs).toHaveLength(1);
  });

  test('ends with its approval, though nobody was told of that', async () => {
    const { approval_id } = await ask();
    const { approvals } = world.service.app.ports.store;
    const approval = (await approvals.get(approval_id))!;
    const now = world.clock.now();
    await approvals.replace({ ...approval, status: 'cancelled', decidedAt: now, settledAt: now, outcome: 'gone' });
    await world.tend();
    expect(await world.remediations()).toMatchObject([{ status: 'cancelled', reason: 'gone' }]);
    expect((await world.alertOf('pc-1')).status).toBe('needs_human');
  });
});

describe('asked for by a person', () => {
  test('is answered by somebody else', async () => {
    await world.register('pc-1');
    await world.scan('pc-1', FULL_DISK);
    await world.reaches('pc-1', 'pending_approval');
    const [first] = await world.approvals();
    await world.call('decide_approval', { approval_id: first!.approval_id, decision: 'deny' });
    const { id } = await world.reaches('pc-1', 'needs_human');

    const ann = person('ann');
    const { remediation } = await world.call('remediate_alert', { alert_id: id }, ann);
    const yes = { approval_id: remediation.approval_id, decision: 'approve' };
    await expect(world.call('decide_approval', yes, ann)).rejects.toMatchObject({ kind: 'denied' });
    await world.call('decide_approval', yes, person('bob'));
    await world.reaches('pc-1', 'resolved');
    expect(world.runs).toHaveLength(1);
  });

  test('a preview changes nothing and needs nobody', async () => {
    await world.register('pc-1');
    await world.scan('pc-1', FULL_DISK);
    const { id } = await world.reaches('pc-1', 'pending_approval');
    const { remediation } = await world.call('remediate_alert', { alert_id: id, dry_run: true });
    expect(await world.service.finished(remediation.run_id)).toMatchObject({ status: 'completed' });
    expect(world.runs).toMatchObject([{ dryRun: true }]);
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'pending_approval' });
  });

  test('is refused with the reason', async () => {
    await world.register('pc-1');
    await world.service.call(
      'POST',
      '/api/v1/webhooks/alertmanager',
      delivery(alert({ host: 'pc-1', name: 'KernelPanic' })),
    );
    const { id } = await world.reaches('pc-1', 'needs_human');
    await expect(world.call('remediate_alert', { alert_id: id })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('gives it to a person'),
    });
  });
});
