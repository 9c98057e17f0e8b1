/** Finds the registered endpoint that a name, an address or an alias means. */
import {
  type Alias,
  type HostIndex,
  type HostMatch,
  hostIndex,
  type KnownEndpoint,
  matchEndpoint,
  shortName,
} from '../../domain/fleet/hostIdentity.ts';
import { canonicalIp } from '../../domain/fleet/ipAddress.ts';
import { AppError } from '../errors.ts';
import type { Store } from '../ports/storePorts.ts';

type FleetStore = Pick<Store, 'endpoints' | 'aliases'>;

/**
 * The endpoints that any of these canonical hosts may mean, in at most two look-ups for all of them.
 * @param settled says from the endpoints found by name and address that their aliases need not be asked for
 */
export async function knownEndpoints(
  store: FleetStore,
  hosts: readonly string[],
  settled: (hostnames: ReadonlySet<string>) => boolean = () => false,
): Promise<HostIndex<KnownEndpoint>> {
  const keys = [...new Set(hosts.flatMap((host) => [host, shortName(host) ?? host]))];
  const endpoints = new Map<number, KnownEndpoint & { aliases: Alias[] }>();
  const hostnames = new Set<string>();
  for (const endpoint of await store.endpoints.byNamesOrAddresses(keys)) {
    endpoints.set(endpoint.id, { ...endpoint, aliases: [] });
    hostnames.add(endpoint.hostname);
  }
  if (!settled(hostnames)) {
    for (const { alias, ...endpoint } of await store.aliases.byValues(keys)) {
      const known = endpoints.get(endpoint.id) ?? { ...endpoint, aliases: [] };
      known.aliases.push(alias);
      endpoints.set(endpoint.id, known);
    }
  }
  return hostIndex([...endpoints.values()]);
}

/** @param host canonical */
export async function matchHost(store: FleetStore, host: string): Promise<HostMatch<KnownEndpoint>> {
  return matchEndpoint([host], await knownEndpoints(store, [host]));
}

/**
 * The hostname by which the endpoint is registered that `host` means; `host` itself when it means none.
 * @throws AppError `conflict` when it may mean several
 */
export async function registeredName(store: FleetStore, host: string): Promise<string> {
  const match = await matchHost(store, host);
  if (match.kind === 'ambiguous') throw ambiguity(match);
  return match.kind === 'found' ? match.endpoint.hostname : host;
}

/** An address is no name to register a machine by: only its registration under a name leads to it. */
export function notRegistered(host: string): AppError {
  const isAddress = canonicalIp(host) !== null;
  const message = isAddress
    ? `No machine is registered with the address ${host}.`
    : `No endpoint named ${host} is registered.`;
  const input = isAddress ? { ip_address: host } : { hostname: host };
  return new AppError('not_found', message, input, { next: [{ to: 'Register it', tool: 'register_endpoint', input }] });
}

export function ambiguity({ host, among }: { host: string; among: readonly { hostname: string }[] }): AppError {
  const hostnames = among.map(({ hostname }) => hostname);
  return new AppError('conflict', `${ambiguityText(host, hostnames)} Use one of these hostnames.`, { hostnames });
}

/** One sentence on why `host` decides nothing. */
export function ambiguityText(host: string, hostnames: readonly string[]): string {
  return `${host} fits several endpoints: ${hostnames.join(', ')}.`;
}
