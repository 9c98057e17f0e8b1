/** Runs one scan of one endpoint within its time limit and always ends in a snapshot. */
import { performance } from 'node:perf_hooks';
import type { CollectContext } from '../../core/ports/ports.ts';
import { type ScanTarget, type Snapshot, unreachableSnapshot } from '../../domain/signals/telemetry.ts';
import { type Reader, toSnapshot, Unreachable } from './readings.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 60_000;

/**
 * Scans the target; whatever goes wrong becomes an unreachable snapshot with the reason. The promise settles when
 * the endpoint's time (`options.timeoutMs`, 10 s by default, at most 60 s) is up, even if the scan does not stop.
 */
export async function collectSnapshot(read: Reader, target: ScanTarget, context: CollectContext): Promise<Snapshot> {
  const startedMs = performance.now();
  const timeoutMs = Math.min(target.options.timeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
  const deadline = new AbortController();
  const giveUp = Promise.withResolvers<never>();
  const stop = (reason: string): void => {
    giveUp.reject(new Unreachable(reason));
    deadline.abort();
  };
  const onCancel = (): void => stop('the scan was cancelled');
  const timer = setTimeout(() => stop(`no complete answer within ${timeoutMs / 1000} s`), timeoutMs);
  context.signal.addEventListener('abort', onCancel, { once: true });
  if (context.signal.aborted) onCancel();
  try {
    const looking = read(target, { ...context, signal: deadline.signal });
    const readings = await Promise.race([looking, giveUp.promise]);
    return toSnapshot(target, context.now, performance.now() - startedMs, readings);
  } catch (error) {
    // Stops what may still be under way, such as a second sample when the first probes have failed.
    deadline.abort();
    const durationMs = Math.round(performance.now() - startedMs);
    return unreachableSnapshot(target, context.now, reasonOf(error), durationMs);
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener('abort', onCancel);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Unreachable) return error.message;
  return `the collector failed: ${error instanceof Error ? error.message : String(error)}`;
}
