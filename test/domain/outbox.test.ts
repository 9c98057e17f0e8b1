import { expect, test } from 'vitest';
import { backoffMs, fairly, isHopeless, nextDelivery, type StoredMessage } from '../../src/domain/outbox.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const DIGEST = { count: 10, windowMs: 60_000 };
let ids = 0;

function message(subject: string, kind: StoredMessage['kind'] = 'raised'): StoredMessage {
  const id = ++ids;
  return {
    id,
    messenger: 'slack',
    kind,
    subject,
    idempotencyKey: `key-${id}`,
    payload: {},
    attempts: 0,
    createdAt: NOW,
  };
}

test('nothing waits: nothing to deliver', () => {
  expect(nextDelivery([], DIGEST, 0)).toBeNull();
});

test('all that waits about the oldest subject goes together', () => {
  const due = [message('a'), message('b'), message('a', 'changed')];
  expect(nextDelivery(due, DIGEST, 0)).toEqual({
    kind: 'single',
    idempotencyKey: due[0]?.idempotencyKey,
    messages: [due[0], due[2]],
  });
});

test('more than ten new in a minute go in one digest, those already told counted', () => {
  const due = Array.from({ length: 11 }, (_, i) => message(`s${i}`));
  expect(nextDelivery(due, DIGEST, 0)).toMatchObject({ kind: 'digest', messages: due });
  expect(nextDelivery(due.slice(0, 10), DIGEST, 0)).toMatchObject({ kind: 'single' });
  expect(nextDelivery(due.slice(0, 2), DIGEST, 9)).toMatchObject({ kind: 'digest' });
  expect(nextDelivery(due, undefined, 0)).toMatchObject({ kind: 'single' });
});

test('new alerts go before updates, critical ones first', () => {
  const updates = Array.from({ length: 40 }, (_, i) => message(`s${i}`, 'changed'));
  const warning = message('w');
  const critical = { ...message('c'), payload: { severity: 'critical' } };
  const order = fairly([...updates, warning, critical]);
  expect(order.slice(0, 3).map(({ subject }) => subject)).toEqual(['c', 'w', 's0']);
  expect(nextDelivery(order, DIGEST, 0)).toMatchObject({ kind: 'single', messages: [critical] });
});

test('a storm of edits is no storm of news', () => {
  const due = Array.from({ length: 30 }, (_, i) => message(`s${i}`, 'changed'));
  expect(nextDelivery(due, DIGEST, 0)).toMatchObject({ kind: 'single', messages: [due[0]] });
});

test('waits double up to five minutes, half of it by chance', () => {
  expect([1, 2, 3].map((attempts) => backoffMs(attempts, 1))).toEqual([2000, 4000, 8000]);
  expect(backoffMs(3, 0)).toBe(4000);
  expect(backoffMs(500, 1)).toBe(300_000);
});

test('after a day it is no longer of interest', () => {
  const old = message('a');
  expect(isHopeless(old, new Date(NOW.getTime() + 86_399_999))).toBe(false);
  expect(isHopeless(old, new Date(NOW.getTime() + 86_400_000))).toBe(true);
});
