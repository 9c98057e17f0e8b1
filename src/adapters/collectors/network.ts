/** Measures network quality from here: TCP connection round trips and the share that nobody answered. */
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { measured, missing, type Reading } from '../../domain/signals/reading.ts';
import type { NetworkQuality } from './readings.ts';

/** Under the kernel's 1 s wait before it repeats a SYN (RFC 6298): a lost packet shows as lost, not as a slow answer. */
const PROBE_TIMEOUT_MS = 900;
const FIRST_PROBES = 5;
/** With five probes a single lost packet would read as 20 %: after any loss, twenty in all give steps of 5 %. */
const MORE_PROBES = 15;

/** The endpoint's kernel answered, if only to refuse the connection: that is a round trip too. */
const ANSWERS = new Set(['ECONNREFUSED', 'ECONNRESET']);
const LOSSES = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN']);

/**
 * Probes an IP address (never a name) on one TCP port; about five round trips, at most 1.8 s when nobody answers.
 * Silence is no packet loss: a line that loses answers now and then, a firewall drops every probe, or every probe from
 * the one that exceeds its rate limit. No socket outlives the returned promise; `signal` ends all of them at once.
 */
export async function measureNetwork(
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<Reading<NetworkQuality>> {
  try {
    const probe = (): Promise<number | null> => roundTripMs(address, port, signal);
    const probes: (number | null)[] = [];
    while (probes.length < FIRST_PROBES && !probes.includes(null)) probes.push(await probe());
    if (probes.includes(null)) {
      const rest = FIRST_PROBES + MORE_PROBES - probes.length;
      probes.push(...(await Promise.all(Array.from({ length: rest }, probe))));
    }
    const inOrderMs = probes.slice(0, FIRST_PROBES).filter((answer) => answer !== null);
    const answeredMs = probes.filter((answer) => answer !== null).sort((a, b) => a - b);
    const latencyMs = median(answeredMs);
    const peer = `${address} port ${port}`;
    if (latencyMs === null) {
      return missing(
        `none of ${probes.length} TCP probes of ${peer} was answered: a firewall drops them, or nobody is there`,
      );
    }
    const lost = probes.length - answeredMs.length;
    const limited = lost > 0 && probes.slice(answeredMs.length).every((answer) => answer === null);
    const packetLossPct = limited
      ? missing(
          `${peer} answered ${answeredMs.length} TCP probes and none of the ${lost} after them: a firewall limits connections`,
        )
      : measured((100 * lost) / probes.length);
    return measured({ latencyMs, jitterMs: jitter(inOrderMs), packetLossPct });
  } catch (error) {
    return missing(`probing failed on this side: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Milliseconds until the peer accepted or refused; null when it did neither in time. Rejects on a fault of our own.
 * Either way the socket is closed by then.
 */
function roundTripMs(address: string, port: number, signal: AbortSignal): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    let answer: number | null = null;
    let fault: Error | null = null;
    const socket = connect({ host: address, port, autoSelectFamily: false, signal });
    // A reset would wait for the connection that nobody accepts: two minutes, until the kernel gives up.
    socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy());
    socket.once('connect', () => {
      answer = performance.now() - startedMs;
      // A reset instead of a close leaves no port in TIME_WAIT; thousands of probes a minute would use them up.
      socket.resetAndDestroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? '';
      if (ANSWERS.has(code)) answer ??= performance.now() - startedMs;
      else if (!LOSSES.has(code)) fault = error;
    });
    socket.once('close', () => (fault ? reject(fault) : resolve(answer)));
  });
}

/** Mean difference between two round trips in a row (as RFC 3550 counts it, without its smoothing). */
function jitter(inOrderMs: number[]): Reading<number> {
  const differences = inOrderMs.slice(1).map((ms, index) => Math.abs(ms - (inOrderMs[index] ?? ms)));
  if (differences.length < 2) return missing('too few probes in a row were answered');
  return measured(differences.reduce((sum, ms) => sum + ms, 0) / differences.length);
}

function median(sorted: number[]): number | null {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
