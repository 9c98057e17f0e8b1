/** Sends one request to a model provider: with a time limit, retries that obey the provider, and errors as AppError. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type ErrorKind } from '../../core/errors.ts';
import type { Llm, LlmRequest } from '../../core/planner/llm.ts';
import { type ReplyBounds, unboundedReplyIn } from './bounds.ts';

/** What speaks to one provider; its name and model are known before it is loaded. */
export type LlmClient = Pick<Llm, 'ping' | 'complete'>;

export interface AttemptOptions {
  /** Tries in all. */
  tries: number;
  /** Time for one try, streaming included, in milliseconds. */
  timeoutMs: number;
  /** What one reply may hold; by default what any honest reply keeps to. */
  bounds?: ReplyBounds;
  /** Waits between tries; rejects when the signal aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const DEFAULT_ATTEMPTS: AttemptOptions = {
  tries: 4,
  timeoutMs: 120_000,
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};

/** What an adapter could tell from its client library's error. */
export interface ProviderFailure {
  /** Null when no answer came: refused connection, broken stream, garbled answer. */
  status: number | null;
  message: string;
  retryAfterMs: number | null;
}

const FIRST_WAIT_MS = 500;
/** A provider that asks for more patience than this gets none: the run's own time is short. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Runs `send` until it succeeds. 408, 409, 429, 5xx and lost connections are tried again after the time the provider
 * asked for, or after a backoff that doubles from half a second, less up to a quarter at random. Throws AppError, or
 * the caller's own abort reason.
 */
export async function attempt<T>(
  provider: string,
  { tries, timeoutMs, sleep }: Omit<AttemptOptions, 'bounds'>,
  signal: AbortSignal,
  send: (signal: AbortSignal) => Promise<T>,
  explain: (error: unknown) => ProviderFailure,
): Promise<T> {
  for (let number = 1; ; number++) {
    signal.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMs);
    let failure: ProviderFailure;
    let cause: unknown;
    try {
      return await send(AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal.throwIfAborted();
      cause = error;
      const unbounded = unboundedReplyIn(error);
      if (unbounded) {
        const message = `${provider} gave no usable answer: ${unbounded.message}`;
        throw new AppError('unavailable', message, { provider, status: null, tries: number }, { cause });
      }
      failure = timeout.aborted
        ? { status: null, message: `no full answer within ${timeoutMs} ms`, retryAfterMs: null }
        : explain(error);
    }
    const backoffMs = FIRST_WAIT_MS * 2 ** (number - 1) * (1 - Math.random() / 4);
    const waitMs = failure.retryAfterMs ?? backoffMs;
    if (number >= tries || !isPassing(failure.status) || waitMs > LONGEST_WAIT_MS) {
      throw new AppError(
        kindOf(failure.status),
        `${provider} ${failure.status === null ? 'gave no usable answer' : `answered ${failure.status}`}: ${failure.message.slice(0, 300)}`,
        { provider, status: failure.status, tries: number },
        { cause },
      );
    }
    await sleep(waitMs, signal).catch(() => signal.throwIfAborted());
  }
}

/** Runs one try; what it passed on of a reply that then broke is withdrawn. */
export async function withdrawing<T>(request: LlmRequest, send: (heard: LlmRequest) => Promise<T>): Promise<T> {
  let given = false;
  const onText = (delta: string) => {
    given = true;
    request.onText?.(delta);
  };
  try {
    return await send({ ...request, onText });
  } catch (error) {
    if (given) request.onTextWithdrawn?.();
    throw error;
  }
}

const isPassing = (status: number | null) =>
  status === null || status === 408 || status === 409 || status === 429 || status >= 500;

function kindOf(status: number | null): ErrorKind {
  if (status === 401 || status === 403) return 'denied';
  if (status === 404) return 'not_found';
  if (status === 413) return 'too_large';
  if (status === 429) return 'rate_limited';
  return status !== null && status < 500 && status !== 408 && status !== 409 ? 'invalid' : 'unavailable';
}

/**
 * What an error of a client library says.
 * @param status none when the provider did not answer
 * @param header of the provider's answer
 */
export function failureOf(error: unknown, status?: number | null, header: Header = () => null): ProviderFailure {
  return {
    status: status ?? null,
    message: error instanceof Error ? error.message : String(error),
    retryAfterMs: retryAfterMs(header),
  };
}

type Header = (name: string) => string | null | undefined;

/** `retry-after` as seconds or a date, or OpenAI's `retry-after-ms`; null when absent or unreadable. */
function retryAfterMs(header: Header): number | null {
  const milliseconds = Number(header('retry-after-ms') || Number.NaN);
  if (milliseconds >= 0) return milliseconds;
  const raw = header('retry-after');
  if (!raw) return null;
  const seconds = Number(raw);
  if (seconds >= 0) return seconds * 1000;
  const at = Date.parse(raw);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

/** Asks something free of the provider, once and briefly, and says whether it answered. */
export async function pingBy(
  send: (signal: AbortSignal) => Promise<unknown>,
  explain: (error: unknown) => ProviderFailure,
  signal: AbortSignal,
): Promise<{ ok: boolean; reason: string | null }> {
  try {
    await send(AbortSignal.any([signal, AbortSignal.timeout(5_000)]));
    return { ok: true, reason: null };
  } catch (error) {
    const { status, message } = explain(error);
    return { ok: false, reason: `${status ?? 'no answer'}: ${message.slice(0, 300)}` };
  }
}
