/** The way to the ticket system: what is sent, and what is made of every answer. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTicketMessenger, type TicketSystem } from '../../src/adapters/tickets.ts';
import { TicketMappingFile } from '../../src/core/ticketMapping.ts';
import type { TicketLink } from '../../src/domain/alert.ts';
import type { Delivery } from '../../src/domain/outbox.ts';
import type { TicketFields } from '../../src/domain/ticket.ts';
import { startTicketSystem, type TicketSystemDouble } from '../helpers/ticketSystem.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const FIELDS: TicketFields = {
  id: '01T',
  title: 'DiskFull on pc-1',
  description: 'disk /: 97 %',
  severity: 'critical',
  hostname: 'pc-1',
  alert_id: 42,
  alert_name: 'DiskFull',
  owner_email: null,
  persona: 'developer',
  criticality_tier: 2,
  created_at: NOW.toISOString(),
  url: 'http://127.0.0.1/api/v1/dex/alerts/42',
};

let system: TicketSystemDouble;
let links: [string, TicketLink][];
beforeEach(async () => {
  system = await startTicketSystem();
  links = [];
});
afterEach(() => system.stop());

const delivery: Delivery = {
  kind: 'single',
  idempotencyKey: 'ticket:01T',
  messages: [
    {
      id: 1,
      messenger: 'ticket',
      kind: 'raised',
      subject: 'ticket:01T',
      idempotencyKey: 'ticket:01T',
      payload: { ...FIELDS },
      attempts: 0,
      createdAt: NOW,
    },
  ],
};
const deliver = (more: Partial<TicketSystem> = {}) =>
  createTicketMessenger({
    url: system.url,
    secret: 'shared',
    mapping: null,
    secretOf: () => null,
    nowMs: () => NOW.getTime(),
    async link(ticketId, link) {
      links.push([ticketId, link]);
    },
    async givenUp() {},
    ...more,
  }).deliver(delivery);

test('sends our JSON with a key that repeats and a signature that proves it, and keeps the link', async () => {
  expect(await deliver()).toEqual({ outcome: 'delivered' });
  const [{ headers, text }] = system.sent as [(typeof system.sent)[0]];
  expect(JSON.parse(text)).toEqual(FIELDS);
  const timestamp = String(NOW.getTime() / 1000);
  expect(headers).toMatchObject({
    'idempotency-key': 'ticket:01T',
    'x-dexops-timestamp': timestamp,
    'x-dexops-signature': `sha256=${createHmac('sha256', 'shared').update(`${timestamp}.${text}`).digest('hex')}`,
  });
  expect(links).toEqual([['01T', { id: 'T-1', url: 'http://127.0.0.1/T-1' }]]);
});

describe('an odd answer', () => {
  test.each([
    ['200 with a login page', { headers: { 'Content-Type': 'text/html' }, text: '<html>Log in</html>' }, 'later'],
    ['302', { status: 302, headers: { Location: 'http://127.0.0.1:9/elsewhere' } }, 'later'],
    ['500', { status: 500, text: 'oops' }, 'later'],
    ['401', { status: 401, text: '{}' }, 'later'],
    ['422', { status: 422, text: '{"error":"no project"}' }, 'refused'],
  ])('%s is %s', async (_name, answer, outcome) => {
    system.answer = answer;
    expect(await deliver()).toMatchObject({ outcome, reason: expect.any(String) });
    expect(links).toEqual([]);
    expect(system.sent).toHaveLength(1);
  });

  test('no answer at all is tried again', async () => {
    system.answer = { silent: true };
    await expect(deliver()).rejects.toThrow();
  });

  test('429 is heeded', async () => {
    system.answer = { status: 429, headers: { 'Retry-After': '90' }, text: '{}' };
    expect(await deliver()).toMatchObject({ outcome: 'later', afterMs: 90_000 });
  });

  test('an address that is no web address is not linked', async () => {
    system.answer = { text: JSON.stringify({ id: 7, url: 'javascript:alert(1)' }) };
    await deliver();
    expect(links).toEqual([['01T', { id: '7', url: null }]]);
  });
});

describe('a mapping', () => {
  const mapping = TicketMappingFile.parse({
    name: 'test',
    target: '.*',
    headers: { Authorization: { env: 'DESK_AUTHORIZATION' } },
    derive: { priority: { from: 'severity', values: { critical: 1, warning: 3 } } },
    body: {
      summary: '{{ ticket.title }} ({{ ticket.hostname }})',
      priority: '{{ ticket.priority }}',
      labels: ['{{ ticket.id }}', 'fixed'],
    },
    answer: { id: 'data.key' },
  });

  test('makes the body and finds the id', async () => {
    system.answer = { text: JSON.stringify({ data: { key: 'IT-7' } }) };
    expect(await deliver({ mapping, secretOf: (name) => (name === 'DESK_AUTHORIZATION' ? 'Basic x' : null) })).toEqual({
      outcome: 'delivered',
    });
    const [{ headers, text }] = system.sent as [(typeof system.sent)[0]];
    expect(headers.authorization).toBe('Basic x');
    expect(JSON.parse(text)).toEqual({ summary: 'DiskFull on pc-1 (pc-1)', priority: 1, labels: ['01T', 'fixed'] });
    expect(links).toEqual([['01T', { id: 'IT-7', url: null }]]);
  });

  test('waits while its credential is not set, and when the answer names no ticket', async () => {
    expect(await deliver({ mapping })).toMatchObject({
      outcome: 'later',
      reason: expect.stringContaining('DESK_AUTHORIZATION'),
    });
    system.answer = { text: JSON.stringify({ errors: [{ message: 'no team' }] }) };
    expect(await deliver({ mapping, secretOf: () => 'x' })).toMatchObject({
      outcome: 'later',
      reason: expect.stringContaining('without an id'),
    });
  });
});
