/** The way to the ticket system: what is sent, and what is made of every answer. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTicketMessenger, type TicketSystem } from '../../src/adapters/tickets.ts';
import { TicketMappingFile } from '../../src/core/alerts/ticketMapping.ts';
import type { Ticket, TicketFields } from '../../src/domain/alerts/ticket.ts';
import type { TakenTicket } from '../../src/domain/alerts/ticketMapping.ts';
import type { StoredMessage } from '../../src/domain/outbox.ts';
import { startTicketSystem, type TicketSystemDouble } from '../helpers/ticketSystem.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const FIELDS: TicketFields = {
  id: '01T',
  event: 'opened',
  title: 'DiskFull on pc-1',
  description: 'disk /: 97 %',
  severity: 'critical',
  hostname: 'pc-1',
  alert_id: 42,
  alert_name: 'DiskFull',
  owner_email: null,
  persona: 'developer',
  criticality_tier: 2,
  comment: 'nobody mapped it',
  created_at: NOW.toISOString(),
  url: 'http://127.0.0.1/api/v1/dex/alerts/42',
};

let system: TicketSystemDouble;
let taken: (TakenTicket | null)[];
let ticket: Ticket;
beforeEach(async () => {
  system = await startTicketSystem();
  taken = [];
  ticket = {
    id: '01T',
    alertId: 42,
    status: 'open',
    externalId: null,
    externalRef: null,
    url: null,
    createdAt: NOW,
    openedAt: null,
    statusAt: null,
  };
});
afterEach(() => system.stop());

const message = (event: TicketFields['event'], comment = FIELDS.comment): StoredMessage => ({
  id: 1,
  messenger: 'ticket',
  kind: event === 'opened' ? 'raised' : 'changed',
  subject: 'ticket:01T',
  idempotencyKey: event === 'opened' ? 'ticket:01T' : `ticket:01T:${event}:1`,
  payload: { ...FIELDS, event, comment },
  attempts: 0,
  createdAt: NOW,
});
const deliver = (more: Partial<TicketSystem> = {}, messages = [message('opened')]) =>
  createTicketMessenger({
    url: system.url,
    secret: 'shared',
    mapping: null,
    secretOf: () => null,
    nowMs: () => NOW.getTime(),
    find: async () => ticket,
    async taken(_ticketId, names) {
      taken.push(names);
      ticket = {
        ...ticket,
        openedAt: NOW,
        ...(names && { externalId: names.id, externalRef: names.ref, url: names.url }),
      };
    },
    async givenUp() {},
    ...more,
  }).deliver({ kind: 'single', idempotencyKey: messages[0]!.idempotencyKey, messages });

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
  expect(taken).toEqual([{ id: 'T-1', url: 'http://127.0.0.1/T-1', ref: 'T-1' }]);
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
    expect(taken).toEqual([]);
    expect(system.sent).toHaveLength(1);
  });

  test('no answer at all is tried again', async () => {
    system.answer = { silent: true };
    expect(await deliver()).toMatchObject({ outcome: 'later', reason: expect.stringContaining('cannot be reached') });
  });

  test('a conflict is about this ticket, an outage about the system', async () => {
    system.answer = { status: 409, text: '{}' };
    expect(await deliver()).toMatchObject({ outcome: 'failed' });
    system.answer = { status: 503, text: '{}' };
    expect(await deliver()).toMatchObject({ outcome: 'later' });
  });

  test('429 is heeded', async () => {
    system.answer = { status: 429, headers: { 'Retry-After': '90' }, text: '{}' };
    expect(await deliver()).toMatchObject({ outcome: 'later', afterMs: 90_000 });
  });

  test('an address that is no web address is not linked', async () => {
    system.answer = { text: JSON.stringify({ id: 7, url: 'javascript:alert(1)' }) };
    await deliver();
    expect(taken).toEqual([{ id: '7', url: null, ref: '7' }]);
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
    answer: { id: 'data.key', ref: 'data.id' },
    update: {
      method: 'PATCH',
      path: '/{{ ticket.external_ref }}/state',
      derive: { state: { from: 'event', values: { resolved: 6, reopened: 2 } } },
      body: { state: '{{ ticket.state }}', note: 'DexOps: {{ ticket.comment }} ({{ ticket.external_id }})' },
      success: 'done',
    },
  });
  const authorised = { mapping, secretOf: () => 'Basic x' };

  test('makes the body and finds the id', async () => {
    system.answer = { text: JSON.stringify({ data: { key: 'IT-7', id: '0a1b' } }) };
    expect(await deliver({ mapping, secretOf: (name) => (name === 'DESK_AUTHORIZATION' ? 'Basic x' : null) })).toEqual({
      outcome: 'delivered',
    });
    const [{ headers, text }] = system.sent as [(typeof system.sent)[0]];
    expect(headers.authorization).toBe('Basic x');
    expect(JSON.parse(text)).toEqual({ summary: 'DiskFull on pc-1 (pc-1)', priority: 1, labels: ['01T', 'fixed'] });
    expect(taken).toEqual([{ id: 'IT-7', url: null, ref: '0a1b' }]);
  });

  test('waits while its credential is not set, and when the answer names no ticket', async () => {
    expect(await deliver({ mapping })).toMatchObject({
      outcome: 'later',
      reason: expect.stringContaining('DESK_AUTHORIZATION'),
    });
    system.answer = { text: JSON.stringify({ errors: [{ message: 'no team' }] }) };
    expect(await deliver({ mapping, secretOf: () => 'x' })).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('without an id'),
    });
  });

  test('tells that a ticket was closed, by the name and in the words of the other system', async () => {
    ticket = { ...ticket, openedAt: NOW, externalId: 'IT-7', externalRef: '0a1b' };
    system.answer = { text: JSON.stringify({ done: true }) };
    expect(await deliver(authorised, [message('resolved', 'disk: 40 %')])).toEqual({ outcome: 'delivered' });
    expect(system.sent).toMatchObject([{ method: 'PATCH', path: '/tickets/0a1b/state' }]);
    expect(JSON.parse(system.sent[0]!.text)).toEqual({ state: 6, note: 'DexOps: disk: 40 % (IT-7)' });
    expect(system.sent[0]!.headers).toMatchObject({
      authorization: 'Basic x',
      'idempotency-key': 'ticket:01T:resolved:1',
    });

    system.answer = { text: JSON.stringify({ done: false }) };
    expect(await deliver(authorised, [message('resolved')])).toMatchObject({ outcome: 'refused' });
  });

  test.each(['../../users/1', '..', 'a/b', 'a?b', '', 'x y'])(
    'never makes an address of the name %j',
    async (externalRef) => {
      ticket = { ...ticket, openedAt: NOW, externalId: 'IT-7', externalRef };
      expect(await deliver(authorised, [message('resolved')])).toMatchObject({ outcome: 'refused' });
      expect(system.sent).toEqual([]);
    },
  );
});

describe('news of a ticket', () => {
  test('go to the same address as our JSON, signed, with both names', async () => {
    ticket = { ...ticket, openedAt: NOW, externalId: 'T-1', externalRef: 'T-1' };
    system.answer = { status: 204, text: '' };
    expect(await deliver({}, [message('resolved', 'disk: 40 %')])).toEqual({ outcome: 'delivered' });
    expect(system.sent).toMatchObject([{ method: 'POST', path: '/tickets' }]);
    expect(JSON.parse(system.sent[0]!.text)).toEqual({
      ...FIELDS,
      event: 'resolved',
      comment: 'disk: 40 %',
      external_id: 'T-1',
    });
    expect(system.sent[0]!.headers['x-dexops-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
  });

  test('come after the ticket, and only the last of them is told', async () => {
    const all = [message('opened'), message('resolved'), message('reopened')];
    expect(await deliver({}, all)).toEqual({ outcome: 'delivered' });
    expect(system.sent.map(({ text }) => JSON.parse(text).event)).toEqual(['opened', 'reopened']);
  });

  test('that fail are told again without opening the ticket twice', async () => {
    const all = [message('opened'), message('resolved')];
    await deliver({}, all.slice(0, 1));
    system.answer = { status: 503, text: '{}' };
    expect(await deliver({}, all)).toMatchObject({ outcome: 'later' });
    expect(system.sent.map(({ text }) => JSON.parse(text).event)).toEqual(['opened', 'resolved']);
  });

  test('wait for the ticket, and are nothing when it never came to be', async () => {
    expect(await deliver({}, [message('resolved')])).toMatchObject({ outcome: 'failed' });
    ticket = { ...ticket, status: 'lost' };
    expect(await deliver({}, [message('resolved')])).toEqual({ outcome: 'delivered' });
    expect(system.sent).toEqual([]);
  });

  test('of a ticket that is gone there: closing it is done, opening it again is not', async () => {
    ticket = { ...ticket, openedAt: NOW };
    system.answer = { status: 404, text: '{}' };
    expect(await deliver({}, [message('resolved')])).toEqual({ outcome: 'delivered' });
    expect(await deliver({}, [message('reopened')])).toMatchObject({ outcome: 'failed' });
  });
});
