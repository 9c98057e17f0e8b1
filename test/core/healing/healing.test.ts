/** Self-healing through the whole service: from an alert of any source to a verified fix, or to a person. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recoverRemediations } from '../../../src/core/healing/maintain.ts';
import { reclaimFromDeadProcesses } from '../../../src/core/processes/workers.ts';
import { alert, delivery } from '../../helpers/deliveries.ts';
import { FULL_DISK, type HealingWorld, healingWorld, MAP, MODEL, person } from '../../helpers/healingWorld.ts';
import { WELL } from '../../helpers/machines.ts';

const MINUTE_MS = 60_000;
const PATIENCE = { timeout: 15_000 };
const FULL_MEMORY = { ...WELL, memoryPct: 99 };

let world: HealingWorld;
beforeEach(async () => {
  world = await healingWorld();
});
afterEach(() => world.close());

/** Memory alerts need three scans in a row. */
async function fillMemory(hostname: string) {
  for (let times = 0; times < 3; times++) await world.scan(hostname, FULL_MEMORY);
}

describe('an alert whose remediation needs nobody', () => {
  test('is healed, verified by a rescan, and its owner asked', async () => {
    await world.register('pc-1', { owner_email: 'alice@company.com' });
    await fillMemory('pc-1');
    const alert = await world.reaches('pc-1', 'resolved');
    expect(alert).toMatchObject({ alert_name: 'HighMemory', resolution: 'auto' });
    expect(world.runs).toMatchObject([{ playbook: 'clear_cache', variables: {}, dryRun: false }]);
    await expect.poll(async () => (await world.remediations())[0]?.status, PATIENCE).toBe('fixed');
    expect(await world.timelineOf(alert.id)).toEqual([
      expect.stringContaining('active: memory'),
      'remediating: healing with clear_cache',
      expect.stringContaining('resolved: memory'),
    ]);
    const [remediation] = await world.remediations();
    expect(alert.remediation_run_id).toBe(remediation!.run_id);
    await expect
      .poll(async () => (await world.service.finished(remediation!.run_id)).status, PATIENCE)
      .toBe('completed');
    await expect
      .poll(() => world.told, { timeout: 5000 })
      .toContainEqual(expect.objectContaining({ what: 'fix_check', owner_email: 'alice@company.com' }));
  });

  test('goes to a person with the evidence when the rescan still finds it', async () => {
    world.play = async () => ({});
    await world.register('pc-1');
    await fillMemory('pc-1');
    const alert = await world.reaches('pc-1', 'needs_human');
    expect((await world.timelineOf(alert.id)).at(-1)).toMatch(
      /clear_cache not fixed: .*the rescan still finds: memory: 99 %/,
    );
    expect(await world.remediations()).toMatchObject([{ status: 'not_fixed' }]);
  });

  test('goes to a person with the reason when the playbook fails', async () => {
    world.play = async () => ({ ok: false, reason: 'Clear the cache: permission denied' });
    await world.register('pc-1');
    await fillMemory('pc-1');
    const alert = await world.reaches('pc-1', 'needs_human');
    expect((await world.timelineOf(alert.id)).at(-1)).toContain('permission denied');
    const run = await world.service.finished(alert.remediation_run_id);
    expect(run).toMatchObject({ kind: 'remediation', status: 'failed' });
  });

  test('of Prometheus waits for the word of Prometheus, and not for ever', async () => {
    const deliver = (status: 'firing' | 'resolved', host: string) =>
      world.service.call(
        'POST',
        '/api/v1/webhooks/alertmanager',
        delivery(
          alert({
            host,
            status,
            name: 'ServiceDown',
            labels: { service: 'cups' },
            startsAt: world.clock.now().toISOString(),
          }),
        ),
      );
    await world.register('pc-1');
    await world.register('pc-2');
    await deliver('firing', 'pc-1');
    await deliver('firing', 'pc-2');
    await expect.poll(async () => (await world.remediations('status=verifying')).length, PATIENCE).toBe(2);
    expect(world.runs.map(({ variables }) => variables)).toEqual([{ service_name: 'cups' }, { service_name: 'cups' }]);

    await deliver('resolved', 'pc-1');
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'resolved', resolution: 'auto' });
    world.clock.advance(16 * MINUTE_MS);
    await world.tend();
    expect(await world.alertOf('pc-2')).toMatchObject({ status: 'needs_human' });
    expect((await world.remediations()).map(({ hostname, status }) => [hostname, status]).sort()).toEqual([
      ['pc-1', 'fixed'],
      ['pc-2', 'not_fixed'],
    ]);
  });
});

