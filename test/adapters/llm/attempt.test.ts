import { expect, it } from 'vitest';
import { attempt, DEFAULT_ATTEMPTS, failureOf } from '../../../src/adapters/llm/attempt.ts';

const retryAfterMs = (header: (name: string) => string | undefined) =>
  failureOf(new Error('too many'), 429, header).retryAfterMs;

const headers = (sent: Record<string, string>) => (name: string) => sent[name];

it('reads how long a provider asks to wait: seconds, milliseconds, a date, or nothing usable', () => {
  expect(retryAfterMs(headers({ 'retry-after': '3' }))).toBe(3_000);
  expect(retryAfterMs(headers({ 'retry-after': '3', 'retry-after-ms': '250' }))).toBe(250);
  expect(retryAfterMs(headers({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() }))).toBeGreaterThan(50_000);
  expect(retryAfterMs(headers({ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }))).toBe(0);
  expect(retryAfterMs(headers({ 'retry-after': 'soon' }))).toBeNull();
  expect(retryAfterMs(headers({}))).toBeNull();
});

it('throws the caller’s reason when aborted while it waits for the next try', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  const send = async () => {
    setImmediate(() => abort.abort(reason));
    throw new Error('down');
  };
  const explain = () => ({ status: 503, message: 'down', retryAfterMs: 20_000 });
  await expect(attempt('p', DEFAULT_ATTEMPTS, abort.signal, send, explain)).rejects.toBe(reason);
});
