import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDeliveryLull, type DeliveryLull } from '../../../src/core/alerts/deliveryLull.ts';

let lull: DeliveryLull;
beforeEach(() => {
  vi.useFakeTimers();
  lull = createDeliveryLull();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether somebody who waits for a lull has been let go. */
function waiting(): { over: boolean } {
  const state = { over: false };
  void lull.wait().then(() => {
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
  lull.deliveryCame();
  const waiter = waiting();
  for (let n = 0; n < 10; n++) {
    await vi.advanceTimersByTimeAsync(40);
    expect(waiter.over).toBe(false);
    lull.deliveryCame();
  }
  await vi.advanceTimersByTimeAsync(50);
  expect(waiter.over).toBe(true);
});

test('work does not wait for ever', async () => {
  const waiter = waiting();
  lull.deliveryCame();
  const storm = setInterval(() => lull.deliveryCame(), 10);
  const late = waiting();
  await vi.advanceTimersByTimeAsync(1990);
  expect(late.over).toBe(false);
  await vi.advanceTimersByTimeAsync(20);
  clearInterval(storm);
  expect([waiter.over, late.over]).toEqual([true, true]);
});