describe('what is not healed goes to a person', () => {
  test.each([
    ['a name that is no service', 'x; rm -rf /', /service_name may not be "x; rm -rf/],
    ['a template in a label', '{{ lookup("pipe", "id") }}', /service_name may not be/],
    ['a missing label', undefined, /\{\{ labels\.service \}\} has no value/],
  ])('%s', async (_name, service, why) => {
    await world.register('pc-1');
    const labels = service === undefined ? {} : { service };
    await world.service.call(
      'POST',
      '/api/v1/webhooks/alertmanager',
      delivery(alert({ host: 'pc-1', name: 'ServiceDown', labels, startsAt: world.clock.now().toISOString() })),
    );
    const { id } = await world.reaches('pc-1', 'needs_human');
    expect((await world.timelineOf(id)).at(-1)).toMatch(why);
    expect(world.runs).toEqual([]);
  });

  test('an alert nobody mapped', async () => {
    await world.register('pc-1');
    await world.service.call('POST', '/api/v1/webhooks/alertmanager', delivery(alert({ host: 'pc-1', name: 'Novel' })));
    const { id } = await world.reaches('pc-1', 'needs_human');
    expect((await world.timelineOf(id)).at(-1)).toBe('needs_human: no remediation is mapped for Novel');
  });

  test('an alert on a machine where nothing can be run', async () => {
    world.blockingReason = 'Ansible is not installed where this service runs';
    await world.register('pc-1');
    await fillMemory('pc-1');
    const { id } = await world.reaches('pc-1', 'needs_human');
    expect((await world.timelineOf(id)).at(-1)).toContain('Ansible is not installed');
  });

  test('an alert that came back within the cooldown', async () => {
    await world.register('pc-1');
    await fillMemory('pc-1');
    await world.reaches('pc-1', 'resolved');
    world.clock.advance(30 * MINUTE_MS);
    await fillMemory('pc-1');
    const { id } = await world.reaches('pc-1', 'needs_human');
    expect((await world.timelineOf(id)).at(-1)).toContain('cooldown');
    expect(world.runs).toHaveLength(1);
  });
});

test('with healing off everything goes to a person and nothing runs', async () => {
  await world.close();
  world = await healingWorld({ env: { DEX_SELF_HEALING_ENABLED: 'false' } });
  await world.register('pc-1');
  await fillMemory('pc-1');
  const { id } = await world.reaches('pc-1', 'needs_human');
  expect((await world.timelineOf(id)).at(-1)).toContain('self-healing is off');
  expect(world.runs).toEqual([]);
});

describe('an alert whose remediation needs a yes', () => {
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

describe('a running playbook', () => {
  test('is stopped by cancelling', async () => {
    world.play = (_job, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ ok: false, reason: 'it was stopped while it ran' }));
      });
    await world.register('pc-1');
    await fillMemory('pc-1');
    await world.reaches('pc-1', 'remediating');
    await expect.poll(() => world.runs.length, PATIENCE).toBe(1);
    const [{ remediation_id }] = (await world.remediations()) as [Record<string, any>];
    await world.call('cancel_remediation', { remediation_id });
    const { id } = await world.reaches('pc-1', 'needs_human');
    expect((await world.timelineOf(id)).at(-1)).toContain('cancelled by ann while it ran');
    expect(await world.service.finished(remediation_id)).toMatchObject({ status: 'cancelled' });
  });

  test('has its endpoint for itself', async () => {
    let running = 0;
    let most = 0;
    world.play = async ({ endpoint }) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 100));
      running--;
      world.findings.set(endpoint.hostname, WELL);
      return {};
    };
    await world.register('pc-1');
    const startsAt = world.clock.now().toISOString();
    await world.service.call(
      'POST',
      '/api/v1/webhooks/alertmanager',
      delivery(
        alert({ host: 'pc-1', name: 'ServiceDown', labels: { service: 'cups' }, startsAt }),
        alert({ host: 'pc-1', name: 'HighMemory', startsAt }),
      ),
    );
    await expect.poll(async () => (await world.remediations('status=verifying')).length, PATIENCE).toBe(2);
    expect(world.runs).toHaveLength(2);
    expect(most).toBe(1);
  });
});

