/** Playbooks that run, and what becomes of them when a process dies or too many of them fail. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recoverRemediations } from '../../../src/core/healing/maintain.ts';
import { reclaimFromDeadProcesses } from '../../../src/core/processes/workers.ts';
import { alert, delivery } from '../../helpers/deliveries.ts';
import { FULL_DISK, type HealingWorld, healingWorld } from '../../helpers/healingWorld.ts';
import { WELL } from '../../helpers/machines.ts';

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
