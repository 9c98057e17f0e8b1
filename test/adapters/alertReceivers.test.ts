/** What PagerDuty and a webhook's receiver are sent while an alert moves, and what is made of their answers. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AlertFacts, createAlertWebhook, createPagerDuty } from '../../src/adapters/alertReceivers.ts';
import { AppError } from '../../src/core/errors.ts';
import type { Delivery } from '../../src/domain/outbox.ts';
import { startTicketSystem, type TicketSystemDouble } from '../helpers/ticketSystem.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
let receiver: TicketSystemDouble;
let alert: AlertFacts | null;
beforeEach(async () => {
  receiver = await startTicketSystem();
  alert = {
    id: 42,
    hostname: 'pc-1',
    alert_name: 'DiskFull',
    severity: 'critical',
    message: 'disk /: 97 %',
    status: 'active',
    created_at: NOW.toISOString(),
  };
});
afterEach(() => receiver.stop());

const readAlert = async () => {
  if (alert) return alert;
  throw new AppError('not_found', 'gone');
};
const about = (subject: string): Delivery => ({
  kind: 'single',
  idempotencyKey: 'key-1',
  messages: [
    {
      id: 1,
      messenger: 'x',
      kind: 'raised',
      subject,
      idempotencyKey: 'key-1',
      payload: { alert_id: 42, from: null, to: 'active', why: 'found by a scan' },
      attempts: 0,
      createdAt: NOW,
    },
  ],
});
const sent = () => receiver.sent.map(({ text }) => JSON.parse(text));

test('PagerDuty is told to trigger, acknowledge and resolve one incident', async () => {
  const pager = createPagerDuty({ routingKey: 'r1', url: receiver.url, severities: ['critical'], readAlert });
  for (const status of ['active', 'needs_human', 'acknowledged', 'resolved']) {
    alert = { ...(alert as AlertFacts), status };
    expect(await pager.deliver(about('alert:42'))).toEqual({ outcome: 'delivered' });
  }
  expect(sent().map(({ event_action }) => event_action)).toEqual(['trigger', 'trigger', 'acknowledge', 'resolve']);
  expect(new Set(sent().map(({ dedup_key }) => dedup_key))).toEqual(new Set(['dexops-alert-42']));
  expect(sent()[0]).toMatchObject({
    routing_key: 'r1',
    payload: { summary: 'DiskFull on pc-1: disk /: 97 %', source: 'pc-1', severity: 'critical' },
  });
});

test('only the chosen severities call somebody, and nothing else than alerts does', async () => {
  const pager = createPagerDuty({ routingKey: 'r1', url: receiver.url, severities: ['critical'], readAlert });
  alert = { ...(alert as AlertFacts), severity: 'warning' };
  await pager.deliver(about('alert:42'));
  await pager.deliver(about('approval:01J'));
  alert = null;
  await pager.deliver(about('alert:42'));
  expect(receiver.sent).toEqual([]);
});

test('a webhook gets the alert with its moves, signed', async () => {
  const webhook = createAlertWebhook({ url: receiver.url, secret: 's', readAlert, nowMs: () => NOW.getTime() });
  expect(await webhook.deliver(about('alert:42'))).toEqual({ outcome: 'delivered' });
  const [{ headers, text } = { headers: {} as Record<string, string>, text: '' }] = receiver.sent;
  expect(JSON.parse(text)).toMatchObject({ event: 'alert', alert: { id: 42 }, moves: [{ to: 'active' }] });
  const timestamp = String(NOW.getTime() / 1000);
  const signature = createHmac('sha256', 's').update(`${timestamp}.${text}`).digest('hex');
  expect(headers).toMatchObject({
    'x-dexops-timestamp': timestamp,
    'x-dexops-signature': `sha256=${signature}`,
    'idempotency-key': 'key-1',
  });
});

test.each([
  [{ status: 400 }, { outcome: 'refused' }],
  [
    { status: 429, headers: { 'retry-after': '30' } },
    { outcome: 'later', afterMs: 30_000 },
  ],
  [{ status: 503 }, { outcome: 'later' }],
  [{ status: 302, headers: { location: 'http://127.0.0.1:9/' } }, { outcome: 'later' }],
  [{ silent: true }, { outcome: 'later' }],
])('an answer %o is %o', async (answer, outcome) => {
  receiver.answer = answer;
  const pager = createPagerDuty({ routingKey: 'r1', url: receiver.url, severities: ['critical'], readAlert });
  expect(await pager.deliver(about('alert:42'))).toMatchObject(outcome);
});
