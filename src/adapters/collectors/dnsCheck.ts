/** Asks the machine's own name servers, counts the look-ups that got no answer and times the others. */
import { Resolver } from 'node:dns/promises';
import { performance } from 'node:perf_hooks';
import { measured, missing } from '../../domain/signals/reading.ts';
import type { Collected } from './readings.ts';

const MAX_SERVERS = 3;
/** What c-ares waits for the first reply; the second and last try gets twice that. */
const TIMEOUT_MS = 1_000;
const TRIES = 2;

/** These answers come from a server that works: there is no such name, or no record of that kind. */
const NEGATIVE_ANSWERS = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Three look-ups per name server (at most three servers): the root's servers, which only a resolver with a way to the
 * world can tell, the machine's own name, and the name of its own address. They say nothing to outsiders about who
 * asks. No such name is an answer; silence, refusal and server failure are not.
 * @param servers `ip` or `ip:port`, as `dns.getServers()` gives them
 * @param hostname the machine's own name
 * @param ownIpv4 one of the machine's own IPv4 addresses, when it has any
 */
export async function checkDns(
  servers: string[],
  hostname: string,
  ownIpv4: string | null,
): Promise<Required<Pick<Collected, 'dnsFailures' | 'dnsMs'>>> {
  if (servers.length === 0) {
    const none = missing('no name server is configured');
    return { dnsFailures: none, dnsMs: none };
  }
  const answerTimesMs: number[] = [];
  /** Whether this look-up was answered. */
  const answered = async (lookup: Promise<unknown>): Promise<boolean> => {
    const startedMs = performance.now();
    const wasAnswered = await lookup.then(() => true, isAnswer);
    if (wasAnswered) answerTimesMs.push(performance.now() - startedMs);
    return wasAnswered;
  };
  const outcomes = await Promise.all(
    servers.slice(0, MAX_SERVERS).flatMap((server) => {
      const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
      resolver.setServers([server]);
      const own = ownIpv4 === null ? [] : [resolver.resolvePtr(reverseName(ownIpv4))];
      return [resolver.resolveNs('.'), resolver.resolve4(hostname), ...own].map(answered);
    }),
  );
  const middleMs = answerTimesMs.sort((a, b) => a - b)[Math.floor(answerTimesMs.length / 2)];
  return {
    dnsFailures: measured({ count: outcomes.filter((wasAnswered) => !wasAnswered).length, of: outcomes.length }),
    dnsMs: middleMs === undefined ? missing('no name server answered') : measured(middleMs),
  };
}

// Not Resolver.reverse(): that looks into the hosts file before it asks anyone.
const reverseName = (ipv4: string): string => `${ipv4.split('.').reverse().join('.')}.in-addr.arpa`;

function isAnswer(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NEGATIVE_ANSWERS.has(String(error.code));
}
