/** Self-healing through the whole service: from an alert of any source to a verified fix, or to a person. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alert, delivery } from '../../helpers/deliveries.ts';
import { FULL_DISK, type HealingWorld, healingWorld, MAP, person } from '../../helpers/healingWorld.ts';
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
