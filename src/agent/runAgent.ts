/** The agent's loop: measures every so often, and delivers; what cannot be delivered waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import { minimised } from '../domain/privacy/minimise.ts';
import { snapshotToWire } from '../domain/signals/agentReport.ts';
import type { Snapshot } from '../domain/signals/telemetry.ts';
import { deliverAll, type Orders } from './deliver.ts';
import type { AgentSettings } from './settings.ts';
import { memorySpool, type Spool } from './state.ts';

const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;

/** @param mayBePersonal whether what tells something about the person at the machine may be measured */
export type Collect = (previousScanAt: Date | null, mayBePersonal: boolean) => Promise<Snapshot>;

interface AgentParts {
  collect: Collect;
  say(line: string): void;
  signal: AbortSignal;
  /** Where reports wait; in memory unless given. */
  spool?: Spool;
  /** The token to report with, which may have been renewed; that of the settings unless given. */
  token?(): string;
  /** Nothing personal is reported, whatever the server says. */
  isAlwaysPrivate?: boolean;
  /** Called with what the server said last of whether anything personal may be reported. */
  keepMode?(isPrivate: boolean): void;
  /** Called after reports were taken, with their number; ends the loop with this exit code, or goes on with null. */
  afterDelivery?(taken: number): Promise<number | null>;
  firstRetryMs?: number;
}

/**
 * Collects every `intervalMs` and delivers in order; what cannot be delivered waits and is retried with growing pauses.
 * Ends when `signal` is aborted, when the server refuses the token, or after one report with `once`.
 * @returns the process's exit code
 */
export async function runAgent(settings: AgentSettings, parts: AgentParts): Promise<number> {
  const { server, intervalMs, once } = settings;
  const { collect, say, signal, spool = memorySpool(), firstRetryMs = FIRST_RETRY_MS } = parts;
  let previousScanAt: Date | null = null;
  // By a clock that nobody sets.
  let nextCollectionMs = performance.now();
  let retryMs = firstRetryMs;
  let orders: Orders = { isPrivate: settings.isPrivate, pausedUntilMs: 0 };
  while (!signal.aborted) {
    if (performance.now() >= nextCollectionMs && Date.now() < orders.pausedUntilMs) {
      say('nothing is measured: the person at this machine paused it');
      nextCollectionMs = performance.now() + intervalMs;
    }
    if (performance.now() >= nextCollectionMs) {
      const isPrivate = parts.isAlwaysPrivate || orders.isPrivate;
      const whole = await collect(previousScanAt, !isPrivate);
      const snapshot = isPrivate ? minimised(whole) : whole;
      if (signal.aborted) break;
      if (snapshot.reachable) {
        previousScanAt = snapshot.collectedAt;
        spool.add(snapshotToWire(snapshot));
      } else {
        say(`this machine could not be measured: ${snapshot.unreachableReason}`);
        if (once) return 1;
      }
      // Counted from now: after a laptop's sleep one report follows, not one for every interval slept through.
      nextCollectionMs = performance.now() + intervalMs;
    }
    const token = parts.token?.() ?? settings.token;
    const delivery = await deliverAll(spool, { server, token }, say);
    const { outcome, taken, retryAfterMs } = delivery;
    if (delivery.orders) {
      orders = delivery.orders;
      parts.keepMode?.(orders.isPrivate);
    }
    if (outcome === 'token refused') return 1;
    const end = taken > 0 ? await parts.afterDelivery?.(taken) : null;
    if (typeof end === 'number') return end;
    if (once) return outcome === 'done' ? 0 : 1;
    const untilCollectionMs = Math.max(0, nextCollectionMs - performance.now());
    if (outcome === 'try later') {
      // Jitter keeps a fleet from knocking in step when its server comes back.
      const pauseMs = Math.max(retryMs, retryAfterMs ?? 0) * (0.5 + Math.random() / 2);
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
      await pause(Math.min(pauseMs, untilCollectionMs), signal);
    } else {
      retryMs = firstRetryMs;
      await pause(untilCollectionMs, signal);
    }
  }
  return 0;
}

/** Sleeps, and returns early when aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