describe('a remediation that began, and whose process died before it got into the queue,', () => {
  const LOST_MS = 60_000;
  const begunAndLost = async (): Promise<string> => {
    await world.register('pc-1');
    await world.scan('pc-1', FULL_DISK);
    await world.reaches('pc-1', 'pending_approval');
    const id = (await world.remediations())[0]?.remediation_id;
    const { remediations, runs } = world.service.app.ports.store;
    await remediations.move(id, ['waiting_approval'], { status: 'running', startedAt: world.clock.now() });
    await runs.update(id, { status: 'queued' });
    return id;
  };
  const queueAgain = () => reclaimFromDeadProcesses(world.service.app.ports, () => false);

  test('is carried out, once', async () => {
    const id = await begunAndLost();
    world.clock.advance(LOST_MS);
    await queueAgain();
    await queueAgain();
    await world.service.finished(id);
    expect(world.runs).toHaveLength(1);
    expect((await world.alertOf('pc-1')).status).toBe('resolved');
  });

  test('is not carried out once it was given to a person', async () => {
    const id = await begunAndLost();
    await world.service.app.ports.store.remediations.move(id, ['running'], { beganAt: world.clock.now() });
    world.clock.advance(20 * 60_000 + 1);
    await world.tend();
    expect((await world.alertOf('pc-1')).status).toBe('needs_human');
    const { runs } = world.service.app.ports.store;
    expect(await runs.get(id)).toMatchObject({
      status: 'cancelled',
      error: expect.stringContaining('its worker is gone'),
    });
    // As if somebody had taken it in the same moment.
    await runs.update(id, { status: 'queued' });
    await world.service.app.ports.queue.enqueue('execute_run', { run_id: id });
    await expect.poll(() => runs.status(id)).toBe('cancelled');
    expect(world.runs).toEqual([]);
  });

  test('is carried out however long the service was away', async () => {
    const id = await begunAndLost();
    world.clock.advance(20 * 60_000 + 1);
    await world.tend();
    await queueAgain();
    await world.service.finished(id);
    expect(world.runs).toHaveLength(1);
  });

  test('is carried out when its run was taken, and its playbook had not begun', async () => {
    const id = await begunAndLost();
    await world.service.app.ports.store.runs.claim(id, 'a dead process', world.clock.now());
    expect(await queueAgain()).toEqual({ requeued: 1, interrupted: 0 });
    await world.service.finished(id);
    expect(world.runs).toHaveLength(1);
    expect((await world.alertOf('pc-1')).status).toBe('resolved');
  });

  test('goes to a person when its playbook may have begun', async () => {
    const { ports } = world.service.app;
    const id = await begunAndLost();
    await ports.store.runs.claim(id, 'a dead process', world.clock.now());
    await ports.store.remediations.move(id, ['running'], { beganAt: world.clock.now() });
    expect(await queueAgain()).toEqual({ requeued: 0, interrupted: 1 });
    await recoverRemediations(ports);
    expect((await world.alertOf('pc-1')).status).toBe('needs_human');
    expect(world.runs).toEqual([]);
  });

  test('does not keep others from their turn', async () => {
    const id = await begunAndLost();
    await world.service.app.ports.store.remediations.move(id, ['running'], { status: 'queued', startedAt: null });
    world.clock.advance(LOST_MS);
    expect(await queueAgain()).toMatchObject({ requeued: 0 });
  });
});

test('too many failures stop healing for the whole fleet, and the channel hears it once', async () => {
  world.play = async () => ({ ok: false, reason: 'broken' });
  for (const host of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    await world.register(host);
    await fillMemory(host);
    await world.reaches(host, 'needs_human');
  }
  expect(world.runs).toHaveLength(5);
  const { id } = await world.alertOf('g');
  expect((await world.timelineOf(id)).at(-1)).toContain('the breaker is open: 5 remediations did not help');
  await expect.poll(() => world.told.filter(({ what }) => what === 'notice'), PATIENCE).toHaveLength(1);
});

describe('"Did that fix it?"', () => {
  test('a no opens the alert again, and both words count', async () => {
    for (const host of ['pc-1', 'pc-2']) {
      await world.register(host, { owner_email: 'alice@company.com' });
      await fillMemory(host);
      await world.reaches(host, 'resolved');
    }
    await expect.poll(async () => (await world.remediations('status=fixed')).length, PATIENCE).toBe(2);
    const [second, first] = (await world.remediations()) as [Record<string, any>, Record<string, any>];
    const alice = { ...person('alice', 'viewer'), email: 'alice@company.com' };
    await world.call('answer_fix_check', { remediation_id: first.remediation_id, fixed: 'no' }, alice);
    await world.call('answer_fix_check', { remediation_id: second.remediation_id, fixed: 'yes' }, alice);
    await expect(
      world.call('answer_fix_check', { remediation_id: second.remediation_id, fixed: 'no' }, alice),
    ).rejects.toMatchObject({ kind: 'conflict' });
    const reopened = await world.alertOf(first.hostname);
    expect(reopened).toMatchObject({ status: 'needs_human', resolution: null });
    expect(await world.alertOf(second.hostname)).toMatchObject({ status: 'resolved' });
    const kpis = await world.call('get_kpis', {});
    expect(kpis).toMatchObject({
      confirmed_fix_rate_pct: 50,
      by_playbook: [
        { playbook: 'clear_cache', runs: 2, fixed: 2, confirmed: 1, denied: 1, confirmed_fix_rate_pct: 50 },
      ],
    });
  });
});

describe('the map', () => {
  test('is read again when it changes, and a broken edit keeps the last good one and says so', async () => {
    world.writeMap(MAP.replace('requires_approval: true', 'requires_approval: maybe'));
    await world.register('pc-1');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await world.scan('pc-1', FULL_DISK);
    await world.reaches('pc-1', 'pending_approval');
    await expect
      .poll(() => world.told, { timeout: 5000 })
      .toContainEqual(expect.objectContaining({ what: 'notice', text: expect.stringContaining('requires_approval') }));
    const page = await (await fetch(`${world.service.url}/metrics`)).text();
    expect(page).toContain('dex_config_refused_total{file="dex_remediation_map.yaml"} 1');

    world.writeMap(MAP.replace('requires_approval: true', 'requires_approval: false'));
    await world.register('pc-2');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await world.scan('pc-2', FULL_DISK);
    await world.reaches('pc-2', 'resolved');
  });
});
