/** What endpoints are called besides their hostnames: kept by people, seen on the machine, and warned of where two share it. */
import {
  type Alias,
  type AliasKind,
  aliasKindOf,
  type KnownEndpoint,
  shortName,
} from '../../domain/fleet/hostIdentity.ts';
import { AppError } from '../errors.ts';
import type { Store } from '../ports/storePorts.ts';
import { knownEndpoints } from './hostLookup.ts';

type FleetStore = Pick<Store, 'endpoints' | 'aliases'>;

/**
 * Keeps a person's word that an endpoint is also called `value` (canonical).
 * @throws AppError `invalid` for what can be no alias, `conflict` when the value belongs to another endpoint
 */
export async function keepAlias(
  store: FleetStore,
  endpoint: { id: number; hostname: string },
  given: { value: string; kind: AliasKind | undefined },
  now: Date,
): Promise<Alias> {
  const kind = given.kind ?? aliasKindOf(given.value);
  if (kind === null)
    throw new AppError('invalid', `${given.value} is neither a host name nor an IP address; give its kind.`);
  if (given.value === endpoint.hostname)
    throw new AppError('conflict', `${given.value} is the hostname of this endpoint already.`);
  const known = await knownEndpoints(store, [given.value]);
  const holder = known.near(given.value, null).find((other) => other.id !== endpoint.id && claims(other, given.value));
  if (holder) {
    const text = `${given.value} belongs to ${holder.hostname}; take it from there first.`;
    throw new AppError('conflict', text, { hostname: holder.hostname });
  }
  const alias: Alias = { kind, value: given.value, source: 'said' };
  await store.aliases.keep(endpoint.id, [alias], now);
  return alias;
}

function claims({ hostname, ipAddress, aliases }: KnownEndpoint, value: string): boolean {
  return (
    hostname === value ||
    ipAddress === value ||
    aliases.some((alias) => alias.source === 'said' && alias.value === value)
  );
}

/** What an endpoint shares with others so that alerts which name only that cannot be assigned; one sentence each. */
export async function identityWarnings(
  store: FleetStore,
  { id, hostname, ipAddress, aliases }: KnownEndpoint,
): Promise<string[]> {
  const short = shortName(hostname);
  const numbers = aliases.filter(({ kind }) => kind === 'machine_id' || kind === 'serial_number');
  const keys = [ipAddress, short, hostname, ...numbers.map(({ value }) => value)].filter((key) => key !== null);
  const known = await knownEndpoints(store, keys);
  const others = (key: string, fits: (other: KnownEndpoint) => boolean) =>
    known.near(key, null).filter((other) => other.id !== id && fits(other));
  const list = (found: readonly KnownEndpoint[]) => found.map((other) => other.hostname).join(', ');
  const warnings: string[] = [];
  if (ipAddress !== null) {
    const same = others(ipAddress, (other) => other.ipAddress === ipAddress);
    if (same.length > 0)
      warnings.push(
        `${ipAddress} is also the address of ${list(same)}: alerts that name only this address cannot be assigned to a machine.`,
      );
  }
  if (short !== null) {
    const same = others(short, (other) => shortName(other.hostname) === short);
    if (same.length > 0)
      warnings.push(
        `${short} is also short for ${list(same)}: alerts that name only ${short} cannot be assigned to a machine.`,
      );
  }
  for (const { kind, value } of numbers) {
    const same = others(value, (other) => other.aliases.some((alias) => alias.kind === kind && alias.value === value));
    if (same.length > 0)
      warnings.push(
        `Its ${kind === 'machine_id' ? 'machine id' : 'serial number'} ${value} is also that of ${list(same)}: made from one image, or one machine registered twice.`,
      );
  }
  return warnings;
}

/** Registered endpoints that an unknown host may be another name of, likeliest first. */
export async function likelyEndpoints(store: FleetStore, hosts: readonly string[]): Promise<Map<string, string[]>> {
  const known = await knownEndpoints(store, hosts);
  return new Map(hosts.map((host) => [host, known.near(host, shortName(host)).map(({ hostname }) => hostname)]));
}
