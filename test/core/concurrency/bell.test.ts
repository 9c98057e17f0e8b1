/** A loop that sleeps is woken, also by a bell that rang while it was busy. */
import { expect, test, vi } from 'vitest';
import { createBell } from '../../../src/core/concurrency/bell.ts';

const LONG_MS = 60_000;
const never = new AbortController().signal;

test('a ring ends the wait, and one before it too, once', async () => {
  const bell = createBell();
  const waiting = bell.wait(LONG_MS, never);
  bell.ring();
  await waiting;
  bell.ring();
  bell.ring();
  await bell.wait(LONG_MS, never);
  vi.useFakeTimers();
  try {
    const ended = vi.fn();
    const silent = bell.wait(LONG_MS, never).then(ended);
    await vi.advanceTimersByTimeAsync(LONG_MS - 1);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await silent;
  } finally {
    vi.useRealTimers();
  }
});

test('the end of the service ends the wait', async () => {
  const stopped = new AbortController();
  const waiting = createBell().wait(LONG_MS, stopped.signal);
  stopped.abort();
  await waiting;
});
