/** Measures network quality from here: TCP connection round trips and the share that nobody answered. */
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Measured, measured, missing, type NetworkQuality } from './readings.ts';

/** Under the kernel's 1 s wait before it repeats a SYN (RFC 6298): a lost packet shows as lost, not as a slow answer. */
const PROBE_TIMEOUT_MS = 900;
const FIRST_PROBES = 5;
/** With five probes a single lost packet would read as 20 %: after any loss, twenty in all give steps of 5 %. */
const MORE_PROBES = 15;

/** The endpoint's kernel answered, if only to refuse the connection: that is a round trip too. */
const ANSWERS = new Set(['ECONNREFUSED', 'ECONNRESET']);
const LOSSES = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN']);

/** Probes an IP address (never a name) on one TCP port; about five round trips, at most 1.8 s when nobody answers. */
export async function measureNetwork(address: string, port: number): Promise<Measured<NetworkQuality>> {
  try {
    const probes: (number | null)[] = [];
    while (probes.length < FIRST_PROBES && !probes.includes(null)) probes.push(await roundTripMs(address, port));
    if (probes.includes(null)) {
      const rest = FIRST_PROBES + MORE_PROBES - probes.length;
      probes.push(...(await Promise.all(Array.from({ length: rest }, () => roundTripMs(address, port)))));
    }
    const answeredMs = probes.filter((probe) => probe !== null).sort((a, b) => a - b);
    const packetLossPct = (100 * (probes.length - answeredMs.length)) / probes.length;
    return measured({ latencyMs: median(answeredMs), packetLossPct });
  } catch (error) {
    return missing(`probing failed on this side: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Milliseconds until the peer accepted or refused; null when it did neither in time. Rejects on a fault of our own. */
function roundTripMs(address: string, port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const socket = connect({ host: address, port, autoSelectFamily: false });
    const settle = (result: number | null): void => {
      // A reset instead of a close leaves no port in TIME_WAIT; thousands of probes a minute would use them up.
      socket.resetAndDestroy();
      resolve(result);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => settle(null));
    socket.once('connect', () => settle(performance.now() - startedMs));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const elapsedMs = performance.now() - startedMs;
      const code = error.code ?? '';
      if (ANSWERS.has(code)) settle(elapsedMs);
      else if (LOSSES.has(code)) settle(null);
      else reject(error);
    });
  });
}

function median(sorted: number[]): number | null {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
