/** Tickets through the whole service: opened once, linked, told back by the ticket system, and loud when they cannot get out. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alert, delivery, WEBHOOK_SECRET } from '../../helpers/deliveries.ts';
import { type HealingWorld, healingWorld } from '../../helpers/healingWorld.ts';
import { startTicketSystem, type TicketSystemDouble } from '../../helpers/ticketSystem.ts';

const PATH = '/api/v1/webhooks/tickets';
const HOUR_MS = 3_600_000;

let world: HealingWorld;
let system: TicketSystemDouble;
beforeEach(async () => {
  system = await startTicketSystem();
  world = await healingWorld({
    env: {
      DEX_TICKET_WEBHOOK_URL: system.url,
      DEX_SELF_HEALING_ENABLED: 'false',
      WEBHOOK_SECRET,
      WEBHOOK_REQUIRE_AUTH: 'true',
      PUBLIC_URL: 'http://dexops.example/',
    },
  });
});
afterEach(async () => {
  await world.close();
  await system.stop();
});

async function panic(host: string) {
  await world.register(host);
  const body = delivery(alert({ host, name: 'KernelPanic', startsAt: world.clock.now().toISOString() }));
  await world.service.call('POST', '/api/v1/webhooks/alertmanager', body, {
    Authorization: `Bearer ${WEBHOOK_SECRET}`,
  });
  return world.reaches(host, 'needs_human');
}
const linked = (host: string) =>
  expect.poll(async () => (await world.alertOf(host)).ticket, { timeout: 8000 }).not.toBe(null);

const end = (host: string) =>
  world.service.call(
    'POST',
    '/api/v1/webhooks/alertmanager',
    delivery(
      alert({
        host,
        name: 'KernelPanic',
        status: 'resolved',
        startsAt: world.clock.now().toISOString(),
        endsAt: world.clock.now().toISOString(),
      }),
    ),
    { Authorization: `Bearer ${WEBHOOK_SECRET}` },
  );
const sentEvents = () => system.sent.map(({ text }) => JSON.parse(text).event);

let words = 0;
interface Word {
  event: string;
  ticket_id?: string;
  delivery_id?: string;
  at?: string;
  comment?: string;
}
function tell({ ticket_id = 'T-1', ...word }: Word, sign: { secret?: string; sentMs?: number; bearer?: boolean } = {}) {
  const text = JSON.stringify({ delivery_id: `d${++words}`, at: world.clock.now().toISOString(), ticket_id, ...word });
  const timestamp = String(Math.floor((sign.sentMs ?? world.clock.now().getTime()) / 1000));
  const secret = sign.secret ?? WEBHOOK_SECRET;
  const signature = createHmac('sha256', secret).update(`${timestamp}.${text}`).digest('hex');
  const headers: Record<string, string> = sign.bearer
    ? { Authorization: `Bearer ${secret}` }
    : { 'X-Webhook-Token': `sha256=${signature}` };
  return world.service.call('POST', PATH, text, { 'X-API-Key': '', 'X-Webhook-Timestamp': timestamp, ...headers });
}

test('an alert for people becomes one ticket, whose id and address are kept', async () => {
  const { id } = await panic('pc-1');
  await linked('pc-1');
  expect(await world.alertOf('pc-1')).toMatchObject({ ticket: { id: 'T-1', url: 'http://127.0.0.1/T-1' } });
  expect(system.sent).toHaveLength(1);
  expect(JSON.parse(system.sent[0]!.text)).toMatchObject({
    title: 'KernelPanic on pc-1',
    severity: 'critical',
    alert_id: id,
    url: `http://dexops.example/api/v1/dex/alerts/${id}`,
  });
  expect((await world.timelineOf(id)).at(-1)).toBe('needs_human: ticket T-1 was opened');
});

test('a ticket system that fails for a while gets the same key again', { timeout: 30_000 }, async () => {
  system.answer = { status: 500, text: 'not now' };
  await panic('pc-1');
  await expect.poll(() => system.sent.length, { timeout: 8000 }).toBe(1);
  system.answer = {};
  await expect
    .poll(
      () => {
        world.clock.advance(10_000);
        return system.sent.length;
      },
      { timeout: 15_000, interval: 1000 },
    )
    .toBe(2);
  expect(system.sent[1]!.headers['idempotency-key']).toBe(system.sent[0]!.headers['idempotency-key']);
  await linked('pc-1');
});

test('a ticket that could not get out for a day shows in health, metrics and the channel', async () => {
  system.answer = { status: 200, headers: { 'Content-Type': 'text/html' }, text: '<html>' };
  await panic('pc-1');
  await expect.poll(() => system.sent.length, { timeout: 8000 }).toBe(1);
  world.clock.advance(25 * HOUR_MS);
  await expect
    .poll(() => world.told.find(({ what }) => what === 'notice')?.text, { timeout: 8000 })
    .toMatch(/could not be delivered.*KernelPanic on pc-1/);
  const { body } = await world.service.call('GET', '/health');
  expect(body).toMatchObject({
    status: 'degraded',
    checks: { outbox: { status: 'degraded', dead_letters: [{ messenger: 'ticket', messages: 1 }] } },
  });
  expect(await (await fetch(`${world.service.url}/metrics`)).text()).toContain(
    'dex_dead_messages{messenger="ticket"} 1',
  );
});

describe('a callback', () => {
  beforeEach(async () => {
    await panic('pc-1');
    await linked('pc-1');
  });

  test('in progress quiets the alert, resolved ends it, reopened opens it again', async () => {
    expect(await tell({ event: 'in_progress' })).toMatchObject({ status: 200, body: { ok: true, outcome: 'taken' } });
    expect(await world.alertOf('pc-1')).toMatchObject({
      status: 'acknowledged',
      acknowledged_by: 'ticket T-1',
      acknowledged_until: null,
    });
    world.clock.advance(60_000);
    await tell({ event: 'resolved' });
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'resolved', resolution: 'ticket' });
    world.clock.advance(60_000);
    await tell({ event: 'reopened' }, { bearer: true });
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'needs_human', resolved_at: null });
  });

  test('with a comment reaches the timeline and the channel', async () => {
    await tell({ event: 'comment', comment: 'New disk ordered <!channel>' });
    const { id } = await world.alertOf('pc-1');
    expect((await world.timelineOf(id)).at(-1)).toBe('needs_human: ticket T-1, somebody: New disk ordered <!channel>');
    await expect
      .poll(() => world.told, { timeout: 8000 })
      .toContainEqual(expect.objectContaining({ alert_id: id, why: expect.stringContaining('New disk ordered') }));
  });

  test('that comes twice counts once', async () => {
    await tell({ event: 'comment', comment: 'hello', delivery_id: 'same' });
    expect(await tell({ event: 'comment', comment: 'hello', delivery_id: 'same' })).toMatchObject({
      status: 200,
      body: { outcome: 'duplicate' },
    });
    const { id } = await world.alertOf('pc-1');
    expect((await world.timelineOf(id)).filter((line) => line.includes('hello'))).toHaveLength(1);
  });

  test('that comes late changes nothing', async () => {
    const earlier = world.clock.now().toISOString();
    world.clock.advance(60_000);
    await tell({ event: 'resolved' });
    expect(await tell({ event: 'in_progress', at: earlier })).toMatchObject({
      status: 200,
      body: { outcome: 'stale' },
    });
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'resolved' });
  });

  test.each([
    ['for an unknown ticket', () => tell({ event: 'resolved', ticket_id: 'T-999' }), 404],
    ['that is forged', () => tell({ event: 'resolved' }, { secret: 'guessed' }), 401],
    [
      'sent six minutes ago',
      () => tell({ event: 'resolved' }, { sentMs: world.clock.now().getTime() - 6 * 60_000 }),
      401,
    ],
    ['without an event', () => tell({ event: 'exploded' }), 400],
    ['with an empty comment', () => tell({ event: 'comment' }), 400],
  ])('%s is refused', async (_name, send, status) => {
    expect((await send()).status).toBe(status);
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'needs_human' });
  });

  test('whose time stamp was changed does not match its signature', async () => {
    const text = JSON.stringify({
      delivery_id: 'x',
      ticket_id: 'T-1',
      event: 'resolved',
      at: world.clock.now().toISOString(),
    });
    const old = Math.floor(world.clock.now().getTime() / 1000) - 3600;
    const signature = createHmac('sha256', WEBHOOK_SECRET).update(`${old}.${text}`).digest('hex');
    const { status } = await world.service.call('POST', PATH, text, {
      'X-API-Key': '',
      'X-Webhook-Token': signature,
      'X-Webhook-Timestamp': String(old + 3600),
    });
    expect(status).toBe(401);
  });
});

describe('an alert that ends by itself', () => {
  beforeEach(async () => {
    await panic('pc-1');
    await linked('pc-1');
  });

  test('closes its ticket, signed and recognisable, and the echo is no news', async () => {
    world.clock.advance(60_000);
    expect(await end('pc-1')).toMatchObject({ body: { resolved: 1 } });
    await expect.poll(sentEvents, { timeout: 8000 }).toEqual(['opened', 'resolved']);
    const { id } = await world.alertOf('pc-1');
    expect(JSON.parse(system.sent[1]!.text)).toMatchObject({
      id: JSON.parse(system.sent[0]!.text).id,
      external_id: 'T-1',
      alert_id: id,
      comment: 'Alertmanager says that it is over',
    });
    const { headers, text } = system.sent[1]!;
    expect(headers['idempotency-key']).toMatch(/^ticket:.+:resolved:.+/);
    const signed = `${headers['x-dexops-timestamp']}.${text}`;
    expect(headers['x-dexops-signature']).toBe(
      `sha256=${createHmac('sha256', WEBHOOK_SECRET).update(signed).digest('hex')}`,
    );

    const before = await world.timelineOf(id);
    world.clock.advance(1000);
    expect(await tell({ event: 'resolved' })).toMatchObject({ status: 200, body: { outcome: 'taken' } });
    expect(await world.timelineOf(id)).toEqual(before);
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'resolved', resolution: 'source' });
  });

  test('is not told when the ticket system ended it itself', async () => {
    await tell({ event: 'resolved' });
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'resolved', resolution: 'ticket' });
    await new Promise((resolve) => setTimeout(resolve, 2500)); // two looks of the dispatcher
    expect(sentEvents()).toEqual(['opened']);
  });

  test('closes its ticket too when a person ended it, and what comes after is tolerated', async () => {
    const { id } = await world.alertOf('pc-1');
    await world.service.call('POST', `/api/v1/dex/alerts/${id}/resolve`, { reason: 'rebooted' });
    await expect.poll(sentEvents, { timeout: 8000 }).toEqual(['opened', 'resolved']);
    world.clock.advance(1000);
    expect(await tell({ event: 'comment', comment: 'thanks' })).toMatchObject({ status: 200 });
    expect(await tell({ event: 'in_progress' })).toMatchObject({ status: 200 });
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'resolved', resolution: 'person' });
    world.clock.advance(1000);
    expect(await tell({ event: 'reopened' })).toMatchObject({ status: 200 });
    expect(await world.alertOf('pc-1')).toMatchObject({ status: 'needs_human' });
  });

  test('and comes back within the window opens its ticket again', async () => {
    await end('pc-1');
    await expect.poll(sentEvents, { timeout: 8000 }).toEqual(['opened', 'resolved']);
    world.clock.advance(60_000);
    const again = delivery(alert({ host: 'pc-1', name: 'KernelPanic', startsAt: world.clock.now().toISOString() }));
    await world.service.call('POST', '/api/v1/webhooks/alertmanager', again, {
      Authorization: `Bearer ${WEBHOOK_SECRET}`,
    });
    await world.reaches('pc-1', 'needs_human');
    await expect.poll(sentEvents, { timeout: 8000 }).toEqual(['opened', 'resolved', 'reopened']);
    expect(await world.alertOf('pc-1')).toMatchObject({ flaps: 1, ticket: { id: 'T-1' } });
  });
});

test('a ticket that was never taken is not closed, and the next one is new', async () => {
  system.answer = { status: 422, text: '{"error":"no project"}' };
  await panic('pc-1');
  await expect.poll(sentEvents, { timeout: 8000 }).toEqual(['opened']);
  await expect.poll(() => world.told.find(({ what }) => what === 'notice'), { timeout: 8000 }).toBeDefined();
  system.answer = {};
  await end('pc-1');
  world.clock.advance(60_000);
  await world.service.call(
    'POST',
    '/api/v1/webhooks/alertmanager',
    delivery(alert({ host: 'pc-1', name: 'KernelPanic', startsAt: world.clock.now().toISOString() })),
    { Authorization: `Bearer ${WEBHOOK_SECRET}` },
  );
  await world.reaches('pc-1', 'needs_human');
  await expect.poll(sentEvents, { timeout: 8000 }).toEqual(['opened', 'opened']);
});
