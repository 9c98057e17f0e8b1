/** What a machine is called: one canonical form of names and addresses, and which registered endpoint one of them means. */
import { isValidHostname } from './address.ts';
import { canonicalIp } from './ipAddress.ts';

/** The longest DNS name, in characters. */
const MAX_NAME = 253;

/**
 * The canonical form of a host as people and exporters write it: `PC-7.Example.NET.:9100`, `[2001:DB8::A]:9100`,
 * `::ffff:10.0.0.7`, `fe80::1%eth0`, `https://pc-7/metrics`. Lower case; without scheme, user, path, port, trailing dot and
 * zone; addresses as `canonicalIp` writes them. What is neither name nor address comes back trimmed and in lower case.
 */
export function canonicalHost(text: string): string {
  const written = text.trim().toLowerCase();
  // Only behind a scheme is a slash the start of a path, and before a number that of a prefix length; any other makes no host.
  const authority =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/.exec(written)?.[1] ?? written.replace(/\/\d+$/, '');
  const bracketed = /^\[([^\]]+)\](?::\d*)?$/.exec(authority);
  const host = bracketed?.[1] ?? withoutPort(authority);
  return canonicalIp(host) ?? host.replace(/\.$/, '');
}

/** More than one colon and no brackets is a bare IPv6 address. */
function withoutPort(authority: string): string {
  return authority.indexOf(':') === authority.lastIndexOf(':') ? authority.replace(/:\d*$/, '') : authority;
}

/** The first label of a canonical name; null for addresses and for names that are short already. */
export function shortName(host: string): string | null {
  const dot = host.indexOf('.');
  return dot > 0 && canonicalIp(host) === null ? host.slice(0, dot) : null;
}

/** Labels that name an alert's machine, best first; dots, dashes and case do not matter. */
export const DEFAULT_HOST_LABELS = [
  'hostname',
  'host',
  'nodename',
  'host.name',
  'node',
  'fqdn',
  'computer_name',
  'computername',
  'computer',
  'machine',
  'server',
  'exported_instance',
  'instance',
  'host.ip',
  'ip_address',
  'ip',
  'machine_id',
  'serial_number',
] as const;

const labelKey = (name: string) => name.toLowerCase().replace(/[.-]/g, '_');

/** The canonical hosts that an alert's labels name, in the order of `hostLabels`, each once. */
export function hostsOfLabels(labels: Readonly<Record<string, string>>, hostLabels: readonly string[]): string[] {
  const byKey = new Map(Object.entries(labels).map(([name, value]) => [labelKey(name), value]));
  const hosts = hostLabels
    .map((label) => canonicalHost(byKey.get(labelKey(label)) ?? ''))
    .filter((host) => host !== '' && host.length <= MAX_NAME);
  return [...new Set(hosts)];
}

export const ALIAS_KINDS = ['name', 'address', 'machine_id', 'serial_number'] as const;
export type AliasKind = (typeof ALIAS_KINDS)[number];

/** `said` by a person; `seen` on the machine itself; `derived` from its registered name. */
export type AliasSource = 'said' | 'seen' | 'derived';

/** Another name, address or number of a registered endpoint, in canonical form. */
export interface Alias {
  kind: AliasKind;
  value: string;
  source: AliasSource;
}

/** Name or address, by how the canonical value is written; null when it can be neither. */
export function aliasKindOf(value: string): AliasKind | null {
  if (canonicalIp(value) === value) return 'address';
  return isValidHostname(value) ? 'name' : null;
}

/** What of an endpoint decides whether a host means it. */
export interface KnownEndpoint {
  id: number;
  hostname: string;
  ipAddress: string | null;
  aliases: readonly Alias[];
}

export type HostMatch<T> =
  | { kind: 'found'; endpoint: T }
  /** Several endpoints fit `host` equally well, so none is chosen. */
  | { kind: 'ambiguous'; host: string; among: T[] }
  | { kind: 'none' };

type MayMean = (endpoint: KnownEndpoint, host: string, short: string | null) => boolean;

const isSaid = ({ aliases }: KnownEndpoint, host: string) =>
  aliases.some(({ source, value }) => source === 'said' && value === host);

/** How an endpoint may fit a host, surest first, names before addresses. What a machine says of itself never decides. */
const FITS: readonly (readonly MayMean[])[] = [
  [
    ({ hostname }, host) => hostname === host,
    isSaid,
    (endpoint, host, short) =>
      short === null
        ? endpoint.aliases.some(({ source, value }) => source === 'derived' && value === host)
        : endpoint.hostname === short || isSaid(endpoint, short),
  ],
  [({ ipAddress }, host) => ipAddress === host],
];

/**
 * The one endpoint that `hosts` (canonical, best first) mean: the first host decides that exactly one endpoint fits, in the
 * surest way that any does. Where several fit alike, a later host may still decide, and otherwise nobody does.
 */
export function matchEndpoint<T extends KnownEndpoint>(hosts: readonly string[], known: HostIndex<T>): HostMatch<T> {
  let undecided: HostMatch<T> = { kind: 'none' };
  for (const fits of FITS) {
    for (const host of hosts) {
      const short = shortName(host);
      const near = known.near(host, short);
      const among = fits
        .map((mayMean) => near.filter((each) => mayMean(each, host, short)))
        .find(({ length }) => length > 0);
      if (among?.length === 1) return { kind: 'found', endpoint: among[0] as T };
      if (among && undecided.kind === 'none') undecided = { kind: 'ambiguous', host, among };
    }
  }
  return undecided;
}

/** Endpoints by everything that they may be called, so that a delivery of many alerts never walks all of them for each. */
export interface HostIndex<T> {
  near(host: string, short: string | null): T[];
}

export function hostIndex<T extends KnownEndpoint>(endpoints: readonly T[]): HostIndex<T> {
  const byKey = new Map<string, Set<T>>();
  for (const endpoint of endpoints) {
    const keys = [endpoint.hostname, endpoint.ipAddress, ...endpoint.aliases.map(({ value }) => value)];
    for (const key of keys) {
      if (key === null) continue;
      const same = byKey.get(key) ?? new Set();
      byKey.set(key, same.add(endpoint));
    }
  }
  return {
    near: (host, short) => [...new Set([...(byKey.get(host) ?? []), ...((short && byKey.get(short)) || [])])],
  };
}
