/** Verification of fixes through the whole service: by the forecast, by a rule of ours, or by Alertmanager's word in its own time. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import type { StoredSnapshot } from '../../../src/core/ports/endpointPorts.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { alert, delivery } from '../../helpers/deliveries.ts';
import { flatSnapshot } from '../../helpers/flatSnapshot.ts';
import { FULL_DISK, type HealingWorld, healingWorld } from '../../helpers/healingWorld.ts';
import { WELL } from '../../helpers/machines.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PATIENCE = { timeout: 15_000 };

const MAP = `
remediation_map:
  DiskFull: { action: ansible, playbook: cleanup_disk, requires_approval: false, cooldown: 1m, max_per_day: 9 }
  DiskAlmostOut: { action: ansible, playbook: cleanup_disk, requires_approval: false, verified_by: DiskFull }
  ServiceDown: { action: restart, service: "{{ labels.service }}", requires_approval: false, cooldown: 1m }
`;

let world: HealingWorld;
beforeEach(async () => {
  world = await healingWorld({ map: MAP });
});
afterEach(() => world.close());

/** Samples every quarter of an hour until now. */
async function lived(hostname: string, hours: number, level: (hoursAgo: number) => number): Promise<void> {
  const { endpoints, snapshots } = world.service.app.ports.store;
  const endpoint = (await endpoints.get(hostname)) as Endpoint;
  const nowMs = world.clock.now().getTime();
  const rows = Array.from({ length: hours * 4 }, (_, i): StoredSnapshot => {
    const hoursAgo = hours - i / 4;
    const diskPct = level(hoursAgo) + Math.sin(i * 37.1) * 0.5;
    const at = new Date(nowMs - hoursAgo * HOUR_MS);
    const { hostname: _name, ...snapshot } = flatSnapshot(endpoint, at, { ...WELL, diskPct });
    return { ...snapshot, endpointId: endpoint.id };
  });
  await snapshots.add(rows);
}
const check = () => world.service.app.invoke('check_predictions', {}, jobActor('dex_check_predictive_alerts'));

/** Two points an hour, 72 % now. */
async function foresee(hostname: string): Promise<void> {
  await lived(hostname, 32, (hoursAgo) => 72 - 2 * Math.min(hoursAgo, 16));
  await check();
}
const remediation = async () => (await world.remediations())[0];
const statusOf = () => expect.poll(async () => (await remediation())?.status, PATIENCE);

async function deliver(host: string, name: string, more: object = {}): Promise<void> {
  const startsAt = world.clock.now().toISOString();
  const body = delivery(alert({ host, name, labels: { service: 'cups' }, startsAt, ...more }));
  await world.service.call('POST', '/api/v1/webhooks/alertmanager', body);
}

test('a predicted full disk that was cleaned ends at the rescan, and its old climb is not announced again', async () => {
  world.play = async () => {
    world.findings.set('pc-1', { ...WELL, diskPct: 35 });
    return {};
  };
  await world.register('pc-1');
  await foresee('pc-1');
  const ended = await world.reaches('pc-1', 'resolved');
  expect(ended).toMatchObject({ alert_name: 'DiskFull', alert_type: 'predictive', resolution: 'auto' });
  expect((await world.timelineOf(ended.id)).at(-1)).toMatch(
    /verified after cleanup_disk: disk fell: at 35 % after 7\d %/,
  );
  await statusOf().toBe('fixed');

  await check();
  for (let hour = 0; hour < 6; hour++) {
    world.clock.advance(HOUR_MS);
    await lived('pc-1', 1, () => 35);
    await check();
  }
  expect(await world.alertOf('pc-1')).toMatchObject({ id: ended.id, status: 'resolved', flaps: 0 });
  expect(world.runs).toHaveLength(1);
  const { body } = await world.service.call('GET', '/api/v1/dex/predictions/accuracy');
  expect(body).toMatchObject({ predictions: 1, averted: 1 });
}, 60_000);

test('a predicted full disk that cleaning did not help goes to a person at once, with what was found', async () => {
  world.findings.set('pc-1', { ...WELL, diskPct: 72 });
  world.play = async () => ({});
  await world.register('pc-1');
  await foresee('pc-1');
  const { id } = await world.reaches('pc-1', 'needs_human');
  expect((await world.timelineOf(id)).at(-1)).toMatch(
    /the rescan still finds: disk at 72 % after 7\d %, still heading for 90 %/,
  );
}, 60_000);

test('an endpoint that is out of sight after the fix is judged by the next look at it', async () => {
  world.play = async () => {
    world.findings.set('pc-1', 'unreachable');
    return {};
  };
  await world.register('pc-1');
  await foresee('pc-1');
  await statusOf().toBe('verifying');
  world.clock.advance(5 * MINUTE_MS);
  await world.tend();
  expect(await world.alertOf('pc-1')).toMatchObject({ status: 'remediating' });
  await lived('pc-1', 1, () => 35);
  world.clock.advance(MINUTE_MS);
  await world.scan('pc-1', { ...WELL, diskPct: 35 });
  await world.tend();
  expect(await world.alertOf('pc-1')).toMatchObject({ status: 'resolved', resolution: 'auto' });
}, 60_000);

test('an alert of Prometheus ends by a rescan of what a scan saw too', async () => {
  await world.register('pc-1');
  await world.scan('pc-1', FULL_DISK);
  await world.reaches('pc-1', 'resolved');
  expect(world.runs).toHaveLength(1);

  world.clock.advance(2 * HOUR_MS);
  world.writeMap(
    MAP.replace('  DiskFull: { action: ansible, playbook: cleanup_disk,', '  Other: { action: clear_cache,'),
  );
  await new Promise((resolve) => setTimeout(resolve, 1100)); // the map is looked at once a second
  await world.scan('pc-1', FULL_DISK);
  world.clock.advance(MINUTE_MS);
  await deliver('pc-1', 'DiskAlmostOut');
  await expect
    .poll(
      async () => (await world.service.call('GET', '/api/v1/dex/alerts?name=DiskAlmostOut&status=all')).body.alerts[0],
      PATIENCE,
    )
    .toMatchObject({ status: 'resolved', resolution: 'auto' });
  expect(await remediation()).toMatchObject({ alert_name: 'DiskAlmostOut', status: 'fixed' });
}, 60_000);

test('a source whose ends came late so far is waited for as long', async () => {
  await world.register('pc-1');
  await world.register('pc-2');
  const startsAt = world.clock.now().toISOString();
  await deliver('pc-2', 'Novel', { startsAt });
  await world.reaches('pc-2', 'needs_human');
  world.clock.advance(MINUTE_MS);
  const endsAt = world.clock.now().toISOString();
  world.clock.advance(20 * MINUTE_MS);
  await deliver('pc-2', 'Novel', { status: 'resolved', startsAt, endsAt });
  expect(await world.alertOf('pc-2')).toMatchObject({ status: 'resolved', resolved_at: endsAt });

  await deliver('pc-1', 'ServiceDown');
  await statusOf().toBe('verifying');
  world.clock.advance(44 * MINUTE_MS);
  await world.tend();
  expect(await world.alertOf('pc-1')).toMatchObject({ status: 'remediating' });
  world.clock.advance(MINUTE_MS);
  await world.tend();
  const { id } = await world.reaches('pc-1', 'needs_human');
  expect((await world.timelineOf(id)).at(-1)).toContain('nobody said within 45 minutes that it is over');
}, 60_000);
