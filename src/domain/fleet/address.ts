/** Which host names are well formed and which IP addresses no endpoint may have. */
import { parseIp } from './ipAddress.ts';

/**
 * Letters, digits and inner hyphens as RFC 1123 has them, and inner underscores, which Windows allows in computer names. A name
 * that begins or ends with one is a service record or a word of some program (`__proto__`), not a machine.
 */
const LABEL = /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/i;

/**
 * Host name by RFC 1123 with underscores: dot-separated labels, 1–63 characters each, 253 in all. A name whose last label
 * is only digits is refused, because resolvers take such names for numeric addresses.
 */
export function isValidHostname(name: string): boolean {
  if (name.length === 0 || name.length > 253) return false;
  const labels = name.split('.');
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** Cloud metadata services outside the link-local ranges (AWS over IPv6, Google over IPv6, Azure, Alibaba, Oracle). */
const METADATA_ADDRESSES = ['fd00:ec2::254', 'fd20:ce::254', '168.63.129.16', '100.100.100.200', '192.0.0.192'];

/**
 * Why no endpoint may have this address, or null when it may. Loopback and private ranges are allowed; text that is no
 * IP address is refused. An IPv6 address that a translator or tunnel leads to IPv4 is judged by where it leads as well.
 */
export function forbiddenAddressReason(ip: string): string | null {
  const groups = parseIp(ip);
  if (groups === null) return 'not an IP address';
  const own = isMapped(groups) ? null : forbiddenIpv6Reason(groups);
  const reasons = embeddedIpv4(groups).map(forbiddenIpv4Reason);
  return own ?? reasons.find((reason) => reason !== null) ?? null;
}

function forbiddenIpv4Reason(ipv4: Ipv4): string | null {
  const [first, second, third, fourth] = ipv4;
  if (METADATA_GROUPS.has([...MAPPED, first * 256 + second, third * 256 + fourth].join()))
    return 'a cloud metadata service';
  if (first === 0) return 'the unspecified address range 0.0.0.0/8';
  if (first === 169 && second === 254) return 'link-local (169.254.0.0/16, where cloud metadata lives)';
  if (first >= 224 && first < 240) return 'multicast (224.0.0.0/4)';
  if (first === 255 && second === 255 && third === 255 && fourth === 255) return 'the broadcast address';
  if (first >= 240) return 'reserved (240.0.0.0/4)';
  return null;
}

function forbiddenIpv6Reason(groups: number[]): string | null {
  const first = groups[0] ?? 0;
  if (METADATA_GROUPS.has(groups.join())) return 'a cloud metadata service';
  if (groups.every((group) => group === 0)) return 'the unspecified address ::';
  if ((first & 0xffc0) === 0xfe80) return 'link-local (fe80::/10)';
  if ((first & 0xff00) === 0xff00) return 'multicast (ff00::/8)';
  return null;
}

type Ipv4 = [number, number, number, number];

/** ::ffff:0:0/96, IPv4 as IPv6 writes it (RFC 4291, section 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0xffff];

function isMapped(groups: readonly number[]): boolean {
  return startsWith(groups, MAPPED);
}

function startsWith(groups: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}

/** Every IPv4 address that a packet to this one may reach on its way; `::` and `::1` are IPv6's own. */
function embeddedIpv4(groups: readonly number[]): Ipv4[] {
  const at = (index: number) => ipv4From(groups[index] ?? 0, groups[index + 1] ?? 0);
  const found: Ipv4[] = [];
  // Mapped, translated (RFC 2765), compatible (RFC 4291) and NAT64's well-known prefix (RFC 6052).
  if (isMapped(groups) || startsWith(groups, [0, 0, 0, 0, 0xffff, 0])) found.push(at(6));
  if (startsWith(groups, [0, 0, 0, 0, 0, 0]) && groups[6] !== 0) found.push(at(6));
  if (startsWith(groups, [0x64, 0xff9b, 0, 0, 0, 0])) found.push(at(6));
  if (startsWith(groups, [0x64, 0xff9b, 1])) found.push(...localNat64(groups));
  // 6to4 (RFC 3056), Teredo's server and client, whose bits are inverted (RFC 4380), and ISATAP (RFC 5214).
  if (startsWith(groups, [0x2002])) found.push(at(1));
  if (startsWith(groups, [0x2001, 0])) found.push(at(2), ipv4From(~(groups[6] ?? 0), ~(groups[7] ?? 0)));
  if (((groups[4] ?? 0) & 0xfdff) === 0 && groups[5] === 0x5efe) found.push(at(6));
  return found;
}

/**
 * NAT64's prefix for local use, 64:ff9b:1::/48 (RFC 8215): an operator takes 48, 56, 64 or 96 bits of it, and each length
 * has its own place for the IPv4 address (RFC 6052, section 2.2). What would lead into 0.0.0.0/8 is another length's.
 */
function localNat64(groups: readonly number[]): Ipv4[] {
  const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
  const places = [
    [6, 7, 9, 10],
    [7, 9, 10, 11],
    [9, 10, 11, 12],
    [12, 13, 14, 15],
  ];
  return places.map((place) => place.map((index) => bytes[index] ?? 0) as Ipv4).filter(([first]) => first !== 0);
}

function ipv4From(high: number, low: number): Ipv4 {
  return [(high >> 8) & 0xff, high & 0xff, (low >> 8) & 0xff, low & 0xff];
}

const METADATA_GROUPS = new Set(METADATA_ADDRESSES.map((address) => parseIp(address)?.join()));
