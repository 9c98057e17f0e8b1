import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deliveryCame, deliveryLull } from '../../../src/core/alerts/deliveryLull.ts';

let ports: object;
beforeEach(() => {
  ports = {};
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether somebody who waits for a lull has been let go. */
function waiting(): { over: boolean } {
  const state = { over: false };
  void deliveryLull(ports).then(() => {
    state.over = true;
  });
  return state;
}

test('without deliveries there is nothing to wait for', async () => {
  const waiter = waiting();
  await vi.advanceTimersByTimeAsync(0);
  expect(waiter.over).toBe(true);
});

test('work waits while deliveries come, and goes on when they pause', async () => {
  deliveryCame(ports);
  const waiter = waiting();
  for (let n = 0; n < 10; n++) {
    await vi.advanceTimersByTimeAsync(40);
    expect(waiter.over).toBe(false);
    deliveryCame(ports);
  }
  await vi.advanceTimersByTimeAsync(50);
  expect(waiter.over).toBe(true);
});

test('work does not wait for ever', async () => {
  const waiter = waiting();
  deliveryCame(ports);
  const storm = setInterval(() => deliveryCame(ports), 10);
  const late = waiting();
  await vi.advanceTimersByTimeAsync(1990);
  expect(late.over).toBe(false);
  await vi.advanceTimersByTimeAsync(20);
  clearInterval(storm);
  expect([waiter.over, late.over]).toEqual([true, true]);
});
