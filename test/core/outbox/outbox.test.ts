/** The outbox on both databases, told to a messenger that does as the test says. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createStore } from '../../../src/adapters/db/store.ts';
import { createMetrics } from '../../../src/adapters/metrics/metrics.ts';
import { createDispatcher } from '../../../src/core/outbox/outbox.ts';
import type { DeliveryOutcome, Messenger } from '../../../src/core/ports/messagePorts.ts';
import type { Delivery, OutboxMessage } from '../../../src/domain/outbox.ts';
import { testClock } from '../../helpers/clock.ts';
import { keptLog } from '../../helpers/log.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

let serial = 0;

/** What lies outside: answers as scripted, then always with yes. */
function scripted(name: string) {
  const deliveries: Delivery[] = [];
  const script: (DeliveryOutcome | Error)[] = [];
  const messenger: Messenger = {
    name,
    paceMs: 1000,
    digest: { count: 10, windowMs: 60_000 },
    async deliver(delivery) {
      deliveries.push(delivery);
      const next = script.shift() ?? { outcome: 'delivered' };
      if (next instanceof Error) throw next;
      return next;
    },
  };
  return { messenger, deliveries, script };
}

describe.each(STORE_KINDS)('on %s', (kind) => {
  let opened: TestStore;
  let clock: ReturnType<typeof testClock>;
  let slack: ReturnType<typeof scripted>;
  let courier: ReturnType<typeof createDispatcher>;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened.close());

  const ports = () => ({ store: opened.store, clock, metrics: createMetrics(), log: keptLog() });
  beforeEach(() => {
    clock = testClock();
    slack = scripted(`slack-${++serial}`);
    courier = createDispatcher(ports(), slack.messenger, () => 1);
  });
  const tell = (subject: string, kind: OutboxMessage['kind'] = 'raised') =>
    opened.store.outbox.add(
      [{ messenger: slack.messenger.name, kind, subject, idempotencyKey: `key-${++serial}`, payload: { subject } }],
      clock.now(),
    );
  /** One step; milliseconds until the next is worth it. */
  const step = async () => (await courier.step()) ?? 1000;
  const told = () => slack.deliveries.map(({ kind, messages }) => [kind, ...messages.map(({ subject }) => subject)]);

  test('one a step, oldest first, edits of one subject together', async () => {
    await tell('a');
    await tell('b');
    await tell('a', 'changed');
    expect([await step(), await step(), await step()]).toEqual([1000, 1000, 1000]);
    expect(told()).toEqual([
      ['single', 'a', 'a'],
      ['single', 'b'],
    ]);
  });

  test('what the other side asks for is waited, and the same key is used again', async () => {
    await tell('a');
    slack.script.push({ outcome: 'later', reason: 'rate limited', afterMs: 30_000 });
    expect(await step()).toBe(30_000);
    clock.advance(29_999);
    expect(await step()).toBe(1);
    expect(slack.deliveries).toHaveLength(1);
    clock.advance(1);
    await step();
    expect(slack.deliveries[1]?.idempotencyKey).toBe(slack.deliveries[0]?.idempotencyKey);
    expect(slack.deliveries[1]?.messages[0]?.attempts).toBe(1);
  });

  test('an hour without Slack loses nothing', async () => {
    for (let i = 0; i < 8; i++) await tell(`s${i}`);
    const end = clock.now().getTime() + 3_600_000;
    while (clock.now().getTime() < end) {
      slack.script.splice(0, Number.POSITIVE_INFINITY, { outcome: 'later', reason: 'fetch failed' });
      clock.advance(await step());
    }
    expect(slack.deliveries.length).toBeLessThan(40);
    slack.deliveries.length = 0;
    slack.script.length = 0;
    for (let i = 0; i < 40; i++) clock.advance(await step());
    expect(
      told()
        .flatMap(([, ...subjects]) => subjects)
        .sort(),
    ).toEqual(Array.from({ length: 8 }, (_, i) => `s${i}`));
  });

  test('what is refused for good is not tried again, and does not hold up the rest', async () => {
    await tell('a');
    await tell('b');
    slack.script.push({ outcome: 'refused', reason: 'channel_not_found' });
    for (let i = 0; i < 4; i++) clock.advance(await step());
    expect(told()).toEqual([
      ['single', 'a'],
      ['single', 'b'],
    ]);
  });

  test('one that fails for a reason of its own is tried less and less, holds up nobody, and ends as a dead letter', async () => {
    await tell('poison');
    const failing = (delivery: Delivery): boolean => delivery.messages.some(({ subject }) => subject === 'poison');
    const { deliver } = slack.messenger;
    slack.messenger.deliver = async (delivery) => {
      const result = await deliver(delivery);
      if (failing(delivery)) throw new TypeError('the card cannot be drawn');
      return result;
    };
    const delays: number[] = [];
    for (let hour = 0; hour < 3; hour++) {
      const askedAt = clock.now().getTime();
      await tell(`s${hour}`);
      while (!told().some(([, subject]) => subject === `s${hour}`)) clock.advance(await step());
      delays.push(clock.now().getTime() - askedAt);
      const nextHour = askedAt + 3_600_000;
      while (clock.now().getTime() < nextHour) clock.advance(Math.max(60_000, await step()));
    }
    expect(Math.max(...delays)).toBeLessThan(5_000);
    expect(slack.deliveries.filter(failing).length).toBeLessThan(40);
    const dead = await opened.store.outbox.deadLetters(slack.messenger.name, { limit: 10, offset: 0 });
    expect(dead.items.map(({ subject, reason }) => [subject, reason])).toEqual([
      ['poison', 'the card cannot be drawn'],
    ]);
  });

  test('three that fail in a row are an outage: the messenger waits, and loses none', async () => {
    for (let i = 0; i < 5; i++) await tell(`s${i}`);
    const end = clock.now().getTime() + 900_000;
    while (clock.now().getTime() < end) {
      slack.script.splice(0, Number.POSITIVE_INFINITY, { outcome: 'failed', reason: 'odd' });
      clock.advance(await step());
    }
    expect(slack.deliveries.length).toBeLessThan(40);
    slack.deliveries.length = 0;
    slack.script.length = 0;
    for (let i = 0; i < 20; i++) clock.advance(Math.max(60_000, await step()));
    expect(new Set(told().flatMap(([, ...subjects]) => subjects))).toEqual(new Set(['s0', 's1', 's2', 's3', 's4']));
  });

  test('a digest that is refused is told one by one: only the one at fault is given up', async () => {
    for (let i = 0; i < 15; i++) await tell(`s${i}`);
    const { deliver } = slack.messenger;
    slack.messenger.deliver = async (delivery) => {
      await deliver(delivery);
      const bad = delivery.messages.some(({ subject }) => subject === 's7');
      return bad ? { outcome: 'refused', reason: 'invalid_blocks' } : { outcome: 'delivered' };
    };
    for (let i = 0; i < 20; i++) clock.advance(await step());
    const dead = await opened.store.outbox.deadLetters(slack.messenger.name, { limit: 10, offset: 0 });
    expect(dead.items.map(({ subject }) => subject)).toEqual(['s7']);
    expect(told().filter(([kind]) => kind === 'single')).toHaveLength(15);
  });

  test('a dead letter that is sent again is as new', async () => {
    await tell('a');
    slack.script.push({ outcome: 'refused', reason: 'is_archived' });
    await step();
    clock.advance(2 * 86_400_000);
    expect(await opened.store.outbox.revive({ messenger: slack.messenger.name }, clock.now())).toBe(1);
    slack.script.push({ outcome: 'later', reason: 'down' });
    clock.advance(await step());
    await step();
    expect(told()).toHaveLength(3);
    expect((await opened.store.outbox.deadLetters(slack.messenger.name, { limit: 10, offset: 0 })).total).toBe(0);
  });

  test('after a day it is given up', async () => {
    await tell('a');
    clock.advance(86_400_000);
    slack.script.push({ outcome: 'later', reason: 'down' });
    clock.advance(await step());
    clock.advance(600_000);
    await step();
    expect(slack.deliveries).toHaveLength(1);
  });

  test('a storm is one digest that lists them all', async () => {
    for (let i = 0; i < 25; i++) await tell(`s${i}`);
    await step();
    await step();
    expect(slack.deliveries).toHaveLength(1);
    expect(slack.deliveries[0]).toMatchObject({ kind: 'digest' });
    expect(slack.deliveries[0]?.messages).toHaveLength(25);
    await tell('next');
    await tell('other');
    await step();
    expect(told()[1]).toEqual(['digest', 'next', 'other']);
  });

  test('two couriers at once deliver everything once', async () => {
    for (let i = 0; i < 9; i++) await tell(`s${i}`);
    const second = createDispatcher(ports(), slack.messenger, () => 1);
    for (let i = 0; i < 12; i++) await Promise.all([courier.step(), second.step()]);
    expect(
      told()
        .flatMap(([, ...subjects]) => subjects)
        .sort(),
    ).toEqual(Array.from({ length: 9 }, (_, i) => `s${i}`));
  });

  test('a dispatcher that died in the middle: another delivers after the lease', async () => {
    await tell('a');
    const [waiting] = await opened.store.outbox.due(slack.messenger.name, clock.now(), 10);
    await opened.store.outbox.lease([waiting?.id as number], clock.now(), new Date(clock.now().getTime() + 60_000));
    await step();
    expect(slack.deliveries).toHaveLength(0);
    clock.advance(60_000);
    await step();
    expect(told()).toEqual([['single', 'a']]);
  });
});

test('that messages wait is said when they are committed, not before and not when they are not', async () => {
  const { database, close } = await openTestStore('sqlite');
  let said = 0;
  const store = createStore(database.em, () => said++);
  const now = new Date();
  const message: OutboxMessage = { messenger: 'slack', kind: 'raised', subject: 'a', idempotencyKey: 'a', payload: {} };
  await store.transaction(async (inner) => {
    await inner.transaction((nested) => nested.outbox.add([message], now));
    expect(said).toBe(0);
  });
  expect(said).toBe(1);
  const broken = store.transaction(async ({ outbox }) => {
    await outbox.add([{ ...message, idempotencyKey: 'b' }], now);
    throw new Error('no');
  });
  await expect(broken).rejects.toThrow('no');
  await store.outbox.add([], now);
  expect(said).toBe(1);
  await store.outbox.addOnce({ ...message, idempotencyKey: 'c' }, now);
  expect(said).toBe(2);
  await close();
});
